"""The sentences are those of `rules.stale`; how an activation uses them is sentence 11 of `rules.activation`."""

from dataclasses import replace

import pytest

from tests.server.rules.facts import (
    DAY,
    HOLDER,
    MACHINE,
    NEW_KEY,
    NEXOPOS,
    NOW,
    OTHER_SHOP,
    OWN,
    SECOND,
    SHOP,
    a_holder,
    a_ticket,
    an_activation,
    policy,
)
from tillkey_server.rules.activation import Action, decide_activation
from tillkey_server.rules.decision import Grant, Refusal
from tillkey_server.rules.policy import ProjectBinding
from tillkey_server.rules.stale import auto_release, stale_since, unseen

ON = policy(unseen=90 * DAY)
EXEMPT = policy(exempt=True, unseen=90 * DAY)
GONE = a_holder(started_at=NOW - 300 * DAY, last_seen_at=NOW - 90 * DAY, lease_ends_at=NOW - 60 * DAY)
PRESENT = replace(GONE, last_seen_at=NOW - 90 * DAY + SECOND)
OWN_STAGING = a_holder(id=OWN, jkt=NEW_KEY, environment="staging", slot="staging", last_seen_at=NOW)


def _decide(terms=ON, **facts):
    return decide_activation(an_activation(**facts), terms, NOW)


@pytest.mark.clause("NX-48", "K-16")
@pytest.mark.parametrize("environment", ["staging", "development"])
@pytest.mark.parametrize(
    "staging_days,production_days,since_days",
    [
        (31, 100, 1),
        (30, 100, 0),
        (30 - SECOND / DAY, 100, None),
        (31, 0.5, 0.5),
        (100, 0, 0),
    ],
)
def test_staging_is_stale_once_it_was_held_that_long_and_production_is_active(
    environment, staging_days, production_days, since_days
):
    """Sentence 1; exactly that long is stale."""
    staging = a_holder(environment=environment, slot="staging", started_at=NOW - staging_days * DAY)
    production = a_holder(id=OWN, started_at=NOW - production_days * DAY)
    since = None if since_days is None else NOW - since_days * DAY
    assert stale_since(staging, (staging, production), NEXOPOS, NOW) == since


@pytest.mark.clause("NX-48")
def test_staging_without_production_and_production_itself_are_never_stale():
    staging = a_holder(environment="staging", started_at=NOW - 3650 * DAY)
    production = a_holder(started_at=NOW - 3650 * DAY)
    assert stale_since(staging, (staging,), NEXOPOS, NOW) is None
    assert stale_since(production, (staging, production), NEXOPOS, NOW) is None


@pytest.mark.clause("NX-50", "K-16")
@pytest.mark.parametrize(
    "holder,gone",
    [
        (GONE, True),
        (PRESENT, False),
        (replace(GONE, last_seen_at=None), False),
        (replace(GONE, lease_ends_at=None), True),
        (replace(GONE, lease_ends_at=NOW), True),
        (replace(GONE, lease_ends_at=NOW + SECOND), False),
    ],
)
def test_a_holder_is_unseen_once_nobody_heard_of_it_that_long_and_its_lease_ran_out(holder, gone):
    """Sentences 3 and 4; exactly that long ago is unseen, and a lease has ended at its very end."""
    assert unseen(holder, ON, NOW) is gone


@pytest.mark.clause("NX-50")
def test_a_policy_that_says_off_knows_no_unseen_holder():
    forgotten = replace(GONE, last_seen_at=NOW - 36500 * DAY)
    assert not unseen(forgotten, NEXOPOS, NOW)
    assert _decide(NEXOPOS, holders=(forgotten,)).decision.code is Refusal.LICENSE_IN_USE


@pytest.mark.clause("NX-50")
def test_the_end_of_an_unseen_holder_is_a_decision_of_its_own():
    """Sentence 5."""
    told = auto_release(GONE, ON, NOW)
    assert (told.activation_id, told.decision.code) == (HOLDER, Grant.ACTIVATION_AUTO_RELEASED)
    assert told.decision.clauses == ("NX-50",)
    assert told.decision.facts == {
        "environment": "production",
        "held_since": "2025-05-14T12:00:00Z",
        "last_seen_at": "2025-12-10T12:00:00Z",
        "lease_ended_at": "2026-01-09T12:00:00Z",
    }


@pytest.mark.clause("NX-50", "NX-03")
@pytest.mark.parametrize("held", ["production", "staging", "development"])
@pytest.mark.parametrize("asked", ["production", "staging", "development"])
def test_an_unseen_holder_gives_way_to_another_installation_that_asks(asked, held):
    found = _decide(environment=asked, holders=(replace(GONE, environment=held),))
    assert (found.decision.code, found.action, found.releases) == (Grant.ACTIVATION_GRANTED, Action.NEW, (HOLDER,))
    assert [one.activation_id for one in found.auto_releases] == [HOLDER]
    assert found.decision.clauses == ("NX-03", "NX-02", "NX-06", "NX-50")
    assert found.decision.facts["released"] == found.decision.facts["released_unseen"] == [str(HOLDER)]
    assert "from" not in found.decision.facts


