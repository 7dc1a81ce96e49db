"""What the answers about suspending and ending accounts tell: every fact, every clause and every way on."""

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import pytest

from tests.server.rules.facts import DAY, NEXOPOS, NOW, POLICIES, told
from tillkey_server.rules.account import SuspensionAsked, decide_lift, decide_suspension, second_person
from tillkey_server.rules.decision import Decision
from tillkey_server.rules.termination import (
    InUse,
    LeavingFacts,
    VendorAsked,
    decide_by_vendor,
    decide_cancel,
    decide_end,
    decide_request,
    decide_waiver,
)

SILENT = POLICIES["netposa"]
TWO = replace(NEXOPOS, account=replace(NEXOPOS.account, two_person_rule=True))
SHARED = SuspensionAsked("pb_key_sharing", "a forum", "one")
SUSPENSION = {
    "behavior": "pb_key_sharing",
    "severity": "temporary",
    "fraud": False,
    "stops_at": "2026-03-17T12:00:00Z",
    "until": "2026-04-09T12:00:00Z",
}
LISTED = [one.code for one in NEXOPOS.account.behaviors]
WRITTEN = "2026-03-10T12:00:00Z"
ENDING = VendorAsked("pb_key_sharing", "a forum", "one")
TILLS = UUID(int=7), UUID(int=8)
OWED = LeavingFacts({"EUR": 5}, {"EUR": 4}, in_use=(InUse(UUID(int=3), "pos", TILLS),))


