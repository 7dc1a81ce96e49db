"""The sentences are those of `rules.pause`."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.server.rules.facts import NEXOPOS, POLICIES
from tillkey_server.rules.account import Span
from tillkey_server.rules.account_policy import SuspensionClocks
from tillkey_server.rules.calendar import Wait
from tillkey_server.rules.clocks import first_instant
from tillkey_server.rules.pause import moved, paused_now, pauses_clocks, without

ATHENS = ZoneInfo("Europe/Athens")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def local(month: int, day: int, hour: int = 0) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=ATHENS).astimezone(UTC)


BEGAN, END = local(3, 2, 12), local(6, 3)
"""A term that ends with the second of June."""


def after(*pauses: Wait, end: datetime = END) -> datetime:
    return moved(end, BEGAN, pauses, ATHENS)


def days_after(*pauses: Wait) -> int:
    reached = after(*pauses)
    day = reached.astimezone(ATHENS).date()
    assert reached == first_instant(day, ATHENS)
    return (day - date(2026, 6, 3)).days


@pytest.mark.clause("NX-42")
def test_clocks_pause_where_the_terms_say_so_and_nowhere_else():
    """Sentence 1."""
    assert NEXOPOS.account is not None
    assert not pauses_clocks(NEXOPOS)
    assert not pauses_clocks(POLICIES["crmjetty"])
    terms = replace(NEXOPOS.account, suspension_clocks=SuspensionClocks.PAUSE)
    assert pauses_clocks(replace(NEXOPOS, account=terms))


@pytest.mark.clause("NX-42", "K-02")
def test_a_pause_that_began_before_the_end_moves_it_by_its_whole_length():
    """Sentence 2."""
    assert after() == END
    assert days_after(Wait(local(4, 1), local(4, 11))) == 10
    assert days_after(Wait(END - HOUR, END - HOUR + 4 * DAY)) == 4
    assert days_after(Wait(END, END + 4 * DAY)) == 0
    assert days_after(Wait(BEGAN - 9 * DAY, BEGAN + 2 * DAY)) == 2
    assert days_after(Wait(BEGAN - 9 * DAY, BEGAN)) == 0
    assert days_after(Wait(local(4, 1))) == 0
    assert days_after(Wait(local(4, 1)), Wait(local(5, 1), local(5, 3))) == 2


@pytest.mark.clause("NX-42")
def test_what_one_pause_moved_may_reach_the_next_and_two_that_overlap_count_once():
    """Sentence 3."""
    first, later = Wait(local(5, 1), local(5, 11)), Wait(local(6, 10), local(6, 15))
    assert [days_after(first), days_after(later), days_after(later, first)] == [10, 0, 15]
    assert days_after(Wait(local(4, 1), local(4, 11)), Wait(local(4, 5), local(4, 13))) == 12
    assert days_after(Wait(local(4, 1), local(4, 11)), Wait(local(4, 5), local(4, 9))) == 10
    assert days_after(Wait(local(4, 1), local(4, 6)), Wait(local(4, 6), local(4, 11))) == 10


@pytest.mark.clause("NX-42", "K-01", "K-06")
def test_summer_time_moves_no_day():
    """Sentence 4: Athens is 23 hours long on 29 March, and 25 on 25 October."""
    assert days_after(Wait(local(3, 20), local(4, 3))) == 14
    assert after(Wait(local(6, 1, 8), local(10, 30, 8))) == first_instant(date(2026, 11, 1), ATHENS)


@pytest.mark.clause("NX-42", "K-06")
def test_a_days_end_stays_one_and_no_part_of_a_pause_is_lost():
    """Sentence 5; an end within a day moves by the length alone."""
    assert days_after(Wait(local(4, 1, 8), local(4, 1, 9))) == 1
    assert days_after(Wait(local(4, 1, 8), local(4, 2, 8))) == 1
    assert days_after(Wait(local(4, 1, 8), local(4, 2, 9))) == 2
    assert days_after(Wait(local(4, 1, 8), local(4, 1, 9)), Wait(local(4, 8, 8), local(4, 8, 9))) == 1
    assert after(Wait(local(4, 1, 8), local(4, 1, 9)), end=local(6, 3, 15)) == local(6, 3, 16)


@pytest.mark.clause("NX-42")
def test_within_one_account_a_suspension_is_one_pause():
    """Sentence 6."""
    now, until = local(4, 1), local(4, 11)
    assert paused_now(None, None, now) is None
    assert paused_now(None, Span(now - DAY, now, until), now) == Wait(now, until)
    assert paused_now(None, Span(now - DAY, now, None), now) == Wait(now, None)
    open_pause = Wait(now - DAY, until)
    assert paused_now(open_pause, Span(now - DAY, now, until + DAY), now) == Wait(now - DAY, until + DAY)
    assert paused_now(open_pause, None, now) == Wait(now - DAY, now)


def test_a_stretch_beside_pauses_is_as_long_as_what_they_leave_of_it():
    whole = Wait(local(4, 1))
    end = local(4, 11)
    assert without(whole, (), end) == 10 * DAY
    assert without(whole, (Wait(local(4, 3), local(4, 5)),), end) == 8 * DAY
    assert without(whole, (Wait(local(4, 9), local(4, 20)), Wait(local(3, 20), local(4, 2))), end) == 7 * DAY
    assert without(whole, (Wait(local(4, 3)),), end) == 2 * DAY
    assert without(whole, (Wait(local(5, 1), local(5, 2)),), end) == 10 * DAY
    assert without(whole, (Wait(local(3, 1), local(3, 2)),), end) == 10 * DAY
    assert without(whole, (), local(3, 20)) == timedelta(0)


PAUSES = st.lists(st.tuples(st.integers(0, 90 * 24), st.integers(1, 20 * 24)), max_size=4)


@given(PAUSES)
def test_no_pause_loses_or_invents_a_day(told):
    """Sentences 2 to 5: by all that fell inside, and less than a day more."""
    pauses = [Wait(BEGAN + start * HOUR, BEGAN + (start + length) * HOUR) for start, length in told]
    reached = after(*pauses)
    asleep = sum(
        any(one.covers(BEGAN + hour * HOUR) for one in pauses) for hour in range(int((reached - BEGAN) / HOUR))
    )
    # One hour of summer time lies between the beginning and some of the ends.
    assert timedelta(0) <= reached - END - asleep * HOUR + HOUR < DAY + 2 * HOUR
