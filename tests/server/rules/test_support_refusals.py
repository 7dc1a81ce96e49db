"""What may be refused, objected to, closed or taken back at which instant. The sentences: `rules.support_event`."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from tests.server.rules.facts import POLICIES, told
from tillkey_server.rules.decision import Decision
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.support_event import decide_event, decide_withdrawal
from tillkey_server.rules.support_event_facts import EventFacts
from tillkey_server.rules.support_record import Closure, SupportEvent, SupportEventKind, SupportRecord

K = SupportEventKind
CRM, CARE = POLICIES["crmjetty"], POLICIES["prestashop-care"]
RECEIVED = datetime(2026, 3, 2, 12, tzinfo=UTC)
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
NOW = RECEIVED + DAY


def event(kind: SupportEventKind, at: datetime = NOW, **details: object) -> SupportEvent:
    return SupportEvent(kind, at, details)


def decided(policy: Policy, asked: SupportEvent, *before: SupportEvent, **known: object) -> Decision:
    record = SupportRecord(UUID(int=1), UUID(int=2), RECEIVED, events=before)
    return decide_event(record, asked, EventFacts(**known), policy, NOW)


@pytest.mark.clause("CJ-11", "CJ-12", "CJ-16")
@pytest.mark.parametrize(
    ("support", "refund", "because"),
    [
        (RECEIVED, None, None),
        (RECEIVED, RECEIVED, None),
        (RECEIVED, RECEIVED + SECOND, "2026-03-02T12:00:01Z"),
        (NOW, RECEIVED + SECOND, "2026-03-03T12:00:00Z"),
        (NOW, None, "2026-03-03T12:00:00Z"),
    ],
)
def test_what_was_reported_within_the_refund_window_is_not_refused_for_want_of_support(support, refund, because):
    """Sentence 1: the answer tells until when it was looked at all the same, or until when support ran."""
    refused = event(K.REFUSED, code="nosup_support_expired", evidence="it ended")
    found = decided(CRM, refused, support_until=support, refund_until=refund)
    assert found.allowed is (because is None)
    if because is not None:
        assert found.facts["because"] == "support_ran_at_receipt"
        assert found.facts["support_until"] == because


@pytest.mark.clause("CJ-12")
@pytest.mark.parametrize(("late", "code"), [(-SECOND, "support_event_recorded"), (SECOND * 0, "event_out_of_place")])
def test_the_last_instant_to_object_to_a_solution_is_before_the_end_of_the_days(late, code):
    """Sentence 10: solved on Monday 2 March, five working days end with Monday the 9th."""
    ended = (event(K.RESOLVED, RECEIVED), event(K.CLOSED, RECEIVED))
    end = datetime(2026, 3, 9, 18, 30, tzinfo=UTC)
    assert decided(CRM, event(K.ATTEMPT_DECLINED, end + late), *ended).code.value == code


@pytest.mark.clause("CJ-09")
def test_where_the_terms_promise_nothing_no_request_is_closed_as_unanswered():
    """Sentence 5."""
    silent = replace(CRM, deadlines=None)
    asked = event(K.WAITING_FOR_CUSTOMER, RECEIVED)
    found = decided(silent, event(K.CLOSED, RECEIVED + 99 * DAY, unanswered=True), asked)
    facts = {"event": "closed", "waiting_since": "2026-03-02T12:00:00Z"}
    assert told(found) == ("deny", "event_out_of_place", ("CJ-10",), facts, ())


@pytest.mark.clause("BC-04")
def test_a_closure_that_is_taken_back_or_is_over_tells_which_one_it_was():
    closure = Closure(RECEIVED, RECEIVED, NOW)
    shown = {"starts_at": "2026-03-02T12:00:00Z", "ends_at": "2026-03-03T12:00:00Z"}
    over = decide_withdrawal(closure, CARE, NOW)
    assert told(over) == ("deny", "closure_over", ("BC-04",), shown, ())
    taken = decide_withdrawal(closure, CARE, NOW - SECOND)
    facts = shown | {"withdrawn_at": "2026-03-03T11:59:59Z"}
    assert told(taken) == ("allow", "closure_withdrawn", ("BC-04",), facts, ())
