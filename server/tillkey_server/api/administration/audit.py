"""The audit log: every decision, and whether the log is whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from tillkey_server.api.administration.endpoint import Call, Endpoints
from tillkey_server.api.administration.shapes import (
    Answer,
    Clauses,
    Facts,
    Input,
    Listing,
    Moment,
    PolicyNamed,
    Time,
)
from tillkey_server.rules.access import Permission
from tillkey_server.usecases import audit
from tillkey_server.usecases.paging import Page

endpoints = Endpoints("audit")

Word = Annotated[str | None, Field(max_length=255)]
Outcome = Literal["allow", "deny", "pend"]
Digest = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{43}$", description="SHA-256 in base64url.")]


class AuditListing(Listing):
    """Which decisions."""

    license_id: Annotated[UUID | None, Field(description="Those about this license.")] = None
    activation_id: Annotated[UUID | None, Field(description="Those about this activation.")] = None
    actor: Annotated[Word, Field(description="Those of this caller, as `api_key:<id>`.")] = None
    action: Annotated[Word, Field(description="Those about this action, as `force_deactivate`.")] = None
    outcome: Annotated[Outcome | None, Field(description="Those that came out so.")] = None
    code: Annotated[Word, Field(description="Those that came to this.")] = None
    since: Annotated[Moment | None, Field(description="Those from this time on.")] = None
    until: Annotated[Moment | None, Field(description="Those before this time.")] = None


class AuditEvent(Answer):
    """One decision."""

    id: int
    at: Time
    actor: str
    action: str
    outcome: Outcome
    code: str
    clauses: Clauses
    policy_name: str | None
    policy_version: int | None
    policy: PolicyNamed | None
    license_id: Annotated[str | None, Field(json_schema_extra={"format": "uuid"})]
    activation_id: Annotated[str | None, Field(json_schema_extra={"format": "uuid"})]
    facts: Facts


class AuditPage(Answer):
    """A page of decisions."""

    items: list[AuditEvent]
    next: str | None


class AuditCheckpoint(Answer):
    """The end of the chain at a time, signed. Keep it elsewhere."""

    checkpoint: str
    seq: int
    hash: Digest
    at: Time
    unsealed: int


class VerifyAudit(Input):
    """A checkpoint that was kept, with which a log that was cut off or rewritten is told from ours."""

    checkpoint: Annotated[str | None, Field(max_length=4096)] = None


class BadRow(Answer):
    """The first row that is wrong."""

    flaw: Literal["changed", "removed", "reordered", "inserted", "seal_missing", "truncated", "rewritten"]
    seq: int | None
    event_id: int | None


class ComparedCheckpoint(Answer):
    """The checkpoint that the log was held against, and how the key that signed it stands."""

    seq: int
    hash: Digest
    at: Time
    key_state: str


class AuditVerified(Answer):
    """Whether the log is whole, the first bad row, and how many rows wait for the sealer."""

    ok: bool
    bad: BadRow | None
    sealed: int
    hash: Digest
    unsealed: int
    checkpoint: ComparedCheckpoint | None


@endpoints.get("/v1/audit", Permission.AUDIT_READ, query=AuditListing, answer=AuditPage, command="audit list")
async def list_audit(call: Call) -> Page:
    """List decisions, the oldest first; `sort=-id` turns it round."""
    asked = call.asked(AuditListing)
    search = audit.AuditSearch(
        license_id=asked.license_id,
        activation_id=asked.activation_id,
        actor=asked.actor,
        action=asked.action,
        outcome=asked.outcome,
        code=asked.code,
        since=asked.since,
        until=asked.until,
    )
    return await audit.list_audit(
        call.services, search, scope=call.scope, after=asked.after, limit=asked.limit, sort=asked.sort
    )


@endpoints.get("/v1/audit/checkpoint", Permission.AUDIT_VERIFY, answer=AuditCheckpoint, command="audit checkpoint")
async def audit_checkpoint(call: Call) -> Mapping[str, object]:
    """Tell the end of the chain, signed, to be kept elsewhere: it shows later whether the log's end was cut off."""
    return await audit.audit_checkpoint(call.services)


@endpoints.post(
    "/v1/audit/verify", Permission.AUDIT_VERIFY, body=VerifyAudit, answer=AuditVerified, command="audit verify"
)
async def verify_audit(call: Call) -> Mapping[str, object]:
    """Walk the whole chain and name the first row that was changed, removed or put in. It changes nothing."""
    return await audit.verify_audit(call.services, call.asked(VerifyAudit).checkpoint)
