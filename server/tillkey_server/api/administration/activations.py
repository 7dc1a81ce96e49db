"""Activations: where licenses are used, given back on a customer's word, and freed when a machine is gone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from tillkey_server.api.administration.endpoint import Call, Endpoints, Returned
from tillkey_server.api.administration.shapes import (
    MAX_REASON,
    MAX_TEXT,
    Answer,
    Decided,
    Id,
    Input,
    Listing,
    ProductCode,
    Reason,
    Time,
)
from tillkey_server.rules.access import Permission
from tillkey_server.rules.decision import Refusal, instant
from tillkey_server.usecases import activations, forced_deactivation, release
from tillkey_server.usecases.answers import RefusalAnswer, told_of
from tillkey_server.usecases.forced_deactivation import MAX_EVIDENCE
from tillkey_server.usecases.paging import Page

endpoints = Endpoints("activations")

Environment = Literal["production", "staging", "development"]
Override = Annotated[
    str | None,
    Field(
        min_length=1,
        max_length=MAX_REASON,
        description="Why the limit is passed; it needs the permission force.override.",
    ),
]


class ActivationListing(Listing):
    """Which activations."""

    license: UUID | None = None
    customer: UUID | None = None
    product: ProductCode | None = None
    project: UUID | None = None
    environment: Environment | None = None
    status: Literal["active", "released", "superseded"] | None = None
    machine: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=MAX_TEXT,
            description="The thumbprint of an installation, or its first 4 or more symbols.",
        ),
    ] = None


class ReleaseActivation(Input):
    """A customer gives a license back by word of mouth."""

    reason: Reason


class ForceDeactivate(Input):
    """An agent frees a license whose machine is gone."""

    reason: Reason
    confirm: Annotated[bool, Field(description="Yes, although the installation was seen a short while ago.")] = False
    vendor_fault: Annotated[bool, Field(description="It was our fault: free, and not counted.")] = False
    force_majeure: Annotated[bool, Field(description="A flood, a war or the like: free, and not counted.")] = False
    override_reason: Override = None
    evidence: Annotated[
        str | None,
        Field(
            max_length=MAX_EVIDENCE,
            description="What shows that the machine is gone; no till sees it, and it is erased with the account.",
        ),
    ] = None


class Activation(Answer):
    """A license in use by an installation for a project, or one that was.

    The project is null where it is a customer's that the caller does not see.
    """

    id: Id
    status: Literal["active", "released", "superseded"]
    license_id: Id
    customer_id: Id
    product: str
    project_id: Id | None
    project: str | None
    site: str | None
    environment: Environment
    installation: str
    app_version: str
    started_at: Time
    last_seen_at: Time
    lease_ends_at: Time
    ended_at: Time
    end_reason: Literal["released", "moved", "forced", "reinstalled", "conflict", "unseen"] | None
    superseded_by: Id | None


class ActivationPage(Answer):
    """A page of activations."""

    items: list[Activation]
    next: str | None


class ActivationReleased(Decided):
    """What was given back; until `lease_ends_at` a till that cannot be reached may work on."""

    activation_id: Id
    license_id: Id
    lease_ends_at: Time


class ActivationFreed(ActivationReleased):
    """What was freed; `remaining` is how many more the terms allow within their window."""

    remaining: int


@endpoints.get(
    "/v1/activations",
    Permission.ACTIVATION_READ,
    query=ActivationListing,
    answer=ActivationPage,
    command="activation list",
)
async def list_activations(call: Call) -> Page:
    """List activations, those that have ended too."""
    asked = call.asked(ActivationListing)
    return await activations.list_activations(
        call.services,
        scope=call.scope,
        license_id=asked.license,
        customer_id=asked.customer,
        product=asked.product,
        project_id=asked.project,
        environment=asked.environment,
        status=asked.status,
        machine=asked.machine,
        after=asked.after,
        limit=asked.limit,
        sort=asked.sort,
    )


@endpoints.get(
    "/v1/activations/{activation_id}",
    Permission.ACTIVATION_READ,
    answer=Activation,
    command="activation show",
    refusals=("not_found",),
)
async def get_activation(call: Call) -> Mapping[str, object]:
    """Show one activation."""
    return await activations.get_activation(call.services, call.id("activation_id", "activation"), scope=call.scope)


@endpoints.post(
    "/v1/activations/{activation_id}/release",
    Permission.ACTIVATION_RELEASE,
    body=ReleaseActivation,
    answer=ActivationReleased,
    command="activation release",
    refusals=("not_found", Refusal.REASON_REQUIRED, Refusal.NOT_ACTIVE),
)
async def release_activation(call: Call) -> Returned:
    """Give a license back on the customer's word. It is no forced deactivation and is not counted as one."""
    asked = call.asked(ReleaseActivation)
    done = await release.release(
        call.services, call.id("activation_id", "activation"), actor=call.actor, reason=asked.reason, scope=call.scope
    )
    if isinstance(done, RefusalAnswer):
        return done
    return {
        "activation_id": str(done.activation_id),
        "license_id": str(done.license_id),
        "lease_ends_at": instant(done.lease_ends_at),
        **told_of(done.decision),
    }


@endpoints.post(
    "/v1/activations/{activation_id}/force-deactivate",
    Permission.ACTIVATION_FORCE,
    body=ForceDeactivate,
    answer=ActivationFreed,
    command="activation force-deactivate",
    refusals=(
        "not_found",
        Refusal.REASON_REQUIRED,
        Refusal.NOT_ACTIVE,
        Refusal.FORCED_DEACTIVATION_LIMIT_REACHED,
        Refusal.FORCED_DEACTIVATION_TOO_SOON,
        Refusal.CONFIRMATION_REQUIRED,
    ),
)
async def force_deactivate(call: Call) -> Returned:
    """Free a license whose machine is gone, within the limit of its terms; the remaining count is always told."""
    asked = call.asked(ForceDeactivate)
    refused = override_refused(call, asked.override_reason)
    if refused is not None:
        return refused
    done = await forced_deactivation.force_deactivate(
        call.services,
        call.id("activation_id", "activation"),
        actor=call.actor,
        reason=asked.reason,
        confirm=asked.confirm,
        vendor_fault=asked.vendor_fault,
        force_majeure=asked.force_majeure,
        override_reason=asked.override_reason,
        evidence=asked.evidence,
        scope=call.scope,
    )
    if isinstance(done, RefusalAnswer):
        return done
    return {
        "activation_id": str(done.activation_id),
        "license_id": str(done.license_id),
        "remaining": done.remaining,
        "lease_ends_at": instant(done.lease_ends_at),
        **told_of(done.decision),
    }


def override_refused(call: Call, override_reason: str | None) -> RefusalAnswer | None:
    """Return the no to a caller who would pass the limit and may not (NX-09)."""
    if override_reason is None or call.principal.may(Permission.FORCE_OVERRIDE):
        return None
    detail = f"override_reason needs the permission {Permission.FORCE_OVERRIDE}: leave it out, or ask a supervisor."
    return RefusalAnswer(Refusal.PERMISSION_DENIED, detail, ("NX-09",))