@pytest.mark.clause("NX-50")
@pytest.mark.parametrize("held", ["production", "staging"])
def test_a_holder_that_was_heard_of_a_second_later_stays(held):
    found = _decide(holders=(replace(PRESENT, environment=held),))
    assert (found.action, found.releases, found.auto_releases) == (None, (), ())


@pytest.mark.clause("NX-50", "K-10")
def test_an_unseen_installation_that_asks_itself_holds_its_seat_as_before():
    own = replace(GONE, id=OWN, jkt=NEW_KEY)
    found = _decide(holders=(own,))
    assert (found.action, found.holder_id, found.releases) == (Action.HELD, OWN, ())
    moved = _decide(holders=(replace(own, environment="staging"),))
    assert (moved.action, moved.releases, moved.auto_releases) == (Action.MOVE_IN_PLACE, (OWN,), ())


@pytest.mark.clause("NX-50", "NX-04")
def test_a_move_in_place_into_the_slot_of_an_unseen_holder_ends_both_each_for_its_own_reason():
    found = _decide(EXEMPT, holders=(GONE, OWN_STAGING))
    assert (found.decision.code, found.action) == (Grant.ACTIVATION_MOVED, Action.MOVE_IN_PLACE)
    assert found.releases == (OWN, HOLDER)
    assert [one.activation_id for one in found.auto_releases] == [HOLDER]
    assert found.decision.clauses == ("NX-04", "NX-03", "NX-50")
    assert found.decision.facts["from"] == "staging"


@pytest.mark.clause("NX-50")
def test_an_unseen_holder_in_a_slot_that_nobody_asks_for_is_left_alone():
    """Sentence 5 of `rules.stale`: who is in nobody's way is not released."""
    found = _decide(EXEMPT, holders=(replace(GONE, environment="staging", slot="staging"),))
    assert (found.action, found.releases) == (Action.NEW, ())
    assert found.decision.clauses == ("NX-03", "NX-02", "NX-06")


@pytest.mark.clause("NX-50", "NX-49")
def test_a_reinstall_takes_over_as_a_reinstall_and_gets_the_seat_when_its_takeovers_are_used_up():
    same = (replace(GONE, fingerprint=MACHINE),)
    assert _decide(holders=same).action is Action.REATTACH
    found = _decide(holders=same, recent_takeovers=(NOW - DAY,) * 3)
    assert (found.action, len(found.auto_releases)) == (Action.NEW, 1)


@pytest.mark.clause("NX-50", "NX-04")
def test_a_ticket_that_holds_moves_and_one_that_does_not_is_not_needed():
    held = (replace(GONE, environment="staging"),)
    moved = _decide(holders=held, ticket_presented=True, ticket=a_ticket())
    assert (moved.action, moved.uses_ticket, moved.auto_releases) == (Action.MOVE_WITH_TICKET, True, ())
    for ticket in (None, a_ticket(used_at=NOW)):
        found = _decide(holders=held, ticket_presented=True, ticket=ticket)
        assert (found.action, found.uses_ticket, found.releases) == (Action.NEW, False, (HOLDER,))


@pytest.mark.clause("NX-50", "NX-06")
@pytest.mark.parametrize("reading", list(ProjectBinding))
@pytest.mark.parametrize("slot,environment", [("main", "production"), ("staging", "staging")])
def test_an_unseen_holder_does_not_keep_the_license_in_its_project_but_a_tie_for_good_does(reading, slot, environment):
    terms = policy(exempt=True, binding=reading, unseen=90 * DAY)
    held = (replace(GONE, slot=slot, environment=environment),)
    found = _decide(terms, project_id=OTHER_SHOP, holders=held)
    assert (found.action, found.releases) == (Action.NEW, (HOLDER,))
    tied = _decide(terms, project_id=OTHER_SHOP, holders=held, bound_project_id=SHOP)
    for_good = reading is not ProjectBinding.WHILE_ACTIVE
    assert tied.decision.code is (Refusal.BOUND_TO_OTHER_PROJECT if for_good else Grant.ACTIVATION_GRANTED)


@pytest.mark.clause("NX-50")
def test_beside_an_unseen_holder_one_that_is_present_still_stands_in_the_way():
    """Without an exemption both are in the way; the one that is told is the one that was heard of."""
    present = replace(PRESENT, id=OWN, jkt="a third key", environment="staging", slot="staging")
    found = _decide(holders=(GONE, present))
    assert found.decision.code is Refusal.STAGING_MUST_BE_DEACTIVATED
    assert found.decision.facts["held_by"] == "staging a th…"
    assert found.releases == ()
