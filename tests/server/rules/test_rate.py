"""GCRA: a burst, then one for each interval; what is refused does not count."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tillkey_server.rules.rate import LIMITS, Limit, decide_rate

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LIMIT = Limit("test", 3, timedelta(seconds=2))


def ask(limit, seconds):
    """Ask at each of these seconds; return which questions were allowed."""
    due, allowed = None, []
    for at in seconds:
        rated = decide_rate(due, limit, NOW + timedelta(seconds=at))
        due = rated.due
        allowed.append(rated.allowed)
    return allowed


def test_a_burst_is_let_through_and_then_one_for_each_interval():
    assert ask(LIMIT, [0, 0, 0, 0, 1, 2, 2, 4]) == [True, True, True, False, False, True, False, True]


def test_a_refusal_says_when_to_come_back_and_coming_back_then_is_allowed():
    due = None
    for _ in range(3):
        due = decide_rate(due, LIMIT, NOW).due
    refused = decide_rate(due, LIMIT, NOW)
    assert (refused.allowed, refused.wait, refused.due) == (False, 2, due)
    assert decide_rate(due, LIMIT, NOW + timedelta(seconds=refused.wait)).allowed


def test_after_a_silence_no_more_than_a_burst_is_allowed():
    assert ask(LIMIT, [0, 10_000, 10_000, 10_000, 10_000]) == [True, True, True, True, False]


@given(st.lists(st.integers(0, 50), min_size=1, max_size=60), st.sampled_from([LIMIT, *LIMITS]))
def test_no_window_holds_more_than_its_burst_and_its_share(gaps, limit):
    times = [sum(gaps[: index + 1]) for index in range(len(gaps))]
    allowed = [at for at, yes in zip(times, ask(limit, times), strict=True) if yes]
    for index, begin in enumerate(allowed):
        for end in allowed[index:]:
            held = sum(begin <= at <= end for at in allowed)
            assert held <= limit.burst + (end - begin) / limit.interval.total_seconds()


@pytest.mark.parametrize("limit", LIMITS, ids=lambda one: one.scope)
def test_every_limit_counts_in_whole_seconds_as_the_database_does(limit):
    assert limit.burst >= 1
    assert limit.interval.total_seconds() == int(limit.interval.total_seconds()) >= 1
