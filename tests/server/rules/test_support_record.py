"""A request's record at an earlier instant, and with one event more."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from tillkey_server.rules.support_record import SupportEvent, SupportEventKind, SupportRecord

K = SupportEventKind
START, DAY = datetime(2026, 3, 2, 12, tzinfo=UTC), timedelta(days=1)
ACCEPTED, SOLVED = SupportEvent(K.ACCEPTED, START + DAY), SupportEvent(K.RESOLVED, START + 3 * DAY)
RECORD = SupportRecord(UUID(int=1), UUID(int=2), START, events=(ACCEPTED, SOLVED))


def test_a_record_as_of_an_instant_has_what_had_happened_by_then() -> None:
    assert RECORD.as_of(START).events == ()
    assert RECORD.as_of(SOLVED.at - timedelta(seconds=1)).events == (ACCEPTED,)
    assert RECORD.as_of(SOLVED.at) == RECORD


def test_an_event_that_is_told_late_takes_its_place_in_time_after_those_of_its_instant() -> None:
    late, same = SupportEvent(K.HUMAN_REPLY, START + 2 * DAY), SupportEvent(K.HUMAN_REPLY, ACCEPTED.at)
    assert RECORD.with_event(late).events == (ACCEPTED, late, SOLVED)
    assert RECORD.with_event(same).events == (ACCEPTED, same, SOLVED)
