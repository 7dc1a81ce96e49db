"""The sentences are those of `rules.order_refund`."""

from dataclasses import replace

import pytest

from tests.server.rules.facts import DAY, NOW, POLICIES, told
from tillkey_server.money import Money
from tillkey_server.rules.decision import Decision
from tillkey_server.rules.order_refund import OrderFacts, Paid, amounts_of, decide_order_refund
from tillkey_server.rules.policy import Policy

CARE, CRM, SILENT = (POLICIES[name] for name in ("prestashop-care", "crmjetty", "netposa"))
HELD = OrderFacts([Paid(Money(10000, "EUR"), tax_minor=2000)], held_since=NOW - DAY)
SHOWN = {"held_at": "2026-03-09T12:00:00Z", "reason": "stolen card"}
BACK = [{"currency": "EUR", "amount_minor": 12000, "tax_minor": 2000, "coupon_minor": 0}]


def asked(policy: Policy = CARE, **facts) -> Decision:
    return decide_order_refund(replace(HELD, **facts), "stolen card", policy, NOW)


@pytest.mark.clause("BC-37")
def test_an_order_under_review_that_gave_no_license_is_paid_back_in_full_with_its_tax():
    """Sentences 1 and 2."""
    facts = SHOWN | {"refunded_at": "2026-03-10T12:00:00Z", "amounts": BACK}
    assert told(asked()) == ("allow", "order_refunded", ("BC-37",), facts, ())


@pytest.mark.clause("BC-37")
def test_under_silent_terms_it_is_paid_back_by_those_of_the_purchase():
    assert (asked(SILENT).code, asked(SILENT).clauses) == ("order_refunded", SILENT.issue_clauses)


@pytest.mark.clause("BC-37")
@pytest.mark.parametrize("more", [{}, {"licenses": 1, "legal_hold_at": NOW}])
def test_an_order_that_nobody_holds_back_is_not_paid_back_this_way(more):
    """Sentence 1, before all else."""
    found = asked(held_since=None, **more)
    assert told(found) == ("deny", "order_not_under_review", ("BC-37",), {}, ())


@pytest.mark.clause("BC-37")
def test_an_order_that_gave_licenses_is_refunded_license_by_license():
    """Sentence 1, also where one of them is on legal hold or the order was paid back before."""
    expected = ("deny", "order_has_licenses", ("BC-37",), SHOWN | {"licenses": 2}, ())
    for more in ({}, {"legal_hold_at": NOW}, {"refunded_at": NOW}):
        assert told(asked(licenses=2, **more)) == expected


@pytest.mark.clause("CJ-02", "K-13")
@pytest.mark.parametrize(("policy", "cited"), [(CRM, ("CJ-02", "K-13")), (CARE, ("K-13",)), (SILENT, ("K-13",))])
def test_a_legal_hold_on_the_buyer_keeps_the_money_until_it_ends(policy, cited):
    """Sentence 3."""
    facts = SHOWN | {"since": "2026-03-08T12:00:00Z"}
    found = asked(policy, legal_hold_at=NOW - 2 * DAY)
    assert told(found) == ("deny", "legal_hold", cited, facts, ("ask_support",))


@pytest.mark.clause("BC-37")
def test_told_again_it_is_the_same_and_a_hold_that_came_since_takes_nothing_back():
    """Sentence 4."""
    first = asked()
    for more in ({}, {"legal_hold_at": NOW}):
        again = decide_order_refund(replace(HELD, refunded_at=NOW, **more), "stolen card", CARE, NOW + 9 * DAY)
        assert (again.code, again.facts) == (first.code, first.facts)


@pytest.mark.clause("NX-31", "BC-37")
def test_each_currency_goes_back_by_itself_and_what_a_coupon_paid_is_told():
    """Sentence 2."""
    lines = [
        Paid(Money(10000, "EUR"), tax_minor=2000, coupon_minor=2500),
        Paid(Money(700, "USD")),
        Paid(Money(300, "EUR"), tax_minor=60, coupon_minor=300),
    ]
    assert amounts_of(lines) == [
        {"currency": "EUR", "amount_minor": 12360, "tax_minor": 2060, "coupon_minor": 2800},
        {"currency": "USD", "amount_minor": 700, "tax_minor": 0, "coupon_minor": 0},
    ]
    assert amounts_of([]) == []
