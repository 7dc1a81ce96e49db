"""A warranty claim after its decision: sending in, the price, its acceptance, the work, a replacement."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tillkey_server.api.administration.endpoint import Call, Endpoints, Returned
from tillkey_server.api.administration.shapes import Decided, Email, Id, Input, Moment, Price, Reason, Time
from tillkey_server.api.administration.warranty_claims import FROZEN, done
from tillkey_server.api.administration.warranty_shapes import ClaimDone, Serial
from tillkey_server.money import parse
from tillkey_server.rules.access import Permission
from tillkey_server.rules.decision import instant
from tillkey_server.rules.warranty_code import WarrantyCode
from tillkey_server.usecases import claim
from tillkey_server.usecases.answers import RefusalAnswer, told_of

endpoints = Endpoints("warranty")

_UNPAID = (
    "not_found",
    *FROZEN,
    WarrantyCode.WARRANTY_NOT_OFFERED,
    WarrantyCode.SERVICE_UNDECIDED,
    WarrantyCode.QUOTE_APPROVAL_REQUIRED,
    WarrantyCode.QUOTE_EXPIRED,
)


class IssueRma(Input):
    """A device is to be sent in."""


class SendQuote(Input):
    """A price for what is charged; `valid_until` is by the terms, if left out."""

    amount: Price
    reason: Reason
    valid_until: Moment | None = None


class SentQuote(Decided):
    """A price that was told; `token` accepts it, once, and is shown this once: send it to an authorized contact."""

    claim_id: Id
    quote_id: Id
    version: int
    amount: str
    valid_until: Time
    token: str


class AcceptQuote(Input):
    """The word that was sent, and who accepts."""

    token: Annotated[str, Field(min_length=1, max_length=128)]
    contact: Annotated[Email, Field(description="The e-mail address of whoever accepts.")]


class StartWork(Input):
    """The device at hand, where it was sent in."""

    serial: Serial | None = None


class ReplaceDevice(Input):
    """The device that takes the place of the claim's."""

    new_serial: Serial


class DeviceReplaced(Decided):
    """A device whose license and warranty go on at another; the `activations` ended, and no limit counts that."""

    claim_id: Id
    license_id: Id
    activations: list[Id]


@endpoints.post(
    "/v1/warranty-claims/{claim_id}/rma",
    Permission.WARRANTY_WRITE,
    body=IssueRma,
    answer=ClaimDone,
    command="warranty rma",
    refusals=("not_found", *FROZEN, WarrantyCode.WARRANTY_NOT_OFFERED, WarrantyCode.RMA_NOT_NEEDED),
)
async def issue_warranty_rma(call: Call) -> Returned:
    """Give a claim a number under which its device is sent in, or the one that lives."""
    return done(await claim.issue_rma(call.services, call.id("claim_id", "claim"), actor=call.actor, scope=call.scope))


@endpoints.post(
    "/v1/warranty-claims/{claim_id}/quotes",
    Permission.WARRANTY_WRITE,
    body=SendQuote,
    answer=SentQuote,
    command="warranty quote",
    statuses=(201,),
    refusals=(
        "not_found",
        *FROZEN,
        WarrantyCode.WARRANTY_NOT_OFFERED,
        WarrantyCode.SERVICE_UNDECIDED,
        WarrantyCode.QUOTE_NOT_NEEDED,
    ),
)
async def send_warranty_quote(call: Call) -> Returned:
    """Tell a price; it takes the place of an older one, and work waits for its acceptance."""
    asked = call.asked(SendQuote)
    sent = await claim.send_quote(
        call.services,
        call.id("claim_id", "claim"),
        amount=parse(asked.amount),
        reason=asked.reason,
        actor=call.actor,
        valid_until=asked.valid_until,
        scope=call.scope,
    )
    if isinstance(sent, RefusalAnswer):
        return sent
    return {
        "claim_id": str(sent.claim_id),
        "quote_id": str(sent.quote_id),
        "version": sent.version,
        "amount": sent.amount.display(),
        "valid_until": instant(sent.valid_until),
        "token": sent.token,
        **told_of(sent.decision),
    }


@endpoints.post(
    "/v1/warranty-claims/{claim_id}/accept",
    Permission.QUOTE_ACCEPT,
    body=AcceptQuote,
    answer=ClaimDone,
    command="warranty accept",
    refusals=(
        "not_found",
        *FROZEN,
        WarrantyCode.WARRANTY_NOT_OFFERED,
        WarrantyCode.QUOTE_TOKEN_INVALID,
        WarrantyCode.QUOTE_ALREADY_ACCEPTED,
        WarrantyCode.QUOTE_SUPERSEDED,
        WarrantyCode.QUOTE_EXPIRED,
        WarrantyCode.QUOTE_CONTACT_NOT_AUTHORIZED,
    ),
)
async def accept_warranty_quote(call: Call) -> Returned:
    """Accept a price with the word that was sent, once."""
    asked = call.asked(AcceptQuote)
    found = await claim.accept_quote(
        call.services,
        call.id("claim_id", "claim"),
        token=asked.token,
        contact=asked.contact,
        actor=call.actor,
        scope=call.scope,
    )
    return done(found)


@endpoints.post(
    "/v1/warranty-claims/{claim_id}/start",
    Permission.WARRANTY_WRITE,
    body=StartWork,
    answer=ClaimDone,
    command="warranty start",
    refusals=(*_UNPAID, WarrantyCode.RMA_REQUIRED, WarrantyCode.RMA_EXPIRED, WarrantyCode.RMA_WRONG_DEVICE),
)
async def start_warranty_work(call: Call) -> Returned:
    """Begin work, or go on under an accepted newer price."""
    serial = call.asked(StartWork).serial
    claim_id = call.id("claim_id", "claim")
    return done(await claim.start_work(call.services, claim_id, actor=call.actor, serial=serial, scope=call.scope))


@endpoints.post(
    "/v1/warranty-claims/{claim_id}/replace",
    Permission.WARRANTY_WRITE,
    body=ReplaceDevice,
    answer=DeviceReplaced,
    command="warranty replace",
    refusals=(*_UNPAID, WarrantyCode.CLAIM_SERIAL_DIFFERS, WarrantyCode.DEVICE_ALREADY_REPLACED),
)
async def replace_warranty_device(call: Call) -> Returned:
    """Put another device in the place of the claim's: its license is free there at once, and no limit counts that."""
    found = await claim.replace_device(
        call.services,
        call.id("claim_id", "claim"),
        new_serial=call.asked(ReplaceDevice).new_serial,
        actor=call.actor,
        scope=call.scope,
    )
    if isinstance(found, RefusalAnswer):
        return found
    return {
        "claim_id": str(found.claim_id),
        "license_id": str(found.license_id),
        "activations": [str(one) for one in found.activations],
        **told_of(found.decision),
    }
