"""Move tickets: with one, another machine takes a license over (NX-04). A ticket is shown once and never listed."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from tillkey_server.api.administration.activations import Environment, Override, override_refused
from tillkey_server.api.administration.endpoint import Call, Endpoints, Returned
from tillkey_server.api.administration.shapes import Answer, Decided, Id, Input, Listing, Reason, Time
from tillkey_server.rules.access import Permission
from tillkey_server.rules.decision import Refusal, instant
from tillkey_server.usecases import move, move_tickets
from tillkey_server.usecases.answers import RefusalAnswer, told_of
from tillkey_server.usecases.paging import Page

endpoints = Endpoints("moves")

TicketStatus = Literal["open", "used", "expired"]


class CreateMoveTicket(Input):
    """A ticket for a license whose machine is gone; it counts like a forced deactivation."""

    reason: Reason
    environment: Annotated[Environment, Field(description="Where the license goes.")] = "production"
    vendor_fault: Annotated[bool, Field(description="It was our fault: free, and not counted.")] = False
    force_majeure: Annotated[bool, Field(description="A flood, a war or the like: free, and not counted.")] = False
    override_reason: Override = None


class MoveTicketListing(Listing):
    """Which move tickets."""

    license: UUID | None = None
    status: TicketStatus | None = None


class MoveTicketIssued(Decided):
    """A new ticket, shown this once; `remaining` is how many more such acts the terms allow within their window."""

    ticket: str
    license_id: Id
    environment: Environment
    expires_at: Time
    remaining: int
    lease_ends_at: Time


class MoveTicket(Answer):
    """A move ticket without its secret; `activation_id` is the one it was asked on, null for an agent's."""

    id: Id
    status: TicketStatus
    license_id: Id
    environment: Environment
    activation_id: Id | None
    issued_by: str
    created_at: Time
    expires_at: Time
    used_at: Time
    used_by: Id | None


class MoveTicketPage(Answer):
    """A page of move tickets."""

    items: list[MoveTicket]
    next: str | None


@endpoints.post(
    "/v1/licenses/{license_id}/move-tickets",
    Permission.ACTIVATION_FORCE,
    body=CreateMoveTicket,
    answer=MoveTicketIssued,
    command="license move-ticket",
    statuses=(201,),
    refusals=(
        "not_found",
        Refusal.REASON_REQUIRED,
        Refusal.NOT_ACTIVE,
        Refusal.FORCED_DEACTIVATION_LIMIT_REACHED,
        Refusal.FORCED_DEACTIVATION_TOO_SOON,
    ),
)
async def create_move_ticket(call: Call) -> Returned:
    """Make a ticket for a staging machine that no longer exists. It counts like a forced deactivation."""
    asked = call.asked(CreateMoveTicket)
    refused = override_refused(call, asked.override_reason)
    if refused is not None:
        return refused
    given = await move.issue_move_ticket(
        call.services,
        call.id("license_id", "license"),
        actor=call.actor,
        reason=asked.reason,
        environment=asked.environment,
        vendor_fault=asked.vendor_fault,
        force_majeure=asked.force_majeure,
        override_reason=asked.override_reason,
        scope=call.scope,
    )
    if isinstance(given, RefusalAnswer):
        return given
    return {
        "ticket": given.ticket,
        "license_id": str(given.license_id),
        "environment": given.environment,
        "expires_at": instant(given.expires_at),
        "remaining": given.remaining,
        "lease_ends_at": instant(given.lease_ends_at),
        **told_of(given.decision),
    }


@endpoints.get(
    "/v1/move-tickets",
    Permission.ACTIVATION_READ,
    query=MoveTicketListing,
    answer=MoveTicketPage,
    command="move-ticket list",
)
async def list_move_tickets(call: Call) -> Page:
    """List move tickets, without what makes them work."""
    asked = call.asked(MoveTicketListing)
    return await move_tickets.list_move_tickets(
        call.services,
        scope=call.scope,
        license_id=asked.license,
        status=asked.status,
        after=asked.after,
        limit=asked.limit,
        sort=asked.sort,
    )
