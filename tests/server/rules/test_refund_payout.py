"""The sentences are those of `rules.refund_payout`."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from tests.server.rules.facts import POLICIES, a_license, told
from tests.server.rules.refund_facts import CRMJETTY, NEXOPOS, PAID, section, terms
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.refund_payout import (
    PayoutFacts,
    attested,
    decide_failure,
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
    assert payout_due(a_refund(), CRMJETTY) == datetime.fromisoformat(asked)
    later = terms(payout=replace(section(CRMJETTY).payout, counted_from=PayoutFrom.GRANT))
    assert payout_due(a_refund(), later) == datetime.fromisoformat(granted)
    assert payout_due(a_refund(), NEXOPOS) is None
    assert payout_due(a_refund(), SILENT) is None


@pytest.mark.clause("CJ-30")
def test_a_payout_is_late_at_the_instant_at_which_it_was_due():
    due = payout_due(a_refund(), CRMJETTY)
    assert due is not None
    assert due_code(a_refund(), CRMJETTY, due - timedelta(seconds=1)) == "sla_payout_due"
    assert due_code(a_refund(), CRMJETTY, due) == "sla_payout_breached"
    assert due_code(a_refund(paid_out_at=PAID), CRMJETTY, due) is None
    assert due_code(a_refund(failed_at=PAID), CRMJETTY, due) is None
    assert due_code(a_refund(), NEXOPOS, due) is None


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


SHOWN = {
    "granted_at": "2026-01-05T10:00:00Z",
    "payout_due": "2026-01-09T18:30:00Z",
    "effective_latest_at": "2026-01-15T10:00:00Z",
}


@pytest.mark.clause("CJ-13", "CJ-30")
@pytest.mark.parametrize(
    ("how", "answer"),
    [
        ({}, ("pend", "ref_pending_deactivation", ("CJ-13",), SHOWN, ("deactivate", "vouch"))),
        ({"is_vouched": True}, ("pend", "ref_pending_attestation", ("CJ-13",), SHOWN, ())),
        ({"is_vouched": True, "attested_at": PAID}, ("allow", "ref_paid_out", ("CJ-30",), SHOWN, ())),
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
    assert decide_payout(a_refund(), NEXOPOS, PAID).facts == SHOWN | {"payout_due": None}


def test_terms_that_say_nothing_about_refunds_keep_no_payout_back():
    assert decide_payout(a_refund(), SILENT, PAID).code == "ref_paid_out"
    assert decide_failure(a_refund(), SILENT, PAID).code == "ref_payout_failed"
    assert attested(a_refund(), SILENT, PAID).code == "ref_attested"
    assert attested(a_refund(), CRMJETTY, PAID).clauses == ("CJ-13",)
