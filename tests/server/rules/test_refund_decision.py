"""The sentences are those of `rules.refund_decision`."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.server.rules.facts import POLICIES
from tests.server.rules.refund_facts import CRMJETTY, NEXOPOS, PAID, a_payment, a_renewal, asking, facts, terms
from tillkey_server.rules.decision import Outcome, instant
from tillkey_server.rules.order_line import LineKind
from tillkey_server.rules.refund import Ends
from tillkey_server.rules.refund_decision import decide_by_person, use_after_refund
from tillkey_server.rules.refund_facts import Item
from tillkey_server.rules.refund_policy import Partial

SILENT = POLICIES["netposa"]
DAY = timedelta(days=1)
ASKED = asking()


@pytest.mark.clause("NX-31", "NX-36")
def test_a_person_grants_all_or_denies():
    """Sentence 1."""
    granted = decide_by_person(facts(NEXOPOS), ASKED, NEXOPOS, PAID, grant=True)
    assert (granted.decision.code, granted.ends, granted.decision.facts["amount"]) == (
        "ref_granted_by_person",
        Ends.LICENSE,
        "100.00 EUR",
    )
    denied = decide_by_person(facts(NEXOPOS), ASKED, NEXOPOS, PAID, grant=False)
    assert (denied.decision.code, denied.sum) == ("ref_denied_by_person", None)


@pytest.mark.clause("NX-36")
@pytest.mark.parametrize(
    ("reading", "ends"),
    [(Partial.KEEP, Ends.NOTHING), (Partial.REDUCE, Ends.REDUCED), (Partial.REVOKE, Ends.LICENSE)],
)
def test_a_part_ends_what_the_terms_say_and_all_of_it_ends_the_license(reading, ends):
    """Sentence 3."""
    policy = terms(NEXOPOS, partial=reading)
    assert decide_by_person(facts(NEXOPOS), ASKED, policy, PAID, grant=True, amount=9999).ends is ends
    assert decide_by_person(facts(NEXOPOS), ASKED, policy, PAID, grant=True, amount=10000).ends is Ends.LICENSE


@pytest.mark.clause("K-07", "X-10")
@given(amounts=st.lists(st.integers(1, 20000), max_size=8), price=st.integers(1, 20000), tax=st.integers(0, 4000))
def test_however_often_a_person_grants_a_part_all_parts_together_are_never_more_than_was_paid(amounts, price, tax):
    refunded, refunded_tax = 0, 0
    for amount in amounts:
        paid = a_payment(price, tax_minor=tax, refunded_minor=refunded, refunded_tax_minor=refunded_tax)
        verdict = decide_by_person(facts(NEXOPOS, purchase=paid), ASKED, NEXOPOS, PAID, grant=True, amount=amount)
        if verdict.sum is None:
            assert verdict.decision.code in {"ref_amount_too_high", "ref_denied_already_refunded"}
            continue
        assert verdict.sum.minor == amount
        refunded += verdict.sum.minor - verdict.sum.tax_minor
        refunded_tax += verdict.sum.tax_minor
    assert refunded <= price
    assert refunded_tax <= tax


@pytest.mark.clause("CJ-02", "X-10", "K-13")
def test_nobody_grants_under_a_hold_after_an_end_after_a_violation_or_twice():
    """Sentence 4; a violation does not keep anybody from saying no."""
    plain = facts()
    cases = {
        "legal_hold": replace(plain, license=replace(plain.license, legal_hold_at=PAID)),
        "license_terminated": replace(plain, license=replace(plain.license, terminated_at=PAID)),
        "ref_denied_copyright": replace(plain, copyright_violated=True),
        "ref_denied_already_refunded": replace(plain, license=replace(plain.license, refunded_at=PAID)),
    }
    codes = {decide_by_person(found, ASKED, CRMJETTY, PAID, grant=True).decision.code.value for found in cases.values()}
    assert codes == set(cases)
    violated = decide_by_person(cases["ref_denied_copyright"], ASKED, CRMJETTY, PAID, grant=False)
    assert violated.decision.code == "ref_denied_by_person"


@pytest.mark.clause("NX-36", "K-07")
@pytest.mark.parametrize(
    ("item", "given", "tax"),
    [(Item.PRODUCT, 11900, 1900), (Item.TAX, 1900, 1900), (Item.SUPPORT, 4760, 760), (Item.SERVICE, 500, 0)],
)
def test_what_goes_back_is_what_was_asked_for_and_only_the_product_ends_the_license(item, given, tax):
    """Sentences 2 and 3: of a product, its support in two lines, and a service."""
    beside = (
        a_payment(3000, LineKind.SUPPORT, tax_minor=570),
        a_payment(1000, LineKind.SUPPORT, tax_minor=190),
        a_payment(500, LineKind.SERVICE),
    )
    found = facts(NEXOPOS, purchase=a_payment(tax_minor=1900), along=beside)
    verdict = decide_by_person(found, asking(item=item), NEXOPOS, PAID, grant=True)
    assert verdict.sum is not None
    assert (verdict.sum.minor, verdict.sum.tax_minor) == (given, tax)
    assert verdict.ends is (Ends.LICENSE if item is Item.PRODUCT else Ends.NOTHING)
    part = decide_by_person(found, asking(item=item), NEXOPOS, PAID, grant=True, amount=given - 1)
    assert part.sum is not None
    assert (part.sum.minor, part.ends) == (given - 1, Ends.NOTHING)
    more = decide_by_person(found, asking(item=item), NEXOPOS, PAID, grant=True, amount=given + 1)
    assert more.decision.code == "ref_amount_too_high"


@pytest.mark.clause("CJ-26")
@pytest.mark.parametrize(
    ("reasons", "amount", "given", "ends"),
    [
        (("cancel_renewal",), None, 700, Ends.RENEWAL),
        (("cancel_renewal",), 700, 700, Ends.RENEWAL),
        (("cancel_renewal",), 100, 100, Ends.NOTHING),
        (("cancel_renewal", "mistake"), None, 10700, Ends.LICENSE),
    ],
)
def test_of_a_renewal_alone_its_last_payment_goes_back(reasons, amount, given, ends):
    """Sentences 2 and 3."""
    last = a_renewal(PAID + DAY, PAID + 365 * DAY, PAID + 730 * DAY, 700)
    verdict = decide_by_person(
        facts(renewals=(last,)), asking(*reasons), CRMJETTY, PAID + DAY, grant=True, amount=amount
    )
    assert verdict.sum is not None
    assert (verdict.sum.minor, verdict.ends) == (given, ends)


@pytest.mark.clause("CJ-04", "CJ-08", "CJ-16", "X-10")
def test_nobody_grants_what_the_terms_never_pay_back_or_what_was_not_bought_or_is_back():
    """Sentence 4."""
    care = a_payment(4000, LineKind.SUPPORT, refunded_minor=4000)
    codes = {
        (item, policy.name): decide_by_person(
            facts(policy, along=(care,)), asking(item=item), policy, PAID, grant=True
        ).decision.code.value
        for policy in (CRMJETTY, NEXOPOS)
        for item in (Item.TAX, Item.SUPPORT, Item.CUSTOMIZATION)
    }
    assert codes == {
        (Item.TAX, "crmjetty"): "ref_line_not_refundable_tax",
        (Item.SUPPORT, "crmjetty"): "ref_line_not_refundable_support",
        (Item.CUSTOMIZATION, "crmjetty"): "ref_line_not_refundable_customization",
        (Item.TAX, "nexopos"): "ref_denied_nothing_remaining",
        (Item.SUPPORT, "nexopos"): "ref_denied_already_refunded",
        (Item.CUSTOMIZATION, "nexopos"): "ref_denied_nothing_remaining",
    }


@pytest.mark.clause("CJ-14")
def test_use_after_a_refund_is_noticed_after_the_grace():
    """Sentence 5: a copy that was forgotten for a day is none."""
    assert use_after_refund(PAID, CRMJETTY, PAID + 14 * DAY - timedelta(seconds=1)) is None
    noticed = use_after_refund(PAID, CRMJETTY, PAID + 14 * DAY)
    assert noticed is not None
    assert (noticed.code, noticed.allowed) == ("use_after_refund", False)
    assert use_after_refund(PAID, SILENT, PAID + 99 * DAY) is None


@pytest.mark.clause("CJ-14", "CJ-13")
@pytest.mark.parametrize(
    ("days", "stated", "noticed"),
    [
        (2, None, False),
        (2, timedelta(seconds=-1), True),
        (2, timedelta(0), False),
        (2, timedelta(seconds=1), False),
        (14, timedelta(seconds=1), True),
    ],
)
def test_what_was_said_to_be_destroyed_is_noticed_from_the_statement_on(days, stated, noticed):
    """Sentence 5: within the grace too."""
    now = PAID + days * DAY
    said_at = None if stated is None else now + stated
    found = use_after_refund(PAID, CRMJETTY, now, said_at)
    assert (found is not None) is noticed
    if found is not None:
        assert (found.outcome, found.clauses) == (Outcome.PEND, ("CJ-14",))
        assert (found.facts["attested_at"], found.facts["seen_at"]) == (instant(said_at), instant(now))


def test_terms_that_say_nothing_leave_all_to_the_person():
    granted = decide_by_person(facts(SILENT), ASKED, SILENT, PAID, grant=True)
    assert (granted.decision.code, granted.ends) == ("ref_granted_by_person", Ends.LICENSE)
    part = decide_by_person(facts(SILENT), ASKED, SILENT, PAID, grant=True, amount=10)
    assert (part.sum is not None and part.sum.minor, part.ends) == (10, Ends.NOTHING)
    violated = facts(SILENT, copyright_violated=True)
    assert decide_by_person(violated, ASKED, SILENT, PAID, grant=True).decision.code == "ref_granted_by_person"


def test_a_person_who_is_asked_for_the_tax_gives_back_no_renewal():
    """Sentence 2: the last renewal is meant by its own reasons, and only where the product's price is asked back."""
    last = a_renewal(PAID + DAY, PAID + 365 * DAY, PAID + 730 * DAY, 700)
    found = facts(NEXOPOS, renewals=(last,), purchase=a_payment(tax_minor=1900))
    granted = decide_by_person(found, asking(item=Item.TAX), NEXOPOS, PAID + DAY, grant=True)
    assert (granted.ends, granted.decision.code) == (Ends.NOTHING, "ref_granted_by_person"), granted.decision
    assert granted.sum.minor == 1900


