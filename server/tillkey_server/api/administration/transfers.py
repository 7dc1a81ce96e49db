"""Giving a license to another customer."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tillkey_server.api.administration.endpoint import Call, Endpoints, Returned
from tillkey_server.api.administration.shapes import Decided, Id, Input, Line, Reason, UUIDs
from tillkey_server.rules.access import Permission
from tillkey_server.rules.decision import Refusal
from tillkey_server.usecases import transfer
from tillkey_server.usecases.answers import RefusalAnswer, told_of

endpoints = Endpoints("licenses")


class TransferLicense(Input):
    """A shop is sold with its tills."""

    customer: Annotated[Line, Field(description="The new customer's id or e-mail address; it must be on record.")]
    reason: Reason
    along: Annotated[
        UUIDs | None,
        Field(description="Licenses of the old customer that go along, as those that live on the same installation."),
    ] = None


class LicenseTransferred(Decided):
    """What went to whom; the `activations` go on undisturbed."""

    license_id: Id
    customer_id: Id
    licenses: list[Id]
    activations: list[Id]


@endpoints.post(
    "/v1/licenses/{license_id}/transfer",
    Permission.LICENSE_TRANSFER,
    body=TransferLicense,
    answer=LicenseTransferred,
    command="license transfer",
    refusals=(
        "not_found",
        Refusal.REASON_REQUIRED,
        Refusal.LEGAL_HOLD,
        Refusal.LICENSE_TERMINATED,
        Refusal.LICENSE_REVOKED,
        Refusal.INSTALLATION_SHARED,
        Refusal.NOTHING_TO_TRANSFER,
    ),
)
async def transfer_license(call: Call) -> Returned:
    """Give a license to another customer, with its project and what runs: a till goes on selling."""
    asked = call.asked(TransferLicense)
    done = await transfer.transfer(
        call.services,
        call.id("license_id", "license"),
        customer=asked.customer,
        actor=call.actor,
        reason=asked.reason,
        along=asked.along or (),
        scope=call.scope,
    )
    if isinstance(done, RefusalAnswer):
        return done
    return {
        "license_id": str(done.license_id),
        "customer_id": str(done.customer_id),
        "licenses": [str(one) for one in done.licenses],
        "activations": [str(one) for one in done.activations],
        **told_of(done.decision),
    }
