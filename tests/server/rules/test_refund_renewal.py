"""The sentences are those of `rules.refund_renewal`, told by one vendor's terms, whose days are counted in Kolkata."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.server.rules.refund_facts import CRMJETTY, a_payment, a_renewal, asking, facts, section, terms
from tillkey_server.rules.calendar import Wait, calendar_of
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.refund_amount import Months
from tillkey_server.rules.refund_facts import Asked, RefundFacts
from tillkey_server.rules.refund_policy import HoldWindow, Late, Plan, TaxRefund
from tillkey_server.rules.refund_renewal import RenewalAnswer, judge_renewal

DAY = timedelta(days=1)
PAID = datetime(2025, 12, 18, 6, tzinfo=UTC)
DEADLINE = datetime(2025, 12, 25, 18, 30, tzinfo=UTC)
LAST = a_renewal(PAID, PAID, PAID + 365 * DAY, 100000, tax_minor=19000)
RULE = section(CRMJETTY).renewal
assert RULE is not None
DENYING = terms(renewal=replace(RULE, late_annual=Late.DENY))


def renewed(plan: Plan = Plan.ANNUAL, **more) -> RefundFacts:
    purchase = a_payment(paid_at=PAID - 365 * DAY)
    return facts(**({"purchase": purchase, "renewals": (LAST,), "plan": plan} | more))


def notice(at: datetime) -> Asked:
    return asking("cancel_renewal", at=at)


def answer(found: RefundFacts, at: datetime, policy: Policy = CRMJETTY) -> RenewalAnswer:
    return judge_renewal(found, notice(at), section(policy), calendar_of(policy))


@pytest.mark.clause("CJ-26", "CJ-27", "CJ-28")
@pytest.mark.parametrize(
    ("plan", "policy", "days", "code"),
    [
        (Plan.ANNUAL, CRMJETTY, 1, "ref_granted_renewal_full"),
        (Plan.ANNUAL, CRMJETTY, 130, "ref_granted_renewal_prorata"),
        (Plan.ANNUAL, CRMJETTY, 350, "ref_denied_nothing_remaining"),
        (Plan.ANNUAL, DENYING, 130, "ref_denied_renewal_window"),
        (Plan.MONTHLY, CRMJETTY, 130, "ref_denied_monthly_processed"),
    ],
)
def test_every_answer_to_a_notice_tells_until_when_it_was_in_time(plan, policy, days, code):
    """Sentences 1 to 3."""
    told = answer(renewed(plan), PAID + days * DAY, policy)
    assert (told.code, told.deadline) == (code, DEADLINE)


@pytest.mark.clause("CJ-20", "CJ-28")
@pytest.mark.parametrize(("days", "used"), [(130, 4), (350, 11)])
def test_what_comes_of_a_year_tells_how_many_months_of_it_are_used(days, used):
    """Sentence 3."""
    assert answer(renewed(), PAID + days * DAY).months == Months(12, used)


@pytest.mark.clause("CJ-20", "K-01")
@pytest.mark.parametrize(("hour", "used"), [(18, 3), (19, 4)])
def test_the_months_of_a_year_are_counted_by_the_vendors_days(hour, used):
    """Sentence 3: in the evening of 17 April in London it is the 18th in Kolkata."""
    assert answer(renewed(), datetime(2026, 4, 17, hour, tzinfo=UTC)).months == Months(12, used)


@pytest.mark.clause("CJ-26")
@pytest.mark.parametrize("late", [-20, 20])
def test_the_days_are_counted_from_the_payment_that_succeeded_wherever_its_time_begins(late):
    """Sentence 1: paid twenty days before its time begins, or so long after, when a charge was tried again."""
    starts = PAID - late * DAY
    told = answer(renewed(renewals=(replace(LAST, starts_at=starts, ends_at=starts + 365 * DAY),)), PAID + DAY)
    assert (told.code, told.deadline) == ("ref_granted_renewal_full", DEADLINE)


@pytest.mark.clause("CJ-26")
def test_the_last_renewal_is_the_one_that_was_paid_last():
    """Sentence 1: not the one whose time begins last."""
    ahead = a_renewal(PAID - 60 * DAY, PAID + 365 * DAY, PAID + 730 * DAY, 70000)
    told = answer(renewed(renewals=(LAST, ahead)), PAID + DAY)
    assert told.sum is not None
    assert (told.code, told.sum.minor) == ("ref_granted_renewal_full", 100000)


@pytest.mark.clause("CJ-26")
@pytest.mark.parametrize(("back", "code"), [(0, "ref_denied_no_renewal"), (-1, "ref_granted_renewal_full")])
def test_what_was_paid_before_a_renewal_that_is_back_stays_paid(back, code):
    """Sentence 1: what was paid after it may go back."""
    assert answer(renewed(renewal_back_paid_at=PAID + back * DAY), PAID + DAY).code == code


@pytest.mark.clause("CJ-02", "CJ-26")
@pytest.mark.parametrize(("window", "days"), [(HoldWindow.TOLL, 7), (HoldWindow.RUN, 0)])
def test_the_days_of_a_hold_do_not_count_where_the_terms_say_so(window, days):
    """Sentence 1: held from the first evening for some days."""
    held = renewed(holds=(Wait(PAID + DAY / 2, PAID + 8 * DAY),))
    assert answer(held, PAID + DAY, terms(hold_window=window)).deadline == DEADLINE + days * DAY


@pytest.mark.clause("CJ-08", "CJ-26")
@pytest.mark.parametrize(("law", "minor"), [(TaxRefund.NEVER, 100000), (TaxRefund.PER_LAW, 119000)])
def test_the_tax_of_a_renewal_goes_back_where_the_terms_follow_the_law(law, minor):
    """Sentence 1."""
    told = answer(renewed(), PAID + DAY, terms(tax=law))
    assert told.sum is not None
    assert told.sum.minor == minor
