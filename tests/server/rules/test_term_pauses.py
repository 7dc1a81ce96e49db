"""Sentence 8 of `rules.term`: what a suspension of the account does to the clock of support."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.server.rules.test_term import ATHENS, CARE, DAY, SECOND, STARTS, days, noon, paid
from tillkey_server.rules.calendar import Wait
from tillkey_server.rules.clocks import first_instant
from tillkey_server.rules.term import Clock, Ending, Included, Run, fold

BOUGHT = noon("2025-11-30")
TEN = Wait(noon("2026-01-10"), noon("2026-01-20"))


def run(*payments, pauses=(TEN,), endings=(), clock=Clock.SUPPORT, months: int = 3, start=BOUGHT, fixed=None) -> Run:
    given_then = Included(start, months) if fixed is None else Included(start, fixed_end=fixed)
    included = dict.fromkeys(Clock, given_then)
    return fold(included, payments, endings, ATHENS, tuple(pauses)).of(clock)


@pytest.mark.clause("NX-42", "X-01")
def test_a_pause_moves_the_end_of_support_and_no_other_clocks():
    """To 28 February, and ten days."""
    assert {clock: days(run(clock=clock)) for clock in Clock} == {
        Clock.USE: "2026-02-28",
        Clock.UPDATES: "2026-02-28",
        Clock.SUPPORT: "2026-03-10",
    }


@pytest.mark.clause("NX-42", "ZG-04", "K-05")
def test_what_is_paid_before_the_moved_end_is_appended_and_loses_no_day():
    late = run(paid(1, noon("2026-03-09")))
    assert (days(late), late.segments[1].appended) == ("2026-06-09", True)
    assert late.segments[1].start == run().until
    anew = run(paid(1, run().until))
    assert (days(anew), anew.segments[1].appended) == ("2026-06-11", False)
    after = Wait(noon("2026-04-01"), noon("2026-04-06"))
    both = run(paid(1, noon("2026-02-01")), pauses=(after, TEN))
    assert (days(both), both.segments[0].end) == ("2026-06-14", run().until)


@pytest.mark.clause("NX-42", "ZG-03")
def test_a_new_chain_is_moved_by_its_own_pauses_alone():
    paid_at = noon("2026-05-01")
    assert days(run(paid(1, paid_at))) == "2026-08-01"
    own = Wait(paid_at - 5 * DAY, paid_at + 2 * DAY)
    assert days(run(paid(1, paid_at), pauses=(TEN, own))) == "2026-08-03"


@pytest.mark.clause("NX-42", "NX-44")
def test_a_fixed_end_stands_and_what_is_laid_behind_it_is_moved():
    fixed = first_instant(noon("2026-03-01").date(), ATHENS)
    assert run(fixed=fixed).until == fixed
    behind = paid(1, noon("2026-02-01"))
    assert days(run(behind, fixed=fixed)) == days(run(behind, fixed=fixed, pauses=()))
    later = Wait(noon("2026-04-01"), noon("2026-04-06"))
    until = run(behind, fixed=fixed, pauses=()).until
    assert run(behind, fixed=fixed, pauses=(TEN, later)).until == first_instant(
        (until.astimezone(ATHENS) + 5 * DAY).date(), ATHENS
    )


@pytest.mark.clause("NX-42", "X-01")
def test_an_early_ending_cuts_what_a_pause_had_moved():
    at = noon("2026-03-05")
    assert run(endings=[Ending(at, CARE)]).until == at
    assert run(months=0).until == BOUGHT


HOURS = st.lists(st.tuples(st.integers(0, 900 * 24), st.integers(1, 40 * 24)), max_size=3)


@given(STARTS, st.lists(st.tuples(st.integers(0, 900), st.integers(1, 24)), max_size=4), HOURS)
def test_with_pauses_too_a_payment_makes_no_end_earlier_and_segments_follow_each_other(start, facts, told):
    hour = timedelta(hours=1)
    pauses = [Wait(start + begin * hour, start + (begin + length) * hour) for begin, length in told]
    payments = [paid(number, start + timedelta(days=day), months) for number, (day, months) in enumerate(facts)]
    ends = []
    for count in range(len(payments) + 1):
        found = run(*payments[:count], pauses=pauses, start=start)
        for before, after in zip(found.segments, found.segments[1:], strict=False):
            assert before.end <= after.start
            assert after.appended == (before.end == after.start and after.appended)
        assert found.until >= run(*payments[:count], pauses=(), start=start).until - SECOND
        ends.append(found.until)
    assert ends == sorted(ends)
