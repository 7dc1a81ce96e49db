"""The sentences are those of `rules.standing`."""

from dataclasses import replace
from datetime import timedelta
from itertools import combinations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.server.rules.facts import DAY, NEXOPOS, NOW, POLICIES, SECOND, a_license
from tillkey_server.errors import BrokenInvariant
from tillkey_server.rules.decision import Grant, Outcome, Refusal
from tillkey_server.rules.standing import (
    REFUSALS,
    TRANSITIONS,
    Event,
    LicenseFacts,
    Status,
    advance,
    decide_change,
    refuse,
    standing,
    status_of,
)

# What puts a license into each state, the strongest first (K-13).
SETS = {
    Status.LEGAL_HOLD: {"legal_hold_at": NOW - DAY},
    Status.TERMINATED: {"terminated_at": NOW - DAY},
    Status.REVOKED: {"revoked_at": NOW - DAY},
    Status.REFUNDED: {"refunded_at": NOW - DAY},
    Status.SUSPENDED: {"suspended_at": NOW - DAY},
    Status.EXPIRED: {"use_until": NOW - DAY},
    Status.ACTIVE: {"use_until": NOW + DAY},
}
CODES = {
    Status.LEGAL_HOLD: "legal_hold",
    Status.TERMINATED: "license_terminated",
    Status.REVOKED: "license_revoked",
    Status.REFUNDED: "license_revoked",
    Status.SUSPENDED: "license_suspended",
    Status.EXPIRED: "license_expired",
}


def test_a_license_without_any_fact_is_active_for_ever():
    found = standing(a_license(), NEXOPOS, NOW + 36500 * DAY)
    assert (found.status, found.refusal, found.retry_at, found.clauses) == (Status.ACTIVE, None, None, ())


@pytest.mark.clause("K-13", "NX-36", "NX-38", "NX-42")
@pytest.mark.parametrize("status", list(CODES))
def test_each_state_refuses_with_its_code_and_the_vendors_clauses(status):
    """Sentences 1 and 2."""
    facts = a_license(**SETS[status])
    decision = refuse(standing(facts, NEXOPOS, NOW), facts, NEXOPOS, NOW)
    assert (decision.outcome, decision.code) == (Outcome.DENY, CODES[status])
    assert decision.clauses == getattr(NEXOPOS.standing, status.value)
    assert decision.facts["status"] == status.value
    assert decision.facts["since"] is not None
    assert "ask_support" in decision.options


@pytest.mark.clause("K-13")
@pytest.mark.parametrize("stronger,weaker", list(combinations(CODES, 2)))
def test_of_two_states_the_stronger_one_speaks(stronger, weaker):
    """Sentence 1, over all pairs."""
    both = a_license(**SETS[stronger], **SETS[weaker])
    assert standing(both, NEXOPOS, NOW).status is stronger


@pytest.mark.clause("K-16", "NX-42")
def test_a_suspension_lifts_by_itself_at_its_end_and_uncovers_what_lies_beneath():
    """Sentence 3."""
    facts = a_license(suspended_at=NOW - DAY, suspended_until=NOW, use_until=NOW + DAY)
    before = standing(facts, NEXOPOS, NOW - SECOND)
    assert (before.refusal, before.retry_at) == (Refusal.LICENSE_SUSPENDED, NOW)
    assert standing(facts, NEXOPOS, NOW).status is Status.ACTIVE
    assert standing(replace(facts, use_until=NOW), NEXOPOS, NOW).status is Status.EXPIRED


@pytest.mark.clause("K-02")
def test_a_use_right_is_good_to_the_last_second_and_expired_at_its_end():
    """Sentence 4."""
    facts = a_license(use_until=NOW)
    assert standing(facts, NEXOPOS, NOW - SECOND).refusal is None
    assert standing(facts, NEXOPOS, NOW).refusal is Refusal.LICENSE_EXPIRED


def test_an_active_license_cannot_be_refused():
    facts = a_license()
    with pytest.raises(BrokenInvariant):
        refuse(standing(facts, NEXOPOS, NOW), facts, NEXOPOS, NOW)


@pytest.mark.clause("X-01", "NX-45")
def test_ended_support_updates_and_refund_windows_do_not_end_the_use_right():
    ended = a_license(support_until=NOW - DAY, updates_until=NOW - DAY, refund_until=NOW - DAY)
    assert standing(ended, NEXOPOS, NOW).refusal is None


