"""The sentences are those of `rules.refund_amount`."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.server.rules.refund_facts import CRMJETTY, LINE, PAID, a_payment, a_renewal, facts, section, terms
from tillkey_server.rules.order_line import LineKind
from tillkey_server.rules.refund_amount import (
    Months,
    Part,
    Sum,
    beside,
    coupon_of,
    full_sum,
    half_up,
    months_of,
    piece_of,
    rest_of,
    rest_sum,
    some,
    split,
    whole,
)
from tillkey_server.rules.refund_policy import Basis, Plan, ProrataPolicy, Started, TaxRefund

PRORATA = section(CRMJETTY).prorata
assert PRORATA is not None
BY_TERM = replace(PRORATA, basis=Basis.TERM_MONTHS)
UTC_ZONE = ZoneInfo("UTC")
DAY = timedelta(days=1)


@pytest.mark.clause("K-07")
def test_the_refund_is_rounded_and_not_what_was_used():
    """Sentence 1: 99.95, of ten months three used."""
    assert rest_of(9995, Months(12, 3), PRORATA) == 6997


@pytest.mark.clause("V-14", "V-15", "CJ-22")
@pytest.mark.parametrize(("used", "by_paid", "by_term"), [(4, 60000, 66667), (11, 0, 8333), (10, 0, 16667), (12, 0, 0)])
def test_ten_paid_months_leave_less_than_twelve_and_never_less_than_nothing(used, by_paid, by_term):
    months = Months(12, used)
    assert (rest_of(100000, months, PRORATA), rest_of(100000, months, BY_TERM)) == (by_paid, by_term)


@pytest.mark.clause("CJ-20", "CJ-21")
@pytest.mark.parametrize(
    ("day", "with_current", "without"),
    [("01-31", 0, 1), ("02-27", 0, 1), ("02-28", 1, 2), ("03-30", 1, 2), ("03-31", 2, 3), ("12-31", 11, 12)],
)
def test_months_are_those_of_the_subscription_and_their_ends_are_clamped(day, with_current, without):
    """Sentence 4, of a term that began on the 31st."""
    start = datetime(2026, 1, 31, 15, tzinfo=UTC)
    at = datetime.fromisoformat(f"2026-{day}T08:00:00+00:00")
    excluding = replace(PRORATA, include_current_month=False)
    assert months_of(start, at, PRORATA, UTC_ZONE).used == with_current
    assert months_of(start, at, excluding, UTC_ZONE).used == without


@pytest.mark.clause("K-07")
def test_a_split_gives_out_everything_and_the_earlier_piece_gets_the_odd_cent():
    """Sentence 2."""
    assert [piece_of(100, 3, n) for n in range(3)] == [34, 33, 33]
    assert split(100, (1, 1, 1)) == (34, 33, 33)
    assert split(10, (3, 3, 1)) == (4, 4, 2)
    assert split(5, (0, 0)) == (0, 0)


@given(total=st.integers(0, 10**9), weights=st.lists(st.integers(0, 10**6), min_size=1, max_size=20))
def test_a_split_loses_and_invents_nothing(total, weights):
    shares = split(total, tuple(weights))
    whole = sum(weights)
    assert sum(shares) == (total if whole else 0)
    assert all(
        abs(Fraction(total * weight, whole or 1) - share) < 1 for weight, share in zip(weights, shares, strict=True)
    )


@given(number=st.integers(0, 10**12), by=st.integers(1, 10**6))
def test_a_half_is_rounded_up(number, by):
    assert half_up(number, by) == int(Fraction(number, by) + Fraction(1, 2))


@pytest.mark.clause("K-07")
@given(
    minor=st.integers(0, 10**7),
    tax=st.integers(0, 10**6),
    refunded=st.integers(0, 10**7),
    days=st.integers(0, 800),
    zone=st.sampled_from(["UTC", "Asia/Kolkata", "America/St_Johns"]),
    basis=st.sampled_from(Basis),
    current=st.booleans(),
    law=st.sampled_from(TaxRefund),
)
def test_no_sum_is_more_than_what_is_left_and_no_term_is_used_longer_than_it_is(
    minor, tax, refunded, days, zone, basis, current, law
):
    """Sentences 3 and 4, whatever the terms."""
    prorata = replace(PRORATA, basis=basis, include_current_month=current)
    policy = section(terms(tax=law))
    payment = a_payment(minor, tax_minor=tax, refunded_minor=min(refunded, minor))
    found = facts(purchase=payment, plan=Plan.ANNUAL)
    rest, months = rest_sum(found, policy, prorata, PAID + days * DAY, ZoneInfo(zone))
    left = payment.left + payment.tax_left
    assert 0 <= months.used <= months.term
    assert 0 <= rest.minor <= left
    assert full_sum(found, policy, PAID).minor <= left
    most = Sum((whole(payment, policy),))
    part = some(most, most.minor // 2)
    assert part.minor == most.minor // 2
    assert part.minor - part.tax_minor <= payment.left
    assert part.tax_minor <= payment.tax_left


@pytest.mark.clause("K-07", "CJ-18")
@given(days=st.lists(st.integers(0, 400), min_size=2, max_size=6), minor=st.integers(0, 10**6))
def test_the_later_somebody_asks_the_less_is_left_of_the_year(days, minor):
    found = facts(purchase=a_payment(minor), plan=Plan.ANNUAL)
    sums = [rest_sum(found, section(CRMJETTY), PRORATA, PAID + n * DAY, UTC_ZONE)[0].minor for n in sorted(days)]
    assert sums == sorted(sums, reverse=True)


@pytest.mark.clause("CJ-08")
def test_tax_goes_back_only_where_the_law_is_followed():
    """Sentence 6: from the stored line, never computed again."""
    found = facts(purchase=a_payment(1000, tax_minor=199))
    assert full_sum(found, section(CRMJETTY), PAID).minor == 1000
    lawful = full_sum(found, section(terms(tax=TaxRefund.PER_LAW)), PAID)
    assert (lawful.minor, lawful.tax_minor) == (1199, 199)


@pytest.mark.clause("BC-26")
def test_renewals_that_have_not_begun_go_back_and_a_running_one_where_the_terms_say_so():
    """Sentence 7, and decided reading 3."""
    now = PAID + 400 * DAY
    over = a_renewal(PAID, PAID + 100 * DAY, PAID + 200 * DAY, 1)
    running = a_renewal(PAID, PAID + 365 * DAY, PAID + 730 * DAY, 20)
    later = a_renewal(PAID, PAID + 730 * DAY, PAID + 1095 * DAY, 300)
    found = facts(renewals=(over, running, later))
    given_back = {
        started: sum(part.minor for part in beside(found, section(terms(renewals=started)), now)) for started in Started
    }
    assert given_back == {Started.KEEP_ALL: 0, Started.UNSTARTED: 300, Started.RUNNING_TOO: 320}


def test_the_rest_of_a_year_is_of_the_term_that_runs_with_later_ones_whole():
    now = PAID + 366 * DAY
    second = a_renewal(PAID, PAID + 365 * DAY, PAID + 730 * DAY, 1200)
    third = a_renewal(PAID, PAID + 730 * DAY, PAID + 1095 * DAY, 777)
    found = facts(renewals=(second, third), plan=Plan.ANNUAL)
    rest, months = rest_sum(found, section(CRMJETTY), BY_TERM, now, UTC_ZONE)
    assert (months.used, rest.minor) == (0, 1977)


def test_what_was_bought_beside_goes_back_where_the_terms_take_it_along():
    care = a_payment(4000, LineKind.SUPPORT)
    along = section(terms(along=(LineKind.SUPPORT,), lines=()))
    assert full_sum(facts(along=(care,)), along, PAID).minor == 14000
    assert full_sum(facts(along=(care,)), section(CRMJETTY), PAID).minor == 10000


@pytest.mark.clause("CJ-04", "CJ-16")
def test_what_the_terms_never_pay_back_is_taken_along_by_nothing():
    care = a_payment(4000, LineKind.SUPPORT)
    assert full_sum(facts(along=(care,)), section(terms(along=(LineKind.SUPPORT,))), PAID).minor == 10000


@pytest.mark.clause("CJ-20", "K-05", "K-06")
@pytest.mark.parametrize(("day", "used"), [("02-27", 0), ("02-28", 1), ("03-30", 1), ("03-31", 2)])
def test_the_months_of_a_later_term_are_those_of_its_chain(day, used):
    """Sentence 4: the chain began on 31 January a year before; this term lies behind a day of courtesy."""
    start, at = datetime(2025, 1, 31, 15, tzinfo=UTC), datetime.fromisoformat(f"2026-{day}T08:00:00+00:00")
    later = replace(
        a_renewal(start, datetime(2026, 2, 1, tzinfo=UTC), datetime(2027, 2, 1, tzinfo=UTC), 100000),
        counted_from=start,
        months_before=12,
    )
    found = facts(renewals=(later,), plan=Plan.ANNUAL)
    assert rest_sum(found, section(CRMJETTY), PRORATA, at, UTC_ZONE)[1].used == used


@pytest.mark.clause("CJ-20")
def test_the_months_of_a_first_term_begin_where_the_clocks_did():
    """Sentence 4: it was released half a month after it was paid."""
    begun = facts(plan=Plan.ANNUAL, counted_from=PAID + 15 * DAY)
    found = [rest_sum(begun, section(CRMJETTY), PRORATA, PAID + n * DAY, UTC_ZONE)[1].used for n in (45, 46)]
    assert found == [0, 1]


KOLKATA = ZoneInfo("Asia/Kolkata")


@pytest.mark.clause("K-01", "K-06")
@pytest.mark.parametrize(("hour", "used"), [(10, 0), (20, 1)])
def test_months_begin_with_the_day_of_the_vendors_zone(hour, used):
    """Sentence 4: bought at eight in the evening in London, which in Kolkata is the 15th."""
    bought, at = datetime(2026, 1, 14, 20, tzinfo=UTC), datetime(2026, 2, 14, hour, tzinfo=UTC)
    assert months_of(bought, at, PRORATA, KOLKATA).used == used
    found = facts(purchase=a_payment(paid_at=bought), plan=Plan.ANNUAL)
    assert rest_sum(found, section(CRMJETTY), PRORATA, at, KOLKATA)[1].used == used


SECOND_LINE = UUID(int=72)
"""Which line the tests' renewals were paid by."""


