"""What people do to a license: suspend, resume, revoke it, put it on legal hold (K-13)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from tillkey_server.api.administration.endpoint import Call, Endpoints, Returned
from tillkey_server.api.administration.shapes import Decided, Id, Input, Moment, Reason
from tillkey_server.rules.access import Permission
from tillkey_server.rules.decision import Refusal
from tillkey_server.usecases.answers import told_of
from tillkey_server.usecases.license import change_standing

endpoints = Endpoints("licenses")

_ENDED = (Refusal.LICENSE_TERMINATED, Refusal.LICENSE_REVOKED)


class SuspendLicense(Input):
    """Hold a license until somebody resumes it, or until a time."""

    reason: Reason
    until: Annotated[Moment | None, Field(description="When it ends by itself; null: when it is resumed.")] = None


class ChangeLicense(Input):
    """Why it is done."""

    reason: Reason


class ReleaseHold(ChangeLicense):
    """Why a legal hold ends, and how the matter ended."""

    outcome: Annotated[
        Literal["cleared", "violation_confirmed"],
        Field(description="A confirmed violation denies every refund of the order, for good."),
    ] = "cleared"


class LicenseChanged(Decided):
    """What was decided; the fact `lease_ends_at` is until when a till that cannot be reached has full rights.

    What takes the use away has also `leases_live`, how many leases may still be believed, and `effective_latest_at`,
    until when the last of them is; null: none is live.
    """

    license_id: Id


def _row(*refusals: Refusal) -> dict[str, Any]:
    return {"answer": LicenseChanged, "refusals": ("not_found", *refusals)}


@endpoints.post(
    "/v1/licenses/{license_id}/suspend",
    Permission.LICENSE_SUSPEND,
    body=SuspendLicense,
    command="license suspend",
    **_row(*_ENDED),
)
async def suspend_license(call: Call) -> Returned:
    """Hold a license until somebody resumes it, or until a time."""
    asked = call.asked(SuspendLicense)
    return await _change(call, "suspend", asked.reason, asked.until)


@endpoints.post(
    "/v1/licenses/{license_id}/resume",
    Permission.LICENSE_SUSPEND,
    body=ChangeLicense,
    command="license resume",
    **_row(*_ENDED, Refusal.NOT_SUSPENDED),
)
async def resume_license(call: Call) -> Returned:
    """End a suspension."""
    return await _change(call, "resume", call.asked(ChangeLicense).reason)


@endpoints.post(
    "/v1/licenses/{license_id}/revoke",
    Permission.LICENSE_REVOKE,
    body=ChangeLicense,
    command="license revoke",
    **_row(*_ENDED),
)
async def revoke_license(call: Call) -> Returned:
    """Take a license away for good; told again, it is refused and changes nothing."""
    return await _change(call, "revoke", call.asked(ChangeLicense).reason)


@endpoints.post(
    "/v1/licenses/{license_id}/hold",
    Permission.LICENSE_HOLD,
    body=ChangeLicense,
    command="license hold",
    **_row(Refusal.LEGAL_HOLD),
)
async def hold_license(call: Call) -> Returned:
    """Put a license on legal hold, above everything else."""
    return await _change(call, "hold", call.asked(ChangeLicense).reason)


@endpoints.post(
    "/v1/licenses/{license_id}/release-hold",
    Permission.LICENSE_HOLD,
    body=ReleaseHold,
    command="license release-hold",
    **_row(Refusal.NOT_ON_HOLD),
)
async def release_hold_of_license(call: Call) -> Returned:
    """Lift a legal hold; what lies beneath it shows again."""
    asked = call.asked(ReleaseHold)
    return await _change(call, "release_hold", asked.reason, outcome=asked.outcome)


async def _change(
    call: Call, event: str, reason: str, until: datetime | None = None, outcome: str | None = None
) -> Returned:
    license_id = call.id("license_id", "license")
    decision = await change_standing(
        call.services,
        license_id,
        event=event,
        actor=call.actor,
        reason=reason,
        until=until,
        outcome=outcome,
        scope=call.scope,
    )
    if not decision.allowed:
        return decision
    told: Mapping[str, object] = {"license_id": str(license_id), **told_of(decision)}
    return told
