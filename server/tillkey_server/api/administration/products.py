"""Products: what is on sale."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from tillkey_server.api import problems
from tillkey_server.api.administration.endpoint import Call, Endpoints, Reply, Returned
from tillkey_server.api.administration.shapes import (
    Answer,
    Decided,
    Id,
    Input,
    Line,
    Listing,
    PolicyName,
    Price,
    ProductCode,
    Time,
)
from tillkey_server.money import parse
from tillkey_server.rules.access import Permission
from tillkey_server.rules.decision import Decision
from tillkey_server.rules.product import ProductKind, ProductState
from tillkey_server.rules.sale import SaleCode
from tillkey_server.usecases import catalogue, product_facts
from tillkey_server.usecases.answers import Conflict, refusal_of, told_of
from tillkey_server.usecases.paging import Page
from tillkey_server.usecases.product_facts import Told

endpoints = Endpoints("products")

Codes = Annotated[list[ProductCode], Field(max_length=50)]


class AddProduct(Input):
    """A product to put on sale."""

    code: ProductCode
    name: Annotated[Line, Field(max_length=200)]
    key_prefix: Annotated[str, Field(pattern=r"^[A-Z0-9]{1,12}$", description="What its license keys begin with.")]
    price: Price
    policy: PolicyName = "default"


class ChangeProduct(Input):
    """What of a product is to be another one from the next sale on; at least one member."""

    name: Annotated[Line | None, Field(max_length=200)] = None
    price: Price | None = None
    policy: PolicyName | None = None
    kind: Annotated[Literal["core", "module"] | None, Field(description="What it is in the catalogue.")] = None
    family: Annotated[ProductCode | None, Field(description="Of which product it is an edition.")] = None
    requires: Annotated[Codes | None, Field(description="The products that a buyer must hold.")] = None
    parts: Annotated[Codes | None, Field(description="What a bundle sells.")] = None
    advertised: Annotated[
        dict[str, Any] | None,
        Field(
            description="What its page promises today: `platform` with `from` and `to`, and `features` as words of "
            "your own, the same for every language; one that any language of the page announces belongs to them."
        ),
    ] = None
    refund_days: Annotated[
        int | None, Field(ge=0, le=30, description="Its own refund window, of what is sold from now on.")
    ] = None


class NoMore(Input):
    """Nothing more is said."""


class ProductStateChanged(Decided):
    """A change of a product's sale that was carried out."""


class Product(Answer):
    """A product."""

    id: Id
    code: str
    name: str
    key_prefix: str
    policy: str
    price: str
    created_at: Time
    kind: str | None
    family: str
    requires: list[str]
    parts: list[str]
    advertised: dict[str, Any] | None
    refund_days: int | None
    offline_at: Time
    retired_at: Time


class ProductPage(Answer):
    """A page of products."""

    items: list[Product]
    next: str | None


@endpoints.get("/v1/products", Permission.PRODUCT_READ, query=Listing, answer=ProductPage, command="product list")
async def list_products(call: Call) -> Page:
    """List what is on sale; sort by `code` or `created_at`."""
    asked = call.asked(Listing)
    return await catalogue.list_products(
        call.services, after=asked.after, limit=asked.limit, sort=asked.sort, scope=call.scope
    )


@endpoints.post(
    "/v1/products",
    Permission.PRODUCT_WRITE,
    body=AddProduct,
    answer=Product,
    command="product add",
    statuses=(201, 200),
    refusals=("not_found", problems.PRODUCT_DIFFERS),
)
async def add_product(call: Call) -> Reply | Conflict:
    """Put a product on sale; one that is there stays as it is, and other values for it are refused."""
    asked = call.asked(AddProduct)
    added = await catalogue.add_product(
        call.services,
        code=asked.code,
        name=asked.name,
        key_prefix=asked.key_prefix,
        policy=asked.policy,
        price=parse(asked.price),
    )
    if added.differing:
        return Conflict(problems.PRODUCT_DIFFERS, catalogue.differing(asked.code, added))
    return Reply(201 if added.is_new else 200, await catalogue.get_product(call.services, asked.code))


@endpoints.get(
    "/v1/products/{product_code}",
    Permission.PRODUCT_READ,
    answer=Product,
    command="product show",
    refusals=("not_found",),
)
async def get_product(call: Call) -> Mapping[str, object]:
    """Show one product."""
    code = call.code("product_code", "product")
    return await catalogue.get_product(call.services, code, scope=call.scope)


@endpoints.patch(
    "/v1/products/{product_code}",
    Permission.PRODUCT_WRITE,
    body=ChangeProduct,
    answer=Product,
    command="product change",
    refusals=("not_found",),
)
async def change_product(call: Call) -> Mapping[str, object]:
    """Give a product another name, price or policy from the next sale on; what was sold keeps its terms."""
    asked = call.asked(ChangeProduct)
    return await catalogue.change_product(
        call.services,
        call.code("product_code", "product"),
        actor=call.actor,
        name=asked.name,
        price=None if asked.price is None else parse(asked.price),
        policy=asked.policy,
        told=Told(
            kind=None if asked.kind is None else ProductKind(asked.kind),
            family=asked.family,
            requires=asked.requires,
            parts=asked.parts,
            advertised=asked.advertised,
            refund_days=asked.refund_days,
        ),
    )


@endpoints.post(
    "/v1/products/{product_code}/offline",
    Permission.PRODUCT_WRITE,
    body=NoMore,
    answer=ProductStateChanged,
    command="product offline",
    refusals=("not_found", SaleCode.PRODUCT_RETIRED),
)
async def take_product_offline(call: Call) -> Returned:
    """Take a product off sale for a time; what was sold goes on in everything."""
    code = call.code("product_code", "product")
    return _told(await product_facts.set_state(call.services, code, ProductState.OFFLINE, actor=call.actor))


@endpoints.post(
    "/v1/products/{product_code}/online",
    Permission.PRODUCT_WRITE,
    body=NoMore,
    answer=ProductStateChanged,
    command="product online",
    refusals=("not_found", SaleCode.PRODUCT_RETIRED),
)
async def put_product_online(call: Call) -> Returned:
    """Put a product on sale again."""
    code = call.code("product_code", "product")
    return _told(await product_facts.set_state(call.services, code, ProductState.ONLINE, actor=call.actor))


@endpoints.post(
    "/v1/products/{product_code}/retire",
    Permission.PRODUCT_WRITE,
    body=NoMore,
    answer=ProductStateChanged,
    command="product retire",
    refusals=("not_found", SaleCode.PRODUCT_RETIRED),
)
async def retire_product(call: Call) -> Returned:
    """End a product's sale for good; what was sold goes on to the end of what was paid."""
    code = call.code("product_code", "product")
    return _told(await product_facts.set_state(call.services, code, ProductState.RETIRE, actor=call.actor))


def _told(decision: Decision) -> Returned:
    return told_of(decision) if decision.allowed else refusal_of(decision)
