"""The sentences are those of `rules.refund_payout`."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from tests.server.rules.facts import POLICIES, a_license, told
from tests.server.rules.refund_facts import CRMJETTY, NEXOPOS, PAID, section, terms
from tillkey_server.rules.calendar import Wait
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.refund_payout import (
    PayoutFacts,
    attested,
    decide_failure,
    decide_late,
    decide_payout,
    due_code,
    payout_due,
)
from tillkey_server.rules.refund_policy import Gate, PayoutFrom

DAY = timedelta(days=1)
SILENT = POLICIES["netposa"]


def a_refund(**more) -> PayoutFacts:
    plain = {
        "license": a_license(refunded_at=PAID),
        "asked_at": PAID - 2 * DAY,
        "granted_at": PAID,
        "active_at_grant": 1,
        "effective_latest_at": PAID + 10 * DAY,
    }
    return PayoutFacts(**(plain | more))


FREE = a_refund(active_at_grant=0, attested_at=PAID)
"""One that waits for nobody but the vendor."""
SHOWN = {
    "granted_at": "2026-01-05T10:00:00Z",
    "payout_due": None,
    "effective_latest_at": "2026-01-15T10:00:00Z",
}
DUE = SHOWN | {"payout_due": "2026-01-09T18:30:00Z"}


def with_gate(gate: Gate) -> Policy:
    return terms(payout=replace(section(CRMJETTY).payout, gate=gate))


@pytest.mark.clause("CJ-13")
@pytest.mark.parametrize(
    ("gate", "how", "days", "expected"),
    [
        (Gate.REQUIRED, {}, 1, "ref_pending_deactivation"),
        (Gate.REQUIRED, {"attested_at": PAID}, 1, "ref_pending_deactivation"),
        (Gate.REQUIRED, {}, 10, "ref_pending_attestation"),
        (Gate.REQUIRED, {"active_at_grant": 0}, 1, "ref_pending_attestation"),
        (Gate.REQUIRED, {"effective_latest_at": None}, 1, "ref_pending_attestation"),
        (Gate.REQUIRED, {"given_back": 1}, 1, "ref_pending_attestation"),
        (Gate.REQUIRED, {"given_back": 1, "attested_at": PAID}, 1, "ref_paid_out"),
        (Gate.REQUIRED, {"active_at_grant": 2, "given_back": 1, "attested_at": PAID}, 1, "ref_pending_deactivation"),
        (Gate.REQUIRED, {"ends_license": False}, 1, "ref_paid_out"),
        (Gate.STATEMENT_ONLY, {"ends_license": False}, 1, "ref_paid_out"),
        (Gate.REQUIRED, {"attested_at": PAID, "is_vouched": True}, 1, "ref_paid_out"),
        (Gate.REQUIRED, {"attested_at": PAID}, 10, "ref_paid_out"),
        (Gate.STATEMENT_ONLY, {}, 1, "ref_pending_attestation"),
        (Gate.STATEMENT_ONLY, {"attested_at": PAID}, 1, "ref_paid_out"),
        (Gate.NONE, {}, 1, "ref_paid_out"),
    ],
)
def test_a_payout_waits_for_what_the_terms_make_it_wait_for(gate, how, days, expected):
    """Sentence 1."""
    decision = decide_payout(a_refund(**how), with_gate(gate), PAID + days * DAY)
    assert decision.code == expected
    assert (decision.retry_at is not None) is (expected == "ref_pending_deactivation")


@pytest.mark.clause("CJ-30")
def test_a_payout_is_due_after_the_request_or_after_the_grant():
    """Sentence 2: asked on Saturday 3 January, granted on Monday; five working days in Kolkata."""
    asked, granted = "2026-01-09T18:30:00+00:00", "2026-01-12T18:30:00+00:00"
    assert payout_due(FREE, CRMJETTY) == datetime.fromisoformat(asked)
    later = terms(payout=replace(section(CRMJETTY).payout, counted_from=PayoutFrom.GRANT))
    assert payout_due(FREE, later) == datetime.fromisoformat(granted)
    assert payout_due(FREE, NEXOPOS) is None
    assert payout_due(FREE, SILENT) is None


HELD = {"held_since": PAID + DAY}
OVER = {"holds": (Wait(PAID, PAID + 3 * DAY),)}


@pytest.mark.clause("CJ-30", "CJ-13", "K-04")
@pytest.mark.parametrize(
    ("gate", "how", "due", "code"),
    [
        (Gate.NONE, {"attested_at": None}, 9, "sla_payout_due"),
        (Gate.REQUIRED, {"attested_at": None}, None, "ref_pending_deactivation"),
        (Gate.REQUIRED, {"attested_at": None, "given_back": 1, "given_back_at": PAID}, None, "ref_pending_attestation"),
        (Gate.STATEMENT_ONLY, {"attested_at": None}, None, "ref_pending_attestation"),
        (Gate.STATEMENT_ONLY, {"attested_at": PAID + 2 * DAY}, 13, "sla_payout_due"),
        (Gate.REQUIRED, {}, 21, "sla_payout_due"),
        (Gate.REQUIRED, {"given_back": 1, "given_back_at": PAID + 2 * DAY}, 13, "sla_payout_due"),
        (Gate.REQUIRED, {"is_vouched": True, "attested_at": PAID + DAY}, 12, "sla_payout_due"),
        (Gate.REQUIRED, {"attested_at": None, "ends_license": False}, 9, "sla_payout_due"),
        (Gate.NONE, HELD, None, "legal_hold"),
        (Gate.NONE, OVER, 14, "sla_payout_due"),
        (Gate.REQUIRED, {"given_back": 1, **OVER}, 14, "sla_payout_due"),
    ],
)
def test_a_day_at_whose_end_the_vendor_waits_does_not_count_for_him(gate, how, due, code):
    """Sentence 2: asked on Saturday 3 January, granted on Monday 5, the lease to Thursday 15."""
    facts = a_refund(**({"attested_at": PAID} | how))
    found = payout_due(facts, with_gate(gate))
    assert found == (None if due is None else datetime.fromisoformat(f"2026-01-{due:02}T18:30:00+00:00"))
    assert due_code(facts, with_gate(gate), PAID + DAY) == code


@pytest.mark.clause("CJ-30", "CJ-02")
def test_a_hold_that_comes_after_the_promised_day_makes_nothing_of_the_delay_undone():
    """Sentence 2."""
    late = replace(FREE, held_since=PAID + 20 * DAY)
    assert payout_due(late, CRMJETTY) == payout_due(FREE, CRMJETTY)
    assert due_code(late, CRMJETTY, PAID + 21 * DAY) == "sla_payout_breached"


@pytest.mark.clause("CJ-30")
def test_that_a_payout_is_late_is_news_from_the_instant_at_which_it_was_due():
    due = payout_due(FREE, CRMJETTY)
    assert due is not None
    assert decide_late(FREE, CRMJETTY, due - timedelta(seconds=1)) is None
    late = decide_late(FREE, CRMJETTY, due)
    assert late is not None
    assert told(late) == ("pend", "sla_payout_breached", ("CJ-30",), DUE, ("pay_out",))
    assert decide_late(a_refund(), CRMJETTY, due) is None
    assert decide_late(replace(FREE, paid_out_at=PAID), CRMJETTY, due) is None
    assert decide_late(FREE, SILENT, due) is None


@pytest.mark.clause("CJ-30")
def test_a_payout_is_late_at_the_instant_at_which_it_was_due():
    due = payout_due(FREE, CRMJETTY)
    assert due is not None
    assert due_code(FREE, CRMJETTY, due - timedelta(seconds=1)) == "sla_payout_due"
    assert due_code(FREE, CRMJETTY, due) == "sla_payout_breached"
    assert due_code(replace(FREE, paid_out_at=PAID), CRMJETTY, due) is None
    assert due_code(replace(FREE, failed_at=PAID), CRMJETTY, due) is None
    assert due_code(FREE, NEXOPOS, due) is None
    assert due_code(FREE, SILENT, due) is None


def test_how_many_copies_may_still_run_is_what_no_till_gave_back_until_their_last_lease_ends():
    """Sentence 1."""
    found = a_refund(active_at_grant=2, given_back=1)
    end = PAID + 10 * DAY
    assert (found.live(end - timedelta(seconds=1)), found.live(end)) == (1, 0)
    assert a_refund(ends_license=False).live(PAID) == 0


@pytest.mark.clause("NX-36", "K-13")
@pytest.mark.parametrize(
    ("license_facts", "undone", "restored"),
    [
        ({"refunded_at": PAID}, True, True),
        ({"refunded_at": PAID, "revoked_at": PAID}, True, False),
        ({"refunded_at": PAID, "terminated_at": PAID}, True, False),
        ({"refunded_at": PAID, "legal_hold_at": PAID}, True, False),
        ({"refunded_at": PAID + DAY}, False, False),
        ({}, False, False),
    ],
)
def test_a_failure_gives_back_only_what_this_very_refund_took(license_facts, undone, restored):
    """Sentence 3."""
    decision = decide_failure(a_refund(license=a_license(**license_facts)), NEXOPOS, PAID + DAY)
    assert (decision.facts["undone"], decision.facts["restored"]) == (undone, restored)


@pytest.mark.clause("X-10", "K-13")
def test_a_payout_is_closed_once_and_a_legal_hold_keeps_it_back():
    """Sentence 4."""
    for closed in ({"paid_out_at": PAID}, {"failed_at": PAID}):
        assert decide_payout(a_refund(**closed), NEXOPOS, PAID).code == "ref_payout_closed"
    assert decide_failure(a_refund(failed_at=PAID), NEXOPOS, PAID).code == "ref_payout_closed"
    held = a_refund(license=a_license(refunded_at=PAID, legal_hold_at=PAID))
    assert decide_payout(held, NEXOPOS, PAID).code == "legal_hold"


@pytest.mark.clause("CJ-13", "CJ-30")
@pytest.mark.parametrize(
    ("how", "answer"),
    [
        ({}, ("pend", "ref_pending_deactivation", ("CJ-13",), SHOWN, ("deactivate", "vouch"))),
        ({"is_vouched": True}, ("pend", "ref_pending_attestation", ("CJ-13",), SHOWN, ())),
        ({"is_vouched": True, "attested_at": PAID}, ("allow", "ref_paid_out", ("CJ-30",), DUE, ())),
        ({"paid_out_at": PAID}, ("deny", "ref_payout_closed", ("CJ-30",), SHOWN, ())),
        ({"held_since": PAID}, ("deny", "legal_hold", CRMJETTY.standing.legal_hold, SHOWN, ())),
    ],
)
def test_every_answer_about_a_payout_shows_until_when_copies_run_and_when_it_is_due(how, answer):
    """Sentences 1, 2 and 4."""
    assert told(decide_payout(a_refund(**how), CRMJETTY, PAID + DAY)) == answer


@pytest.mark.clause("CJ-13", "CJ-30")
def test_a_failure_cites_what_a_refund_does_and_how_it_is_paid():
    """Sentence 3."""
    undone = SHOWN | {"undone": True, "restored": True}
    answer = ("allow", "ref_payout_failed", ("CJ-13", "CJ-30"), undone, ())
    assert told(decide_failure(a_refund(), CRMJETTY, PAID + DAY)) == answer


@pytest.mark.clause("X-10")
def test_a_failure_is_told_once():
    """Sentence 4."""
    closed = decide_failure(a_refund(failed_at=PAID), CRMJETTY, PAID + DAY)
    assert told(closed) == ("deny", "ref_payout_closed", ("CJ-13", "CJ-30"), SHOWN, ())


@pytest.mark.clause("CJ-13")
@pytest.mark.parametrize("vouched", [True, False])
def test_a_statement_is_told_with_whether_somebody_vouched_beside_it(vouched):
    """Sentence 1."""
    answer = ("allow", "ref_attested", ("CJ-13",), SHOWN | {"vouched": vouched}, ())
    assert told(attested(a_refund(is_vouched=vouched), CRMJETTY, PAID)) == answer


def test_where_the_terms_promise_no_day_none_is_shown():
    """Sentence 2."""
    assert decide_payout(FREE, NEXOPOS, PAID).facts == SHOWN
    assert decide_payout(FREE, CRMJETTY, PAID).facts == DUE


def test_terms_that_say_nothing_about_refunds_keep_no_payout_back():
    assert decide_payout(a_refund(), SILENT, PAID).code == "ref_paid_out"
    assert decide_failure(a_refund(), SILENT, PAID).code == "ref_payout_failed"
    assert attested(a_refund(), SILENT, PAID).code == "ref_attested"
    assert attested(a_refund(), CRMJETTY, PAID).clauses == ("CJ-13",)