@pytest.mark.clause("CJ-08", "K-07")
@pytest.mark.parametrize(("law", "tax", "later_tax"), [(TaxRefund.NEVER, 0, 0), (TaxRefund.PER_LAW, 800, 77)])
def test_each_part_of_a_rest_tells_its_line_its_kind_and_its_tax(law, tax, later_tax):
    """Sentences 6 and 7: of twelve months four are used, and a later year is whole."""
    later = a_renewal(PAID, PAID + 365 * DAY, PAID + 730 * DAY, 777, tax_minor=77)
    found = facts(purchase=a_payment(12000, tax_minor=1200), renewals=(later,), plan=Plan.ANNUAL)
    rest, _ = rest_sum(found, section(terms(tax=law)), BY_TERM, PAID + 130 * DAY, UTC_ZONE)
    assert rest.parts == (
        Part(LINE, LineKind.PRODUCT, 8000, tax),
        Part(SECOND_LINE, LineKind.RENEWAL, 777, later_tax),
    )


@pytest.mark.clause("CJ-08")
@pytest.mark.parametrize(("law", "tax"), [(TaxRefund.NEVER, 0), (TaxRefund.PER_LAW, 760)])
def test_the_tax_of_what_goes_along_goes_back_as_that_of_the_product_does(law, tax):
    """Sentence 6."""
    care = a_payment(4000, LineKind.SUPPORT, tax_minor=760)
    along = section(terms(along=(LineKind.SUPPORT,), lines=(), tax=law))
    assert beside(facts(along=(care,)), along, PAID) == (Part(LINE, LineKind.SUPPORT, 4000, tax),)


