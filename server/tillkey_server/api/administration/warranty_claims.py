"""Warranty claims up to the decision: the contract, what is covered, the claim, the findings, the signature."""

from __future__ import annotations

from tillkey_server.api.administration.endpoint import Call, Endpoints, Reply, Returned
from tillkey_server.api.administration.shapes import Answered
from tillkey_server.api.administration.warranty_shapes import (
    AddFinding,
    ClaimDecided,
    ClaimDone,
    ClaimListing,
    ClaimPage,
    DecideClaim,
    OpenClaim,
    PreviewCover,
    RecordContract,
    WholeClaim,
)
from tillkey_server.rules.access import Permission
from tillkey_server.rules.decision import Decision, Refusal
from tillkey_server.rules.warranty_code import WarrantyCode
from tillkey_server.rules.warranty_policy import StartBasis
from tillkey_server.usecases import claim, warranty
from tillkey_server.usecases.answers import RefusalAnswer, answered_of, told_of
from tillkey_server.usecases.paging import Page

endpoints = Endpoints("warranty")

FROZEN = (Refusal.LEGAL_HOLD, Refusal.LICENSE_TERMINATED, Refusal.LICENSE_REVOKED)


def done(found: warranty.Done | RefusalAnswer) -> Returned:
    """Return what was done as an endpoint answers it."""
    if isinstance(found, RefusalAnswer):
        return found
    return {**_about(found), **told_of(found.decision)}


def _about(found: warranty.Done) -> dict[str, object]:
    return {
        "license_id": str(found.license_id),
        "claim_id": None if found.claim_id is None else str(found.claim_id),
    }


@endpoints.post(
    "/v1/licenses/{license_id}/warranty-contract",
    Permission.WARRANTY_OPEN,
    body=RecordContract,
    answer=ClaimDone,
    command="warranty contract",
    refusals=("not_found", WarrantyCode.WARRANTY_NOT_OFFERED),
)
async def record_warranty_contract(call: Call) -> Returned:
    """Record what the sales contract says of a license's device; recorded again, the newest counts."""
    asked = call.asked(RecordContract)
    told = warranty.Contract(
        number=asked.number,
        serial=asked.serial,
        starts_on=asked.starts_on,
        basis=StartBasis(asked.start_basis),
        months=asked.warranty_months,
        partner=asked.partner,
        region=asked.region,
        contacts=tuple(asked.contacts),
    )
    license_id = call.id("license_id", "license")
    return done(await warranty.record_contract(call.services, license_id, told, actor=call.actor, scope=call.scope))


@endpoints.post(
    "/v1/warranty-claims/preview",
    Permission.WARRANTY_READ,
    body=PreviewCover,
    answer=Answered,
    command="warranty preview",
    refusals=("not_found",),
)
async def preview_warranty(call: Call) -> Returned:
    """Tell whether a device is under warranty, and what findings would mean for a claim."""
    asked = call.asked(PreviewCover)
    decision: Decision = await warranty.preview(
        call.services,
        asked.license_id,
        reported_at=asked.reported_at,
        findings=tuple(one.told() for one in asked.findings),
        scope=call.scope,
    )
    return answered_of(decision)


@endpoints.post(
    "/v1/warranty-claims",
    Permission.WARRANTY_OPEN,
    body=OpenClaim,
    answer=ClaimDone,
    command="warranty open",
    statuses=(201,),
    refusals=(
        "not_found",
        *FROZEN,
        Refusal.LICENSE_INVALID,
        WarrantyCode.WARRANTY_NOT_OFFERED,
        WarrantyCode.CLAIM_NEEDS_INFO,
        WarrantyCode.CLAIM_SERIAL_DIFFERS,
    ),
)
async def open_warranty_claim(call: Call) -> Returned:
    """Open a claim for a fault of a device, or for development that is quoted."""
    asked = call.asked(OpenClaim)
    told = warranty.Report(
        asked.kind,
        asked.serial,
        asked.symptoms,
        asked.diagnostics,
        asked.region,
        asked.reported_at,
        asked.known_by,
    )
    found = await warranty.open_claim(
        call.services,
        told,
        actor=call.actor,
        license_id=asked.license_id,
        license_key=asked.license_key,
        scope=call.scope,
    )
    return done(found)


@endpoints.post(
    "/v1/warranty-claims/{claim_id}/findings",
    Permission.WARRANTY_WRITE,
    body=AddFinding,
    answer=ClaimDone,
    command="warranty finding",
    statuses=(201,),
    refusals=("not_found", WarrantyCode.WARRANTY_NOT_OFFERED),
)
async def add_warranty_finding(call: Call) -> Returned:
    """Record what was found of a fault; of two findings about one cause of one fault the later counts."""
    asked = call.asked(AddFinding)
    told = asked.told(asked.evidence)
    claim_id = call.id("claim_id", "claim")
    return done(await warranty.add_finding(call.services, claim_id, told, actor=call.actor, scope=call.scope))


@endpoints.post(
    "/v1/warranty-claims/{claim_id}/decide",
    Permission.WARRANTY_WRITE,
    body=DecideClaim,
    answer=ClaimDecided,
    command="warranty decide",
    statuses=(201,),
    refusals=(
        "not_found",
        *FROZEN,
        WarrantyCode.WARRANTY_NOT_OFFERED,
        WarrantyCode.FINDING_NEEDED,
        WarrantyCode.SERVICE_DECISION_DIFFERS,
        WarrantyCode.SERVICE_DECISION_FINAL,
        WarrantyCode.SERVICE_NEEDS_NEW_EVIDENCE,
    ),
)
async def decide_warranty_claim(call: Call) -> Returned:
    """Sign whether service is free or charged, as the facts give it; turned around once, upon new evidence."""
    found = await warranty.decide_claim(
        call.services,
        call.id("claim_id", "claim"),
        signed=call.asked(DecideClaim).signed,
        actor=call.actor,
        scope=call.scope,
    )
    if isinstance(found, RefusalAnswer):
        return found
    return Reply(201, {**_about(found), **answered_of(found.decision)})


@endpoints.get(
    "/v1/warranty-claims/{claim_id}",
    Permission.WARRANTY_READ,
    answer=WholeClaim,
    command="warranty show",
    refusals=("not_found",),
)
async def get_warranty_claim(call: Call) -> Returned:
    """Show a claim with its findings, decisions, quotes and numbers, and what the terms say to the customer."""
    return await claim.get_claim(call.services, call.id("claim_id", "claim"), scope=call.scope)


@endpoints.get(
    "/v1/warranty-claims",
    Permission.WARRANTY_READ,
    query=ClaimListing,
    answer=ClaimPage,
    command="warranty list",
)
async def list_warranty_claims(call: Call) -> Page:
    """List claims; by age unless sorted otherwise (reported_at)."""
    asked = call.asked(ClaimListing)
    return await claim.list_claims(
        call.services,
        license_id=asked.license,
        after=asked.after,
        limit=asked.limit,
        sort=asked.sort,
        scope=call.scope,
    )
