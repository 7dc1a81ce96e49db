"""The sentences are those of `rules.refund_decision`."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.server.rules.facts import POLICIES
from tests.server.rules.refund_facts import CRMJETTY, NEXOPOS, PAID, a_payment, facts, terms
from tillkey_server.rules.refund import Ends
from tillkey_server.rules.refund_decision import decide_by_person, prerequisite_lost, use_after_refund
from tillkey_server.rules.refund_policy import OnPrerequisiteLoss, Partial

SILENT = POLICIES["netposa"]
DAY = timedelta(days=1)


@pytest.mark.clause("NX-31", "NX-36")
def test_a_person_grants_all_or_denies():
    """Sentence 1."""
    granted = decide_by_person(facts(NEXOPOS), NEXOPOS, PAID, grant=True)
    assert (granted.decision.code, granted.ends, granted.decision.facts["amount"]) == (
        "ref_granted_by_person",
        Ends.LICENSE,
        "100.00 EUR",
    )
    denied = decide_by_person(facts(NEXOPOS), NEXOPOS, PAID, grant=False)
    assert (denied.decision.code, denied.sum) == ("ref_denied_by_person", None)


@pytest.mark.clause("NX-36")
@pytest.mark.parametrize(
    ("reading", "ends"),
    [(Partial.KEEP, Ends.NOTHING), (Partial.REDUCE, Ends.REDUCED), (Partial.REVOKE, Ends.LICENSE)],
)
def test_a_part_ends_what_the_terms_say_and_all_of_it_ends_the_license(reading, ends):
    """Sentence 2."""
    policy = terms(NEXOPOS, partial=reading)
    assert decide_by_person(facts(NEXOPOS), policy, PAID, grant=True, amount=9999).ends is ends
    assert decide_by_person(facts(NEXOPOS), policy, PAID, grant=True, amount=10000).ends is Ends.LICENSE


@pytest.mark.clause("K-07", "X-10")
@given(amounts=st.lists(st.integers(1, 20000), max_size=8), price=st.integers(1, 20000), tax=st.integers(0, 4000))
def test_however_often_a_person_grants_a_part_all_parts_together_are_never_more_than_was_paid(amounts, price, tax):
    refunded, refunded_tax = 0, 0
    for amount in amounts:
        paid = a_payment(price, tax_minor=tax, refunded_minor=refunded, refunded_tax_minor=refunded_tax)
        verdict = decide_by_person(facts(NEXOPOS, purchase=paid), NEXOPOS, PAID, grant=True, amount=amount)
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
    """Sentence 3; a violation does not keep anybody from saying no."""
    plain = facts()
    cases = {
        "legal_hold": replace(plain, license=replace(plain.license, legal_hold_at=PAID)),
        "license_terminated": replace(plain, license=replace(plain.license, terminated_at=PAID)),
        "ref_denied_copyright": replace(plain, copyright_violated=True),
        "ref_denied_already_refunded": replace(plain, license=replace(plain.license, refunded_at=PAID)),
    }
    codes = {decide_by_person(found, CRMJETTY, PAID, grant=True).decision.code.value for found in cases.values()}
    assert codes == set(cases)
    violated = decide_by_person(cases["ref_denied_copyright"], CRMJETTY, PAID, grant=False)
    assert violated.decision.code == "ref_denied_by_person"


@pytest.mark.clause("CJ-14")
def test_use_after_a_refund_is_noticed_after_the_grace():
    """Sentence 4: a copy that was forgotten for a day is none."""
    assert use_after_refund(PAID, CRMJETTY, PAID + 14 * DAY - timedelta(seconds=1)) is None
    noticed = use_after_refund(PAID, CRMJETTY, PAID + 14 * DAY)
    assert noticed is not None
    assert (noticed.code, noticed.allowed) == ("use_after_refund", False)
    assert use_after_refund(PAID, SILENT, PAID + 99 * DAY) is None


@pytest.mark.clause("NX-13")
def test_a_lost_prerequisite_is_told_and_suspends_only_where_the_terms_say_so():
    """Sentence 5."""
    kept = prerequisite_lost("core", NEXOPOS, PAID)
    suspended = prerequisite_lost(
        "core", terms(NEXOPOS, on_prerequisite_loss=OnPrerequisiteLoss.SUSPEND_DEPENDENTS), PAID
    )
    assert kept is not None
    assert suspended is not None
    assert (kept.facts["suspends"], suspended.facts["suspends"]) == (False, True)
    assert prerequisite_lost("core", SILENT, PAID) is None


def test_terms_that_say_nothing_leave_all_to_the_person():
    granted = decide_by_person(facts(SILENT), SILENT, PAID, grant=True)
    assert (granted.decision.code, granted.ends) == ("ref_granted_by_person", Ends.LICENSE)
    part = decide_by_person(facts(SILENT), SILENT, PAID, grant=True, amount=10)
    assert (part.sum is not None and part.sum.minor, part.ends) == (10, Ends.NOTHING)
    violated = facts(SILENT, copyright_violated=True)
    assert decide_by_person(violated, SILENT, PAID, grant=True).decision.code == "ref_granted_by_person"
