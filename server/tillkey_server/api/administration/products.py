"""Products: what is on sale."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from tillkey_server.api import problems
from tillkey_server.api.administration.endpoint import Call, Endpoints, Reply
from tillkey_server.api.administration.shapes import (
    Answer,
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
from tillkey_server.usecases import catalogue
from tillkey_server.usecases.answers import Conflict
from tillkey_server.usecases.paging import Page

endpoints = Endpoints("products")


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


class Product(Answer):
    """A product."""

    id: Id
    code: str
    name: str
    key_prefix: str
    policy: str
    price: str
    created_at: Time


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
    )