@pytest.mark.clause("NX-37", "NX-38", "NX-39", "NX-40", "NX-41", "NX-42", "NX-43", "CJ-02")
@pytest.mark.parametrize(
    ("asked_for", "expected"),
    [
        (
            lambda: decide_suspension(SHARED, NEXOPOS, NOW),
            ("allow", "account_suspension_set", ("NX-42", "NX-43"), SUSPENSION, ()),
        ),
        (
            lambda: decide_suspension(replace(SHARED, until=NOW + DAY), NEXOPOS, NOW),
            (
                "allow",
                "account_suspension_set",
                ("NX-42", "NX-43"),
                SUSPENSION | {"until": "2026-03-11T12:00:00Z"},
                (),
            ),
        ),
        (
            lambda: decide_suspension(SHARED, TWO, NOW),
            ("pend", "account_awaits_second", ("NX-40", "NX-43"), SUSPENSION, ("repeat_by_another_person",)),
        ),
        (
            lambda: decide_suspension(replace(SHARED, behavior="pb_x"), NEXOPOS, NOW),
            ("deny", "behavior_not_listed", ("NX-43",), {"behavior": "pb_x", "listed": LISTED}, ()),
        ),
        (
            lambda: decide_suspension(replace(SHARED, evidence=" "), NEXOPOS, NOW),
            ("deny", "evidence_required", ("NX-43",), {"behavior": "pb_key_sharing"}, ("give_evidence",)),
        ),
        (
            lambda: decide_suspension(SHARED, SILENT, NOW),
            ("deny", "account_terms_silent", SILENT.standing.suspended, {}, ()),
        ),
        (
            lambda: second_person({"a": 1}, SILENT, NOW),
            (
                "pend",
                "account_awaits_second",
                SILENT.standing.suspended,
                {"a": 1},
                ("repeat_by_another_person",),
            ),
        ),
        (
            lambda: decide_lift(2, "seen", NEXOPOS, NOW),
            ("allow", "account_suspension_lifted", ("NX-42",), {"lifted": 2, "reason": "seen"}, ()),
        ),
        (lambda: decide_lift(0, "", NEXOPOS, NOW), ("deny", "account_not_suspended", ("NX-42",), {}, ())),
        (lambda: decide_lift(0, "", SILENT, NOW), ("deny", "account_not_suspended", SILENT.standing.suspended, {}, ())),
        (
            lambda: decide_by_vendor(ENDING, NEXOPOS, NOW),
            (
                "allow",
                "account_terminated_by_vendor",
                ("NX-40", "NX-43"),
                {"behavior": "pb_key_sharing", "due_at": WRITTEN},
                (),
            ),
        ),
        (
            lambda: decide_by_vendor(replace(ENDING, automatic=True), NEXOPOS, NOW),
            (
                "pend",
                "termination_needs_person",
                ("NX-40", "NX-43"),
                {"behavior": "pb_key_sharing", "due_at": WRITTEN},
                (),
            ),
        ),
        (
            lambda: decide_cancel(NOW, False, NEXOPOS, NOW),
            ("allow", "termination_canceled", ("NX-37",), {"due_at": WRITTEN}, ()),
        ),
        (lambda: decide_cancel(None, False, NEXOPOS, NOW), ("deny", "termination_not_open", ("NX-37",), {}, ())),
        (
            lambda: decide_cancel(None, False, SILENT, NOW),
            ("deny", "termination_not_open", SILENT.standing.terminated, {}, ()),
        ),
        (
            lambda: decide_end(replace(OWED, legal_hold_at=NOW), False, NEXOPOS, NOW),
            ("deny", "legal_hold", ("K-13",), {"since": WRITTEN}, ()),
        ),
        (
            lambda: decide_end(OWED, False, NEXOPOS, NOW),
            (
                "pend",
                "termination_blocked_balance",
                ("NX-41",),
                {"unsettled": {"EUR": 5}},
                ("pay_out", "waive_balance"),
            ),
        ),
        (
            lambda: decide_end(replace(OWED, refunds=(UUID(int=9),)), False, NEXOPOS, NOW),
            (
                "pend",
                "termination_blocked_refund",
                ("NX-37",),
                {"refunds": 1, "waiting": [str(UUID(int=9))]},
                ("decide_refund", "pay_out"),
            ),
        ),
        (
            lambda: decide_end(LeavingFacts(waiting_orders=3), False, NEXOPOS, NOW),
            ("pend", "termination_blocked_order", ("NX-38",), {"orders": 3}, ("release_order", "refund")),
        ),
        (
            lambda: decide_end(LeavingFacts(), False, NEXOPOS, NOW),
            ("allow", "account_terminated", ("NX-38", "NX-37", "NX-41"), {"by": "customer"}, ()),
        ),
        (
            lambda: decide_end(LeavingFacts(), True, NEXOPOS, NOW),
            ("allow", "account_terminated", ("NX-38", "NX-40", "NX-41"), {"by": "vendor"}, ()),
        ),
        (
            lambda: decide_waiver({"EUR": 5}, True, NEXOPOS, NOW, verified=True),
            ("allow", "balance_waived", ("NX-41",), {"waived": {"EUR": 5}}, ()),
        ),
        (
            lambda: decide_waiver({}, False, NEXOPOS, NOW, verified=True),
            ("deny", "termination_not_open", ("NX-41",), {"waived": {}}, ()),
        ),
        (
            lambda: decide_waiver({}, False, SILENT, NOW, verified=True),
            ("deny", "termination_not_open", SILENT.standing.terminated, {"waived": {}}, ()),
        ),
    ],
)
def test_an_answer_about_an_account_tells_what_it_rests_on_and_what_can_be_done(
    asked_for: Callable[[], Decision], expected
) -> None:
    assert told(asked_for()) == expected


@pytest.mark.clause("NX-37", "NX-39")
@pytest.mark.parametrize(
    ("verified", "outcome", "code", "options"),
    [
        (True, "allow", "termination_scheduled", ()),
        (False, "pend", "termination_requester_unverified", ("verify_requester",)),
    ],
)
def test_who_leaves_is_told_when_what_still_runs_and_what_is_owed(verified, outcome, code, options) -> None:
    facts = {
        "due_at": "2026-03-24T12:00:00Z",
        "contact": NEXOPOS.account.contact,
        "running": 2,
        "in_use": [{"license": str(UUID(int=3)), "product": "pos", "tills": [str(one) for one in TILLS]}],
        "unsettled": {"EUR": 5},
        "refunds": 0,
        "requests": 0,
    }
    found = decide_request(verified, OWED, NEXOPOS, NOW)
    assert told(found) == (outcome, code, ("NX-37", "NX-39"), facts, options)


@pytest.mark.parametrize(
    ("balance", "waived", "left"),
    [
        ({"EUR": 0}, {}, {}),
        ({"EUR": 1}, {}, {"EUR": 1}),
        ({"EUR": 1}, {"EUR": 1}, {}),
        ({"EUR": 2}, {"EUR": 1}, {"EUR": 2}),
    ],
)
def test_a_balance_is_settled_by_nothing_less_than_all_of_it(balance, waived, left) -> None:
    assert LeavingFacts(balance, waived).unsettled == left
