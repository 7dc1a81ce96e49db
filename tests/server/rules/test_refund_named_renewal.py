"""The sentences are those of `rules.refund_renewal` and `rules.refund_decision`, about one renewal that is named."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.server.rules.facts import POLICIES
from tests.server.rules.refund_facts import (
    BC,
    CRMJETTY,
    NEXOPOS,
    PAID,
    ZG,
    a_payment,
    a_renewal,
    asking,
    code,
    decide,
    facts,
    terms,
)
from tillkey_server.errors import BrokenInvariant
from tillkey_server.rules.order_line import LineKind
from tillkey_server.rules.refund import Ends
from tillkey_server.rules.refund_decision import decide_by_person
from tillkey_server.rules.refund_facts import Item, NamedRenewal
from tillkey_server.rules.refund_renewal import judge_named

DAY = timedelta(days=1)
RENEWAL = UUID(int=80)
SILENT = POLICIES["netposa"]
ASKED = asking(item=Item.RENEWAL, order_number="A-1", explanation="of no use")


def named(minor=5200, *, extends=True, is_back=False, line=72, **more):
    paid = a_payment(minor, LineKind.RENEWAL, **({"line_id": UUID(int=line), "paid_at": PAID + DAY} | more))
    return NamedRenewal(RENEWAL, paid, extends, is_back)


@pytest.mark.clause("ZG-04")
@pytest.mark.parametrize("policy", [ZG, BC, NEXOPOS, SILENT, POLICIES["default"]], ids=lambda one: one.name)
@pytest.mark.parametrize("extends", [True, False])
def test_one_renewal_is_a_persons_under_all_terms_that_say_nothing_of_renewals(policy, extends):
    told = decide(facts(policy, named=named(extends=extends)), ASKED, policy)
    assert (told.decision.code, told.decision.facts["renewal"]) == ("ref_pending_review", str(RENEWAL))


@pytest.mark.clause("ZG-04", "BC-23")
def test_the_answer_cites_what_laid_the_renewal_or_why_it_extended_nothing():
    assert "ZG-04" in decide(facts(ZG, named=named()), ASKED, ZG).decision.clauses
    assert "BC-23" in decide(facts(BC, named=named(extends=False)), ASKED, BC).decision.clauses


@pytest.mark.clause("CJ-26")
def test_where_the_terms_judge_renewals_the_last_one_goes_back_by_a_notice_and_no_earlier_one_ever():
    last = a_renewal(PAID + DAY, PAID + 365 * DAY, PAID + 730 * DAY, 5200)
    found = facts(CRMJETTY, renewals=(last,), named=named())
    notice = replace(ASKED, reasons=("cancel_renewal",))
    told = decide(found, notice)
    assert (told.decision.code, told.ends) == ("ref_granted_renewal_full", Ends.RENEWAL)
    assert code(found, ASKED) == "ref_pending_review"
    assert code(replace(found, named=named(line=73)), notice) == "ref_denied_no_renewal"
    assert code(replace(found, named=named(line=73, extends=False)), notice) == "ref_pending_review"


@pytest.mark.clause("CJ-26")
def test_no_other_ground_and_no_right_about_the_purchase_pays_the_product_back_for_a_renewal():
    last = a_renewal(PAID + DAY, PAID + 365 * DAY, PAID + 730 * DAY, 5200)
    policy = terms(CRMJETTY, statutory_days=14)
    found = facts(policy, renewals=(last,), named=named(), is_consumer=True)
    told = decide(found, replace(ASKED, reasons=("cancel_renewal", "defect")), policy)
    assert (told.decision.code, told.ends) == ("ref_granted_renewal_full", Ends.RENEWAL)


@pytest.mark.clause("X-10", "K-07")
@pytest.mark.parametrize("policy", [ZG, SILENT], ids=lambda one: one.name)
@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (named(is_back=True), "ref_denied_already_refunded"),
        (named(refunded_minor=5200), "ref_denied_already_refunded"),
        (named(0), "ref_denied_nothing_remaining"),
    ],
)
def test_what_is_back_or_was_free_is_refused_to_whoever_asks_and_to_whoever_grants(policy, one, expected):
    found = facts(policy, named=one)
    assert code(found, ASKED, policy) == expected
    assert decide_by_person(found, ASKED, policy, PAID, grant=True).decision.code == expected


@pytest.mark.clause("ZG-04", "K-07")
def test_a_person_pays_exactly_that_renewal_back_and_only_all_of_it_takes_its_time():
    """Sentences 2 and 3."""
    found = facts(ZG, named=named(), renewals=(a_renewal(PAID, PAID + 90 * DAY, PAID + 180 * DAY, 700),))
    ends = {}
    for amount in (None, 5200, 100, 5201):
        told = decide_by_person(found, ASKED, ZG, PAID, grant=True, amount=amount)
        parts = None if told.sum is None else [(one.line_id, one.minor) for one in told.sum.parts]
        ends[amount] = (told.decision.code.value, told.ends, parts)
    whole, line = "ref_granted_by_person", UUID(int=72)
    assert ends == {
        None: (whole, Ends.RENEWAL, [(line, 5200)]),
        5200: (whole, Ends.RENEWAL, [(line, 5200)]),
        100: (whole, Ends.NOTHING, [(line, 100)]),
        5201: ("ref_amount_too_high", Ends.NOTHING, None),
    }


@pytest.mark.clause("BC-23", "CJ-08")
def test_what_extended_nothing_goes_back_with_its_tax_even_where_tax_never_does():
    """Sentence 2."""
    sums = {}
    for extends in (True, False):
        found = facts(CRMJETTY, named=named(tax_minor=1040, extends=extends))
        told = decide_by_person(found, ASKED, CRMJETTY, PAID, grant=True)
        assert told.sum is not None
        sums[extends] = told.sum.minor
    assert sums == {True: 5200, False: 6240}


@pytest.mark.clause("X-10")
def test_a_renewal_that_stayed_with_the_customer_can_go_back_after_the_product_did():
    """Sentence 2."""
    plain = facts(ZG, named=named())
    found = replace(plain, license=replace(plain.license, refunded_at=PAID))
    assert code(found, ASKED, ZG) == "ref_pending_review"
    assert decide_by_person(found, ASKED, ZG, PAID, grant=True).ends is Ends.RENEWAL


@pytest.mark.clause("K-13")
@pytest.mark.parametrize(("ended", "expected"), [(1, "ref_pending_review"), (2, "license_terminated")])
def test_the_end_of_the_agreement_bars_what_was_paid_before_it_and_not_what_was_paid_since(ended, expected):
    plain = facts(BC, named=named())
    found = replace(plain, license=replace(plain.license, terminated_at=PAID + ended * DAY))
    assert code(found, ASKED, BC) == expected
    granted = decide_by_person(found, ASKED, BC, PAID + 3 * DAY, grant=True).decision.code
    assert (granted == "ref_granted_by_person") is (expected == "ref_pending_review")


@pytest.mark.clause("K-07", "X-10")
@given(amounts=st.lists(st.integers(1, 9000), max_size=8), price=st.integers(1, 9000), tax=st.integers(0, 2000))
def test_all_parts_of_a_renewal_together_are_never_more_than_was_paid_for_it(amounts, price, tax):
    back, tax_back, ends = 0, 0, []
    for amount in amounts:
        one = named(price, tax_minor=tax, refunded_minor=back, refunded_tax_minor=tax_back)
        told = decide_by_person(facts(NEXOPOS, named=one), ASKED, NEXOPOS, PAID, grant=True, amount=amount)
        if told.sum is not None:
            back += told.sum.minor - told.sum.tax_minor
            tax_back += told.sum.tax_minor
            ends.append(told.ends)
    assert back <= price
    assert tax_back <= tax
    assert (Ends.RENEWAL in ends) is ((back, tax_back) == (price, tax))


def test_a_renewal_that_nobody_named_is_a_mistake_of_the_program_and_no_refund():
    with pytest.raises(BrokenInvariant):
        judge_named(facts(ZG), ASKED, ZG, PAID)
