from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.server.rules.facts import DAY, NOW, SECOND
from tillkey_server.rules.window import room_at, within


@pytest.mark.clause("K-16")
def test_an_event_counts_until_just_before_the_window_has_passed():
    """Sentence 1."""
    assert within([NOW - 30 * DAY + SECOND], 30 * DAY, NOW) == (NOW - 30 * DAY + SECOND,)
    assert within([NOW - 30 * DAY], 30 * DAY, NOW) == ()


@pytest.mark.clause("K-16")
def test_an_event_of_a_clock_that_runs_ahead_counts():
    """Sentence 2."""
    assert within([NOW + SECOND], DAY, NOW) == (NOW + SECOND,)


def test_events_are_told_oldest_first():
    assert within([NOW, NOW - SECOND], DAY, NOW) == (NOW - SECOND, NOW)


def test_a_limit_of_none_never_has_room():
    assert room_at((), 0, DAY) is None


@pytest.mark.clause("K-16")
@given(st.lists(st.integers(0, 100), min_size=1, max_size=8), st.integers(1, 8))
def test_there_is_room_at_the_told_second_and_not_a_second_before(ages, limit):
    counting = within([NOW - timedelta(seconds=age) for age in ages], 200 * SECOND, NOW)
    if len(counting) < limit:
        return
    room = room_at(counting, limit, 200 * SECOND)
    assert len(within(counting, 200 * SECOND, room)) < limit
    assert len(within(counting, 200 * SECOND, room - SECOND)) >= limit
