"""What of a request's record counts: who answered, and since when it is known."""

from datetime import timedelta

import pytest

from tests.server.rules.test_support_clock import CARE, CRM, FRIDAY, SECOND, K, clock, event, issue, record
from tillkey_server.rules.support_record import SupportEventKind

DAY = timedelta(days=1)


@pytest.mark.clause("BC-05")
@pytest.mark.parametrize("kind", [K.ACCEPTED, K.REFUSED])
def test_an_automatic_acceptance_or_refusal_stops_no_clock_and_an_approved_draft_does(kind: SupportEventKind) -> None:
    answered = record(FRIDAY, event(kind, FRIDAY + SECOND, author="automatic"))
    assert clock(CARE, "ack", answered).stopped_at is None
    assert issue(CARE, answered).first_human_reply_at is None
    assert (answered.accepted_at, answered.is_refused) == (None, False)
    assert clock(CARE, "fix", answered) == clock(CARE, "fix", record(FRIDAY))
    for author in ("human", "approved_draft"):
        taken = record(FRIDAY, event(kind, FRIDAY + SECOND, author=author))
        assert clock(CARE, "ack", taken).stopped_at == FRIDAY + SECOND
        assert taken.is_refused is (kind is K.REFUSED)


@pytest.mark.clause("CJ-12")
def test_an_earlier_receipt_that_nothing_shows_has_its_clocks_and_decides_no_money() -> None:
    """Sentence 8 of the record."""
    bare = record(FRIDAY, unproven_until=FRIDAY + 3 * DAY)
    assert (issue(CRM, bare).reported_at, issue(CRM, record(FRIDAY)).reported_at) == (FRIDAY + 3 * DAY, FRIDAY)
    assert issue(CRM, record(FRIDAY, unproven_until=FRIDAY - DAY)).reported_at == FRIDAY
    assert clock(CRM, "resolve", bare) == clock(CRM, "resolve", record(FRIDAY))
