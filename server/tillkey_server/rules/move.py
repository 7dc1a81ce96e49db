"""Moving a license by ticket: from the machine that holds it to one that will (NX-04).

1. The holder asks for a ticket for an environment; a license that may not be used moves nowhere.
2. A ticket is for one license and one environment, is used once and lives for the policy's hours (K-16: not at the very
   end).
3. A ticket releases only the activation it was asked on. One made by an agent, for a machine that no longer exists,
   names none and releases whoever holds the seat in another environment than the ticket's; it is counted like a forced
   deactivation (NX-09).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tillkey_server.rules.decision import Decision, Grant, allow, instant
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.standing import LicenseFacts, refuse, standing


@dataclass(frozen=True, slots=True)
class TicketFacts:
    """A move ticket on record; `activation_id` is the activation it was asked on, None for an agent's."""

    license_id: UUID
    environment: str
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = None
    activation_id: UUID | None = None


def ticket_valid(ticket: TicketFacts, license_id: UUID, environment: str, now: datetime) -> bool:
    """Tell whether a ticket still holds for this license and environment (sentence 2)."""
    bound = ticket.license_id == license_id and ticket.environment == environment
    return bound and ticket.used_at is None and now < ticket.expires_at


def ticket_releases(ticket: TicketFacts, holder_id: UUID, holder_environment: str) -> bool:
    """Tell whether a ticket may release this holder (sentence 3)."""
    if ticket.activation_id is not None:
        return ticket.activation_id == holder_id
    return holder_environment != ticket.environment


def ticket_end(policy: Policy, created_at: datetime) -> datetime:
    """Return when a ticket made at `created_at` stops to hold, exclusive."""
    return created_at + policy.move.ticket_lifetime


def decide_move(
    facts: LicenseFacts,
    *,
    holder_environment: str,
    environment: str,
    policy: Policy,
    now: datetime,
) -> Decision:
    """Decide a holder's request for a ticket; facts `from`, `environment`, `expires_at`.

    The chain has been judged before: this says what the terms say of it.
    """
    found = standing(facts, policy, now)
    if found.refusal is not None:
        return refuse(found, facts, policy, now)
    return allow(
        Grant.MOVE_TICKET_ISSUED,
        clauses=policy.move.clauses,
        policy=policy.ref,
        now=now,
        facts={
            "from": holder_environment,
            "environment": environment,
            "expires_at": instant(ticket_end(policy, now)),
        },
    )
