"""What is told and answered about requests for support."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from tillkey_server.api.administration.shapes import (
    Answer,
    Answered,
    Clauses,
    Id,
    Input,
    Language,
    Line,
    Listing,
    Moment,
    PolicyNamed,
    ProductCode,
    Reason,
    Severity,
    Time,
)
from tillkey_server.rules.issue_facts import Finding
from tillkey_server.rules.support_record import Author
from tillkey_server.usecases.files import DIGEST, FILE_PATH, MAX_FILES
from tillkey_server.usecases.support_details import GROUND, LANGUAGE, MAX_LISTED, MAX_TEXT, RELEASE, WORD

Word = Annotated[str, Field(pattern=WORD)]
Version = Annotated[str, Field(pattern=RELEASE)]
Digest = Annotated[str, Field(pattern=DIGEST)]
FilePath = Annotated[str, Field(pattern=FILE_PATH)]
Files = Annotated[dict[FilePath, Digest], Field(max_length=MAX_FILES, description="SHA-256 of each file, by path.")]
SomeFiles = Annotated[Files, Field(min_length=1)]
GroundCode = Annotated[str, Field(pattern=GROUND, description="A ground of the vendor's list.")]
Evidence = Annotated[str, Field(min_length=1, max_length=MAX_TEXT, description="What shows it; no personal data.")]
EventKind = Literal[
    "human_reply",
    "automatic_reply",
    "accepted",
    "refused",
    "waiting_for_customer",
    "customer_answered",
    "info_complete",
    "attempt_offered",
    "update_offered",
    "update_disputed",
    "update_classified",
    "attempt_declined",
    "finding",
    "intervention",
    "resolved",
    "closed",
    "reopened",
    "converted",
    "recategorized",
]


class AskSupport(Input):
    """A request as it is told: about a license, or before a purchase about a product by a customer."""

    task: Annotated[Word, Field(description="What is asked for, in the words of the vendor's terms.")]
    license_id: UUID | None = None
    product: Annotated[ProductCode | None, Field(description="Before a purchase: what is asked about.")] = None
    customer_id: Annotated[UUID | None, Field(description="Before a purchase: who asks.")] = None
    project_id: UUID | None = None
    asked_by: Annotated[UUID | None, Field(description="The customer who asks; left out, the owner.")] = None
    presale: Annotated[
        bool,
        Field(description="Asked before the purchase; without effect for a license that was paid for by the receipt."),
    ] = False
    site: Annotated[Line | None, Field(description="The site that it is about.")] = None
    installation: Annotated[Line | None, Field(description="The thumbprint of the installation it is about.")] = None
    platform_version: Version | None = None
    feature: Annotated[Word | None, Field(description="The feature that it is about.")] = None
    causes: Annotated[
        list[Word], Field(max_length=MAX_LISTED, description="What caused it: `product`, or the names of others.")
    ] = Field(default_factory=list)
    found: Annotated[
        dict[GroundCode, Evidence], Field(max_length=MAX_LISTED, description="Grounds that somebody found.")
    ] = Field(default_factory=dict)
    files: Annotated[Files, Field(description="Files as they are now: those that a hotfix left so do not count.")] = (
        Field(default_factory=dict)
    )
    manifest: Annotated[
        Files,
        Field(description="The same files as they were delivered: then added ones do not count, and removed ones do."),
    ] = Field(default_factory=dict)
    described: Annotated[
        list[Word], Field(max_length=MAX_LISTED, description="The parts that the description has.")
    ] = Field(default_factory=list)
    matter: Annotated[Line | None, Field(description="The vendor's name for the matter, the same each time.")] = None
    received_at: Annotated[Moment | None, Field(description="When it came; left out, now.")] = None
    language: Language = "en"


class OpenSupport(AskSupport):
    """A request to be put on record."""

    reference: Annotated[Line | None, Field(description="The conversation's name in the help desk.")] = None
    duplicate_of: Annotated[UUID | None, Field(description="The request that reported the same first.")] = None


class TakeSupport(OpenSupport):
    """A request that a supervisor takes after a review."""

    reason: Reason


class TellEvent(Input):
    """What happened to a request; each kind has members of its own."""

    kind: EventKind
    at: Annotated[Moment | None, Field(description="When it happened; left out, now.")] = None
    in_tool: Annotated[bool | None, Field(description="Whether it was written where the customer asked.")] = None
    author: Annotated[Author | None, Field(description="Who took it or refused it; left out, a person.")] = None
    code: GroundCode | None = None
    evidence: Evidence | None = None
    files: SomeFiles | None = None
    manifest: Annotated[
        SomeFiles | None,
        Field(description="The same files as they were delivered: then added ones do not count, and removed ones do."),
    ] = None
    missing: Annotated[list[Word], Field(min_length=1, max_length=MAX_LISTED)] | None = None
    version: Version | None = None
    paid: bool | None = None
    published_at: Annotated[Moment | None, Field(description="When the offered update was published.")] = None
    finding: Finding | None = None
    cause: Annotated[str | None, Field(min_length=1, max_length=MAX_TEXT, description="The probable cause.")] = None
    prevention: Annotated[str | None, Field(min_length=1, max_length=MAX_TEXT, description="How to prevent it.")] = None
    note_language: Annotated[
        str | None, Field(pattern=LANGUAGE, description="The language of cause and prevention, as `it` or `fr-CA`.")
    ] = None
    remote: Annotated[bool | None, Field(description="By remote access, which needs a consent that runs.")] = None
    fixed_in_release: Version | None = None
    no_intervention_reason: Annotated[str | None, Field(min_length=1, max_length=MAX_TEXT)] = None
    unanswered: Annotated[bool | None, Field(description="Closed because the customer did not answer.")] = None
    license_id: Annotated[UUID | None, Field(description="What was bought since.")] = None
    task: Annotated[Word | None, Field(description="What it turns out to ask for.")] = None
    language: Language = "en"


class GrantAccess(Input):
    """A customer's consent to remote access. Passwords and keys have no place here."""

    granted_by: Annotated[UUID, Field(description="The customer who consents.")]
    scope: Annotated[str, Field(min_length=1, max_length=MAX_TEXT, description="What may be done.")]
    starts_at: Annotated[Moment | None, Field(description="From when; left out, now.")] = None
    until: Moment
    language: Language = "en"