@pytest.mark.clause("K-02", "BC-26")
def test_at_its_first_instant_a_renewal_runs_and_is_counted_once():
    """Sentence 7."""
    second = a_renewal(PAID, PAID + 365 * DAY, PAID + 730 * DAY, 1200)
    found = facts(renewals=(second,), plan=Plan.ANNUAL)
    rest, months = rest_sum(found, section(CRMJETTY), BY_TERM, second.starts_at, UTC_ZONE)
    assert (months.used, rest.minor) == (0, 1200)


@pytest.mark.clause("K-02", "BC-26")
@pytest.mark.parametrize(
    ("reading", "days", "given"),
    [
        (Started.UNSTARTED, 364, 20),
        (Started.UNSTARTED, 365, 0),
        (Started.RUNNING_TOO, 729, 20),
        (Started.RUNNING_TOO, 730, 0),
    ],
)
def test_a_renewal_has_begun_at_its_first_instant_and_is_over_at_its_end(reading, days, given):
    """Sentence 7."""
    found = facts(renewals=(a_renewal(PAID, PAID + 365 * DAY, PAID + 730 * DAY, 20),))
    assert Sum(beside(found, section(terms(renewals=reading)), PAID + days * DAY)).minor == given


@pytest.mark.clause("K-07")
def test_an_amount_that_a_person_set_keeps_the_line_and_the_kind_of_each_part():
    """Sentence 2."""
    most = Sum((Part(LINE, LineKind.PRODUCT, 60, 20), Part(SECOND_LINE, LineKind.RENEWAL, 20)))
    half = Sum((Part(LINE, LineKind.PRODUCT, 30, 10), Part(SECOND_LINE, LineKind.RENEWAL, 10)))
    assert some(most, 50) == half


