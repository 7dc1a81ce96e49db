"""Refunds: what the terms say of one, asking for one, and lists of them. What people do about one is `refund_acts`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from tillkey_server.api.administration.endpoint import Call, Endpoints, Reply, Returned
from tillkey_server.api.administration.shapes import (
    Answer,
    Answered,
    Clauses,
    Facts,
    Id,
    Input,
    Language,
    Line,
    Listing,
    Moment,
    PolicyNamed,
    Time,
)
from tillkey_server.rules.access import Permission
from tillkey_server.rules.decision import Refusal
from tillkey_server.rules.issue_facts import Finding
from tillkey_server.rules.refund_codes import RefundCode
from tillkey_server.rules.refund_facts import Item
from tillkey_server.usecases import refund, refunds
from tillkey_server.usecases.answers import RefusalAnswer, answered_of
from tillkey_server.usecases.paging import Page
from tillkey_server.usecases.refund_asking import MAX_REASONS, Asking, item_of

endpoints = Endpoints("refunds")

DENIALS = tuple(code for code in RefundCode if code.value.startswith(("ref_denied_", "ref_line_")))
"""By what the terms deny."""
REFUSALS = (
    "not_found",
    *DENIALS,
    RefundCode.NOT_A_MODULE,
    RefundCode.WRONG_CHANNEL,
    RefundCode.SENDER_NOT_OFFICIAL,
    Refusal.LEGAL_HOLD,
    Refusal.LICENSE_TERMINATED,
)
Word = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
ReasonWords = Annotated[list[Word], Field(max_length=MAX_REASONS)]


class AskRefund(Input):
    """What is asked, and what is known of who asks.

    `reasons` are the customer's own, in the words of the terms (`[[refund.reasons]]`); none given: what the records
    show. `found` are those that somebody of the vendor's found true, `findings` what was found of the software.
    """

    reasons: ReasonWords = Field(default_factory=list)
    found: ReasonWords = Field(default_factory=list)
    findings: Annotated[
        list[Finding],
        Field(max_length=len(Finding)),
    ] = Field(default_factory=list)
    item: Annotated[
        Literal["product", "renewal", "tax", "support", "customization", "extra_domain", "service"],
        Field(description="What is asked back; `renewal` need not be said where one is named."),
    ] = "product"
    renewal: Annotated[
        UUID | None, Field(description="The one renewal of the license that is asked back, and not the product.")
    ] = None
    support_request: Annotated[UUID | None, Field(description="The request for support that it rests on.")] = None
    received_at: Annotated[Moment | None, Field(description="When the customer's message came; null: now.")] = None
    sender_verified: Annotated[
        bool | None, Field(description="Whether it came from the official address; null: nobody looked.")
    ] = None
    by_email: Annotated[bool, Field(description="It was asked for in writing.")] = False
    order_number: Annotated[Line | None, Field(description="The order's number, as the customer gave it.")] = None
    explanation: Annotated[
        str | None, Field(min_length=1, max_length=2000, description="The customer's reason in his words.")
    ] = None


class PreviewRefund(AskRefund):
    """The same as for a request; nothing is written."""

    language: Language = "en"


class Granted(Answer):
    """What became of a granted refund.

    `live` is how many copies may still run, out of reach, until `effective_latest_at`; `payout_code` tells whether the
    payout is due or late (`sla_payout_due`, `sla_payout_breached`), or what it waits for: the promised days stand still
    then. `late_told_at` is when the outbox told that it is late. Use of a refunded license is counted once an hour at
    most: first, how often, last. A failed one gave nothing back. `coupon` is what of the amount is issued again as one;
    `paid_out_at` is when all of it was the customer's.
    """

    amount: str
    tax: str
    coupon: str | None
    destination: str
    ends: str
    granted_at: Time
    live: int
    effective_latest_at: Time
    payout_due: Time
    payout_code: str | None
    attested_at: Time
    paid_out_at: Time
    provider_refund_id: str | None
    failed_at: Time
    used_after_at: Time
    used_after_times: int
    used_after_last_at: Time
    late_told_at: Time


class Refund(Answer):
    """A refund that was asked for: its decision, and what became of it; `invitation` is the vendor's own sentence."""

    id: Id
    license_id: Id
    customer_id: Id
    status: Literal["pending", "superseded", "denied", "granted", "paid_out", "failed"]
    asked_at: Time
    recorded_at: Time
    decided_at: Time
    decided_by: str
    decision: Literal["allow", "deny", "pend"]
    code: str
    clauses: Clauses
    policy: PolicyNamed
    facts: Facts
    reason: str | None
    words: str
    granted: Granted | None
    invitation: str | None


