"""Asking whether a cart may be sold, and orders under review."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tillkey_server.api.administration.endpoint import Call, Endpoints, Returned
from tillkey_server.api.administration.orders import Buying, PlacedOrder, line_of
from tillkey_server.api.administration.shapes import Answered, Decided, Input, Moment, Reason
from tillkey_server.rules.access import Permission
from tillkey_server.rules.decision import Refusal
from tillkey_server.rules.order_line import CustomerType
from tillkey_server.rules.sale import SaleCode
from tillkey_server.usecases import review, sale
from tillkey_server.usecases.answers import RefusalAnswer, answered_of, told_of

endpoints = Endpoints("orders")


class PreviewOrder(Buying):
    """A cart that is not paid yet."""

    paid_at: Annotated[Moment | None, Field(description="When the payment is to come; null: now.")] = None


class ReviewOrder(Input):
    """Why."""

    reason: Reason


class OrderHeld(Decided):
    """An order that is under review."""


class OrderRefunded(Decided):
    """An order that is paid back; `amounts` in the facts are what, for each currency, with the tax."""


@endpoints.post(
    "/v1/orders/preview",
    Permission.ORDER_READ,
    body=PreviewOrder,
    answer=Answered,
    command="order preview",
    refusals=("not_found",),
)
async def preview_order(call: Call) -> Returned:
    """Ask whether a cart may be sold, before it is paid; nothing is written."""
    asked = call.asked(PreviewOrder)
    cart = sale.Cart(
        lines=[line_of(one) for one in asked.lines],
        customer_type=None if asked.customer_type is None else CustomerType(asked.customer_type),
        renews=asked.renews,
        paid_at=asked.paid_at,
        cart_at=asked.cart_at,
    )
    return answered_of(await sale.preview_order(call.services, cart, customer_email=asked.customer, scope=call.scope))


@endpoints.post(
    "/v1/orders/{order_id}/hold",
    Permission.ORDER_REVIEW,
    body=ReviewOrder,
    answer=OrderHeld,
    command="order hold",
    refusals=("not_found",),
)
async def hold_order(call: Call) -> Returned:
    """Put an order under review: no key is given and no till begins to use its licenses; what runs goes on."""
    asked = call.asked(ReviewOrder)
    order_id = call.id("order_id", "order")
    held = await review.hold_order(call.services, order_id, reason=asked.reason, actor=call.actor, scope=call.scope)
    return told_of(held)


@endpoints.post(
    "/v1/orders/{order_id}/release",
    Permission.ORDER_REVIEW,
    body=ReviewOrder,
    answer=PlacedOrder,
    command="order release",
    refusals=("not_found", SaleCode.ORDER_NOT_UNDER_REVIEW, Refusal.LEGAL_HOLD),
)
async def release_order(call: Call) -> Returned:
    """Release an order that was under review and issue its licenses; each key is in this answer alone."""
    asked = call.asked(ReviewOrder)
    placed = await review.release_order(
        call.services, call.id("order_id", "order"), reason=asked.reason, actor=call.actor, scope=call.scope
    )
    return placed if isinstance(placed, RefusalAnswer) else placed.shown


@endpoints.post(
    "/v1/orders/{order_id}/refund",
    Permission.REFUND_DECIDE,
    body=ReviewOrder,
    answer=OrderRefunded,
    command="order refund",
    refusals=("not_found", SaleCode.ORDER_NOT_UNDER_REVIEW, SaleCode.ORDER_HAS_LICENSES, Refusal.LEGAL_HOLD),
)
async def refund_order(call: Call) -> Returned:
    """Pay an order back that is under review and gave no license; no license ever comes of it."""
    asked, order_id = call.asked(ReviewOrder), call.id("order_id", "order")
    done = await review.refund_order(call.services, order_id, reason=asked.reason, actor=call.actor, scope=call.scope)
    return told_of(done) if done.allowed else done