def test_the_policy_of_the_tests_is_the_published_one():
    assert isinstance(PRORATA, ProrataPolicy)


@pytest.mark.clause("K-07", "CJ-08")
def test_a_part_is_split_over_price_and_tax_by_largest_remainder():
    """Sentences 2 and 6: of 100.00 with 19.00 tax, 10.00 is 8.40 and 1.60; where tax stays, all of it is price."""
    paid = a_payment(10000, tax_minor=1900)
    read = {law: Sum((whole(paid, None if law is None else section(terms(tax=law))),)) for law in (*TaxRefund, None)}
    assert {law: some(most, 1000).tax_minor for law, most in read.items()} == {
        TaxRefund.PER_LAW: 160,
        None: 160,
        TaxRefund.NEVER: 0,
    }
    assert read[TaxRefund.NEVER].minor == 10000


@pytest.mark.clause("K-07", "NX-31")
@given(
    minor=st.integers(0, 10**7),
    coupon=st.integers(0, 10**7),
    tax=st.integers(0, 10**6),
    law=st.sampled_from([*TaxRefund, None]),
    steps=st.lists(st.one_of(st.integers(0, 10**7), st.integers(-400, -1)), max_size=6),
)
def test_over_any_parts_the_coupon_goes_back_exactly_and_never_before_the_price(minor, coupon, tax, law, steps):
    """Sentence 8: a step is an amount that a person set, or, below nothing, a day on which a year's rest is asked."""
    given, terms_of = [], None if law is None else section(terms(tax=law))
    payment = a_payment(minor, coupon_minor=min(coupon, minor), tax_minor=tax)
    for step in (*steps, None):
        most = Sum((whole(payment, terms_of),))
        if step is None:
            part = most.parts[0]
        elif step < 0:
            found = facts(purchase=payment, plan=Plan.ANNUAL)
            part = rest_sum(found, section(CRMJETTY), PRORATA, PAID - step * DAY, UTC_ZONE)[0].parts[0]
        else:
            part = some(most, step % (most.minor + 1)).parts[0]
        given.append(part)
        assert 0 <= part.coupon_minor <= part.minor
        payment = replace(
            payment,
            refunded_minor=payment.refunded_minor + part.minor,
            refunded_tax_minor=payment.refunded_tax_minor + part.tax_minor,
            refunded_coupon_minor=payment.refunded_coupon_minor + part.coupon_minor,
        )
        assert payment.refunded_coupon_minor <= payment.coupon_minor
        assert payment.refunded_minor - payment.refunded_coupon_minor <= payment.minor - payment.coupon_minor
    assert (payment.refunded_minor, payment.refunded_coupon_minor) == (payment.minor, payment.coupon_minor)
    assert Sum(tuple(given)).money_minor == payment.minor - payment.coupon_minor + payment.refunded_tax_minor