class RefundListing(Listing):
    """Which refunds."""

    license: UUID | None = None
    customer: UUID | None = None
    decision: Annotated[
        Literal["allow", "deny", "pend"] | None, Field(description="Those decided so; pend: open or superseded.")
    ] = None
    payout: Annotated[
        Literal["open", "late"] | None,
        Field(description="Those granted and still to be paid; late: those of them that the outbox told to be late."),
    ] = None


class RefundPage(Answer):
    """A page of refunds."""

    items: list[Refund]
    next: str | None


@endpoints.post(
    "/v1/licenses/{license_id}/refunds/preview",
    Permission.REFUND_READ,
    body=PreviewRefund,
    answer=Answered,
    command="refund preview",
    refusals=("not_found",),
)
async def preview_refund(call: Call) -> Mapping[str, object]:
    """Tell what the terms say of a refund, with every reason and what comes of it. Nothing is written."""
    asked = call.asked(PreviewRefund)
    license_id = call.id("license_id", "license")
    decision = await refund.preview_refund(call.services, license_id, _asking(asked), scope=call.scope)
    return answered_of(decision, asked.language)


@endpoints.post(
    "/v1/licenses/{license_id}/refunds",
    Permission.REFUND_REQUEST,
    body=AskRefund,
    answer=Refund,
    command="refund request",
    statuses=(201,),
    refusals=REFUSALS,
)
async def request_refund(call: Call) -> Returned:
    """Ask for a refund: it is granted and carried out at once, or pending until a fact or a person decides."""
    asked = _asking(call.asked(AskRefund))
    license_id = call.id("license_id", "license")
    done = await refund.request_refund(call.services, license_id, asked, actor=call.actor, scope=call.scope)
    return done if isinstance(done, RefusalAnswer) else Reply(201, done)


@endpoints.get("/v1/refunds", Permission.REFUND_READ, query=RefundListing, answer=RefundPage, command="refund list")
async def list_refunds(call: Call) -> Page:
    """List refunds that were asked for."""
    asked = call.asked(RefundListing)
    return await refunds.list_refunds(
        call.services,
        license_id=asked.license,
        customer_id=asked.customer,
        decision=asked.decision,
        payout=asked.payout,
        after=asked.after,
        limit=asked.limit,
        sort=asked.sort,
        scope=call.scope,
    )


@endpoints.get(
    "/v1/refunds/{refund_id}",
    Permission.REFUND_READ,
    answer=Refund,
    command="refund show",
    refusals=("not_found",),
)
async def get_refund(call: Call) -> Mapping[str, object]:
    """Show one refund with its decision and what became of it."""
    return await refunds.get_refund(call.services, call.id("refund_id", "refund"), scope=call.scope)


def _asking(asked: AskRefund) -> Asking:
    return Asking(
        reasons=tuple(asked.reasons),
        found=tuple(asked.found),
        findings=tuple(asked.findings),
        item=item_of(Item(asked.item), asked.renewal),
        renewal_id=asked.renewal,
        support_request_id=asked.support_request,
        received_at=asked.received_at,
        sender_verified=asked.sender_verified,
        by_email=asked.by_email,
        order_number=asked.order_number,
        explanation=asked.explanation,
    )
