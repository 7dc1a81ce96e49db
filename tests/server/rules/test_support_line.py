"""The sentences are those of `rules.support_line`."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from tests.server.rules.facts import NOW
from tests.server.rules.refund_facts import CRMJETTY, NEXOPOS, PAID, a_payment, a_renewal, asking, code, decide, facts
from tillkey_server.rules.order_line import LineKind
from tillkey_server.rules.refund_decision import decide_by_person
from tillkey_server.rules.refund_facts import Item, NamedRenewal

DAY = timedelta(days=1)
LATER = UUID(int=80)
SUPPORT = replace(a_renewal(PAID + DAY, PAID + 40 * DAY, PAID + 400 * DAY, 4000), is_support=True)
USE = a_renewal(PAID + DAY, PAID + 40 * DAY, PAID + 400 * DAY, 700)
ASKED = asking("third_party", at=PAID + 2 * DAY)


def granted(policy, *renewals, **more):
    found = facts(policy, renewals=renewals, **more)
    return decide_by_person(found, ASKED, policy, PAID + 2 * DAY, grant=True)


@pytest.mark.clause("CJ-16", "BC-26")
def test_support_that_was_bought_later_stays_paid_when_the_product_goes_back():
    """Sentences 1 and 2: a renewal of the use goes back, and so does either where the terms keep no such line."""
    assert granted(CRMJETTY, SUPPORT).decision.facts["amount"] == "100.00 EUR"
    assert granted(CRMJETTY, USE).decision.facts["amount"] == "107.00 EUR"
    assert granted(NEXOPOS, SUPPORT).decision.facts["amount"] == "140.00 EUR"
    # By the terms themselves it is named beside what goes back.
    told = decide(facts(NEXOPOS, renewals=(SUPPORT,)), asking("mistake"), NEXOPOS).decision
    assert told.facts["amount"] == "140.00 EUR"


@pytest.mark.clause("CJ-16")
def test_whoever_asks_for_later_support_alone_is_told_that_it_stays_paid():
    """Sentence 2: by the terms and by a person, before the product went back and after."""
    named = NamedRenewal(LATER, a_payment(4000, LineKind.RENEWAL), is_support=True)
    asked = asking("cancel_renewal", item=Item.RENEWAL)
    for refunded_at in (None, NOW):
        held = replace(facts().license, refunded_at=refunded_at)
        found = facts(license=held, renewals=(SUPPORT,), named=named)
        decision = decide(found, asked).decision
        assert (decision.code.value, decision.clauses) == ("ref_line_not_refundable_support", ("CJ-16",))
        by_person = decide_by_person(found, asked, CRMJETTY, PAID, grant=True).decision
        assert (by_person.code.value, by_person.clauses) == ("ref_line_not_refundable_support", ("CJ-16",))
    elsewhere = facts(NEXOPOS, renewals=(SUPPORT,), named=named)
    assert code(elsewhere, asking(item=Item.RENEWAL), NEXOPOS) == "ref_pending_review"


@pytest.mark.clause("CJ-16", "CJ-26")
def test_later_support_is_not_the_last_renewal_of_the_product():
    found = facts(renewals=(USE, SUPPORT))
    given = decide_by_person(found, asking("cancel_renewal"), CRMJETTY, PAID + 2 * DAY, grant=True)
    assert given.decision.facts["amount"] == "7.00 EUR"
    assert code(facts(renewals=(SUPPORT,)), asking("cancel_renewal", at=PAID + 2 * DAY)) == "ref_denied_no_renewal"


@pytest.mark.clause("CJ-16", "CJ-04")
@pytest.mark.parametrize("item", [Item.SUPPORT, Item.EXTRA_DOMAIN, Item.CUSTOMIZATION])
def test_a_line_that_stays_paid_is_told_so_after_its_product_went_back_too(item):
    gone = replace(facts().license, refunded_at=PAID + DAY)
    assert code(facts(license=gone), asking("defect", item=item)) == f"ref_line_not_refundable_{item.value}"