@pytest.mark.clause("K-07", "NX-31")
@pytest.mark.parametrize(
    ("minor", "left", "coupon_left", "coupon"),
    [
        (5000, 10000, 3000, 1500),
        (101, 202, 101, 50),
        (1, 3, 2, 1),
        (0, 10, 5, 0),
        (0, 0, 0, 0),
        (7, 10, 0, 0),
        (7, 10, 10, 7),
    ],
)
def test_of_a_part_the_coupon_is_by_what_is_left_and_the_odd_cent_is_money(minor, left, coupon_left, coupon):
    """Sentence 8."""
    assert coupon_of(minor, left, coupon_left) == coupon


@pytest.mark.clause("K-07", "NX-31")
@given(price=st.integers(0, 10**6), pieces=st.integers(1, 20), share=st.fractions(0, 1))
def test_no_pieces_coupon_is_more_than_its_price(price, pieces, share):
    """Sentences 2 and 8: of a product, whose pieces cost the same, and of what was bought beside it."""
    coupon = int(price * share)
    for piece in range(pieces):
        assert piece_of(coupon, pieces, piece) <= piece_of(price, pieces, piece)


@pytest.mark.clause("K-07", "NX-31")
def test_what_went_back_as_money_instead_is_not_owed_as_a_coupon_too():
    """Of 100.00 with 50.00 of coupon 80.00 went back, none of it as coupon: of the 20.00 that are left all is one."""
    payment = a_payment(10000, coupon_minor=5000, refunded_minor=8000)
    assert whole(payment, None) == Part(LINE, LineKind.PRODUCT, 2000, coupon_minor=2000)


@pytest.mark.clause("NX-31", "CJ-08")
def test_a_coupon_beside_the_product_goes_along_and_tax_has_none():
    """Sentences 6 to 8."""
    care = a_payment(4000, LineKind.SUPPORT, coupon_minor=1000, tax_minor=760)
    along = section(terms(along=(LineKind.SUPPORT,), lines=(), tax=TaxRefund.PER_LAW))
    [part] = beside(facts(along=(care,)), along, PAID)
    assert (part.minor, part.tax_minor, part.coupon_minor) == (4000, 760, 1000)


@pytest.mark.clause("NX-31")
def test_a_decision_tells_the_coupon_only_where_there_is_one():
    """Sentence 8."""
    found = facts()
    assert Sum((Part(LINE, LineKind.PRODUCT, 100, 19),)).told(found) == {"amount": "1.19 EUR", "tax": "0.19 EUR"}
    told = Sum((Part(LINE, LineKind.PRODUCT, 100, 19, 40), Part(SECOND_LINE, LineKind.SUPPORT, 10, 0, 1))).told(found)
    assert told == {"amount": "1.29 EUR", "tax": "0.19 EUR", "coupon": "0.41 EUR"}


@pytest.mark.clause("NX-31", "K-07")
def test_of_an_amount_that_a_person_set_the_coupon_is_by_largest_remainder_too():
    """Sentence 8: of three cents, two of them coupon, the first that goes back is coupon."""
    most = Sum((Part(LINE, LineKind.PRODUCT, 3, coupon_minor=2),))
    assert some(most, 1) == Sum((Part(LINE, LineKind.PRODUCT, 1, coupon_minor=1),))
