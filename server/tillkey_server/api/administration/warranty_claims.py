"""Warranty claims up to the decision: the contract, what is covered, the claim, the findings, the signature."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from tillkey_server.api.administration.endpoint import Call, Endpoints, Reply, Returned
from tillkey_server.api.administration.shapes import (
    Answer,
    Answered,
    Clauses,
    Decided,
    Email,
    Id,
    Input,
    Line,
    Listing,
    Moment,
    Time,
)
from tillkey_server.rules.access import Permission
from tillkey_server.rules.decision import Decision, Refusal
from tillkey_server.rules.warranty_code import WarrantyCode
from tillkey_server.rules.warranty_policy import Ground, StartBasis
from tillkey_server.usecases import claim, warranty
from tillkey_server.usecases.answers import RefusalAnswer, answered_of, told_of
from tillkey_server.usecases.paging import Page

endpoints = Endpoints("warranty")

Word = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
Serial = Annotated[Line, Field(max_length=100, description="The device's serial.")]
Text = Annotated[str, Field(min_length=1, max_length=4000)]
Grounds = Literal[
    "quality", "misuse", "foreign_software", "abnormal", "force_majeure", "unauthorized_service", "unofficial_channel"
]
_Abnormal = Literal["fall", "crush", "heat", "corrosion", "foreign_matter", "electricity", "other"]
_Foreign = Literal["pirated", "nonstandard", "self_written", "unreleased", "vendor_hotfix", "vendor_beta", "public_api"]
Causes = Literal[_Abnormal, _Foreign]
FROZEN = (Refusal.LEGAL_HOLD, Refusal.LICENSE_TERMINATED, Refusal.LICENSE_REVOKED)


class RecordContract(Input):
    """What the sales contract says of a license's device; what it leaves out is the terms'."""

    number: Annotated[Line, Field(max_length=100)]
    serial: Serial
    starts_on: Annotated[dt.date, Field(description="The day from which the warranty runs.")]
    start_basis: Annotated[Literal["delivery", "acceptance", "invoice"], Field(description="What that day is of.")]
    warranty_months: Annotated[int | None, Field(ge=0, le=1200)] = None
    partner: Annotated[Word | None, Field(description="Who looks after the customer.")] = None
    region: Word | None = None
    contacts: Annotated[
        list[Email],
        Field(default_factory=list, max_length=warranty.MAX_CONTACTS, description="Who may accept a price, by e-mail."),
    ]


class FoundFault(Input):
    """What was found of one fault; without `caused` the ground is evidence only, except an unofficial channel."""

    fault: Annotated[Line, Field(max_length=100, description="Which fault, as a word of your own.")]
    ground: Grounds
    caused: bool = False
    hardware: Annotated[bool, Field(description="A fault of the hardware is confirmed.")] = False
    cause: Annotated[
        Causes | None,
        Field(description="The abnormal cause, which has to be told, or which foreign software; of no other ground."),
    ] = None
    worked_by: Annotated[Word | None, Field(description="Who worked on the device.")] = None
    worked_on: dt.date | None = None
    withdrawn: Annotated[bool, Field(description="What was found of the same before is taken back.")] = False

    def told(self, evidence: str = "") -> warranty.Finding:
        """Return it as the use case takes it."""
        return warranty.Finding(
            fault=self.fault,
            ground=Ground(self.ground),
            evidence=evidence,
            caused=self.caused,
            hardware=self.hardware,
            detail=self.cause,
            worked_by=self.worked_by,
            worked_on=self.worked_on,
            withdrawn=self.withdrawn,
        )


class PreviewCover(Input):
    """A license's device, and what is supposed to be found of it."""

    license_id: UUID
    reported_at: Annotated[Moment | None, Field(description="When the fault was told; now, if left out.")] = None
    findings: Annotated[list[FoundFault], Field(default_factory=list, max_length=100)]


class OpenClaim(Input):
    """A fault of a device, or development that is wanted; the license by its id or by its key."""

    kind: Literal["device", "development"] = "device"
    license_id: UUID | None = None
    license_key: Annotated[Line | None, Field(max_length=128)] = None
    serial: Serial | None = None
    symptoms: Text | None = None
    diagnostics: Annotated[Text | None, Field(description="The log, or where the uploaded one stands.")] = None
    region: Word | None = None
    reported_at: Annotated[
        Moment | None,
        Field(description="When the fault was told; now, if left out, or if `known_by` does not tell what shows it."),
    ] = None
    known_by: Annotated[
        Line | None, Field(description="What shows that it was told then: the mail or the ticket, by its name.")
    ] = None


class AddFinding(FoundFault):
    """What an engineer found, with what it is seen by."""

    evidence: Text


class DecideClaim(Input):
    """The agent's signature under what the facts give."""

    signed: Literal["free", "chargeable"]


class ClaimDone(Decided):
    """What was done with a claim."""

    license_id: Id
    claim_id: Id | None


class ClaimDecided(Answered):
    """What was decided of a claim; pending: a person has to find the contract first."""

    license_id: Id
    claim_id: Id | None


class Claim(Answer):
    """One claim; `route` is who looks after it."""

    id: Id
    license_id: Id
    kind: Literal["device", "development"]
    serial: str | None
    route: str
    reported_at: Time
    opened_at: Time
    known_by: Annotated[str | None, Field(description="What shows that it was told before it was opened.")]


class ShownFinding(Answer):
    """What was found of one fault."""

    fault: str
    ground: Grounds
    caused: bool
    hardware: bool
    detail: str | None
    evidence: str
    worked_by: str | None
    worked_on: str | None
    withdrawn: bool
    found_at: Time


class ShownDecision(Answer):
    """A signed decision."""

    outcome: Literal["free", "chargeable"]
    decided_at: Time


class ShownQuote(Answer):
    """A price that was told."""

    version: int
    amount: str
    reason: str
    valid_until: Time
    sent_at: Time
    accepted_at: Time


class ShownRma(Answer):
    """A number under which the device is sent in."""

    number: str
    address: str
    expires_at: Time


class Statement(Answer):
    """What the terms say to the customer."""

    text: str
    clauses: Clauses


class WholeClaim(Claim):
    """A claim with all that came of it."""

    symptoms: str
    diagnostics: str | None
    status: Literal["open", "to_be_quoted", "waiting_for_approval", "quote_expired", "approved", "in_work", "replaced"]
    findings: list[ShownFinding]
    decisions: list[ShownDecision]
    quotes: list[ShownQuote]
    rma: list[ShownRma]
    work_started_at: Time
    replaced_by: str | None
    statements: list[Statement]


class ClaimListing(Listing):
    """Which claims."""

    license: UUID | None = None


class ClaimPage(Answer):
    """A page of claims."""

    items: list[Claim]
    next: str | None


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
