"""The sentences are those of `rules.care`."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.server.rules.facts import NOW, POLICIES, a_license, told
from tillkey_server.rules.care import (
    CareFacts,
    decide_care,
    decide_expiry,
    refuse_first_use,
    refuses_first_use,
)
from tillkey_server.rules.decision import Outcome, deny
from tillkey_server.rules.renewal_codes import CareCode, RenewalCode
from tillkey_server.rules.term import Run, Segment
from tillkey_server.rules.term_policy import AfterExpiry, Window

DAY = timedelta(days=1)
NX, ZG, BC = POLICIES["nexopos"], POLICIES["01generator"], POLICIES["prestashop-care"]
RUN = Run((Segment(None, NOW - 10 * DAY, NOW),), NOW)


def facts(**changes) -> CareFacts:
    return replace(CareFacts(a_license(), RUN, "pos"), **changes)


def strict(policy=NX):
    return replace(policy, terms=replace(policy.terms, after_expiry=AfterExpiry.DENY))


@pytest.mark.clause("BC-01", "BC-17", "K-02")
def test_care_is_active_until_the_first_instant_that_is_not_covered():
    """Sentence 1."""
    last, over = decide_care(facts(), NOW - timedelta(seconds=1), BC, NOW), decide_care(facts(), NOW, BC, NOW)
    assert (last.code, over.code) == (CareCode.CARE_ACTIVE, CareCode.CARE_INACTIVE)
    assert over.facts["because"] == "ended"
    assert decide_care(facts(support=Run((Segment(None, NOW, None),), None)), NOW, BC, NOW).facts["last_day"] is None


@pytest.mark.clause("K-13", "BC-26")
@pytest.mark.parametrize("state", ["legal_hold_at", "terminated_at", "revoked_at", "refunded_at"])
def test_a_license_that_a_stronger_state_holds_has_no_care(state):
    """Sentence 2."""
    said = decide_care(facts(license=a_license(**{state: NOW})), NOW - DAY, BC, NOW)
    assert (said.outcome, said.facts["active"]) == (Outcome.DENY, False)
    assert said.facts["because"] == state.removesuffix("_at")


@pytest.mark.clause("NX-18", "BC-17")
def test_a_license_whose_support_stayed_behind_has_no_care_and_no_end_of_it():
    """Sentence 2."""
    said = decide_care(facts(lost=True), NOW - DAY, BC, NOW)
    assert (said.code, said.facts["active"]) == (CareCode.CARE_INACTIVE, False)
    assert (said.facts["because"], said.facts["until"], said.facts["last_day"]) == ("lost_on_transfer", None, None)


def test_where_care_is_not_active_the_answer_carries_the_renewal():
    """Sentence 3."""
    no = deny(RenewalCode.RENEWAL_PRODUCT_RETIRED, clauses=("BC-23",), policy=BC.ref, now=NOW)
    said = decide_care(facts(quote=no), NOW, BC, NOW)
    assert (said.facts["quote"], said.options) == ({"code": "renewal_product_retired"}, ())
    assert "BC-23" in said.clauses


@pytest.mark.clause("ZG-01", "ZG-16")
def test_updates_are_cited_where_both_are_one_window():
    """Sentence 1."""
    split = replace(ZG, terms=replace(ZG.terms, window=Window.SPLIT))
    assert "ZG-20" in decide_care(facts(), NOW - DAY, ZG, NOW).clauses
    assert "ZG-20" not in decide_care(facts(), NOW - DAY, split, NOW).clauses
    assert decide_care(facts(), NOW - DAY, replace(ZG, terms=None), NOW).clauses == ZG.clocks.clauses.support


@pytest.mark.clause("NX-45", "NX-46")
@pytest.mark.parametrize(
    ("activated", "code", "nag"),
    [
        (NOW - DAY, CareCode.LICENSE_EXPIRED_USE_OK, False),
        (NOW, CareCode.LICENSE_EXPIRED_RENEW_PROMPT, True),
        (None, CareCode.LICENSE_EXPIRED_RENEW_PROMPT, True),
    ],
)
def test_only_who_never_used_it_in_time_is_asked_to_renew(activated, code, nag):
    """Sentence 4."""
    said = decide_expiry(facts(first_activated_at=activated), NX, NOW)
    assert (said.code, said.facts["nag"], said.facts["may_activate"]) == (code, nag, True)
    under = decide_expiry(facts(first_activated_at=activated), strict(), NOW)
    assert under.facts["may_activate"] is (activated is not None)


def test_while_support_runs_and_where_the_terms_are_silent_nothing_is_said():
    """Sentence 4."""
    assert decide_expiry(facts(), NX, NOW - DAY) is None
    assert decide_expiry(facts(), replace(NX, terms=None), NOW) is None
    assert decide_expiry(facts(support=Run((), None)), NX, NOW) is None


@pytest.mark.clause("NX-46")
def test_a_first_use_after_the_end_is_refused_only_where_the_terms_say_so():
    """Sentence 4, in both readings: a license that was used before may always move."""
    over, runs = a_license(support_until=NOW), a_license(support_until=NOW + DAY)
    assert refuses_first_use(over, is_first=True, policy=strict(), now=NOW)
    for license_, is_first, policy in (
        (over, False, strict()),
        (over, True, NX),
        (runs, True, strict()),
        (a_license(), True, strict()),
        (over, True, replace(NX, terms=None)),
    ):
        assert not refuses_first_use(license_, is_first=is_first, policy=policy, now=NOW)
    shown = {"status": "expired", "since": "2026-03-10T12:00:00Z", "use_until": "2026-03-10T12:00:00Z"}
    told_no = told(refuse_first_use(over, NX, NOW))
    assert told_no == ("deny", "license_expired", ("NX-46",), shown, ("renew", "ask_support"))
