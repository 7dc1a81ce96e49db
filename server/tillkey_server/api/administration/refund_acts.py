"""What people do about a refund: decide one that is pending, note that copies are destroyed, and pay it out."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from tillkey_server.api.administration.endpoint import Call, Endpoints, Returned
from tillkey_server.api.administration.refunds import REFUSALS, Refund
from tillkey_server.api.administration.shapes import Input, Line, Price, Reason
from tillkey_server.money import parse
from tillkey_server.rules.access import Permission
from tillkey_server.rules.decision import Refusal
from tillkey_server.rules.refund_codes import RefundCode
from tillkey_server.usecases import refund, refund_payout
from tillkey_server.usecases.answers import RefusalAnswer

endpoints = Endpoints("refunds")

_PAYOUT = (
    "not_found",
    RefundCode.NOT_PENDING,
    RefundCode.PAYOUT_CLOSED,
    RefundCode.PENDING_DEACTIVATION,
    RefundCode.PENDING_ATTESTATION,
    Refusal.LEGAL_HOLD,
)


class DecideRefund(Input):
    """What somebody of the vendor's decided, and why."""

    decision: Literal["grant", "deny"]
    reason: Reason
    amount: Annotated[Price | None, Field(description="A part of what was asked back; null: all of it.")] = None
    as_platform: Annotated[
        bool,
        Field(
            description="The marketplace decides what its seller left unanswered, by the terms: without an amount. "
            "Needs `refund.as_platform`, too."
        ),
    ] = False


class AttestDestruction(Input):
    """What the customer said."""

    statement: Annotated[str, Field(min_length=1, max_length=2000, description="The customer's statement.")]
    vouched: Annotated[bool, Field(description="The vendor knows that no copy runs, as where a server is gone.")] = (
        False
    )


class PayOut(Input):
    """That the money is on its way."""

    provider_refund_id: Annotated[Line | None, Field(description="The payment provider's number of it.")] = None
    to_balance: Annotated[
        bool, Field(description="The original method is closed: the customer's balance is credited instead.")
    ] = False


class PayoutFailed(Input):
    """That the money never arrived."""

    failure: Annotated[str, Field(min_length=1, max_length=2000, description="Why.")]


@endpoints.post(
    "/v1/refunds/{refund_id}/decide",
    Permission.REFUND_DECIDE,
    body=DecideRefund,
    answer=Refund,
    command="refund decide",
    refusals=(
        *REFUSALS,
        RefundCode.NOT_PENDING,
        RefundCode.AMOUNT_TOO_HIGH,
        RefundCode.PENDING_PLATFORM,
        RefundCode.PENDING_RESOLUTION,
    ),
)
async def decide_refund(call: Call) -> Returned:
    """Grant or deny a refund that is pending, with a reason."""
    asked = call.asked(DecideRefund)
    if asked.as_platform and not call.principal.may(Permission.REFUND_AS_PLATFORM):
        detail = f"as_platform needs the permission {Permission.REFUND_AS_PLATFORM}: it is the marketplace's own word."
        return RefusalAnswer(Refusal.PERMISSION_DENIED, detail, ("BC-28",))
    return await refund.decide_pending(
        call.services,
        call.id("refund_id", "refund"),
        grant=asked.decision == "grant",
        reason=asked.reason,
        amount=None if asked.amount is None else parse(asked.amount),
        as_platform=asked.as_platform,
        actor=call.actor,
        scope=call.scope,
    )


@endpoints.post(
    "/v1/refunds/{refund_id}/attest",
    Permission.REFUND_REQUEST,
    body=AttestDestruction,
    answer=Refund,
    command="refund attest",
    refusals=("not_found", RefundCode.NOT_PENDING),
)
async def attest_destruction(call: Call) -> Returned:
    """Note the customer's statement that every copy is destroyed."""
    asked = call.asked(AttestDestruction)
    return await refund_payout.attest_destruction(
        call.services,
        call.id("refund_id", "refund"),
        statement=asked.statement,
        vouched=asked.vouched,
        actor=call.actor,
        scope=call.scope,
    )


@endpoints.post(
    "/v1/refunds/{refund_id}/payout",
    Permission.REFUND_PAYOUT,
    body=PayOut,
    answer=Refund,
    command="refund payout",
    refusals=_PAYOUT,
)
async def pay_out_refund(call: Call) -> Returned:
    """Note that a granted refund was paid out; refused while it waits for the customer."""
    return await refund_payout.pay_out(
        call.services,
        call.id("refund_id", "refund"),
        provider_refund_id=call.asked(PayOut).provider_refund_id,
        to_balance=call.asked(PayOut).to_balance,
        actor=call.actor,
        scope=call.scope,
    )


@endpoints.post(
    "/v1/refunds/{refund_id}/payout-failed",
    Permission.REFUND_PAYOUT,
    body=PayoutFailed,
    answer=Refund,
    command="refund payout-failed",
    refusals=("not_found", RefundCode.NOT_PENDING, RefundCode.PAYOUT_CLOSED),
)
async def fail_payout_of_refund(call: Call) -> Returned:
    """Note that the money never arrived: the license comes back if it is still refunded by this refund."""
    return await refund_payout.payout_failed(
        call.services,
        call.id("refund_id", "refund"),
        failure=call.asked(PayoutFailed).failure,
        actor=call.actor,
        scope=call.scope,
    )
