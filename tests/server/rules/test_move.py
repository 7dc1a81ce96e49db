"""The sentences are those of `rules.move`."""

import pytest

from tests.server.rules.facts import (
    DAY,
    HOLDER,
    LICENSE,
    NEXOPOS,
    NOBODY,
    NOW,
    SECOND,
    a_license,
    a_ticket,
)
from tillkey_server.rules.decision import Grant, Refusal
from tillkey_server.rules.move import decide_move, ticket_end, ticket_releases, ticket_valid


@pytest.mark.clause("NX-04")
def test_the_holder_gets_a_ticket_for_24_hours():
    """Sentence 1."""
    decision = decide_move(a_license(), holder_environment="staging", environment="production", policy=NEXOPOS, now=NOW)
    assert (decision.code, decision.clauses) == (Grant.MOVE_TICKET_ISSUED, ("NX-04",))
    assert decision.facts == {"from": "staging", "environment": "production", "expires_at": "2026-03-11T12:00:00Z"}
    assert ticket_end(NEXOPOS, NOW) == NOW + DAY


@pytest.mark.clause("K-13")
def test_a_license_that_may_not_be_used_moves_nowhere():
    revoked = a_license(revoked_at=NOW)
    decision = decide_move(revoked, holder_environment="staging", environment="production", policy=NEXOPOS, now=NOW)
    assert decision.code is Refusal.LICENSE_REVOKED
    suspended = a_license(suspended_at=NOW - DAY, suspended_until=NOW)
    assert decide_move(suspended, holder_environment="a", environment="b", policy=NEXOPOS, now=NOW).allowed


@pytest.mark.clause("NX-04", "K-16")
@pytest.mark.parametrize(
    "facts,license_id,environment,expected",
    [
        ({}, LICENSE, "production", True),
        ({"expires_at": NOW + SECOND}, LICENSE, "production", True),
        ({"expires_at": NOW}, LICENSE, "production", False),
        ({"used_at": NOW - SECOND}, LICENSE, "production", False),
        ({}, NOBODY, "production", False),
        ({}, LICENSE, "staging", False),
    ],
)
def test_a_ticket_holds_once_for_its_license_and_environment_and_not_at_its_end(
    facts, license_id, environment, expected
):
    """Sentence 2."""
    assert ticket_valid(a_ticket(**facts), license_id, environment, NOW) is expected


@pytest.mark.clause("NX-04")
def test_a_ticket_releases_only_the_activation_it_was_asked_on():
    """Sentence 3."""
    assert ticket_releases(a_ticket(), HOLDER, "staging")
    assert not ticket_releases(a_ticket(), NOBODY, "staging")


@pytest.mark.clause("NX-09")
def test_an_agents_ticket_releases_whoever_holds_the_seat_in_another_environment():
    """Sentence 3."""
    ticket = a_ticket(activation_id=None)
    assert ticket_releases(ticket, NOBODY, "staging")
    assert ticket_releases(ticket, NOBODY, "development")
    assert not ticket_releases(ticket, NOBODY, "production")
