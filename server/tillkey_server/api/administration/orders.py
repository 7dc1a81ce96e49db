"""Orders, and licenses issued for one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from tillkey_server.api.administration.endpoint import Call, Endpoints, Reply
from tillkey_server.api.administration.shapes import (
    Answer,
    Decided,
    Email,
    Id,
    Input,
    Line,
    Listing,
    Moment,
    PolicyNamed,
    Price,
    ProductCode,
    Time,
)
from tillkey_server.money import Money, parse
from tillkey_server.rules.access import Permission
from tillkey_server.rules.decision import Refusal
from tillkey_server.rules.order_line import MANUAL, CustomerType, LineKind
from tillkey_server.rules.sale import SaleCode
from tillkey_server.usecases import cart, order
from tillkey_server.usecases import license as licenses
from tillkey_server.usecases.answers import RefusalAnswer
from tillkey_server.usecases.channel import MAX_CHANNEL, MAX_NUMBER
from tillkey_server.usecases.paging import Page

endpoints = Endpoints("orders")

Number = Annotated[Line, Field(max_length=MAX_NUMBER, description="The seller's number of the order.")]
Channel = Annotated[Line, Field(max_length=MAX_CHANNEL, description="Whose number it is: numbers are its own.")]
Kind = Literal["product", "support", "customization", "extra_domain", "service"]
Quantity = Annotated[int, Field(ge=1, le=cart.MAX_QUANTITY)]


class OrderLine(Input):
    """Pieces of one product, or what was bought beside it."""

    product: ProductCode
    quantity: Quantity = 1
    price: Annotated[Price | None, Field(description="The price of each without tax; null: the product's.")] = None
    kind: Annotated[Kind, Field(description="What was bought; only products have licenses.")] = "product"
    beside: Annotated[int | None, Field(ge=0, lt=cart.MAX_LINES, description="Of an add-on: its product's line.")] = (
        None
    )
    list_price: Annotated[Price | None, Field(description="What each is listed at; null: the product's price.")] = None
    tax: Annotated[Price | None, Field(description="The tax of the whole line.")] = None
    coupon: Annotated[
        Price | None, Field(description="What of the whole line's price was paid with a gift card or a coupon.")
    ] = None
    months: Annotated[
        int | None, Field(ge=1, le=120, description="A length that the buyer chose; null: that of the terms.")
    ] = None


class Buying(Input):
    """What is to be sold to whom."""

    customer: Annotated[Email, Field(description="The buyer's e-mail address.")]
    customer_type: Annotated[
        Literal["professional", "consumer"] | None, Field(description="As what the customer bought; null: not told.")
    ] = None
    renews: Annotated[
        list[UUID], Field(default_factory=list, max_length=100, description="Licenses that the same payment renews.")
    ]
    cart_at: Annotated[Moment | None, Field(description="When the checkout was opened; null: not told.")] = None
    lines: Annotated[list[OrderLine], Field(min_length=1, max_length=cart.MAX_LINES)]


class PlaceOrder(Buying):
    """A paid order, told once it is paid in full: its prices are what can go back at most."""

    number: Number
    channel: Channel = MANUAL
    paid_at: Annotated[Moment | None, Field(description="When the money came; null: now.")] = None
    under_review: Annotated[bool, Field(description="A check of the shop's still runs: no key before it is over.")] = (
        False
    )


class IssueLicense(Input):
    """Licenses of one product for one customer."""

    product: ProductCode
    customer: Annotated[Email, Field(description="The buyer's e-mail address.")]
    quantity: Quantity = 1
    order: Annotated[Number | None, Field(description="Told again, it gives no more licenses.")] = None


class OrderListing(Listing):
    """Which orders."""

    customer_id: Annotated[UUID | None, Field(description="Those of this customer.")] = None
    channel: Annotated[str | None, Field(description="Those of this channel.", max_length=64)] = None
    number: Annotated[str | None, Field(description="The one with this number.", max_length=255)] = None


class IssuedLicense(Answer):
    """A license; its key is in the answer that made it and in no other."""

    license_id: Id
    license_key: str | None
    key_hint: str


class IssuedLicenses(Answer):
    """What was issued: `license_issued`, or `license_already_issued` where the order had its licenses before."""

    code: str
    order_id: Id
    licenses: list[IssuedLicense]


class ShownLine(Answer):
    """A line of an order, and its licenses; `advertised` is what the product's page promised at the sale."""

    product: str
    quantity: int
    kind: str
    beside: int | None
    price: str
    list_price: str | None
    tax: str | None
    coupon: str | None
    months: int | None
    bundle: str | None
    advertised: dict[str, Any] | None
    policy: PolicyNamed
    license_ids: list[Id]


