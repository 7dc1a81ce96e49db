"""Working days and the deadlines that are counted in them."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tillkey_server.rules.calendar import Calendar, Wait
from tillkey_server.rules.clocks import days_end, first_instant
from tillkey_server.rules.policy import CalendarPolicy, Weekday

ATHENS = ZoneInfo("Europe/Athens")
PLAIN = Calendar(ATHENS, None)
TERMS = CalendarPolicy((Weekday.SAT, Weekday.SUN), (), (), None, None, ("K-01",))


def with_holidays(*days: date) -> Calendar:
    return Calendar(ATHENS, replace(TERMS, holidays=days))


def at(year: int, month: int, day: int, hour: int = 12, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=ATHENS).astimezone(UTC)


def end_of(year: int, month: int, day: int) -> datetime:
    return first_instant(date(year, month, day) + timedelta(days=1), ATHENS)


@pytest.mark.clause("V-08", "K-03")
def test_a_window_of_thirty_days_from_the_end_of_january_is_good_to_the_second_of_march() -> None:
    assert days_end(at(2026, 1, 31), 30, ATHENS) == end_of(2026, 3, 2)


@pytest.mark.clause("V-09", "K-04")
def test_five_working_days_from_a_thursday_before_christmas() -> None:
    start = at(2025, 12, 18)
    assert PLAIN.deadline(start, 5) == end_of(2025, 12, 25)
    assert with_holidays(date(2025, 12, 25), date(2025, 12, 26)).deadline(start, 5) == end_of(2025, 12, 29)


@pytest.mark.clause("V-10", "K-04")
def test_a_start_on_a_weekend_begins_with_the_next_working_day() -> None:
    saturday = at(2026, 1, 3)
    assert PLAIN.deadline(saturday, 5) == end_of(2026, 1, 9)
    assert with_holidays(date(2026, 1, 6)).deadline(saturday, 5) == end_of(2026, 1, 12)


@pytest.mark.clause("V-11", "K-04")
def test_one_working_day_from_a_friday_is_the_end_of_monday() -> None:
    assert PLAIN.deadline(at(2026, 1, 2), 1) == end_of(2026, 1, 5)


@pytest.mark.clause("V-12", "K-04")
def test_thirty_working_days_from_a_friday() -> None:
    friday = at(2026, 1, 2)
    assert PLAIN.deadline(friday, 30) == end_of(2026, 2, 13)
    assert with_holidays(date(2026, 1, 6)).deadline(friday, 30) == end_of(2026, 2, 16)


@pytest.mark.clause("K-04")
def test_the_day_of_the_start_does_not_count_even_before_the_office_opens() -> None:
    hours = Calendar(ATHENS, replace(TERMS, opens=time(9), closes=time(17)))
    assert hours.deadline(at(2026, 1, 5, 0, 1), 1) == at(2026, 1, 6, 17)


@pytest.mark.clause("K-01")
def test_an_extra_working_day_is_worked_though_it_is_a_saturday() -> None:
    made_up = Calendar(ATHENS, replace(TERMS, extra_working_days=(date(2026, 1, 3),)))
    assert made_up.deadline(at(2026, 1, 2), 1) == end_of(2026, 1, 3)


@pytest.mark.clause("K-04")
def test_a_day_counts_unless_somebody_else_was_waited_for_at_its_end() -> None:
    monday = at(2026, 1, 5)
    over_the_end = Wait(at(2026, 1, 6, 20), at(2026, 1, 7, 8))
    within_a_day = Wait(at(2026, 1, 6, 8), at(2026, 1, 6, 20))
    assert PLAIN.deadline(monday, 2, [over_the_end]) == end_of(2026, 1, 8)
    assert PLAIN.deadline(monday, 2, [within_a_day]) == end_of(2026, 1, 7)


@pytest.mark.clause("K-04")
def test_a_wait_without_an_end_keeps_a_deadline_from_coming_unless_it_was_over_before() -> None:
    monday, open_wait = at(2026, 1, 5), Wait(at(2026, 1, 7, 8))
    assert PLAIN.deadline(monday, 2, [open_wait]) is None
    assert PLAIN.deadline(monday, 1, [open_wait]) == end_of(2026, 1, 6)


def test_no_working_days_end_with_the_day_itself() -> None:
    assert PLAIN.deadline(at(2026, 1, 5), 0) == end_of(2026, 1, 5)


@pytest.mark.clause("K-06")
@pytest.mark.parametrize("day,hours", [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 6, 1), 24)])
def test_a_day_of_a_changed_clock_ends_with_the_next_date(day: date, hours: int) -> None:
    assert PLAIN.end_of(day) - PLAIN.start_of(day) == timedelta(hours=hours)


@pytest.mark.clause("NX-30")
def test_an_office_that_is_shut_opens_next_on_the_next_working_day() -> None:
    hours = Calendar(ATHENS, replace(TERMS, opens=time(9), closes=time(17), holidays=(date(2026, 1, 5),)))
    assert hours.opens_at(at(2026, 1, 2, 17)) == at(2026, 1, 6, 9)
    assert hours.opens_at(at(2026, 1, 6, 8)) == at(2026, 1, 6, 9)
    assert hours.opens_at(at(2026, 1, 6, 9)) == at(2026, 1, 6, 9)
    assert not hours.is_open(at(2026, 1, 6, 17))


@pytest.mark.clause("NX-30", "K-06")
@pytest.mark.parametrize(
    ("friday", "utc_before", "utc_after"),
    [(date(2026, 3, 27), 7, 6), (date(2026, 10, 23), 6, 7)],
    ids=["the clock goes forward", "the clock goes back"],
)
def test_an_office_opens_by_its_own_clock_after_the_night_on_which_that_changed(friday, utc_before, utc_after) -> None:
    """Nine in Athens is seven o'clock UTC in winter and six in summer; the change is on the Sunday between."""
    hours = Calendar(ATHENS, replace(TERMS, opens=time(9), closes=time(17)))
    monday = friday + timedelta(days=3)
    before = datetime.combine(friday, time(utc_before), UTC)
    after = datetime.combine(monday, time(utc_after), UTC)
    second = timedelta(seconds=1)
    assert [hours.is_open(one) for one in (before - second, before, after - second, after)] == [False, True] * 2
    assert hours.opens_at(before + timedelta(hours=8)) == after
    assert (hours.is_open(after + timedelta(hours=8) - second), hours.is_open(after + timedelta(hours=8))) == (
        True,
        False,
    )


@given(days=st.integers(1, 40), hours=st.integers(0, 20_000))
def test_one_working_day_more_is_never_earlier_and_never_the_same(days: int, hours: int) -> None:
    start = at(2025, 1, 1) + timedelta(hours=hours)
    first, second = (PLAIN.deadline(start, count) for count in (days, days + 1))
    assert first is not None
    assert second is not None
    assert first < second


def test_a_deadline_that_no_working_day_ever_reaches_is_none() -> None:
    every_day = Calendar(ATHENS, replace(TERMS, weekend=tuple(Weekday)))
    assert every_day.deadline(at(2026, 3, 2), 1) is None
