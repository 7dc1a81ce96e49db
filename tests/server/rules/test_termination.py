"""Who may still be heard once the vendor ends an account. The sentences are those of `rules.termination`."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from tests.server.rules.facts import DAY, NEXOPOS, NOW, POLICIES, told
from tillkey_server.rules.termination import (
    LeavingFacts,
    VendorAsked,
    appeal_of,
    decide_appeal,
    decide_by_vendor,
    decide_end,
    decide_on_appeal,
    decide_take_back,
    decide_waiver,
)

SILENT = POLICIES["netposa"]
PATIENT = replace(NEXOPOS, account=replace(NEXOPOS.account, appeal=14 * DAY))
DUE, DUE_SHOWN = NOW + 3 * DAY, {"due_at": "2026-03-13T12:00:00Z"}
BY_VENDOR, BY_CUSTOMER = True, False
CITED = [(NEXOPOS, ("NX-40",)), (SILENT, SILENT.standing.terminated)]


@pytest.mark.clause("NX-40")
def test_the_vendors_end_comes_after_the_days_to_appeal_and_at_once_where_the_terms_give_none():
    """Sentence 2."""
    asked = VendorAsked("pb_key_sharing", "a forum", "one")
    due = {policy: decide_by_vendor(asked, policy, NOW).facts["due_at"] for policy in (NEXOPOS, PATIENT)}
    assert list(due.values()) == ["2026-03-10T12:00:00Z", "2026-03-24T12:00:00Z"]
    again = decide_by_vendor(replace(asked, ends_at=DUE), PATIENT, NOW)
    assert again.facts["due_at"] == DUE_SHOWN["due_at"], "asked again it stays as it was"
    assert [appeal_of(one) for one in (NEXOPOS, PATIENT, SILENT)] == [timedelta(0), 14 * DAY, timedelta(0)]


@pytest.mark.clause("NX-40")
@pytest.mark.parametrize(("policy", "cited"), CITED)
def test_a_customer_appeals_against_the_vendors_end_once(policy, cited):
    """Sentence 2."""
    first = decide_appeal(DUE, BY_VENDOR, appealed=False, policy=policy, now=NOW)
    assert told(first) == ("allow", "termination_appealed", cited, DUE_SHOWN, ())
    for due, by_vendor, appealed in ((None, True, False), (DUE, False, False), (DUE, True, True)):
        no = decide_appeal(due, by_vendor, appealed, policy, NOW)
        assert told(no) == ("deny", "termination_not_open", cited, {}, ())


@pytest.mark.clause("NX-40")
@pytest.mark.parametrize(("policy", "cited"), CITED)
def test_a_granted_appeal_takes_the_end_back_and_a_rejected_one_lets_it_come(policy, cited):
    """Sentence 2."""
    shown = {"reason": "mistaken identity"}
    found = {granted: decide_on_appeal(True, granted, "mistaken identity", policy, NOW) for granted in (True, False)}
    assert told(found[True]) == ("allow", "termination_canceled", cited, shown, ())
    assert told(found[False]) == ("allow", "termination_appeal_rejected", cited, shown, ())


@pytest.mark.clause("NX-40")
def test_an_appeal_that_nobody_made_is_decided_by_nobody():
    """Sentence 2."""
    for granted in (True, False):
        no = decide_on_appeal(False, granted, "mistaken identity", NEXOPOS, NOW)
        assert told(no) == ("deny", "termination_not_open", ("NX-40",), {}, ())


@pytest.mark.clause("NX-40")
@pytest.mark.parametrize(("policy", "cited"), CITED)
def test_the_vendor_takes_back_his_own_end_and_never_the_customers(policy, cited):
    """Sentence 2."""
    back = decide_take_back(DUE, BY_VENDOR, "a slip", policy, NOW)
    assert told(back) == ("allow", "termination_canceled", cited, DUE_SHOWN | {"reason": "a slip"}, ())
    for due, by_vendor in ((None, BY_VENDOR), (DUE, BY_CUSTOMER)):
        no = decide_take_back(due, by_vendor, "a slip", policy, NOW)
        assert told(no) == ("deny", "termination_not_open", cited, {}, ())


@pytest.mark.clause("NX-40")
def test_an_appeal_that_waits_holds_the_end_before_money_and_after_a_legal_hold():
    """Sentences 2 and 4."""
    waits = LeavingFacts({"EUR": 1}, refunds=(UUID(int=1),), waiting_orders=1, appealed_at=NOW - DAY)
    found = decide_end(waits, BY_VENDOR, NEXOPOS, NOW)
    since = {"since": "2026-03-09T12:00:00Z"}
    assert told(found) == ("pend", "termination_blocked_appeal", ("NX-40",), since, ("review",))
    held = decide_end(replace(waits, legal_hold_at=NOW), BY_VENDOR, NEXOPOS, NOW)
    assert held.code.value == "legal_hold"
    decided = replace(waits, appealed_at=None)
    assert decide_end(decided, BY_VENDOR, NEXOPOS, NOW).code.value == "termination_blocked_refund"


@pytest.mark.clause("NX-41")
@pytest.mark.parametrize(("policy", "cited"), [(NEXOPOS, ("NX-41",)), (SILENT, SILENT.standing.terminated)])
def test_a_waiver_waits_until_it_is_proven_to_be_the_customers(policy, cited):
    """Sentence 3."""
    shown = {"waived": {"EUR": 5}}
    unproven, proven = (decide_waiver({"EUR": 5}, True, policy, NOW, verified=one) for one in (False, True))
    assert told(unproven) == ("pend", "termination_requester_unverified", cited, shown, ("verify_requester",))
    assert told(proven) == ("allow", "balance_waived", cited, shown, ())
    for verified in (True, False):
        no = decide_waiver({"EUR": 5}, False, policy, NOW, verified=verified)
        assert told(no) == ("deny", "termination_not_open", cited, shown, ())


@pytest.mark.clause("NX-40", "NX-43")
def test_the_vendor_ends_no_account_without_a_listed_behavior_its_evidence_and_terms_about_it():
    """Sentence 2."""
    asked = VendorAsked("pb_key_sharing", "a forum", "one")
    listed = [one.code for one in NEXOPOS.account.behaviors]
    odd, bare = replace(asked, behavior="pb_odd"), replace(asked, evidence=" ")
    for automatic, ends_at in ((False, None), (True, DUE)):
        no = decide_by_vendor(replace(odd, automatic=automatic, ends_at=ends_at), NEXOPOS, NOW)
        assert told(no) == ("deny", "behavior_not_listed", ("NX-43",), {"behavior": "pb_odd", "listed": listed}, ())
    shown = {"behavior": "pb_key_sharing"}
    no = decide_by_vendor(bare, NEXOPOS, NOW)
    assert told(no) == ("deny", "evidence_required", ("NX-43",), shown, ("give_evidence",))
    for one in (asked, bare):
        assert decide_by_vendor(one, SILENT, NOW).code.value == "account_terms_silent"


@pytest.mark.clause("NX-40")
def test_where_two_have_to_agree_the_first_word_tells_what_the_second_would_do():
    """Sentence 2."""
    two = replace(PATIENT, account=replace(PATIENT.account, two_person_rule=True))
    asked = VendorAsked("pb_key_sharing", "a forum", "one")
    shown = {"behavior": "pb_key_sharing", "due_at": "2026-03-24T12:00:00Z"}
    for proposed_by in (None, "one"):
        found = decide_by_vendor(replace(asked, proposed_by=proposed_by), two, NOW)
        expected = ("pend", "account_awaits_second", ("NX-40", "NX-43"), shown, ("repeat_by_another_person",))
        assert told(found) == expected
    assert decide_by_vendor(replace(asked, proposed_by="two"), two, NOW).allowed
