from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.server.rules.facts import NEXOPOS, POLICIES
from tillkey_server.rules.clocks import add_months, clocks_at_issue, days_end, first_instant, last_day, months_end
from tillkey_server.rules.policy import Policy, WindowBoundary

ATHENS = ZoneInfo("Europe/Athens")


def _terms(policy: Policy = NEXOPOS, zone: str | None = None, **clocks) -> Policy:
    timezone = policy.timezone if zone is None else ZoneInfo(zone)
    return replace(policy, timezone=timezone, clocks=replace(policy.clocks, **clocks))


@pytest.mark.clause("V-01", "ZG-02", "K-05", "K-06")
def test_three_months_from_30_november_last_to_the_end_of_28_february():
    """Sentences 3 and 4."""
    until = clocks_at_issue(datetime(2025, 11, 30, 15, 0, tzinfo=UTC), POLICIES["01generator"]).support_until
    assert until == datetime(2026, 2, 28, 22, 0, tzinfo=UTC)
    assert last_day(until, ATHENS) == date(2026, 2, 28)


@pytest.mark.clause("V-05", "NX-14", "K-05")
@pytest.mark.parametrize("months,last", [(12, date(2025, 2, 28)), (48, date(2028, 2, 29))])
def test_a_leap_day_is_clamped_and_comes_back_in_the_next_leap_year(months, last):
    start = datetime(2024, 2, 29, 9, 0, tzinfo=UTC)
    assert last_day(months_end(start, months, NEXOPOS.timezone), NEXOPOS.timezone) == last


@pytest.mark.clause("V-08", "K-03", "CJ-01")
def test_within_30_days_of_31_january_is_good_to_the_end_of_2_march():
    """Sentence 5."""
    crmjetty = POLICIES["crmjetty"]
    until = clocks_at_issue(datetime(2026, 1, 31, 10, 0, tzinfo=UTC), crmjetty).refund_until
    assert last_day(until, crmjetty.timezone) == date(2026, 3, 2)
    assert until == first_instant(date(2026, 3, 3), crmjetty.timezone)


@pytest.mark.clause("BC-27")
def test_a_refund_window_of_one_month_is_clamped_like_a_term():
    care = POLICIES["prestashop-care"]
    until = clocks_at_issue(datetime(2026, 1, 31, 10, 0, tzinfo=UTC), care).refund_until
    assert last_day(until, care.timezone) == date(2026, 2, 28)


@pytest.mark.clause("X-01")
@pytest.mark.parametrize(
    "name,use,support,updates,refund",
    [
        ("nexopos", None, date(2027, 3, 10), date(2027, 3, 10), None),
        ("01generator", None, date(2026, 6, 10), date(2026, 6, 10), date(2026, 4, 9)),
        ("crmjetty", None, "at once", None, date(2026, 4, 9)),
        ("netposa", None, date(2027, 3, 10), None, None),
        ("prestashop-care", None, date(2027, 3, 10), date(2027, 3, 10), date(2026, 4, 10)),
        ("default", None, date(2027, 3, 10), date(2027, 3, 10), date(2026, 4, 9)),
    ],
)
def test_one_purchase_has_each_vendors_own_four_clocks(name, use, support, updates, refund):
    """Sentence 1."""
    policy, paid = POLICIES[name], datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
    clocks = clocks_at_issue(paid, policy)

    def told(until):
        if until is None:
            return None
        return "at once" if until == paid else last_day(until, policy.timezone)

    ends = (clocks.use_until, clocks.support_until, clocks.updates_until, clocks.refund_until)
    assert tuple(told(end) for end in ends) == (use, support, updates, refund)


@pytest.mark.clause("X-01")
def test_no_clock_implies_another():
    """Sentence 1: each of the four is moved by its own key alone."""
    paid = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
    base = clocks_at_issue(paid, _terms(refund_days=10))
    for name, changed in {
        "use_until": {"use_months": 1},
        "support_until": {"support_months": 1},
        "updates_until": {"updates_months": 1},
        "refund_until": {"refund_days": 5},
    }.items():
        clocks = clocks_at_issue(paid, _terms(**({"refund_days": 10} | changed)))
        assert [one for one in clocks.__slots__ if getattr(clocks, one) != getattr(base, one)] == [name]


