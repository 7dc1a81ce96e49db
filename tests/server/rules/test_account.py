"""The sentences of `rules.account` and `rules.termination`, and of a suspended account in `rules.standing`."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from tests.server.rules.facts import DAY, NEXOPOS, NOW
from tillkey_server.policies.loader import bundled_policies
from tillkey_server.rules.account import (
    AccountCode,
    Leaving,
    Span,
    SuspensionAsked,
    decide_account,
    decide_erased,
    decide_lift,
    decide_suspension,
    joined,
)
from tillkey_server.rules.decision import Outcome, Refusal, instant
from tillkey_server.rules.lease import lease_times
from tillkey_server.rules.standing import Event, LicenseFacts, Status, decide_change, refuse, standing, status_of
from tillkey_server.rules.termination import (
    LeavingFacts,
    VendorAsked,
    decide_by_vendor,
    decide_cancel,
    decide_end,
    decide_request,
    decide_waiver,
)

SILENT = bundled_policies()["netposa"].policy
TWO = replace(NEXOPOS, account=replace(NEXOPOS.account, two_person_rule=True))
SUSPENDED = LicenseFacts(
    uuid4(),
    NOW - 9 * DAY,
    account_suspended_at=NOW,
    account_stops_at=NOW + 7 * DAY,
    account_suspended_until=NOW + 9 * DAY,
)


def asked(**changed) -> SuspensionAsked:
    return replace(SuspensionAsked("pb_key_sharing", "a forum", "one"), **changed)


@pytest.mark.clause("NX-42", "NX-43")
@pytest.mark.parametrize(
    "behavior, stops, until",
    [
        ("pb_key_sharing", NOW + 7 * DAY, NOW + 30 * DAY),
        ("pb_tampering", NOW + 7 * DAY, None),
        ("pb_chargeback_fraud", NOW, None),
    ],
)
def test_a_behavior_suspends_as_the_list_says(behavior, stops, until):
    found = decide_suspension(asked(behavior=behavior), NEXOPOS, NOW)
    shown = [None if one is None else one.strftime("%Y-%m-%dT%H:%M:%SZ") for one in (stops, until)]
    assert (found.allowed, [found.facts["stops_at"], found.facts["until"]]) == (True, shown)


def test_what_is_not_listed_or_not_shown_or_not_spoken_of_suspends_nobody():
    assert decide_suspension(asked(behavior="pb_x"), NEXOPOS, NOW).code is AccountCode.BEHAVIOR_NOT_LISTED
    assert decide_suspension(asked(evidence=" "), NEXOPOS, NOW).code is AccountCode.EVIDENCE_REQUIRED
    for found in (
        decide_suspension(asked(), SILENT, NOW),
        decide_by_vendor(VendorAsked("pb_x", "x", "one"), SILENT, NOW),
        decide_request(True, LeavingFacts(), SILENT, NOW),
        decide_end(LeavingFacts(), False, SILENT, NOW),
    ):
        assert (found.outcome, found.code) == (Outcome.DENY, AccountCode.ACCOUNT_TERMS_SILENT)
    assert not decide_lift(0, "", SILENT, NOW).allowed
    assert not decide_cancel(None, False, SILENT, NOW).allowed
    assert not decide_waiver({}, False, SILENT, NOW, verified=True).allowed


@pytest.mark.clause("NX-40")
@pytest.mark.parametrize("proposed_by, decided", [(None, False), ("one", False), ("two", True)])
def test_where_two_have_to_agree_the_second_is_another_one(proposed_by, decided):
    assert decide_suspension(asked(proposed_by=proposed_by), TWO, NOW).allowed is decided
    ending = VendorAsked("pb_key_sharing", "a forum", "one", proposed_by=proposed_by)
    found = decide_by_vendor(ending, TWO, NOW)
    assert (found.allowed, found.outcome is Outcome.PEND) == (decided, not decided)


@pytest.mark.clause("NX-40")
@pytest.mark.parametrize("behavior, decided", [("pb_key_sharing", False), ("pb_chargeback_fraud", True)])
def test_a_program_ends_an_account_only_for_what_the_list_marks(behavior, decided):
    found = decide_by_vendor(VendorAsked(behavior, "x", "one", automatic=True), NEXOPOS, NOW)
    assert found.allowed is decided


def test_several_suspensions_hold_from_the_first_to_the_last_end():
    one, other = Span(NOW, NOW + 2 * DAY, NOW + 3 * DAY), Span(NOW + DAY, NOW + DAY, NOW + 9 * DAY)
    assert joined([one, other]) == Span(NOW, NOW + DAY, NOW + 9 * DAY)
    assert joined([one, replace(other, until=None)]) == Span(NOW, NOW + DAY, None)
    assert joined([]) is None
    assert decide_lift(2, "x", NEXOPOS, NOW).facts["lifted"] == 2


@pytest.mark.clause("NX-42", "K-13", "K-16")
def test_a_suspended_account_stops_what_begins_at_once_and_what_runs_after_its_grace():
    def found(at, anew=False, facts=SUSPENDED):
        return standing(facts, NEXOPOS, at, anew=anew).refusal

    last = NOW + 7 * DAY - timedelta(seconds=1)
    assert (found(last), found(last, anew=True)) == (None, Refusal.ACCOUNT_SUSPENDED)
    assert found(NOW + 7 * DAY) is Refusal.ACCOUNT_SUSPENDED
    assert found(NOW + 9 * DAY, anew=True) is None
    stronger = replace(SUSPENDED, revoked_at=NOW)
    assert found(NOW + 8 * DAY, anew=True, facts=stronger) is Refusal.LICENSE_REVOKED
    assert status_of(SUSPENDED, NOW + 8 * DAY) is Status.SUSPENDED
    stopped = standing(SUSPENDED, NEXOPOS, NOW + 8 * DAY)
    told = refuse(stopped, SUSPENDED, NEXOPOS, NOW + 8 * DAY)
    assert (told.clauses, told.retry_at) == (("NX-42",), NOW + 9 * DAY)
    assert standing(SUSPENDED, SILENT, NOW + 8 * DAY).clauses == SILENT.standing.suspended


@pytest.mark.clause("NX-42")
def test_a_resumption_of_the_license_does_not_lift_its_accounts_suspension():
    found = decide_change(SUSPENDED, Event.RESUME, NEXOPOS, NOW + 8 * DAY)
    assert (found.allowed, found.code) == (False, Refusal.ACCOUNT_SUSPENDED)
    both = replace(SUSPENDED, suspended_at=NOW)
    assert decide_change(both, Event.RESUME, NEXOPOS, NOW + 8 * DAY).facts["to"] == "suspended"


@pytest.mark.clause("NX-42")
def test_no_lease_outlives_the_grace_of_a_suspended_account():
    assert lease_times(SUSPENDED, NEXOPOS, NOW).exp == NOW + 7 * DAY
    short = replace(SUSPENDED, account_suspended_until=NOW + 2 * DAY)
    assert lease_times(short, NEXOPOS, NOW).exp > NOW + 7 * DAY
    assert lease_times(SUSPENDED, NEXOPOS, NOW + 9 * DAY).exp > NOW + 9 * DAY


@pytest.mark.clause("NX-37", "NX-39")
def test_a_request_needs_no_reason_but_a_proof_and_may_be_taken_back():
    assert decide_request(True, LeavingFacts(requests=1), NEXOPOS, NOW).facts["requests"] == 1
    assert decide_request(False, LeavingFacts(), NEXOPOS, NOW).outcome is Outcome.PEND
    assert decide_cancel(NOW, False, NEXOPOS, NOW).allowed
    assert not decide_cancel(NOW, True, NEXOPOS, NOW).allowed


@pytest.mark.clause("NX-38", "NX-41", "CJ-02")
def test_an_end_waits_for_holds_refunds_balances_and_orders_in_this_order():
    facts = LeavingFacts({"EUR": 5, "USD": -9, "CNY": 2}, {"CNY": 2, "EUR": 4}, NOW, 1, refunds=(UUID(int=1),))
    assert decide_end(facts, True, NEXOPOS, NOW).code is Refusal.LEGAL_HOLD
    facts = replace(facts, legal_hold_at=None)
    assert decide_end(facts, True, NEXOPOS, NOW).code is AccountCode.TERMINATION_BLOCKED_REFUND
    facts = replace(facts, refunds=())
    found = decide_end(facts, True, NEXOPOS, NOW)
    assert (found.code, found.facts) == (AccountCode.TERMINATION_BLOCKED_BALANCE, {"unsettled": {"EUR": 5}})
    facts = replace(facts, waived={"CNY": 2, "EUR": 5})
    assert decide_end(facts, True, NEXOPOS, NOW).code is AccountCode.TERMINATION_BLOCKED_ORDER
    facts = replace(facts, waiting_orders=0)
    assert decide_end(facts, True, NEXOPOS, NOW).clauses == ("NX-38", "NX-40", "NX-41")
    assert decide_end(facts, False, NEXOPOS, NOW).clauses == ("NX-38", "NX-37", "NX-41")
    assert decide_waiver({"EUR": 1}, True, NEXOPOS, NOW, verified=True).allowed


@pytest.mark.clause("NX-41")
def test_the_last_minor_unit_of_each_currency_keeps_an_account_from_ending():
    """Sentence 3: no amount is too small, and a waiver of less than all of it is none."""
    facts = LeavingFacts({"EUR": 1, "JPY": 1, "KWD": 0, "USD": -1}, {"EUR": 1})
    found = decide_end(facts, False, NEXOPOS, NOW)
    assert (found.code, found.clauses) == (AccountCode.TERMINATION_BLOCKED_BALANCE, ("NX-41",))
    assert found.facts == {"unsettled": {"JPY": 1}}
    assert decide_end(replace(facts, waived={"EUR": 1, "JPY": 1}), False, NEXOPOS, NOW).allowed


@pytest.mark.clause("X-13", "NX-42", "K-13")
@pytest.mark.parametrize("policy", [NEXOPOS, SILENT])
def test_whoever_asks_how_an_account_stands_is_told_its_suspension_first(policy):
    """Sentence 7."""
    told = decide_account(
        Span(NOW, NOW + DAY, NOW + 2 * DAY), Leaving(by_vendor=False, behavior=None, due_at=NOW), policy, NOW
    )
    assert (told.outcome, told.code, told.retry_at) == (Outcome.DENY, Refusal.ACCOUNT_SUSPENDED, NOW + 2 * DAY)
    assert set(told.facts) == {"due_at", "by", "since", "stops_at", "until"}
    assert told.clauses


@pytest.mark.clause("X-13", "NX-37", "NX-40")
def test_whoever_asks_how_an_account_stands_is_told_an_end_that_is_scheduled_or_proposed():
    """Sentence 7."""
    by_customer = Leaving(by_vendor=False, behavior=None, due_at=NOW + DAY)
    told = decide_account(None, by_customer, NEXOPOS, NOW)
    assert (told.outcome, told.code, told.options) == (
        Outcome.PEND,
        AccountCode.ACCOUNT_ENDING,
        ("cancel_termination",),
    )
    assert told.clauses == NEXOPOS.account.clauses.request
    by_vendor = decide_account(None, replace(by_customer, by_vendor=True), NEXOPOS, NOW)
    assert (by_vendor.clauses, by_vendor.options) == (NEXOPOS.account.clauses.vendor, ())
    assert decide_account(None, by_customer, SILENT, NOW).clauses == SILENT.standing.terminated
    proposed = decide_account(None, Leaving(by_vendor=True, behavior="pb_key_sharing", due_at=None), TWO, NOW)
    assert (proposed.code, proposed.facts["behavior"]) == (AccountCode.ACCOUNT_AWAITS_SECOND, "pb_key_sharing")
    assert decide_account(None, None, NEXOPOS, NOW).code is AccountCode.ACCOUNT_IN_ORDER


@pytest.mark.clause("X-13", "NX-38")
@pytest.mark.parametrize(
    ("policy", "clauses"), [(NEXOPOS, NEXOPOS.account.clauses.erasure), (SILENT, SILENT.standing.terminated)]
)
def test_whoever_asks_how_an_erased_account_stands_is_told_that_it_is_over(policy, clauses):
    """Sentence 7."""
    told = decide_erased(NOW - DAY, policy, NOW)
    assert (told.outcome, told.code, told.clauses) == (Outcome.DENY, AccountCode.ACCOUNT_TERMINATED, clauses)
    assert told.facts == {"erased_at": instant(NOW - DAY)}
