"""What is told and answered about warranty claims."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

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
from tillkey_server.rules.warranty_policy import Ground
from tillkey_server.usecases import warranty

Word = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
Serial = Annotated[Line, Field(max_length=100, description="The device's serial.")]
Text = Annotated[str, Field(min_length=1, max_length=4000)]
Grounds = Literal[
    "quality", "misuse", "foreign_software", "abnormal", "force_majeure", "unauthorized_service", "unofficial_channel"
]
_Abnormal = Literal["fall", "crush", "heat", "corrosion", "foreign_matter", "electricity", "other"]
_Foreign = Literal["pirated", "nonstandard", "self_written", "unreleased", "vendor_hotfix", "vendor_beta", "public_api"]
Causes = Literal[_Abnormal, _Foreign]


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
