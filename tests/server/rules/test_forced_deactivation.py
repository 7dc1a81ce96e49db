"""The sentences are those of `rules.forced_deactivation`."""

from dataclasses import replace
from datetime import timedelta
from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.server.rules.facts import DAY, HOUR, NEXOPOS, NOW, POLICIES, SECOND
from tillkey_server.rules.decision import Grant, Outcome, Refusal
from tillkey_server.rules.forced_deactivation import (
    PRECEDENCE,
    ForcedCode,
    ForcedFacts,
    ForcedKind,
    PastForced,
    decide,
    decide_possible,
)

LIMIT = Refusal.FORCED_DEACTIVATION_LIMIT_REACHED
TOO_SOON = Refusal.FORCED_DEACTIVATION_TOO_SOON


def _asked(*past, **facts) -> ForcedFacts:
    plain = {
        "ended": False,
        "last_seen_at": NOW - 30 * DAY,
        "past": tuple(PastForced(at, counted=True) for at in past),
        "reason": "the disk burned",
    }
    return ForcedFacts(**(plain | facts))


def _terms(**forced):
    return replace(NEXOPOS, forced_deactivation=replace(NEXOPOS.forced_deactivation, **forced))


@pytest.mark.clause("NX-08", "NX-09")
def test_an_agent_frees_a_license_whose_server_is_gone_and_is_told_how_many_are_left():
    """Sentence 9."""
    decision = decide(_asked(), NEXOPOS, NOW)
    assert (decision.outcome, decision.code) == (Outcome.ALLOW, Grant.FORCED_DEACTIVATION_GRANTED)
    assert decision.clauses == ("NX-08", "NX-09")
    assert decision.facts == {
        "reason": "the disk burned",
        "kind": "forced",
        "limit": 3,
        "window_days": 365,
        "used": 0,
        "remaining": 2,
        "counted": True,
        "override": False,
        "vendor_fault": False,
        "last_seen_at": "2026-02-08T12:00:00Z",
        "recently_seen": False,
    }


@pytest.mark.parametrize("reason", ["", "   ", "\n"])
def test_a_reason_is_always_needed(reason):
    """Sentence 1."""
    for more in ({}, {"fault_vendor": True}, {"override_reason": "because"}):
        decision = decide(_asked(reason=reason, **more), NEXOPOS, NOW)
        assert (decision.code, decision.options) == (Refusal.REASON_REQUIRED, ("give_reason",))


def test_an_activation_that_has_ended_cannot_be_freed():
    """Sentence 2."""
    assert decide(_asked(ended=True), NEXOPOS, NOW).code is Refusal.NOT_ACTIVE


@pytest.mark.clause("V-21", "NX-09", "K-16")
def test_three_in_365_days_are_granted_and_the_fourth_when_the_first_is_365_days_old():
    """Sentence 3: vector V-21, and the instants on both sides of the bound."""
    past: list[PastForced] = []
    told = []
    for day in (0, 100, 200, 300, 366):
        decision = decide(_asked(past=tuple(past)), NEXOPOS, NOW + day * DAY)
        told.append(decision.allowed)
        if decision.allowed:
            past.append(PastForced(NOW + day * DAY, counted=True))
        else:
            assert (decision.code, decision.retry_at) == (LIMIT, NOW + 365 * DAY)
            assert decision.facts["remaining"] == 0
    assert told == [True, True, True, False, True]
    first_three = _asked(past=tuple(past[:3]))
    assert decide(first_three, NEXOPOS, NOW + 365 * DAY).allowed
    assert decide(first_three, NEXOPOS, NOW + 365 * DAY - SECOND).code is LIMIT


@pytest.mark.clause("NX-09", "K-16")
def test_between_two_lies_the_gap_and_exactly_its_end_is_allowed():
    """Sentence 3."""
    early = decide(_asked(NOW - 24 * HOUR + SECOND), NEXOPOS, NOW)
    assert (early.code, early.retry_at) == (TOO_SOON, NOW + SECOND)
    assert early.facts["remaining"] == 2
    assert decide(_asked(NOW - 24 * HOUR), NEXOPOS, NOW).allowed


@pytest.mark.clause("NX-09")
def test_where_both_limits_refuse_the_limits_code_is_told_with_the_later_time():
    """Sentence 4."""
    soon_free = _asked(NOW - 365 * DAY + HOUR, NOW - 9 * DAY, NOW - HOUR)
    decision = decide(soon_free, NEXOPOS, NOW)
    assert (decision.code, decision.retry_at) == (LIMIT, NOW + 23 * HOUR)
    late_free = _asked(NOW - 300 * DAY, NOW - 9 * DAY, NOW - HOUR)
    assert decide(late_free, NEXOPOS, NOW).retry_at == NOW + 65 * DAY