@pytest.mark.clause("CJ-26")
@pytest.mark.parametrize(
    ("reason", "verified", "options"),
    [
        ("cancel_renewal", True, ("cancel_at_period_end",)),
        ("cancel_renewal", None, ()),
        ("third_party", True, ()),
    ],
)
def test_who_grants_a_notice_from_the_official_address_has_heard_it(reason, verified, options):
    """Sentence 7."""
    found = facts(renewals=(a_renewal(PAID, PAID, PAID + 30 * DAY),))
    asked = asking(reason, sender_verified=verified)
    assert decide_by_person(found, asked, CRMJETTY, PAID, grant=True).decision.options == options
    assert decide_by_person(found, asked, CRMJETTY, PAID, grant=False).decision.options == ()


@pytest.mark.clause("CJ-26")
def test_where_no_renewal_can_go_back_a_notice_about_one_gives_nothing_and_never_the_product():
    """Sentence 2: none was paid, or the last one is back."""
    for back in (None, PAID):
        renewals = () if back is None else (a_renewal(PAID - DAY, PAID, PAID + 30 * DAY),)
        found = facts(renewals=renewals, renewal_back_paid_at=back)
        told = decide_by_person(found, asking("cancel_renewal"), CRMJETTY, PAID, grant=True).decision
        assert told.code == "ref_denied_nothing_remaining"