# The whole product of states and events, written out: what shows afterwards, or the refusal.
EXPECTED = {
    Status.ACTIVE: {
        Event.SUSPEND: Status.SUSPENDED,
        Event.RESUME: Refusal.NOT_SUSPENDED,
        Event.REVOKE: Status.REVOKED,
        Event.REFUND: Status.REFUNDED,
        Event.TERMINATE: Status.TERMINATED,
        Event.HOLD: Status.LEGAL_HOLD,
        Event.RELEASE_HOLD: Refusal.NOT_ON_HOLD,
    },
    Status.EXPIRED: {
        Event.SUSPEND: Status.SUSPENDED,
        Event.RESUME: Refusal.NOT_SUSPENDED,
        Event.REVOKE: Status.REVOKED,
        Event.REFUND: Status.REFUNDED,
        Event.TERMINATE: Status.TERMINATED,
        Event.HOLD: Status.LEGAL_HOLD,
        Event.RELEASE_HOLD: Refusal.NOT_ON_HOLD,
    },
    Status.SUSPENDED: {
        Event.SUSPEND: Status.SUSPENDED,
        Event.RESUME: Status.ACTIVE,
        Event.REVOKE: Status.REVOKED,
        Event.REFUND: Status.REFUNDED,
        Event.TERMINATE: Status.TERMINATED,
        Event.HOLD: Status.LEGAL_HOLD,
        Event.RELEASE_HOLD: Refusal.NOT_ON_HOLD,
    },
    Status.REFUNDED: {
        Event.SUSPEND: Refusal.LICENSE_REVOKED,
        Event.RESUME: Refusal.LICENSE_REVOKED,
        Event.REVOKE: Status.REVOKED,
        Event.REFUND: Refusal.LICENSE_REVOKED,
        Event.TERMINATE: Status.TERMINATED,
        Event.HOLD: Status.LEGAL_HOLD,
        Event.RELEASE_HOLD: Refusal.NOT_ON_HOLD,
    },
    Status.REVOKED: {
        Event.SUSPEND: Refusal.LICENSE_REVOKED,
        Event.RESUME: Refusal.LICENSE_REVOKED,
        Event.REVOKE: Refusal.LICENSE_REVOKED,
        Event.REFUND: Status.REVOKED,
        Event.TERMINATE: Status.TERMINATED,
        Event.HOLD: Status.LEGAL_HOLD,
        Event.RELEASE_HOLD: Refusal.NOT_ON_HOLD,
    },
    Status.TERMINATED: {
        Event.SUSPEND: Refusal.LICENSE_TERMINATED,
        Event.RESUME: Refusal.LICENSE_TERMINATED,
        Event.REVOKE: Refusal.LICENSE_TERMINATED,
        Event.REFUND: Refusal.LICENSE_TERMINATED,
        Event.TERMINATE: Refusal.LICENSE_TERMINATED,
        Event.HOLD: Status.LEGAL_HOLD,
        Event.RELEASE_HOLD: Refusal.NOT_ON_HOLD,
    },
    Status.LEGAL_HOLD: {
        Event.SUSPEND: Status.LEGAL_HOLD,
        Event.RESUME: Refusal.NOT_SUSPENDED,
        Event.REVOKE: Status.LEGAL_HOLD,
        Event.REFUND: Refusal.LEGAL_HOLD,
        Event.TERMINATE: Refusal.LEGAL_HOLD,
        Event.HOLD: Refusal.LEGAL_HOLD,
        Event.RELEASE_HOLD: Status.ACTIVE,
    },
}


def test_the_expectation_names_every_pair_and_the_table_no_other():
    assert {(status, event) for status, row in EXPECTED.items() for event in row} == set(product(Status, Event))
    assert set(TRANSITIONS) <= set(product(Status, Event))
    assert set(REFUSALS) == set(Status) - {Status.ACTIVE}


@pytest.mark.clause("K-13")
@pytest.mark.parametrize("status,event", list(product(Status, Event)))
def test_every_pair_of_state_and_event_is_decided(status, event):
    """Sentences 5 to 8. A state lies upon an active license with an end."""
    facts = a_license(**({"use_until": NOW + DAY} | SETS[status]))
    decision = decide_change(facts, event, NEXOPOS, NOW)
    expected = EXPECTED[status][event]
    assert decision.clauses
    assert decision.facts["from"] == status.value
    if isinstance(expected, Refusal):
        assert (decision.outcome, decision.code, decision.facts["to"]) == (Outcome.DENY, expected, status.value)
        return
    assert decision.allowed
    assert isinstance(decision.code, Grant)
    assert decision.facts["to"] == expected.value
    assert status_of(advance(facts, event, NOW, NOW + 2 * DAY), NOW) is expected


@pytest.mark.clause("K-13")
@pytest.mark.parametrize("beneath", list(CODES)[1:])
def test_lifting_a_hold_uncovers_what_lay_beneath(beneath):
    """Sentence 5."""
    facts = a_license(legal_hold_at=NOW - DAY, **SETS[beneath])
    decision = decide_change(facts, Event.RELEASE_HOLD, NEXOPOS, NOW)
    assert (decision.code, decision.facts["to"]) == (Grant.LEGAL_HOLD_RELEASED, beneath.value)
    assert status_of(advance(facts, Event.RELEASE_HOLD, NOW), NOW) is beneath


