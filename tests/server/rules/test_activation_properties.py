"""What holds of every activation, whatever the facts: the seat, the key, the project and the right to release."""

import json
from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.server.rules.facts import (
    CUSTOMER,
    DAY,
    MACHINE,
    NEW_KEY,
    NOW,
    OLD_KEY,
    OTHER_MACHINE,
    OTHER_SHOP,
    POLICIES,
    SHOP,
    a_holder,
    a_ticket,
    an_activation,
    policy,
)
from tillkey_server.rules.activation import Action, InstallationFacts, decide_activation, slot_of
from tillkey_server.rules.fingerprint import matches
from tillkey_server.rules.policy import ProjectBinding
from tillkey_server.rules.stale import unseen

environments = st.sampled_from(["production", "staging", "development"])
projects = st.sampled_from([SHOP, OTHER_SHOP])
machines = st.sampled_from([MACHINE, MACHINE | {"hostname": "renamed"}, OTHER_MACHINE])
terms = st.builds(
    policy,
    st.sampled_from(list(POLICIES.values())),
    exempt=st.booleans(),
    binding=st.sampled_from(list(ProjectBinding)),
    unseen=st.none() | st.just(90 * DAY),
)


@st.composite
def cases(draw):
    """A policy, and facts that the database could hold under it: one activation per slot and per key, one project."""
    chosen = draw(terms)
    live_project = draw(projects)
    slots: dict[str, object] = {}
    for number, jkt in enumerate(draw(st.permutations([NEW_KEY, OLD_KEY, "a third key"]))[: draw(st.integers(0, 2))]):
        environment = draw(environments)
        holder = a_holder(
            id=UUID(int=100 + number),
            jkt=jkt,
            environment=environment,
            slot=slot_of(environment, chosen),
            project_id=live_project,
            fingerprint=draw(machines),
            last_seen_at=NOW - draw(st.sampled_from([1, 89, 90, 400])) * DAY,
            lease_ends_at=draw(st.none() | st.sampled_from([NOW, NOW + DAY])),
        )
        slots.setdefault(holder.slot, holder)
    holders = tuple(slots.values())
    own = next((holder.id for holder in holders if holder.jkt == NEW_KEY), None)
    ticket = st.none() | st.builds(
        a_ticket,
        environment=environments,
        used_at=st.none() | st.just(NOW),
        activation_id=st.none() | st.sampled_from([UUID(int=100), UUID(int=101)]),
    )
    facts = an_activation(
        project_id=draw(projects),
        environment=draw(environments),
        fingerprint=draw(machines),
        holders=holders,
        bound_project_id=draw(st.none() | st.just(live_project)),
        installation=InstallationFacts(CUSTOMER, None, own, draw(st.booleans())),
        ticket_presented=draw(st.booleans()),
        ticket=draw(ticket),
        recent_takeovers=tuple(NOW - n * DAY for n in range(draw(st.integers(0, 6)))),
    )
    return chosen, facts


def _after(facts, found, chosen):
    """The active activations once the decision is written."""
    kept = [holder for holder in facts.holders if holder.id not in found.releases]
    if found.action in {None, Action.HELD}:
        return kept
    made = a_holder(
        id=UUID(int=500),
        jkt=facts.jkt,
        environment=facts.environment,
        slot=slot_of(facts.environment, chosen),
        project_id=facts.project_id,
    )
    return [*kept, made]


@pytest.mark.clause("NX-03", "NX-06")
@given(cases())
def test_a_decision_never_leaves_two_in_a_slot_two_of_a_key_or_two_projects(case):
    """Invariant I1."""
    chosen, facts = case
    after = _after(facts, decide_activation(facts, chosen, NOW), chosen)
    assert len({holder.slot for holder in after}) == len(after)
    assert len({holder.jkt for holder in after}) == len(after)
    assert len({holder.project_id for holder in after}) <= 1
    if not chosen.activation.staging_exempt:
        assert len(after) <= 1


@pytest.mark.clause("NX-03", "NX-04", "NX-50")
@given(cases())
def test_nobody_is_released_but_by_itself_its_ticket_its_own_machine_or_for_being_unseen(case):
    chosen, facts = case
    found = decide_activation(facts, chosen, NOW)
    gone = {one.activation_id for one in found.auto_releases}
    assert gone <= set(found.releases)
    for holder in facts.holders:
        if holder.id not in found.releases or holder.jkt == facts.jkt:
            assert holder.id not in gone
            continue
        if holder.id in gone:
            assert unseen(holder, chosen, NOW)
            assert found.action in {Action.NEW, Action.MOVE_IN_PLACE}
        elif found.action is Action.REATTACH:
            assert matches(holder.fingerprint, facts.fingerprint, chosen.takeover)
            assert (holder.environment, holder.project_id) == (facts.environment, facts.project_id)
            assert not facts.installation.held_before
        else:
            assert (found.action, found.uses_ticket) == (Action.MOVE_WITH_TICKET, True)
            assert facts.ticket.used_at is None
            assert facts.ticket.environment == facts.environment
            assert facts.ticket.activation_id in {None, holder.id}


@pytest.mark.clause("K-10")
@given(cases())
def test_what_was_granted_is_held_when_it_is_asked_again(case):
    chosen, facts = case
    found = decide_activation(facts, chosen, NOW)
    if found.action in {None, Action.HELD}:
        return
    after = tuple(_after(facts, found, chosen))
    key = replace(facts.installation, active_activation_of_product=UUID(int=500))
    again = decide_activation(replace(facts, holders=after, installation=key), chosen, NOW)
    assert (again.action, again.holder_id) == (Action.HELD, UUID(int=500))


@pytest.mark.clause("NX-04")
@given(cases(), environments)
def test_declaring_another_environment_never_gives_more_than_its_own_slot(case, declared):
    chosen, facts = case
    found = decide_activation(replace(facts, environment=declared), chosen, NOW)
    if found.action is Action.NEW:
        left = [holder for holder in facts.holders if holder.id not in found.releases]
        assert all(holder.slot != slot_of(declared, chosen) for holder in left)


@pytest.mark.clause("K-08", "X-11")
@given(cases())
def test_every_decision_cites_clauses_is_repeatable_and_its_facts_are_plain_and_impersonal(case):
    chosen, facts = case
    found = decide_activation(facts, chosen, NOW)
    assert found == decide_activation(facts, chosen, NOW)
    decision = found.decision
    assert decision.clauses
    assert (decision.policy, decision.evaluated_at) == (chosen.ref, NOW)
    assert decision.allowed == (found.action is not None)
    told = json.dumps(decision.facts)
    assert "Corner Shop" not in told
    assert all(holder.jkt not in told for holder in facts.holders)


@pytest.mark.clause("NX-04")
@pytest.mark.parametrize("slot", ["main", "staging"])
def test_without_an_exemption_every_holder_is_in_the_way_whatever_slot_is_on_record(slot):
    facts = an_activation(holders=(a_holder(environment="staging", slot=slot),))
    refused = decide_activation(facts, policy(exempt=False), NOW).decision
    assert refused.code == "staging_must_be_deactivated"