class TellHotfix(Input):
    """Files that were changed at once."""

    severity: Severity
    files: SomeFiles
    activation_id: UUID | None = None
    language: Language = "en"


class SupportListing(Listing):
    """Which requests."""

    license: UUID | None = None
    customer: UUID | None = None
    reference: Annotated[str | None, Field(max_length=255)] = None
    refund_proposed: Annotated[
        bool | None, Field(description="Whether support came too late and a refund is proposed for it.")
    ] = None


class SupportClock(Answer):
    """A clock of a request; `due_at` is exclusive, and null while it stands still."""

    clock: Literal["ack", "reply", "resolve", "fix"]
    code: str
    due_at: Time
    alarm_at: Time
    stopped_at: Time
    clauses: Clauses
    timezone: str
    calendar: Annotated[str, Field(description="The terms whose working days are counted, with their version.")]


class CareBanner(Answer):
    """What stands on top of a conversation, as of the answer: whether support runs, of what and for which site."""

    active: bool
    text: str | None
    until: Time
    product: str
    site: Annotated[str | None, Field(description="The site of the license's project; null: it has none.")]
    clauses: list[str]
    as_of: Time


class UpdateDispute(Answer):
    """The newest dispute about an update that is offered for payment; until a person decided, nobody knows `paid`."""

    version: str
    disputed_at: Time
    decided_at: Time
    paid: bool | None


class SupportRequest(Answer):
    """A request as it stands now."""

    id: Id
    reference: str | None
    customer_id: Id
    product_id: Id
    license_id: Id | None
    project_id: Id | None
    task: str
    matter: str | None
    platform_version: str | None
    duplicate_of: Id | None
    taken_as: str
    state: Literal["closed", "refused", "resolved", "presale", "waiting_for_customer", "open"]
    presale: bool
    received_at: Time
    fixed_in_release: str | None
    update_dispute: UpdateDispute | None
    findings: list[str]
    clocks: list[SupportClock]
    care_banner: CareBanner
    refund_proposed_at: Time
    policy: PolicyNamed


class SupportEvent(Answer):
    """Something that happened to a request."""

    id: Id
    kind: EventKind
    at: Time
    details: dict[str, Any]
    recorded_at: Time
    actor: str


class AccessGrant(Answer):
    """A consent to remote access."""

    id: Id
    granted_by: Id
    scope: str
    starts_at: Time
    until: Time
    running: bool
    recorded_at: Time
    actor: str


class Hotfix(Answer):
    """Files that the vendor changed at once."""

    id: Id
    license_id: Id
    activation_id: Id | None
    severity: str
    files: dict[str, str]
    applied_at: Time
    recorded_at: Time
    actor: str


class WholeSupportRequest(SupportRequest):
    """A request with everything that happened to it."""

    events: list[SupportEvent]
    grants: list[AccessGrant]
    hotfixes: list[Hotfix]


class SupportPage(Answer):
    """A page of requests."""

    items: list[SupportRequest]
    next: str | None


class SupportAnswered(Answered):
    """A decision about a request, and the request as it stands after it."""

    request: SupportRequest


class AddClosure(Input):
    """A time in which the vendor is closed, half-open; it moves no deadline that is over when it is recorded."""

    policy: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$", description="The terms that are cited.")]
    notified_at: Annotated[Moment, Field(description="Since when the customers know.")]
    starts_at: Moment
    ends_at: Moment
    reason: Reason
    language: Language = "en"


class WithdrawClosure(Input):
    """A closure is taken back."""

    policy: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$", description="The terms that are cited.")]
    reason: Reason
    language: Language = "en"


class Closure(Answer):
    """A time in which the vendor is closed."""

    id: Id
    notified_at: Time
    starts_at: Time
    ends_at: Time
    reason: str
    recorded_at: Time
    actor: str
    withdrawn_at: Time


class ClosurePage(Answer):
    """A page of closures."""

    items: list[Closure]
    next: str | None


class ClosureAdded(Answered):
    """A closure that is on record, as it is now."""

    closure: Closure