@pytest.mark.clause("K-13")
def test_a_suspension_under_a_hold_can_be_resumed_and_the_hold_stands():
    """Sentence 7."""
    facts = a_license(legal_hold_at=NOW - DAY, suspended_at=NOW - DAY)
    assert decide_change(facts, Event.RESUME, NEXOPOS, NOW).facts["to"] == "legal_hold"
    assert status_of(advance(facts, Event.RESUME, NOW), NOW) is Status.LEGAL_HOLD


@pytest.mark.clause("K-13")
def test_nothing_weaker_is_noted_beneath_a_final_state_under_a_hold():
    facts = a_license(legal_hold_at=NOW - DAY, revoked_at=NOW - DAY)
    assert decide_change(facts, Event.SUSPEND, NEXOPOS, NOW).code is Refusal.LICENSE_REVOKED


@pytest.mark.clause("X-08")
def test_a_refund_after_a_revocation_is_noted_once_and_leaves_it_revoked():
    """Sentence 6."""
    facts = a_license(revoked_at=NOW - DAY)
    assert decide_change(facts, Event.REFUND, NEXOPOS, NOW).code is Grant.LICENSE_REFUNDED
    noted = advance(facts, Event.REFUND, NOW)
    assert (status_of(noted, NOW), noted.refunded_at) == (Status.REVOKED, NOW)
    assert decide_change(noted, Event.REFUND, NEXOPOS, NOW).code is Refusal.LICENSE_REVOKED


@pytest.mark.clause("K-13")
@pytest.mark.parametrize(
    "held,told,expected",
    [
        (NOW + DAY, NOW + 2 * DAY, NOW + 2 * DAY),
        (NOW + 2 * DAY, NOW + DAY, NOW + 2 * DAY),
        (None, NOW + DAY, None),
        (NOW + DAY, None, None),
    ],
)
def test_a_second_suspension_never_shortens_the_first(held, told, expected):
    facts = a_license(suspended_at=NOW - DAY, suspended_until=held)
    after = advance(facts, Event.SUSPEND, NOW, told)
    assert (after.suspended_at, after.suspended_until) == (NOW - DAY, expected)


def test_a_suspension_that_is_over_is_no_reason_to_keep_its_end():
    facts = a_license(suspended_at=NOW - 9 * DAY, suspended_until=NOW)
    after = advance(facts, Event.SUSPEND, NOW, NOW + DAY)
    assert (after.suspended_at, after.suspended_until) == (NOW, NOW + DAY)


@pytest.mark.parametrize("event", [Event.REVOKE, Event.REFUND, Event.TERMINATE, Event.HOLD])
def test_a_fact_that_is_set_keeps_its_instant(event):
    once = advance(a_license(), event, NOW)
    assert advance(once, event, NOW + DAY) == once


moments = st.none() | st.integers(-40, 40).map(lambda days: NOW + days * DAY)
licenses = st.builds(
    LicenseFacts,
    id=st.just(a_license().id),
    issued_at=st.just(a_license().issued_at),
    legal_hold_at=moments,
    terminated_at=moments,
    revoked_at=moments,
    refunded_at=moments,
    suspended_at=moments,
    suspended_until=moments,
    use_until=moments,
)
STRENGTH = list(Status)


@pytest.mark.clause("K-13")
@given(licenses, st.sampled_from(list(Event)), st.sampled_from(list(POLICIES.values())))
def test_a_permitted_event_shows_what_it_told_and_only_lifting_ones_weaken_a_state(facts, event, policy):
    decision = decide_change(facts, event, policy, NOW)
    if not decision.allowed:
        return
    before = status_of(facts, NOW)
    after = status_of(advance(facts, event, NOW, NOW + 400 * DAY), NOW)
    assert decision.facts["to"] == after.value
    if STRENGTH.index(after) > STRENGTH.index(before):
        lifted = {Event.RESUME: Status.SUSPENDED, Event.RELEASE_HOLD: Status.LEGAL_HOLD}
        assert lifted[event] is before


@pytest.mark.clause("K-13")
@given(licenses, st.lists(st.sampled_from(list(Event)), max_size=12))
def test_no_row_of_events_ever_leaves_a_final_state(facts, events):
    final = {Status.TERMINATED, Status.REVOKED, Status.REFUNDED}
    ended = status_of(replace(facts, legal_hold_at=None), NOW) in final
    for number, event in enumerate(events):
        now = NOW + timedelta(hours=number)
        if decide_change(facts, event, NEXOPOS, now).allowed:
            facts = advance(facts, event, now, now + 400 * DAY)
        reached = status_of(replace(facts, legal_hold_at=None), now) in final
        assert reached or not ended
        ended = reached


@pytest.mark.clause("K-08")
@given(licenses, st.sampled_from(list(POLICIES.values())))
def test_the_same_facts_and_policy_always_stand_alike_with_clauses_behind_every_refusal(facts, policy):
    found = standing(facts, policy, NOW)
    assert found == standing(facts, policy, NOW)
    assert (found.refusal is None) == (found.clauses == ())