@pytest.mark.clause("NX-09")
def test_what_was_the_vendors_fault_meets_no_limit_and_is_not_counted():
    """Sentence 5."""
    full = (NOW - 3 * DAY, NOW - 2 * DAY, NOW - HOUR)
    decision = decide(_asked(*full, fault_vendor=True), NEXOPOS, NOW)
    assert decision.allowed
    assert (decision.facts["counted"], decision.facts["vendor_fault"], decision.facts["override"]) == (
        False,
        True,
        False,
    )
    free = tuple(PastForced(NOW - n * HOUR, counted=False) for n in range(9))
    assert decide(_asked(past=free), NEXOPOS, NOW).facts["used"] == 0


@pytest.mark.clause("NP-08", "NX-08")
def test_what_force_majeure_took_meets_no_limit_is_not_counted_and_says_so():
    """Sentence 5."""
    full = (NOW - 3 * DAY, NOW - 2 * DAY, NOW - HOUR)
    decision = decide(_asked(*full, force_majeure=True), POLICIES["netposa"], NOW)
    assert (decision.allowed, decision.clauses) == (True, ("NX-08", "NX-09", "NP-02", "NP-08"))
    told = [decision.facts[name] for name in ("counted", "force_majeure", "vendor_fault", "override")]
    assert told == [False, True, False, False]


@pytest.mark.clause("NX-09", "K-16")
@pytest.mark.parametrize("past", [(NOW - 3 * DAY, NOW - 2 * DAY, NOW - HOUR), (NOW - HOUR,)])
def test_a_supervisors_override_passes_the_limits_marked_and_uncounted(past):
    """Sentence 6."""
    decision = decide(_asked(*past, override_reason="the shop stands still"), NEXOPOS, NOW)
    assert decision.allowed
    assert (decision.facts["override"], decision.facts["counted"]) == (True, False)
    assert decision.facts["remaining"] == 3 - len(past)


def test_an_override_that_is_not_needed_counts_like_any_other():
    """Sentence 6."""
    decision = decide(_asked(override_reason="to be safe"), NEXOPOS, NOW)
    assert (decision.facts["override"], decision.facts["counted"], decision.facts["remaining"]) == (False, True, 2)


def test_an_override_without_a_reason_is_none():
    assert decide(_asked(NOW - HOUR, override_reason="  "), NEXOPOS, NOW).code is TOO_SOON


@pytest.mark.clause("NX-08")
def test_an_installation_seen_lately_needs_a_second_confirmation_which_is_not_counted():
    """Sentence 7."""
    seen = {"last_seen_at": NOW - 48 * HOUR + SECOND}
    decision = decide(_asked(**seen), NEXOPOS, NOW)
    assert (decision.code, decision.options) == (Refusal.CONFIRMATION_REQUIRED, ("confirm",))
    assert (decision.facts["counted"], decision.facts["remaining"], decision.facts["recently_seen"]) == (False, 3, True)
    confirmed = decide(_asked(**seen, confirm=True), NEXOPOS, NOW)
    assert confirmed.allowed
    assert confirmed.facts["recently_seen"] is True


@pytest.mark.clause("NX-08", "K-16")
@pytest.mark.parametrize("last_seen", [None, NOW - 48 * HOUR])
def test_an_installation_unseen_for_the_whole_time_needs_none(last_seen):
    assert decide(_asked(last_seen_at=last_seen), NEXOPOS, NOW).allowed


@pytest.mark.parametrize("more", [{"fault_vendor": True}, {"override_reason": "the shop stands still"}])
def test_neither_vendor_fault_nor_override_stands_in_for_the_confirmation(more):
    decision = decide(_asked(NOW - HOUR, last_seen_at=NOW, **more), NEXOPOS, NOW)
    assert decision.code is Refusal.CONFIRMATION_REQUIRED


@pytest.mark.clause("NX-09")
def test_an_agents_move_ticket_counts_like_one_and_needs_no_confirmation():
    """Sentence 8."""
    decision = decide(_asked(kind=ForcedKind.MOVE_TICKET, last_seen_at=NOW), NEXOPOS, NOW)
    assert decision.code is Grant.MOVE_TICKET_ISSUED
    assert (decision.facts["kind"], decision.facts["counted"], decision.facts["remaining"]) == ("move_ticket", True, 2)
    full = _asked(NOW - 3 * DAY, NOW - 2 * DAY, NOW - DAY, kind=ForcedKind.MOVE_TICKET)
    assert decide(full, NEXOPOS, NOW).code is LIMIT


@pytest.mark.clause("NX-09")
def test_a_ticket_that_could_release_nobody_is_not_made_and_not_counted():
    """Sentence 2."""
    decision = decide(_asked(kind=ForcedKind.MOVE_TICKET, ended=True), NEXOPOS, NOW)
    assert (decision.code, decision.facts["remaining"]) == (Refusal.NOT_ACTIVE, 3)
    assert decision.options == ("activate",)
    held = decide(_asked(kind=ForcedKind.MOVE_TICKET, ended=True, held_in="production"), NEXOPOS, NOW)
    assert (held.code, held.options) == (Refusal.NOT_ACTIVE, ("forced_deactivation_by_agent",))
    assert held.facts["held_in"] == "production"


