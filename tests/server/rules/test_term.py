"""The sentences are those of `rules.term`."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.server.rules.facts import NEXOPOS, POLICIES
from tillkey_server.rules.clocks import add_months, clocks_at_issue, first_instant, last_day, months_end
from tillkey_server.rules.policy import TrialPolicy
from tillkey_server.rules.term import Clock, Ending, History, Included, Payment, Run, fold, imported, purchased, tried
from tillkey_server.rules.term_policy import AfterExpiry, TermsClauses, TermsPolicy, Window

ATHENS = ZoneInfo("Europe/Athens")
CARE = frozenset({Clock.UPDATES, Clock.SUPPORT})
ALL = frozenset(Clock)
SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)
CITED = TermsClauses(*[("ZZ-01",)] * 5)
TERMS = TermsPolicy(Window.ONE, (6, 12), (Clock.UPDATES, Clock.SUPPORT), AfterExpiry.ALLOW_WITH_PROMPT, CITED)

RENTED = replace(NEXOPOS, clocks=replace(NEXOPOS.clocks, use_months=24))
SPLIT = replace(TERMS, window=Window.SPLIT, purchase_clocks=(Clock.SUPPORT,))


def noon(text: str) -> datetime:
    return datetime.combine(date.fromisoformat(text), datetime.min.time(), ATHENS).replace(hour=12).astimezone(UTC)


def paid(number: int, at: datetime, months: int = 3, clocks: frozenset[Clock] = CARE, **more: object) -> Payment:
    return replace(Payment(UUID(int=number), at, months, clocks), **more)


def support(start: datetime, payments=(), endings=(), months: int | None = 3) -> Run:
    included = {clock: Included(start, months) for clock in Clock}
    return fold(included, payments, endings, ATHENS).of(Clock.SUPPORT)


def days(run: Run) -> str:
    assert run.until is not None
    return last_day(run.until, ATHENS).isoformat()


@pytest.mark.clause("ZG-02", "V-01", "V-04", "V-05", "K-05")
@pytest.mark.parametrize(
    ("bought", "months", "last"),
    [
        ("2025-11-30", 3, "2026-02-28"),
        ("2023-11-30", 3, "2024-02-29"),
        ("2025-08-31", 3, "2025-11-30"),
        ("2024-02-29", 12, "2025-02-28"),
        ("2024-02-29", 48, "2028-02-29"),
    ],
)
def test_a_purchase_gives_its_months_from_its_local_date(bought, months, last):
    """Sentence 1."""
    assert days(support(noon(bought), months=months)) == last


@pytest.mark.clause("ZG-04", "V-02", "V-03", "K-05")
@pytest.mark.parametrize(
    ("bought", "renewed", "last"),
    [
        ("2025-11-30", ["2026-02-10"], "2026-05-30"),
        ("2025-08-31", ["2025-10-01"], "2026-02-28"),
        ("2025-08-31", ["2025-10-01", "2025-10-02"], "2026-05-31"),
    ],
)
def test_a_renewal_of_what_runs_is_added_to_the_anchor(bought, renewed, last):
    """Sentence 3: naive chaining would lose two days in February."""
    run = support(noon(bought), [paid(number, noon(day)) for number, day in enumerate(renewed)])
    assert days(run) == last
    assert [one.appended for one in run.segments[1:]] == [True] * len(renewed)


@pytest.mark.clause("ZG-03", "V-06", "V-07", "K-02")
def test_paid_at_the_bound_it_begins_anew_and_a_second_before_it_is_appended():
    """Sentences 2 and 4: the instant of the payment decides, not that of the news."""
    bound = first_instant(date(2026, 3, 1), ATHENS)
    anew = support(noon("2025-11-30"), [paid(1, bound)])
    assert (days(anew), anew.segments[-1].start, anew.segments[-1].appended) == ("2026-06-01", bound, False)
    for bought, last in (("2025-11-30", "2026-05-30"), ("2025-11-28", "2026-05-28")):
        run = support(noon(bought), [paid(1, bound - SECOND)])
        assert (days(run), run.segments[-1].appended) == (last, True)


@pytest.mark.clause("ZG-03")
def test_years_later_a_renewal_begins_with_its_payment_and_no_gap_is_paid_for():
    """Sentence 4."""
    run = support(noon("2020-01-31"), [paid(1, noon("2026-03-10")), paid(2, noon("2026-05-01"))])
    assert days(run) == "2026-09-10"
    assert not run.covers(noon("2023-01-01"))
    assert [run.covers(noon(day)) for day in ("2020-02-01", "2026-03-11", "2026-09-10")] == [True, True, True]


@pytest.mark.clause("ZG-04")
def test_two_payments_at_once_are_two_terms():
    """Sentence 2: six months, not three."""
    at = noon("2026-02-10")
    assert days(support(noon("2025-11-30"), [paid(2, at), paid(1, at)])) == "2026-08-30"


@pytest.mark.clause("ZG-04")
def test_a_refunded_renewal_is_as_if_it_had_never_been_paid():
    """Sentence 6: its own segment is taken out, and those behind it are laid anew."""
    first, second = paid(1, noon("2026-02-10")), paid(2, noon("2026-04-10"))
    without = support(noon("2025-11-30"), [replace(first, refunded_at=noon("2026-04-20")), second])
    assert without == support(noon("2025-11-30"), [second])
    assert (days(without), without.segments[-1].appended) == ("2026-07-10", False)
    assert days(support(noon("2025-11-30"), [first, second])) == "2026-08-30"


@pytest.mark.clause("ZG-03")
def test_an_early_ending_cuts_what_was_paid_before_and_the_next_payment_begins_anew():
    """Sentence 7."""
    at = noon("2026-02-15")
    stacked = [paid(1, noon("2026-02-10"))]
    ended = support(noon("2025-11-30"), stacked, [Ending(at, CARE)])
    assert (ended.until, [one.cut for one in ended.segments]) == (at, [True])
    again = support(noon("2025-11-30"), [*stacked, paid(2, at)], [Ending(at, CARE)])
    assert (days(again), again.segments[-1].start) == ("2026-05-15", at)


def test_an_ending_after_the_end_changes_nothing_and_one_before_the_purchase_leaves_nothing():
    """Sentence 7."""
    start = noon("2025-11-30")
    assert support(start, endings=[Ending(noon("2026-05-01"), CARE)]) == support(start)
    before = support(start, endings=[Ending(start - SECOND, CARE)])
    assert (before.segments, before.until) == ((), start)


@pytest.mark.clause("K-02")
def test_the_first_instant_of_a_term_is_within_and_its_end_is_not():
    """Sentence 2."""
    start = noon("2025-11-30")
    run = support(start)
    assert [run.covers(at) for at in (start - SECOND, start, run.until - SECOND, run.until)] == [
        False,
        True,
        True,
        False,
    ]


@pytest.mark.clause("K-02")
def test_an_ending_at_the_end_itself_cuts_nothing_and_one_at_the_purchase_leaves_nothing():
    """Sentence 7."""
    start = noon("2025-11-30")
    whole = support(start)
    assert support(start, endings=[Ending(whole.until, CARE)]) == whole
    assert support(start, endings=[Ending(start, CARE)]).segments == ()


def test_a_clock_without_an_end_runs_until_its_first_early_ending():
    """Sentence 7."""
    at = noon("2026-02-10")
    run = support(noon("2025-11-30"), endings=[Ending(at + DAY, CARE), Ending(at, CARE)], months=None)
    assert (run.until, [run.covers(one) for one in (at - SECOND, at)]) == (at, [True, False])


@pytest.mark.clause("X-01")
def test_each_clock_is_folded_by_itself():
    """Sentence 1: what extends support extends no use, and what ends care ends none."""
    start, at = noon("2025-11-30"), noon("2026-02-10")
    included = {Clock.USE: Included(start, 12), Clock.UPDATES: Included(start), Clock.SUPPORT: Included(start, 3)}
    terms = fold(included, [paid(1, at)], [Ending(at + SECOND, frozenset({Clock.UPDATES}))], ATHENS)
    assert days(terms.of(Clock.USE)) == "2026-11-30"
    assert days(terms.of(Clock.SUPPORT)) == "2026-05-30"
    assert terms.of(Clock.UPDATES).until == at + SECOND
    assert terms.ends["updates_until"] == at + SECOND


def test_a_clock_without_an_end_is_extended_by_nothing():
    """Sentence 1."""
    run = support(noon("2025-11-30"), [paid(1, noon("2026-02-10"))], months=None)
    assert (run.until, len(run.segments), run.covers(noon("2099-01-01"))) == (None, 1, True)


def test_where_the_purchase_includes_none_the_first_payment_begins_the_chain():
    """Sentence 4, for support that is sold by itself."""
    run = support(noon("2025-11-30"), [paid(1, noon("2025-11-30"))], months=0)
    assert (days(run), run.segments[0].payment) == ("2026-02-28", UUID(int=1))


def test_where_the_purchase_includes_none_what_was_paid_before_it_is_counted_from_its_day():
    """Sentence 3, for support that is sold by itself and ahead."""
    run = support(noon("2025-11-30"), [paid(1, noon("2025-11-29"))], months=0)
    assert (days(run), run.segments[0].start) == ("2026-02-28", noon("2025-11-30"))


@pytest.mark.clause("K-01")
def test_a_history_is_folded_by_the_dates_of_its_own_zone():
    """Sentence 3: at half past eleven in the evening in London it is the next day in Athens."""
    included = dict.fromkeys(Clock, Included(datetime(2026, 3, 1, 23, 30, tzinfo=UTC), 3))
    history = History(included, (paid(1, noon("2026-03-10")),), (), ATHENS)
    ends = [one.of(Clock.SUPPORT).until for one in (history.fold(), history.fold(paid(2, noon("2026-03-11"))))]
    assert ends == [first_instant(date(2026, month, 3), ATHENS) for month in (9, 12)]


def test_a_use_right_that_is_sold_for_a_time_ends_with_its_months():
    """Sentence 1."""
    assert days(fold(purchased(noon("2026-03-02"), RENTED), (), (), ATHENS).of(Clock.USE)) == "2028-03-02"


IMPORTED_AT = noon("2026-03-02")


@pytest.mark.clause("NX-44")
@pytest.mark.parametrize(
    ("told", "care"),
    [(None, "2026-09-02"), (first_instant(date(2026, 8, 22), ATHENS), "2026-08-21")],
)
def test_a_purchase_code_has_its_care_by_the_marketplaces_word_else_by_the_months_that_were_chosen(told, care):
    """Sentence 3 of `rules.imported`."""
    terms = fold(imported(IMPORTED_AT, NEXOPOS, 6, told), (), (), ATHENS)
    assert (days(terms.of(Clock.SUPPORT)), days(terms.of(Clock.UPDATES))) == (care, care)


@pytest.mark.clause("NX-44")
@pytest.mark.parametrize("told", [None, first_instant(date(2026, 8, 22), ATHENS)])
def test_a_purchase_code_gives_the_use_right_that_every_sale_gives(told):
    for policy in (NEXOPOS, RENTED):
        sold, brought = purchased(IMPORTED_AT, policy), imported(IMPORTED_AT, policy, 6, told)
        assert fold(brought, (), (), ATHENS).of(Clock.USE) == fold(sold, (), (), ATHENS).of(Clock.USE)


@pytest.mark.clause("NX-44")
def test_a_purchase_code_runs_from_the_purchase_there():
    for told in (None, first_instant(date(2026, 8, 22), ATHENS)):
        terms = fold(imported(IMPORTED_AT, NEXOPOS, 6, told), (), (), ATHENS)
        assert [terms.of(clock).segments[0].start for clock in Clock] == [IMPORTED_AT] * 3


@pytest.mark.clause("NX-44")
def test_a_renewal_of_an_imported_license_goes_on_from_the_end_that_the_marketplace_told():
    """Sentence 3 of `rules.imported`: in New York, where the day ends later than in London."""
    there = ZoneInfo("America/New_York")
    told = first_instant(date(2026, 8, 22), there)
    run = fold(imported(IMPORTED_AT, NEXOPOS, 6, told), [paid(1, noon("2026-05-01"))], (), there).of(Clock.SUPPORT)
    assert (run.segments[1].start, last_day(run.until, there)) == (told, date(2026, 11, 21))


def test_a_trial_ends_when_it_was_given_for():
    """Sentence 1: a fixed end, on every clock."""
    policy = replace(NEXOPOS, trial=TrialPolicy(14, ("ZZ-01",)))
    terms = fold(tried(noon("2026-03-02"), policy), (), (), policy.timezone)
    assert set(terms.ends.values()) == {first_instant(date(2026, 3, 17), policy.timezone)}


def test_what_would_be_paid_during_a_fixed_term_is_laid_behind_it():
    included = dict.fromkeys(Clock, Included(noon("2026-03-02"), fixed_end=first_instant(date(2026, 3, 17), ATHENS)))
    run = fold(included, [paid(1, noon("2026-03-03"))], (), ATHENS).of(Clock.SUPPORT)
    assert days(run) == "2026-06-16"


@pytest.mark.clause("K-06")
def test_a_day_of_twenty_three_hours_is_a_day():
    """Sentence 5: in Athens the clocks went forward on 29 March 2026."""
    run = support(noon("2025-12-28"))
    assert run.until == datetime(2026, 3, 28, 22, tzinfo=UTC)
    assert support(noon("2025-12-29")).until == datetime(2026, 3, 29, 21, tzinfo=UTC)


@pytest.mark.clause("NX-14")
@pytest.mark.parametrize("chosen", [None, 6, 12])
def test_the_fold_of_a_purchase_alone_is_what_it_was_issued_with(chosen):
    """Sentence 1, so that a license sold before renewals were kept has lost nothing."""
    for policy in (NEXOPOS, replace(NEXOPOS, terms=TERMS), replace(NEXOPOS, terms=SPLIT)):
        at = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
        issued = clocks_at_issue(at, policy, chosen)
        ends = fold(purchased(at, policy, chosen), (), (), policy.timezone).ends
        assert ends == {name: getattr(issued, name) for name in ends}


@pytest.mark.clause("NX-44", "ZG-01")
def test_the_length_that_was_chosen_is_that_of_the_clocks_it_may_be_chosen_for():
    """Sentence 8 of `rules.clocks`."""
    at = noon("2026-03-10")
    one = clocks_at_issue(at, replace(NEXOPOS, terms=TERMS), 6)
    apart = clocks_at_issue(at, replace(NEXOPOS, terms=SPLIT), 6)
    half = months_end(at, 6, NEXOPOS.timezone)
    assert (one.support_until, one.updates_until) == (half, half)
    assert (apart.support_until, apart.updates_until) == (half, months_end(at, 12, NEXOPOS.timezone))


STARTS = st.integers(1_577_836_800, 1_924_905_600).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
LENGTHS = st.integers(1, 24)


@given(STARTS, LENGTHS, st.lists(LENGTHS, max_size=6))
def test_stacking_never_loses_or_invents_a_day(start, first, renewals):
    """Sentence 3: renewed while it runs, the last day is the anchor plus the sum of all months."""
    payments = [paid(number, start + timedelta(seconds=number), months) for number, months in enumerate(renewals)]
    run = support(start, payments, months=first)
    anchor = start.astimezone(ATHENS).date()
    assert days(run) == add_months(anchor, first + sum(renewals)).isoformat()
    assert [one.end for one in run.segments[:-1]] == [one.start for one in run.segments[1:]]


FACTS = st.lists(st.tuples(st.integers(0, 900), LENGTHS, st.booleans()), min_size=1, max_size=6)


@given(STARTS, FACTS, st.integers(0, 5), st.lists(st.integers(1, 900), max_size=2))
def test_taking_a_renewal_out_and_putting_it_back_changes_nothing(start, facts, which, ends):
    """Sentence 6, for the same instant of payment."""
    payments = [paid(number, start + timedelta(days=day), months) for number, (day, months, _) in enumerate(facts)]
    endings = [Ending(start + timedelta(days=day), CARE) for day in ends]
    whole = support(start, payments, endings)
    taken = payments[which % len(payments)]
    rest = [one for one in payments if one is not taken]
    out = support(start, [replace(taken, refunded_at=start), *rest], endings)
    assert out == support(start, rest, endings)
    assert support(start, [*rest, taken], endings) == whole


@settings(max_examples=25)
@given(STARTS, FACTS, st.lists(st.integers(1, 900), max_size=2))
def test_any_order_of_the_facts_gives_one_state(start, facts, ends):
    """Sentence 8: every permutation of up to six facts."""
    payments = [
        paid(number, start + timedelta(days=day), months, refunded_at=start if is_back else None)
        for number, (day, months, is_back) in enumerate(facts[: 6 - len(ends)])
    ]
    endings = [Ending(start + timedelta(days=day), CARE) for day in ends]
    expected = support(start, payments, endings)
    for order in permutations(payments):
        assert support(start, order, reversed(endings)) == expected


@given(STARTS, FACTS, st.lists(st.integers(1, 900), max_size=2))
def test_segments_never_overlap_and_the_last_one_is_the_end(start, facts, ends):
    """Sentence 2: half-open, one behind the other."""
    payments = [paid(number, start + timedelta(days=day), months) for number, (day, months, _) in enumerate(facts)]
    run = support(start, payments, [Ending(start + timedelta(days=day), CARE) for day in ends])
    assert all(before.end <= after.start for before, after in zip(run.segments, run.segments[1:], strict=False))
    assert run.segments[-1].end == run.until


@given(STARTS, FACTS)
def test_a_payment_never_makes_an_end_earlier(start, facts):
    """Sentences 3 and 4."""
    payments = [paid(number, start + timedelta(days=day), months) for number, (day, months, _) in enumerate(facts)]
    for count in range(len(payments)):
        assert support(start, payments[: count + 1]).until >= support(start, payments[:count]).until


@pytest.mark.clause("NX-20", "K-02")
def test_support_that_did_not_run_tells_when_it_had_ended():
    """A gap between two chains is told as one, whatever was paid for since."""
    run = support(noon("2020-01-31"), [paid(1, noon("2026-03-10")), paid(2, noon("2026-12-01"))])
    first, second = first_instant(date(2020, 5, 1), ATHENS), first_instant(date(2026, 6, 11), ATHENS)
    assert run.ended_before(noon("2020-01-31") - SECOND) is None, "it had not begun"
    assert [run.ended_before(at) for at in (noon("2020-01-31"), first - SECOND)] == [None, None]
    assert [run.ended_before(at) for at in (first, noon("2026-03-10") - SECOND)] == [first, first]
    assert run.ended_before(noon("2026-03-10")) is None, "it runs again"
    assert [run.ended_before(at) for at in (second, noon("2026-11-30"))] == [second, second]
    assert support(noon("2020-01-31"), months=None).ended_before(noon("2030-01-01")) is None


@pytest.mark.clause("CJ-20", "K-05")
def test_a_renewal_knows_the_first_day_of_its_chain_and_the_months_before_it():
    """Sentence 3: what is used of it is counted in whole months from there."""
    run = support(noon("2025-11-30"), [paid(1, noon("2026-02-10")), paid(2, noon("2026-12-01"))])
    counted = [(one.anchor, one.months_before) for one in run.segments[1:]]
    assert counted == [(date(2025, 11, 30), 3), (date(2026, 12, 1), 0)]


@pytest.mark.clause("CJ-16")
def test_support_that_was_bought_beside_the_product_lengthens_its_support_alone():
    crm = POLICIES["crmjetty"]
    with_lines = purchased(noon("2026-01-31"), crm, None, [None, 6])
    plain = purchased(noon("2026-01-31"), crm)
    assert with_lines[Clock.SUPPORT].months == plain[Clock.SUPPORT].months + 12 + 6
    assert all(with_lines[clock] == plain[clock] for clock in (Clock.USE, Clock.UPDATES))