class OrderHead(Answer):
    """An order."""

    id: Id
    channel: str
    number: str
    customer_id: Id
    paid_at: Time
    created_at: Time
    customer_type: str | None
    held_at: Time
    released_at: Time
    refunded_at: Time
    under_review: bool


class ShownReview(Answer):
    """A step of a review: `held`, `released` or `refund_proposed`, and why."""

    kind: str
    at: Time
    code: str
    reason: str


class Order(OrderHead):
    """An order with its lines, and why it was under review."""

    lines: list[ShownLine]
    reviews: list[ShownReview]


class PlacedOrder(Order):
    """An order with its licenses; each key is in the answer that made it and in no other.

    `decision` is what was decided when it was told first; `order_under_review` gives no license yet.
    """

    licenses: list[IssuedLicense]
    decision: Decided | None


class OrderPage(Answer):
    """A page of orders."""

    items: list[OrderHead]
    next: str | None


@endpoints.post(
    "/v1/orders",
    Permission.ORDER_WRITE,
    body=PlaceOrder,
    answer=PlacedOrder,
    command="order add",
    statuses=(201, 200),
    refusals=("not_found", Refusal.ORDER_DIFFERS),
)
async def place_order(call: Call) -> Reply | RefusalAnswer:
    """Record a paid order and issue its licenses; told again it gives the same ones, without their keys."""
    asked = call.asked(PlaceOrder)
    placed = await order.place_order(
        call.services,
        number=asked.number,
        customer_email=asked.customer,
        lines=[line_of(one) for one in asked.lines],
        actor=call.actor,
        channel=asked.channel,
        paid_at=asked.paid_at,
        customer_type=None if asked.customer_type is None else CustomerType(asked.customer_type),
        renews=asked.renews,
        cart_at=asked.cart_at,
        under_review=asked.under_review,
        scope=call.scope,
    )
    return placed if isinstance(placed, RefusalAnswer) else Reply(201 if placed.is_new else 200, placed.shown)


def line_of(asked: OrderLine) -> cart.Line:
    """Return a line as the use cases take it."""
    return cart.Line(
        product=asked.product,
        quantity=asked.quantity,
        price=_money(asked.price),
        kind=LineKind(asked.kind),
        beside=asked.beside,
        list_price=_money(asked.list_price),
        tax=_money(asked.tax),
        coupon=_money(asked.coupon),
        months=asked.months,
    )


def _money(text: str | None) -> Money | None:
    return None if text is None else parse(text)


@endpoints.get("/v1/orders", Permission.ORDER_READ, query=OrderListing, answer=OrderPage, command="order list")
async def list_orders(call: Call) -> Page:
    """List orders; sort by `paid_at` or `created_at`."""
    asked = call.asked(OrderListing)
    return await order.list_orders(
        call.services,
        customer_id=asked.customer_id,
        channel=asked.channel,
        number=asked.number,
        after=asked.after,
        limit=asked.limit,
        sort=asked.sort,
        scope=call.scope,
    )


@endpoints.get(
    "/v1/orders/{order_id}", Permission.ORDER_READ, answer=Order, command="order show", refusals=("not_found",)
)
async def get_order(call: Call) -> Mapping[str, object]:
    """Show one order with its lines and their licenses."""
    return await order.get_order(call.services, call.id("order_id", "order"), scope=call.scope)


@endpoints.post(
    "/v1/licenses",
    Permission.LICENSE_ISSUE,
    body=IssueLicense,
    answer=IssuedLicenses,
    command="license issue",
    statuses=(201, 200),
    refusals=(
        "not_found",
        Refusal.ORDER_UNDER_REVIEW,
        SaleCode.PRODUCT_RETIRED,
        SaleCode.PRODUCT_NOT_ON_SALE,
    ),
)
async def issue_license(call: Call) -> Reply | RefusalAnswer:
    """Issue licenses of one product. Each key is shown once: only a keyed hash of it is stored."""
    asked = call.asked(IssueLicense)
    issued = await licenses.issue(
        call.services,
        product=asked.product,
        customer_email=asked.customer,
        actor=call.actor,
        quantity=asked.quantity,
        order=asked.order,
        scope=call.scope,
    )
    if isinstance(issued, RefusalAnswer):
        return issued
    given = [
        {"license_id": str(one.license_id), "license_key": one.license_key, "key_hint": one.key_hint}
        for one in issued.licenses
    ]
    is_new = any(one.license_key is not None for one in issued.licenses)
    members = {"code": issued.decision_code, "order_id": str(issued.order_id), "licenses": given}
    return Reply(201 if is_new else 200, members)
