"""The sentences of `rules.sale` and `rules.product`."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.server.rules.facts import DAY, NEXOPOS, NOW
from tillkey_server.policies.loader import bundled_policies
from tillkey_server.rules.decision import Outcome, Refusal
from tillkey_server.rules.order_line import CustomerType
from tillkey_server.rules.product import (
    ProductFacts,
    ProductState,
    bundles_with,
    circle,
    decide_state,
    leaves,
    missing,
    off_sale,
    shares,
)
from tillkey_server.rules.sale import (
    Held,
    OffSale,
    Required,
    SaleCode,
    SaleFacts,
    decide_at_payment,
    decide_loss,
    decide_overdue,
    decide_release,
    decide_review,
    decide_reviewed,
    decide_sale,
    refuse_under_review,
    worst_of,
)
from tillkey_server.rules.sale_policy import PrerequisiteInstant, PrerequisiteLoss

POLICIES = {name: loaded.policy for name, loaded in bundled_policies().items()}
SILENT = POLICIES["netposa"]
CORE = (Required("core", core=True),)
BARE = replace(NEXOPOS, account=None)


def held(**changed) -> Held:
    return replace(Held(uuid4(), frozenset({"core"}), trial=False, alive=True, support_until=NOW + DAY), **changed)


def asked(**changed) -> SaleFacts:
    return replace(SaleFacts("extension", CORE, held=(held(),)), **changed)


def under(**changed):
    return replace(NEXOPOS, sale=replace(NEXOPOS.sale, **changed))


@pytest.mark.parametrize(
    "changed, code",
    [
        ({}, SaleCode.SALE_ALLOWED),
        ({"held": ()}, SaleCode.PREREQ_CORE_LICENSE_MISSING),
        ({"held": (held(trial=True),)}, SaleCode.PREREQ_CORE_LICENSE_MISSING),
        ({"held": (held(alive=False),)}, SaleCode.PREREQ_CORE_LICENSE_MISSING),
        ({"held": (), "beside": frozenset({"core"})}, SaleCode.SALE_ALLOWED),
        ({"held": (), "requires": (Required("other"),)}, SaleCode.PREREQ_MISSING),
        ({"held": (held(support_until=NOW),)}, SaleCode.PREREQ_CORE_SUPPORT_EXPIRED),
        ({"held": (held(support_until=None),)}, SaleCode.SALE_ALLOWED),
        ({"held": (held(support_until=NOW), held())}, SaleCode.SALE_ALLOWED),
        ({"requires": ()}, SaleCode.SALE_ALLOWED),
        ({"off_sale": OffSale.OFFLINE}, SaleCode.PRODUCT_NOT_ON_SALE),
        ({"off_sale": OffSale.RETIRED}, SaleCode.PRODUCT_RETIRED),
        ({"off_sale": OffSale.PART, "part": "a"}, SaleCode.BUNDLE_NOT_ON_SALE),
        ({"off_sale": OffSale.RETIRED, "suspended": True}, Refusal.ACCOUNT_SUSPENDED),
        ({"suspended": True, "legal_hold_at": NOW}, Refusal.LEGAL_HOLD),
    ],
)
@pytest.mark.clause("NX-10", "NX-11", "NX-12", "BC-19", "BC-21", "BC-22", "CJ-02")
def test_the_answers_come_in_their_precedence(changed, code):
    assert decide_sale(asked(**changed), NEXOPOS, NOW).code is code


@pytest.mark.clause("NX-12")
def test_a_renewal_in_the_same_cart_counts_as_running_support():
    lapsed = held(support_until=NOW - DAY)
    facts = asked(held=(lapsed,), renewed=frozenset({lapsed.license_id}))
    assert decide_sale(facts, NEXOPOS, NOW).allowed
    assert not decide_sale(replace(facts, renewed=frozenset({uuid4()})), NEXOPOS, NOW).allowed


@pytest.mark.clause("NX-12")
@pytest.mark.parametrize("instant, allowed", [(PrerequisiteInstant.PAYMENT, False), (PrerequisiteInstant.CART, True)])
def test_the_instant_that_counts_is_the_terms_to_say(instant, allowed):
    facts = asked(held=(held(support_until=NOW - DAY),), cart_at=NOW - 2 * DAY, paid_at=NOW)
    assert decide_sale(facts, under(prerequisite_instant=instant), NOW).allowed is allowed


def test_terms_may_ask_for_no_support_of_the_core():
    facts = asked(held=(held(support_until=NOW - DAY),))
    found = decide_sale(facts, under(core_support=False), NOW)
    assert (found.allowed, "NX-12" in found.clauses) == (True, False)


@pytest.mark.clause("ZG-21")
@pytest.mark.parametrize("customer_type", [None, CustomerType.CONSUMER, CustomerType.PROFESSIONAL])
def test_only_a_professional_buys_where_the_terms_say_so(customer_type):
    found = decide_sale(SaleFacts("addon", customer_type=customer_type), POLICIES["01generator"], NOW)
    assert found.allowed is (customer_type is CustomerType.PROFESSIONAL)
    assert "ZG-21" in found.clauses


def test_silent_terms_sell_what_requires_nothing_and_send_the_rest_to_a_person():
    assert decide_sale(SaleFacts("addon"), SILENT, NOW).allowed
    waits = decide_sale(asked(), SILENT, NOW)
    assert (waits.outcome, waits.code) == (Outcome.PEND, SaleCode.SALE_TERMS_SILENT)
    for changed in ({"legal_hold_at": NOW}, {"suspended": True}, {"off_sale": OffSale.OFFLINE}):
        assert decide_sale(asked(**changed), SILENT, NOW).outcome is Outcome.DENY
    assert decide_loss("core", uuid4(), SILENT, NOW).facts["suspends"] is False
    assert decide_overdue(NOW - 99 * DAY, SILENT, NOW) is None
    assert not decide_release(NOW, NOW, "", SILENT, NOW).allowed
    assert decide_state(ProductFacts("a"), ProductState.ONLINE, (), SILENT, NOW).allowed
    assert not decide_state(ProductFacts("a", retired_at=NOW), ProductState.ONLINE, (), SILENT, NOW).allowed


def test_a_suspended_account_is_cited_by_the_standing_where_the_terms_name_no_account():
    found = decide_sale(asked(suspended=True, suspended_until=NOW + DAY), BARE, NOW)
    assert (found.clauses, found.retry_at) == (NEXOPOS.standing.suspended, NOW + DAY)


def test_what_may_not_be_sold_pends_at_the_payment_and_the_rest_is_as_it_was():
    no, yes = decide_sale(asked(held=()), NEXOPOS, NOW), decide_sale(asked(), NEXOPOS, NOW)
    found = decide_at_payment(no, NEXOPOS, NOW)
    assert (found.outcome, found.facts["reason"]) == (Outcome.PEND, "prereq_core_license_missing")
    assert decide_at_payment(yes, NEXOPOS, NOW) is yes
    assert worst_of((yes, found, no)) is no
    assert worst_of((yes, found)) is found


@pytest.mark.clause("NX-13")
@pytest.mark.parametrize(
    "reading, suspends", [(PrerequisiteLoss.KEEP, False), (PrerequisiteLoss.SUSPEND_DEPENDENTS, True)]
)
def test_what_becomes_of_an_extension_is_the_terms_to_say(reading, suspends):
    found = decide_loss("core", uuid4(), under(on_prereq_loss=reading), NOW)
    assert (found.facts["suspends"], found.clauses) == (suspends, ("NX-13",))


@pytest.mark.clause("BC-37")
def test_a_review_ends_by_a_person_and_is_overdue_after_the_limit():
    care = POLICIES["prestashop-care"]
    assert decide_review("a", "odd", care, NOW).outcome is Outcome.PEND
    assert decide_overdue(NOW, care, NOW + timedelta(days=30) - timedelta(seconds=1)) is None
    overdue = decide_overdue(NOW, care, NOW + timedelta(days=30))
    assert overdue is not None
    assert overdue.clauses == ("BC-37",)
    assert decide_release(None, None, "", care, NOW).code is SaleCode.ORDER_NOT_UNDER_REVIEW
    assert decide_release(NOW, None, "", care, NOW).allowed
    assert decide_release(NOW, NOW, "", care, NOW).code is Refusal.LEGAL_HOLD
    assert refuse_under_review(NOW, care, NOW).code is Refusal.ORDER_UNDER_REVIEW


CATALOGUE = {
    one.code: one
    for one in (
        ProductFacts("a"),
        ProductFacts("b", requires=("a",)),
        ProductFacts("inner", parts=("a", "b")),
        ProductFacts("outer", parts=("inner", "c")),
        ProductFacts("c", offline_at=NOW),
        ProductFacts("old", retired_at=NOW),
    )
}


@pytest.mark.clause("NX-10", "BC-21")
def test_bundles_are_walked_to_their_leaves_and_circles_are_found():
    assert leaves("outer", CATALOGUE) == ("a", "b", "c")
    assert leaves("a", CATALOGUE) == ("a",)
    assert bundles_with("a", CATALOGUE) == ("inner", "outer")
    assert [off_sale(code, CATALOGUE) for code in ("a", "c", "old", "inner", "outer")] == [
        (None, None),
        (OffSale.OFFLINE, None),
        (OffSale.RETIRED, None),
        (None, None),
        (OffSale.PART, "c"),
    ]
    assert list(missing(("a", "x"), CATALOGUE)) == ["x"]
    assert circle("outer", CATALOGUE) == ()
    through_both = {**CATALOGUE, "a": ProductFacts("a", requires=("outer",))}
    assert circle("a", through_both)[0] == circle("a", through_both)[-1] == "a"
    elsewhere = {**CATALOGUE, "x": ProductFacts("x", parts=("gone",))}
    assert circle("x", elsewhere) == ()


@given(st.integers(0, 10**12), st.lists(st.integers(0, 10**9), min_size=1, max_size=9))
@pytest.mark.clause("K-07")
def test_shares_add_up_to_the_price_and_none_is_further_than_one_from_its_part(amount, weights):
    found = shares(amount, weights)
    assert sum(found) == amount
    total = sum(weights)
    if total:
        assert all(abs(one * total - amount * weight) < total for one, weight in zip(found, weights, strict=True))


def test_a_tie_goes_to_the_earlier_part():
    assert shares(5, [1, 1]) == (3, 2)
    assert shares(5, [0, 0]) == (3, 2)


@pytest.mark.clause("BC-20", "BC-22")
@pytest.mark.parametrize("to", list(ProductState))
def test_a_product_goes_off_sale_and_back_but_never_back_from_its_end(to):
    care = POLICIES["prestashop-care"]
    assert decide_state(ProductFacts("a"), to, ("outer",), care, NOW).facts["bundles"] == ["outer"]
    assert decide_state(ProductFacts("a", retired_at=NOW), to, (), care, NOW).code is SaleCode.PRODUCT_RETIRED


@pytest.mark.clause("X-13", "BC-37")
def test_whoever_asks_is_told_whether_an_order_is_under_review_and_whether_for_too_long():
    care = POLICIES["prestashop-care"]
    clear = decide_reviewed(None, care, NOW)
    assert (clear.outcome, clear.code) == (Outcome.ALLOW, SaleCode.ORDER_NOT_UNDER_REVIEW)
    assert decide_reviewed(NOW, care, NOW) == refuse_under_review(NOW, care, NOW)
    assert decide_reviewed(NOW - 99 * DAY, care, NOW) == decide_overdue(NOW - 99 * DAY, care, NOW)


@pytest.mark.clause("NX-44")
def test_a_length_of_support_that_the_terms_let_nobody_choose_is_no_sale():
    said = decide_sale(asked(months=7, lengths=(6, 12)), NEXOPOS, NOW)
    assert (said.code, said.facts["months"], said.clauses) == (
        SaleCode.PURCHASE_MONTHS_NOT_OFFERED,
        7,
        NEXOPOS.terms.clauses.purchase,
    )
    assert decide_sale(asked(months=12, lengths=(6, 12)), NEXOPOS, NOW).allowed
