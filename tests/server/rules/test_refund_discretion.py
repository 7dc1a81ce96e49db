"""For some months somebody may decide otherwise: from when to when, and what is waited for first (sentence 6)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.server.rules.refund_facts import BC, PAID, a_payment, a_renewal, an_issue, asking, code, decide, facts

DAY = timedelta(days=1)


@pytest.mark.clause("BC-27", "K-05")
@pytest.mark.parametrize(("seconds", "expected"), [(-1, "ref_pending_seller"), (0, "ref_denied_window_closed")])
@pytest.mark.parametrize("reasons", [("not_downloaded",), ("mistake",), ()])
def test_six_months_are_months_of_the_calendar_to_the_end_of_their_last_day(reasons, seconds, expected):
    """Sentence 6: bought on 31 August in Paris, decided about to the end of 28 February, with a ground or without."""
    bought = datetime(2025, 8, 31, 10, tzinfo=UTC)
    found = facts(BC, purchase=a_payment(paid_at=bought))
    found = replace(found, license=replace(found.license, refund_until=bought + 30 * DAY))
    until = datetime(2026, 2, 28, 23, tzinfo=UTC)
    told = decide(found, asking(*reasons, at=until + timedelta(seconds=seconds)), BC).decision
    assert (told.code, "BC-27" in told.clauses) == (expected, True)
    assert told.facts["discretion_ends_at"] == "2026-02-28T23:00:00Z"


@pytest.mark.clause("BC-27", "BC-26")
@pytest.mark.parametrize(("days", "expected"), [(3, "ref_pending_review"), (200, "ref_denied_window_closed")])
def test_a_renewal_that_was_paid_for_lately_is_a_persons_however_old_the_purchase_is(days, expected):
    """Sentence 6."""
    paid = PAID + 365 * DAY
    found = facts(BC, renewals=(a_renewal(paid, paid, paid + 365 * DAY),))
    found = replace(found, license=replace(found.license, refund_until=PAID + 31 * DAY))
    assert code(found, asking("cancel_renewal", at=paid + days * DAY), BC) == expected
    assert code(found, asking("mistake", "not_downloaded", at=paid + days * DAY), BC) == "ref_denied_window_closed"


@pytest.mark.clause("BC-27", "BC-07")
def test_a_clock_that_runs_is_waited_for_though_no_reason_was_given():
    """Sentence 6: of what is on record alone nothing is asked for, and nothing that runs is passed over."""
    issue = an_issue(reply_due=PAID, fix_due=PAID + 300 * DAY)
    assert code(facts(BC, issue=issue), asking(at=PAID + 290 * DAY), BC) == "ref_pending_resolution"
    assert code(facts(BC, issue=issue), asking(at=PAID + 300 * DAY), BC) == "ref_granted_sla_breach"


@pytest.mark.clause("BC-28")
@pytest.mark.parametrize(("days", "expected"), [(10, "ref_denied_no_breach"), (11, "ref_granted_by_platform")])
def test_a_complaint_that_was_answered_late_was_processed_unless_the_refund_was_asked_for_before(days, expected):
    """Sentence 5."""
    issue = an_issue(reply_due=PAID + DAY, first_human_reply_at=PAID + days * DAY)
    asked = asking("unanswered", at=PAID + 10 * DAY, by_platform=True)
    [shown] = decide(facts(BC, issue=issue), asked, BC, PAID + 30 * DAY).decision.facts["grounds"]
    assert shown["code"] == expected


@pytest.mark.clause("BC-28")
def test_what_is_not_answered_in_the_tool_the_platform_may_refund():
    issue = an_issue(reply_due=PAID + DAY)
    asked = asking("unanswered", at=PAID + 60 * DAY)
    assert code(facts(BC, issue=issue), asked, BC) == "ref_pending_platform"
    assert code(facts(BC, issue=issue), replace(asked, by_platform=True), BC) == "ref_granted_by_platform"
    answered = replace(issue, first_human_reply_at=PAID)
    assert code(facts(BC, issue=answered), replace(asked, by_platform=True), BC) == "ref_pending_seller"
