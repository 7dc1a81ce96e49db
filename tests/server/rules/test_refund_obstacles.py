"""What stands before any ground of a refund, and the law above it; the numbers are those of `rules.refund`."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.server.rules.refund_facts import (
    CRMJETTY,
    NEXOPOS,
    PAID,
    a_payment,
    a_renewal,
    an_issue,
    asking,
    code,
    decide,
    facts,
    terms,
)
from tillkey_server.rules.decision import Outcome
from tillkey_server.rules.issue_facts import Finding
from tillkey_server.rules.order_line import LineKind
from tillkey_server.rules.refund_facts import EarlierRefund, Item
from tillkey_server.rules.refund_policy import Core, Repurchase, Sender

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
BEFORE = EarlierRefund("ref_granted_defect")
BROKEN = an_issue(Finding.MALFUNCTION, resolve_due=PAID + 3 * DAY)
LAWFUL = asking("change_of_mind", at=PAID + 14 * DAY)
CONSUMER = facts(NEXOPOS, is_consumer=True)


@pytest.mark.clause("CJ-31", "CJ-26")
@pytest.mark.parametrize("verified", [None, False])
def test_a_request_counts_only_from_the_official_address(verified):
    asked = asking("defect", sender_verified=verified)
    assert code(facts(issue=BROKEN), asked) == "request_not_from_official_address"
    assert code(facts(issue=BROKEN), asked, terms(sender=Sender.ANY), PAID + 5 * DAY) == "ref_granted_one_time_full"


@pytest.mark.clause("CJ-31")
def test_a_new_address_is_believed_when_exactly_its_time_is_over():
    """Up to then a person looks; a message that came before the change is believed, one of the same second is not."""
    week, changed = timedelta(days=7), PAID + DAY
    found, asked = facts(issue=BROKEN, readdressed_at=changed), asking("defect", at=changed)
    cool = terms(sender_cooldown=week)
    told = decide(found, asked, cool, changed + week - SECOND).decision
    assert (told.code, told.clauses, told.retry_at) == ("ref_pending_sender", ("CJ-31",), changed + week)
    assert code(found, asked, cool, changed + week) == "ref_granted_one_time_full"
    earlier = asking("defect", at=changed - SECOND)
    assert code(found, earlier, cool, changed) == code(found, earlier, terms(sender_cooldown=0 * week), changed)
    assert code(found, asked, terms(sender=Sender.ANY, sender_cooldown=week), changed) == "ref_pending_resolution"


@pytest.mark.clause("CJ-32")
def test_a_form_that_lacks_something_says_what():
    policy = terms(required_fields=("order_number", "reason"))
    asked = asking("defect", order_number="A-1")
    told = decide(facts(issue=BROKEN), asked, policy).decision
    assert (told.code, told.facts["fields"], told.outcome) == ("ref_request_incomplete", ["reason"], Outcome.PEND)
    full = replace(asked, explanation="it does not start")
    assert code(facts(issue=BROKEN), full, policy, PAID + 5 * DAY) == "ref_granted_one_time_full"


@pytest.mark.clause("CJ-15")
def test_another_sales_channel_refunds_its_own():
    assert code(facts(issue=BROKEN), asking("defect"), terms(channels=("shop",))) == "ref_wrong_channel"


@pytest.mark.clause("CJ-04", "CJ-08", "CJ-16")
@pytest.mark.parametrize("item", [Item.TAX, Item.SUPPORT, Item.CUSTOMIZATION, Item.EXTRA_DOMAIN])
def test_some_lines_are_never_paid_back(item):
    expected = f"ref_line_not_refundable_{item.value}"
    assert code(facts(issue=BROKEN), asking("defect", item=item)) == expected
    unwritten = Item.TAX if item is Item.TAX else Item.SERVICE
    assert code(facts(NEXOPOS), asking("mistake", item=unwritten), NEXOPOS) == "ref_pending_review"


@pytest.mark.clause("CJ-04", "CJ-16")
def test_lines_that_stay_paid_are_named_beside_what_goes_back():
    beside = (a_payment(50, LineKind.CUSTOMIZATION), a_payment(60, LineKind.EXTRA_DOMAIN))
    verdict = decide(facts(issue=BROKEN, along=beside), asking("defect", at=PAID + 5 * DAY))
    assert {"CJ-04", "CJ-16"} <= set(verdict.decision.clauses)
    assert verdict.decision.facts["amount"] == "100.00 EUR"


@pytest.mark.clause("NX-31")
@pytest.mark.parametrize(
    ("reading", "expected"),
    [(Core.REVIEW, "ref_pending_review"), (Core.DENY, "ref_not_a_module"), (Core.SAME, "ref_granted_mistake")],
)
def test_the_core_is_no_module(reading, expected):
    policy = terms(NEXOPOS, core=reading)
    assert code(facts(NEXOPOS, is_core=True), asking("mistake"), policy) == expected


@pytest.mark.clause("CJ-01")
def test_a_product_may_be_excluded_only_where_not_all_products_are_promised():
    found = facts(issue=BROKEN, product_refund_days=0)
    assert code(found, asking("defect")) == "ref_denied_product_not_refundable"
    promised = terms(refund_all_products=True)
    assert code(found, asking("defect", at=PAID + 5 * DAY), promised) == "ref_granted_one_time_full"


@pytest.mark.clause("CJ-01")
def test_a_product_may_have_a_window_of_its_own():
    """Reported on the tenth day: within the vendor's 30 days, and after the product's own seven."""
    late = an_issue(Finding.MALFUNCTION, at=PAID + 10 * DAY, resolve_due=PAID + 12 * DAY)
    asked = asking("defect", at=PAID + 13 * DAY)
    assert code(facts(issue=late), asked) == "ref_granted_one_time_full"
    assert code(facts(issue=late, product_refund_days=7), asked) == "ref_denied_window_closed"


@pytest.mark.clause("CJ-05", "X-09")
def test_what_was_refunded_and_bought_again_is_not_refunded_again():
    """Decided reading 6: a refund that is only pending counts by setting."""
    asked = asking("defect", at=PAID + 5 * DAY)
    assert code(facts(issue=BROKEN, refunded_before=(BEFORE,)), asked) == "ref_denied_repurchase"
    pending = facts(issue=BROKEN, pending_before=True)
    assert code(pending, asked) == "ref_granted_one_time_full"
    assert code(pending, asked, terms(repurchase=Repurchase.DENY_PENDING_TOO)) == "ref_denied_repurchase"
    assert code(facts(NEXOPOS, refunded_before=(BEFORE,)), asking("mistake"), NEXOPOS) == "ref_granted_mistake"


@pytest.mark.clause("CJ-05")
@pytest.mark.parametrize(
    ("ignored", "earlier", "barred"),
    [
        ((), EarlierRefund("ref_granted_by_person", ended=False), True),
        (("partial",), EarlierRefund("ref_granted_by_person", ended=False), False),
        (("partial",), BEFORE, True),
        (("ref_granted_defect",), BEFORE, False),
        (("ref_granted_defect",), EarlierRefund("ref_granted_by_person"), True),
    ],
)
def test_terms_may_ignore_an_earlier_refund_of_a_part_or_by_the_vendors_own_fault(ignored, earlier, barred):
    asked, policy = asking("defect", at=PAID + 5 * DAY), terms(repurchase_ignores=ignored)
    alone = code(facts(issue=BROKEN, refunded_before=(earlier,)), asked, policy)
    assert alone == ("ref_denied_repurchase" if barred else "ref_granted_one_time_full")
    another = EarlierRefund("ref_granted_annual_full")
    assert code(facts(issue=BROKEN, refunded_before=(earlier, another)), asked, policy) == "ref_denied_repurchase"


@pytest.mark.clause("NX-35")
def test_a_right_of_the_law_stands_above_a_bar_for_fourteen_days_and_for_consumers():
    """Sentence 3."""
    barred = asking("change_of_mind", found=("service_consumed",), at=PAID + 14 * DAY)
    consumer = facts(NEXOPOS, is_consumer=True)
    assert code(consumer, barred, NEXOPOS) == "ref_granted_statutory"
    assert code(consumer, replace(barred, asked_at=PAID + 15 * DAY), NEXOPOS) == "ref_denied_service_consumed"
    assert code(facts(NEXOPOS), barred, NEXOPOS) == "ref_denied_service_consumed"


@pytest.mark.clause("NX-35")
@pytest.mark.parametrize(
    ("found", "changes", "barred"),
    [
        ({"is_core": True}, {"core": Core.DENY}, "ref_not_a_module"),
        ({"is_core": True}, {"core": Core.REVIEW}, "ref_pending_review"),
        ({}, {"channels": ("elsewhere",)}, "ref_wrong_channel"),
        ({}, {"required_fields": ("order_number",)}, "ref_request_incomplete"),
        ({"product_refund_days": 0}, {"refund_all_products": False}, "ref_denied_product_not_refundable"),
        ({"refunded_before": (BEFORE,)}, {"repurchase": Repurchase.DENY}, "ref_denied_repurchase"),
    ],
)
def test_a_right_of_the_law_stands_above_whatever_the_vendors_terms_put_in_the_way(found, changes, barred):
    """Sentence 3."""
    consumer, policy = replace(CONSUMER, **found), terms(NEXOPOS, **changes)
    assert code(consumer, LAWFUL, policy) == "ref_granted_statutory"
    assert code(replace(consumer, is_consumer=False), LAWFUL, policy) == barred
    assert code(consumer, replace(LAWFUL, asked_at=PAID + 15 * DAY), policy) == barred


@pytest.mark.clause("NX-35", "CJ-02", "X-10", "CJ-31")
@pytest.mark.parametrize(
    ("found", "changes", "barred"),
    [
        ({"license": replace(CONSUMER.license, legal_hold_at=PAID)}, {}, "legal_hold"),
        ({"license": replace(CONSUMER.license, terminated_at=PAID)}, {}, "license_terminated"),
        ({"copyright_violated": True}, {}, "ref_denied_copyright"),
        ({"license": replace(CONSUMER.license, refunded_at=PAID)}, {}, "ref_denied_already_refunded"),
        ({}, {"sender": Sender.OFFICIAL}, "request_not_from_official_address"),
    ],
)
def test_no_right_of_the_law_stands_above_a_hold_a_violation_what_is_refunded_or_a_strangers_word(
    found, changes, barred
):
    """Sentence 3."""
    asked = replace(LAWFUL, sender_verified=False)
    assert code(replace(CONSUMER, **found), asked, terms(NEXOPOS, **changes)) == barred


@pytest.mark.clause("NX-35", "CJ-04")
def test_the_law_gives_the_products_price_and_no_line_that_is_never_paid_back():
    """Sentence 3."""
    policy, asked = terms(CRMJETTY, statutory_days=14), replace(LAWFUL, item=Item.SUPPORT, sender_verified=True)
    assert code(facts(is_consumer=True), asked, policy) == "ref_line_not_refundable_support"


@pytest.mark.clause("CJ-26")
def test_every_answer_to_a_notice_from_the_official_address_cancels():
    """Sentence 4 of `rules.refund_renewal`; not one from an address that is not believed yet."""
    found, cancels = facts(renewals=(a_renewal(PAID, PAID, PAID + 30 * DAY),)), ("cancel_at_period_end",)
    asked = asking("cancel_renewal", at=PAID + DAY)
    full = decide(found, asked).decision
    first = decide(facts(), asked).decision
    assert (full.outcome, full.options, first.options) == (Outcome.ALLOW, cancels, cancels)
    assert decide(found, asking("third_party"), now=PAID).decision.options == ()
    doubted, cool = replace(found, readdressed_at=PAID), terms(sender_cooldown=timedelta(days=2))
    told = [decide(doubted, asked, cool, PAID + n * DAY).decision.options for n in (1, 2)]
    assert told == [(), cancels]


@pytest.mark.clause("CJ-26", "CJ-31")
def test_a_renewal_asks_for_the_official_address_whatever_else_does():
    renewal = a_renewal(PAID, PAID, PAID + 365 * DAY)
    asked = asking("cancel_renewal", sender_verified=None)
    assert code(facts(renewals=(renewal,)), asked, terms(sender=Sender.ANY)) == "request_not_from_official_address"
    assert code(facts(), asking("cancel_renewal"), terms(renewal=None)) == "ref_pending_review"