@pytest.mark.clause("NX-08")
def test_evidence_is_never_needed_and_that_there_is_some_is_told():
    """Sentence 1."""
    with_it, without = (decide(_asked(has_evidence=one), NEXOPOS, NOW) for one in (True, False))
    assert (with_it.code, without.code) == (Grant.FORCED_DEACTIVATION_GRANTED,) * 2
    assert with_it.facts == {**without.facts, "has_evidence": True}


def test_the_facts_carry_the_reason_and_an_override_only_where_it_was_needed():
    """Sentence 6."""
    free = decide(_asked(override_reason="closed"), NEXOPOS, NOW)
    assert free.facts["reason"] == "the disk burned"
    assert "override_reason" not in free.facts
    needed = decide(_asked(NOW - HOUR, override_reason=" closed "), NEXOPOS, NOW)
    assert (needed.facts["override_reason"], needed.facts["counted"]) == ("closed", False)


def test_a_policy_that_allows_none_names_no_time_to_come_back():
    decision = decide(_asked(), _terms(limit=0), NOW)
    assert (decision.code, decision.retry_at) == (LIMIT, None)


@pytest.mark.clause("NX-09")
def test_one_that_another_process_noted_a_second_ahead_counts():
    assert decide(_asked(NOW + SECOND), NEXOPOS, NOW).code is TOO_SOON


_SPOILS = {
    Refusal.REASON_REQUIRED: {"reason": ""},
    Refusal.NOT_ACTIVE: {"ended": True},
    LIMIT: {"past": tuple(PastForced(NOW - n * DAY, counted=True) for n in (3, 4, 5))},
    TOO_SOON: {"past": (PastForced(NOW - HOUR, counted=True),)},
    Refusal.CONFIRMATION_REQUIRED: {"last_seen_at": NOW},
}


@pytest.mark.parametrize("refusal", PRECEDENCE)
def test_each_refusal_shows_alone(refusal):
    assert decide(_asked(**_SPOILS[refusal]), NEXOPOS, NOW).code is refusal


@pytest.mark.parametrize("first,second", list(combinations(PRECEDENCE, 2)))
def test_of_two_refusals_the_first_in_the_order_is_told(first, second):
    one, other = _SPOILS[first], _SPOILS[second]
    both = one | other
    if "past" in one and "past" in other:
        both["past"] = one["past"] + other["past"]
    assert decide(_asked(**both), NEXOPOS, NOW).code is first


@pytest.mark.clause("NX-09", "K-16")
@given(
    st.lists(st.tuples(st.integers(0, 40 * 24), st.booleans(), st.booleans()), max_size=40),
    st.integers(0, 4),
    st.integers(1, 15),
    st.integers(0, 24),
)
def test_no_sliding_window_ever_holds_more_counted_ones_than_the_limit(asks, limit, days, gap):
    """Invariant I15, whatever is asked and when, vendor-fault and overrides among it."""
    terms = _terms(limit=limit, window=days * DAY, gap=gap * HOUR)
    past: list[PastForced] = []
    for hour, fault, override in sorted(asks):
        now = NOW + hour * HOUR
        facts = _asked(past=tuple(past), fault_vendor=fault, override_reason="why" if override else None)
        decision = decide(facts, terms, now)
        if decision.allowed:
            past.append(PastForced(now, counted=decision.facts["counted"]))
        elif decision.retry_at is not None:
            assert decide(facts, terms, decision.retry_at).allowed
            assert not decide(facts, terms, decision.retry_at - SECOND).allowed
    counted = [one.at for one in past if one.counted]
    for start in counted:
        assert sum(start <= at < start + days * DAY for at in counted) <= limit
    assert all(later - earlier >= gap * HOUR for earlier, later in pairwise(counted))


@pytest.mark.clause("NX-09", "CJ-13")
def test_the_same_facts_get_each_vendors_own_answer():
    three = _asked(*(NOW - n * DAY for n in (3, 4, 5)))
    told = {name: decide(three, policy, NOW).allowed for name, policy in POLICIES.items()}
    assert told == {
        "01generator": False,
        "crmjetty": True,
        "default": False,
        "netposa": False,
        "nexopos": False,
        "prestashop-care": False,
    }


def test_a_window_is_told_in_whole_days():
    assert decide(_asked(), _terms(window=timedelta(days=30)), NOW).facts["window_days"] == 30


@pytest.mark.clause("X-13", "NX-09")
def test_whoever_only_asks_is_told_how_many_are_left_now():
    """Sentence 9: nothing is counted, and a yes is no act of an agent's."""
    told = decide_possible((PastForced(NOW - 30 * DAY, counted=True),), NEXOPOS, NOW)
    assert (told.outcome, told.code) == (Outcome.ALLOW, ForcedCode.FORCED_DEACTIVATION_POSSIBLE)
    assert told.facts == {"limit": 3, "window_days": 365, "used": 1, "remaining": 2}
    past = tuple(PastForced(NOW - n * 30 * DAY, counted=True) for n in (1, 2, 3))
    full = decide_possible(past, NEXOPOS, NOW)
    assert (full.code, full.retry_at, full.facts["remaining"]) == (LIMIT, NOW - 90 * DAY + 365 * DAY, 0)
