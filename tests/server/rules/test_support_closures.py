"""Which closures of the vendor move a deadline: told before, and on record before it was over."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from tests.server.rules.facts import POLICIES
from tillkey_server.rules.clocks import first_instant
from tillkey_server.rules.support_clock import ClockName, ClockTerms, clocks_of
from tillkey_server.rules.support_record import Closure, SupportRecord

CARE = POLICIES["prestashop-care"]
SECOND = timedelta(seconds=1)
FRIDAY = datetime(2026, 1, 2, 11, tzinfo=UTC)


def local(day: date, hour: int) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=CARE.timezone).astimezone(UTC)


def end_of(day: date) -> datetime:
    return first_instant(day + timedelta(days=1), CARE.timezone)


def due_of(*closures: Closure) -> datetime | None:
    """When a request of that Friday is to be confirmed."""
    found = clocks_of(SupportRecord(UUID(int=1), UUID(int=2), FRIDAY), ClockTerms(CARE, closures=closures), FRIDAY)
    return next(one.due for one in found if one.name is ClockName.ACK)


@pytest.mark.clause("BC-04")
@pytest.mark.parametrize(("seconds", "due"), [(-1, date(2026, 1, 12)), (0, date(2026, 1, 5))])
def test_a_notice_at_the_very_instant_of_the_receipt_does_not_precede_it(seconds: int, due: date) -> None:
    """Reading 8."""
    told = FRIDAY + timedelta(seconds=seconds)
    closure = Closure(told, local(date(2026, 1, 5), 0), local(date(2026, 1, 10), 0))
    assert due_of(closure) == end_of(due)
    at_its_begin = replace(closure, notified_at=FRIDAY - SECOND, starts_at=FRIDAY - SECOND)
    assert due_of(at_its_begin) == end_of(date(2026, 1, 12))


@pytest.mark.clause("BC-04", "K-01")
@pytest.mark.parametrize(("seconds", "due"), [(-1, date(2026, 1, 12)), (0, date(2026, 1, 5))])
def test_a_closure_that_is_recorded_once_a_deadline_is_over_undoes_no_breach(seconds: int, due: date) -> None:
    """Sentence 2: also where another one, recorded as late, would have moved it."""
    begin, end = local(date(2026, 1, 5), 0), local(date(2026, 1, 10), 0)
    told_at = end_of(date(2026, 1, 5)) + timedelta(seconds=seconds)
    closure = Closure(FRIDAY - SECOND, begin, end, recorded_at=told_at)
    twice = (replace(closure, recorded_at=told_at + timedelta(days=2)), closure)
    for closures in ((closure,), twice):
        assert due_of(*closures) == end_of(due)