@pytest.mark.clause("CJ-01")
@pytest.mark.parametrize(("own", "last"), [(None, "2026-04-09"), (7, "2026-03-17"), (20, "2026-03-30"), (0, None)])
def test_a_products_own_window_stands_in_place_of_that_of_the_terms(own, last):
    """Sentence 8."""
    paid, policy = datetime(2026, 3, 10, 12, 0, tzinfo=UTC), POLICIES["crmjetty"]
    until = clocks_at_issue(paid, policy, own_days=own).refund_until
    assert until is not None
    assert (None if until == paid else last_day(until, policy.timezone).isoformat()) == last
    assert policy.refund is not None
    promising = replace(policy, refund=replace(policy.refund, refund_all_products=True))
    of_all = clocks_at_issue(paid, policy).refund_until
    assert clocks_at_issue(paid, promising, own_days=own).refund_until == (of_all if own == 0 else until)


@pytest.mark.clause("CJ-01")
def test_a_window_of_no_days_is_closed_at_the_purchase():
    """Sentence 6."""
    paid = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
    assert clocks_at_issue(paid, _terms(refund_days=0)).refund_until == paid


@pytest.mark.clause("K-01", "NX-14")
def test_the_day_of_a_purchase_is_the_policys_day_not_utc_s():
    """Sentence 2: 22:30 UTC is the next day in Athens."""
    late = datetime(2026, 1, 31, 22, 30, tzinfo=UTC)
    assert last_day(months_end(late, 1, ATHENS), ATHENS) == date(2026, 3, 1)
    assert last_day(months_end(late, 1, ZoneInfo("UTC")), ZoneInfo("UTC")) == date(2026, 2, 28)


@pytest.mark.clause("K-06")
@pytest.mark.parametrize(
    "zone,day,utc",
    [
        ("Europe/Athens", date(2026, 3, 29), datetime(2026, 3, 28, 22, 0, tzinfo=UTC)),
        ("Europe/Athens", date(2026, 3, 30), datetime(2026, 3, 29, 21, 0, tzinfo=UTC)),
        # Here the clocks jump from 00:00 to 01:00, so the day begins at one.
        ("America/Sao_Paulo", date(2018, 11, 4), datetime(2018, 11, 4, 3, 0, tzinfo=UTC)),
        # And here a whole day was left out: what ends with the 29th ends where the 31st begins.
        ("Pacific/Apia", date(2011, 12, 30), datetime(2011, 12, 30, 10, 0, tzinfo=UTC)),
        ("Pacific/Apia", date(2011, 12, 31), datetime(2011, 12, 30, 10, 0, tzinfo=UTC)),
    ],
)
def test_a_day_begins_at_its_first_instant_whatever_the_clocks_do(zone, day, utc):
    """Sentence 4."""
    assert first_instant(day, ZoneInfo(zone)) == utc


@pytest.mark.clause("K-05")
@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(0, 240))
def test_months_keep_the_anchors_day_or_are_clamped_to_the_months_end(anchor, months):
    result = add_months(anchor, months)
    assert (result.year * 12 + result.month) - (anchor.year * 12 + anchor.month) == months
    assert result.day == anchor.day or (result.day < anchor.day and (result + timedelta(days=1)).day == 1)


@pytest.mark.clause("K-02", "K-06")
@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - bounds are naive
    st.integers(1, 60),
    st.sampled_from(["Europe/Athens", "America/Sao_Paulo", "Asia/Kolkata", "Pacific/Auckland", "UTC"]),
)
def test_a_term_ends_with_a_local_day_and_after_its_whole_months_or_days(start, count, zone_name):
    zone = ZoneInfo(zone_name)
    for until, last in (
        (months_end(start, count, zone), add_months(start.astimezone(zone).date(), count)),
        (days_end(start, count, zone), start.astimezone(zone).date() + timedelta(days=count)),
    ):
        assert last_day(until, zone) == last
        assert until.astimezone(zone).date() == last + timedelta(days=1)
        assert (until - timedelta(seconds=1)).astimezone(zone).date() == last


@pytest.mark.clause("K-03", "K-02")
@pytest.mark.parametrize(
    ("boundary", "until"),
    [
        (WindowBoundary.EXCLUDE_FIRST_DAY, datetime(2026, 3, 2, 22, tzinfo=UTC)),
        (WindowBoundary.ELAPSED, datetime(2026, 3, 2, 12, tzinfo=UTC)),
    ],
)
def test_thirty_days_are_to_the_end_of_the_thirtieth_or_so_many_hours(boundary, until):
    terms = _terms(zone="Europe/Athens", refund_days=30, window_boundary=boundary)
    paid_at = datetime(2026, 1, 31, 12, tzinfo=UTC)
    assert clocks_at_issue(paid_at, terms).refund_until == until
