"""The sentences are those of `rules.refund`."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
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
    an_issue,
    asking,
    code,
    decide,
    facts,
    section,
    terms,
)
from tillkey_server.rules.calendar import Wait
from tillkey_server.rules.decision import Outcome, instant
from tillkey_server.rules.issue_facts import Finding
from tillkey_server.rules.order_line import LineKind
from tillkey_server.rules.refund import Ends
from tillkey_server.rules.refund_codes import RefundCode
from tillkey_server.rules.refund_facts import EarlierRefund, Item
from tillkey_server.rules.refund_policy import Core, HoldWindow, Kind, Late, Need, Plan, Repurchase, Sender

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
BEFORE = EarlierRefund("ref_granted_defect")
BROKEN = an_issue(Finding.MALFUNCTION, resolve_due=PAID + 3 * DAY)
LATE = an_issue(Finding.MALFUNCTION, at=PAID + 100 * DAY, resolve_due=PAID + 103 * DAY)


def test_without_terms_about_refunds_a_person_decides():
    """Sentence 1."""
    told = decide(facts(POLICIES["netposa"]), asking("anything"), POLICIES["netposa"]).decision
    assert (told.outcome, told.code) == (Outcome.PEND, "ref_pending_review")


@pytest.mark.clause("K-13")
@pytest.mark.parametrize(
    ("ended", "refused"), [("legal_hold_at", "legal_hold"), ("terminated_at", "license_terminated")]
)
def test_a_hold_and_the_end_of_the_agreement_deny_also_where_the_terms_are_silent(ended, refused):
    """Sentence 2."""
    silent = POLICIES["netposa"]
    held = facts(silent)
    held = replace(held, license=replace(held.license, **{ended: PAID}))
    told = decide(held, asking("anything"), silent).decision
    assert (told.outcome, told.code) == (Outcome.DENY, refused)


@pytest.mark.clause("CJ-02", "K-13")
def test_a_legal_hold_comes_before_everything_and_a_violation_denies_for_good():
    held = facts(issue=BROKEN, copyright_violated=True)
    held = replace(held, license=replace(held.license, legal_hold_at=PAID))
    told = decide(held, asking("defect", at=PAID + 5 * DAY)).decision
    assert (told.code, "CJ-02" in told.clauses) == ("legal_hold", True)
    assert code(facts(issue=BROKEN, copyright_violated=True), asking("defect")) == "ref_denied_copyright"


@pytest.mark.clause("CJ-02")
@pytest.mark.parametrize(
    ("reading", "expected"),
    [(HoldWindow.TOLL, "ref_granted_one_time_full"), (HoldWindow.RUN, "ref_denied_window_closed")],
)
def test_a_hold_that_ended_well_lengthens_the_window_or_does_not(reading, expected):
    late = an_issue(Finding.MALFUNCTION, at=PAID + 45 * DAY, resolve_due=PAID + 46 * DAY)
    hold = (Wait(PAID + 10 * DAY, PAID + 30 * DAY), Wait(PAID + 900 * DAY))
    found = facts(issue=late, holds=hold)
    assert code(found, asking("defect", at=PAID + 50 * DAY), terms(hold_window=reading)) == expected


@pytest.mark.clause("X-10", "NX-36")
def test_what_is_refunded_is_not_refunded_again():
    found = facts(NEXOPOS)
    again = replace(found, license=replace(found.license, refunded_at=PAID))
    assert code(again, asking("mistake"), NEXOPOS) == "ref_denied_already_refunded"
    spent = facts(NEXOPOS, purchase=a_payment(100, refunded_minor=100))
    assert code(spent, asking("mistake"), NEXOPOS) == "ref_denied_already_refunded"


@pytest.mark.clause("X-08")
def test_who_was_revoked_for_abuse_is_judged_all_the_same():
    found = facts(NEXOPOS)
    revoked = replace(found, license=replace(found.license, revoked_at=PAID))
    assert code(revoked, asking("mistake"), NEXOPOS) == "ref_granted_mistake"


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


LAWFUL = asking("change_of_mind", at=PAID + 14 * DAY)
CONSUMER = facts(NEXOPOS, is_consumer=True)


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


@pytest.mark.clause("NX-35", "NX-19")
def test_a_bar_may_need_that_the_installation_was_used():
    """Sentence 1 of the grounds: on record, or found; and whoever decides is told when it was."""
    used = facts(NEXOPOS, installed_at=PAID + DAY)
    told = decide(used, asking("mistake"), NEXOPOS).decision
    assert (told.code, told.clauses) == ("ref_denied_service_consumed", ("NX-35", "NX-19"))
    assert code(facts(NEXOPOS), asking("mistake"), NEXOPOS) == "ref_granted_mistake"
    assert code(facts(NEXOPOS), asking("mistake", found=("service_consumed",)), NEXOPOS) == told.code
    core = decide(replace(used, is_core=True), asking("mistake"), NEXOPOS).decision
    assert (core.code, core.facts["installed_at"]) == ("ref_pending_review", instant(PAID + DAY))


@pytest.mark.clause("NX-35")
def test_a_license_in_use_may_be_a_bar_that_the_customer_lifts_himself():
    last = section(NEXOPOS).reasons[-1]
    bar = replace(last, name="active", kind=Kind.BAR, needs=Need.ACTIVE, code="ref_denied_license_active")
    policy = terms(NEXOPOS, reasons=(*section(NEXOPOS).reasons[:-1], bar))
    held = decide(facts(NEXOPOS, active=1), asking("not_as_described"), policy).decision
    assert (held.code, held.options) == ("ref_denied_license_active", ("deactivate",))
    assert code(facts(NEXOPOS), asking("mistake"), policy) == "ref_granted_mistake"


@pytest.mark.clause("CJ-15", "CJ-12")
def test_the_ground_and_the_plan_are_both_cited():
    """Sentences 4 and 5."""
    verdict = decide(facts(issue=BROKEN), asking("defect", at=PAID + 5 * DAY))
    assert {"CJ-12", "CJ-11", "CJ-15", "CJ-13"} <= set(verdict.decision.clauses)
    assert (verdict.decision.facts["amount"], verdict.ends) == ("100.00 EUR", Ends.LICENSE)


def test_a_first_monthly_payment_goes_back_by_its_ground():
    """Decided reading 5."""
    verdict = decide(facts(issue=BROKEN, plan=Plan.MONTHLY), asking("defect", at=PAID + 5 * DAY))
    assert (verdict.decision.code, verdict.decision.facts["amount"]) == ("ref_granted_defect", "100.00 EUR")


@pytest.mark.clause("CJ-18", "CJ-19", "CJ-20", "CJ-22", "V-14")
def test_raised_after_the_window_a_year_gives_back_its_rest_or_nothing_as_the_terms_are_read():
    found = facts(issue=LATE, plan=Plan.ANNUAL, purchase=a_payment(100000))
    asked = asking("defect", at=datetime(2026, 5, 20, tzinfo=UTC))
    told = decide(found, asked)
    assert (told.decision.code, told.decision.facts["amount"]) == ("ref_granted_prorata", "600.00 EUR")
    assert (told.decision.facts["months"], told.decision.facts["months_used"]) == (8, 4)
    assert {"CJ-18", "CJ-20", "CJ-22"} <= set(told.decision.clauses)
    prorata = section(CRMJETTY).prorata
    assert prorata is not None
    denying = terms(prorata=replace(prorata, late_issue=Late.DENY))
    assert code(found, asked, denying) == "ref_denied_window_closed"


@pytest.mark.clause("V-15", "CJ-20", "CJ-21")
def test_in_the_last_month_nothing_is_left():
    found = facts(issue=LATE, plan=Plan.ANNUAL)
    told = decide(found, asking("defect", at=datetime(2026, 12, 20, tzinfo=UTC))).decision
    assert (told.code, told.facts["months_used"]) == ("ref_denied_nothing_remaining", 11)


@pytest.mark.clause("BC-27")
@pytest.mark.parametrize(
    ("days", "expected"),
    [(31, "ref_granted_marketplace"), (32, "ref_pending_seller"), (200, "ref_denied_window_closed")],
)
def test_after_a_month_the_seller_decides_and_after_six_nobody(days, expected):
    """Sentence 6."""
    found = facts(BC)
    found = replace(found, license=replace(found.license, refund_until=PAID + 32 * DAY))
    told = decide(found, asking("not_downloaded", at=PAID + days * DAY), BC).decision
    assert (told.code, "BC-27" in told.clauses) == (expected, True)


@pytest.mark.clause("ZG-18")
def test_neither_a_renewal_nor_a_ticket_starts_the_window_again():
    """Renewed on day 29, asked on day 31."""
    renewal = a_renewal(PAID + 29 * DAY, PAID + 90 * DAY, PAID + 180 * DAY)
    found = facts(ZG, renewals=(renewal,), issue=an_issue(Finding.MALFUNCTION, at=PAID + 30 * DAY))
    told = decide(found, asking("not_as_described", at=PAID + 31 * DAY), ZG).decision
    assert (told.code, told.clauses) == ("ref_denied_window_closed", ("ZG-18",))


@pytest.mark.clause("CJ-26", "V-09")
@pytest.mark.parametrize(
    ("told_at", "expected"),
    [
        (datetime(2025, 12, 25, 18, 29, tzinfo=UTC), "ref_granted_renewal_full"),
        (datetime(2025, 12, 25, 18, 30, tzinfo=UTC), "ref_granted_renewal_prorata"),
    ],
)
def test_the_last_renewal_goes_back_whole_within_five_working_days(told_at, expected):
    """Charged on Thursday 18 December 2025: to the end of the 25th in Kolkata."""
    paid = datetime(2025, 12, 18, 6, tzinfo=UTC)
    bought = paid - 365 * DAY
    old = a_renewal(bought, paid - 365 * DAY, paid)
    last = a_renewal(paid, paid, paid + 365 * DAY, 5000)
    found = facts(purchase=a_payment(paid_at=bought), renewals=(old, last), plan=Plan.ANNUAL)
    verdict = decide(found, asking("cancel_renewal", at=told_at))
    assert (verdict.decision.code, verdict.decision.facts["amount"]) == (expected, "50.00 EUR")
    assert "CJ-26" in verdict.decision.clauses or "CJ-28" in verdict.decision.clauses
    assert verdict.ends is (Ends.RENEWAL if expected.endswith("full") else Ends.LICENSE)


@pytest.mark.clause("CJ-26", "CJ-27", "CJ-28")
def test_told_too_late_a_month_is_kept_and_a_year_gives_its_rest():
    paid = PAID + 30 * DAY
    renewal = a_renewal(paid, paid, paid + 365 * DAY, 100000)
    asked = asking("cancel_renewal", at=paid + 130 * DAY)
    monthly = decide(facts(renewals=(renewal,), plan=Plan.MONTHLY), asked).decision
    assert monthly.code == "ref_denied_monthly_processed"
    annual = decide(facts(renewals=(renewal,), plan=Plan.ANNUAL), asked).decision
    assert (annual.code, annual.facts["amount"]) == ("ref_granted_renewal_prorata", "600.00 EUR")
    last = replace(asked, asked_at=paid + 350 * DAY)
    assert code(facts(renewals=(renewal,), plan=Plan.ANNUAL), last) == "ref_denied_nothing_remaining"
    rule = section(CRMJETTY).renewal
    assert rule is not None
    denying = terms(renewal=replace(rule, late_annual=Late.DENY))
    assert code(facts(renewals=(renewal,), plan=Plan.ANNUAL), asked, denying) == "ref_denied_renewal_window"
    assert code(facts(), asked) == "ref_denied_no_renewal"


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


@pytest.mark.clause("K-08")
@given(reasons=st.lists(st.sampled_from(["mistake", "defect", "unheard", "evaluation", "cancel_renewal"]), max_size=4))
def test_the_same_facts_give_the_same_answer(reasons):
    asked = asking(*reasons, at=PAID + 5 * DAY)
    first, again = (decide(facts(issue=BROKEN), asked) for _ in range(2))
    assert first == again
    assert (first.sum is not None) is first.decision.allowed


def test_every_policy_grants_only_by_codes_that_grant():
    for policy in POLICIES.values():
        for reason in () if policy.refund is None else policy.refund.reasons:
            assert reason.code is None or reason.code in set(RefundCode)
    assert UUID(int=1)


def test_an_agreement_that_has_ended_has_settled_its_money():
    ended = facts(NEXOPOS)
    ended = replace(ended, license=replace(ended.license, terminated_at=PAID))
    assert code(ended, asking("mistake"), NEXOPOS) == "license_terminated"


def test_of_what_was_free_nothing_goes_back():
    assert code(facts(NEXOPOS, purchase=a_payment(0)), asking("mistake"), NEXOPOS) == "ref_denied_nothing_remaining"


@pytest.mark.clause("CJ-08", "K-07")
def test_where_tax_was_paid_the_clause_about_it_is_cited():
    verdict = decide(facts(issue=BROKEN, purchase=a_payment(tax_minor=1900)), asking("defect", at=PAID + 5 * DAY))
    assert ("CJ-08" in verdict.decision.clauses, verdict.decision.facts["tax"]) == (True, "0.00 EUR")
    lawful = decide(facts(NEXOPOS, purchase=a_payment(tax_minor=1900)), asking("mistake"), NEXOPOS)
    assert (lawful.decision.facts["amount"], lawful.decision.facts["tax"]) == ("119.00 EUR", "19.00 EUR")


def test_without_a_reason_and_without_records_a_person_decides():
    policy = terms(NEXOPOS, reasons=(section(NEXOPOS).reasons[1],))
    assert code(facts(NEXOPOS), asking(), policy) == "ref_pending_review"


def test_a_breach_may_ask_for_a_finding_too():
    breach = replace(section(ZG).reasons[0], findings=(Finding.MALFUNCTION,))
    policy = terms(ZG, reasons=(breach,))
    issue = an_issue(fix_due=PAID + DAY)
    assert code(facts(ZG, issue=issue), asking("sla_breach", at=PAID + 2 * DAY), policy) == "ref_pending_finding"


@pytest.mark.clause("CJ-26")
def test_a_ground_of_the_purchase_comes_before_a_notice_about_its_renewal():
    renewal = a_renewal(PAID, PAID, PAID + 365 * DAY)
    asked = asking("cancel_renewal", "defect", at=PAID + 5 * DAY)
    assert code(facts(issue=BROKEN, renewals=(renewal,)), asked) == "ref_granted_one_time_full"
