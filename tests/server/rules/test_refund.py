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
from tillkey_server.rules.refund import Ends
from tillkey_server.rules.refund_codes import RefundCode
from tillkey_server.rules.refund_policy import HoldWindow, Kind, Late, Need, Plan

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
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
