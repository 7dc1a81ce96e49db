"""The sentences are those of `rules.refund_window`; the days are counted in Kolkata."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.server.rules.facts import a_license
from tests.server.rules.refund_facts import CRMJETTY, PAID, a_payment, facts, section, terms
from tillkey_server.rules.calendar import Wait
from tillkey_server.rules.policy import WindowBoundary
from tillkey_server.rules.refund_window import window_end

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
END = PAID + 30 * DAY
ASKED = PAID + 20 * DAY


def end_with(*holds: Wait, now: datetime = ASKED) -> datetime | None:
    found = facts(license=a_license(issued_at=PAID, refund_until=END), holds=holds)
    return window_end(found, section(CRMJETTY), CRMJETTY, now)


@pytest.mark.clause("CJ-02")
def test_a_hold_that_ended_adds_its_own_length_whenever_that_is_asked():
    """Sentence 3."""
    hold = Wait(PAID + 10 * DAY, PAID + 15 * DAY)
    assert [end_with(hold, now=PAID + days * DAY) for days in (16, 40)] == [END + 5 * DAY] * 2


@pytest.mark.clause("CJ-02")
@pytest.mark.parametrize(("days", "added"), [(20, 10), (9, 0)])
def test_a_hold_that_goes_on_has_added_what_has_passed_of_it(days, added):
    """Sentence 3: it began ten days after the payment."""
    assert end_with(Wait(PAID + 10 * DAY), now=PAID + days * DAY) == END + added * DAY


@pytest.mark.clause("CJ-02")
def test_of_a_hold_that_began_before_the_payment_only_what_came_after_it_counts():
    """Sentence 3."""
    assert end_with(Wait(PAID - 5 * DAY, PAID + DAY)) == END + DAY
    assert end_with(Wait(PAID - 5 * DAY, PAID - DAY)) == END


@pytest.mark.clause("CJ-02", "K-03")
@pytest.mark.parametrize(("start", "added"), [(END - SECOND, 2 * DAY), (END, timedelta(0))])
def test_a_hold_that_begins_when_the_window_is_over_opens_it_no_more(start, added):
    """Sentence 3."""
    assert end_with(Wait(start, start + 2 * DAY), now=END + 9 * DAY) == END + added


@pytest.mark.clause("CJ-01", "K-01")
def test_a_products_own_days_end_with_the_vendors_day():
    """Sentence 2: at eight in the evening in London it is the next day in Kolkata."""
    found = facts(product_refund_days=14, purchase=a_payment(paid_at=datetime(2026, 1, 5, 20, tzinfo=UTC)))
    assert window_end(found, section(CRMJETTY), CRMJETTY, ASKED) == datetime(2026, 1, 20, 18, 30, tzinfo=UTC)


@pytest.mark.clause("K-03", "CJ-01")
def test_a_products_own_days_are_counted_as_the_terms_count_them():
    elapsed = replace(CRMJETTY, clocks=replace(CRMJETTY.clocks, window_boundary=WindowBoundary.ELAPSED))
    found = facts(elapsed, product_refund_days=14)
    assert window_end(found, section(CRMJETTY), elapsed, PAID) == PAID + timedelta(days=14)


@pytest.mark.clause("CJ-01", "K-09")
def test_a_product_of_no_days_has_the_window_of_all_where_a_later_version_promises_one():
    """Sentence 2: its license shows that it was over at the sale."""
    found = facts(product_refund_days=0)
    promised = section(terms(refund_all_products=True))
    assert window_end(found, section(CRMJETTY), CRMJETTY, ASKED) == found.paid_at
    assert window_end(found, promised, terms(refund_all_products=True), ASKED) == facts().license.refund_until


@pytest.mark.clause("NX-42", "CJ-02")
def test_days_on_which_a_hold_and_a_suspension_lasted_count_once():
    """Sentence 3: the license's own end was moved by the suspension already."""
    hold, pause = Wait(PAID + 10 * DAY, PAID + 15 * DAY), Wait(PAID + 12 * DAY, PAID + 18 * DAY)
    found = facts(license=a_license(issued_at=PAID, refund_until=END + 6 * DAY), holds=(hold,), pauses=(pause,))
    assert window_end(found, section(CRMJETTY), CRMJETTY, ASKED) == END + 8 * DAY


@pytest.mark.clause("NX-42", "CJ-26")
def test_a_plans_working_days_are_moved_by_a_suspension_that_pauses_them():
    """Sentence 3."""
    terms_ = section(CRMJETTY)
    counted = replace(terms_, plans=tuple(replace(one, window_working_days=10) for one in terms_.plans))
    plain = facts(plan=counted.plans[0].plan, license=a_license(issued_at=PAID, refund_until=END))
    paused = replace(plain, pauses=(Wait(PAID + 2 * DAY, PAID + 5 * DAY),))
    ends = [window_end(one, counted, CRMJETTY, ASKED) for one in (plain, paused)]
    assert ends[1] == ends[0] + 3 * DAY
