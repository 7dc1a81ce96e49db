"""What agents freed by force, and the tickets they made: what the limits of NX-09 are counted from."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from tillkey_server.api.administration.endpoint import Call, Endpoints
from tillkey_server.api.administration.shapes import Answer, Id, Listing, Time
from tillkey_server.rules.access import Permission
from tillkey_server.usecases import forced_deactivations
from tillkey_server.usecases.paging import Page

endpoints = Endpoints("activations")


class ForcedListing(Listing):
    """Which forced deactivations."""

    license: UUID | None = None
    customer: UUID | None = None


class ForcedDeactivation(Answer):
    """One act of an agent; `counted` ones use up the limit."""

    id: Id
    kind: Literal["forced", "move_ticket"]
    license_id: Id
    activation_id: Id | None
    at: Time
    actor: str
    reason: str
    vendor_fault: bool
    force_majeure: bool
    override_reason: str | None
    counted: bool
    evidence: str | None


class ForcedPage(Answer):
    """A page of forced deactivations."""

    items: list[ForcedDeactivation]
    next: str | None


@endpoints.get(
    "/v1/forced-deactivations",
    Permission.ACTIVATION_READ,
    query=ForcedListing,
    answer=ForcedPage,
    command="forced-deactivation list",
)
async def list_forced_deactivations(call: Call) -> Page:
    """List what agents freed by force, and the move tickets they made."""
    asked = call.asked(ForcedListing)
    return await forced_deactivations.list_forced_deactivations(
        call.services,
        scope=call.scope,
        license_id=asked.license,
        customer_id=asked.customer,
        after=asked.after,
        limit=asked.limit,
        sort=asked.sort,
    )
