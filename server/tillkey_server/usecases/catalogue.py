"""What is sold: products, each under a policy."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey.wire.errors import WireError
from tillkey.wire.license_key import format_key
from tillkey_server.errors import BadInput, BrokenInvariant, NotFound
from tillkey_server.ids import new_id
from tillkey_server.money import Money
from tillkey_server.rules.access import EVERYTHING, Scope
from tillkey_server.rules.decision import Grant, Outcome, instant
from tillkey_server.store import audit, products
from tillkey_server.usecases.paging import DEFAULT_LIMIT, Page, page_of, paging_of
from tillkey_server.usecases.product_facts import Told, check_links
from tillkey_server.usecases.services import Services

NOTHING_TOLD = Told()
_CODE = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}\Z")
_MAX_NAME = 200
_MAX_PRICE = 2**53

EXAMPLES: tuple[tuple[str, str, str, str, Money], ...] = (
    ("pos-core", "Point of sale, core", "POS", "default", Money(14900, "EUR")),
    ("pos-loyalty", "Loyalty cards for the point of sale", "LOY", "default", Money(4900, "EUR")),
    ("nexopos-multistore", "Multi-store extension", "NXP", "nexopos", Money(7900, "USD")),
    ("01generator-price-import", "Price import add-on", "ZGN", "01generator", Money(5999, "EUR")),
    ("crmjetty-customer-portal", "Customer portal, yearly", "CRJ", "crmjetty", Money(89900, "USD")),
    ("netposa-terminal", "Video terminal software", "NTP", "netposa", Money(499900, "CNY")),
    ("prestashop-click-collect", "Click and collect add-on", "PSC", "prestashop-care", Money(12999, "EUR")),
)
"""The example catalogue: code, name, key prefix, policy, price. One product for each example policy."""


@dataclass(frozen=True, slots=True)
class Added:
    """Whether a product is new, and which fields of one that was there differ from what was asked for."""

    is_new: bool
    differing: tuple[str, ...] = ()


async def add_product(services: Services, *, code: str, name: str, key_prefix: str, policy: str, price: Money) -> Added:
    """Put a product on sale; one that is there stays as it is.

    Raises BadInput, naming the field, and NotFound for the policy.
    """
    if not _CODE.match(code):
        raise BadInput("code", "must be 1 to 64 of a-z, 0-9, dot, dash, underscore")
    _check(name, price)
    try:
        format_key(key_prefix, bytes)
    except WireError as error:
        raise BadInput("key_prefix", error.detail) from error
    services.policies.offered(policy)
    row = products.ProductRow(
        id=new_id(),
        code=code,
        name=name.strip(),
        key_prefix=key_prefix,
        policy_name=policy,
        price_minor=price.minor,
        currency=price.currency,
        created_at=services.clock.now(),
    )
    try:
        async with services.db.writing() as tx:
            held = await products.by_code(tx, code)
            if held is None:
                await products.insert(tx, row)
                return Added(is_new=True)
    except IntegrityError:
        async with services.db.reading() as tx:
            held = await products.by_code(tx, code)
    if held is None:
        raise BrokenInvariant(f"product {code} is there and is not")
    return Added(is_new=False, differing=tuple(name for name, of in _TOLD.items() if of(held) != of(row)))


def differing(code: str, added: Added) -> str:
    """Return the sentence that tells in what a product differs from the one that was asked for."""
    return f"{code} is on sale with other values for: {', '.join(added.differing)}."


_TOLD: Mapping[str, Callable[[products.ProductRow], object]] = {
    "name": lambda row: row.name,
    "key_prefix": lambda row: row.key_prefix,
    "policy": lambda row: row.policy_name,
    "price": lambda row: (row.price_minor, row.currency),
}


async def list_products(
    services: Services,
    *,
    after: str | None = None,
    limit: int = DEFAULT_LIMIT,
    sort: str | None = None,
    scope: Scope = EVERYTHING,
) -> Page:
    """Return a page of what is on sale. Raises BadInput."""
    paging = paging_of(after=after, limit=limit, sort=sort, sorts=products.SORTS)
    async with services.db.reading() as tx:
        found = await products.page(tx, paging, scope)
    return page_of(found, paging, show=shown, key=lambda row: row.id, sorts=products.SORTS)


async def get_product(services: Services, code: str, *, scope: Scope = EVERYTHING) -> dict[str, object]:
    """Return one product. Raises NotFound."""
    async with services.db.reading() as tx:
        return shown(await _seen(tx, code, scope))


async def change_product(
    services: Services,
    code: str,
    *,
    actor: str,
    name: str | None = None,
    price: Money | None = None,
    policy: str | None = None,
    told: Told = NOTHING_TOLD,
) -> dict[str, object]:
    """Give a product another name, price, policy or facts, from the next sale on: what was sold keeps its terms (K-09).

    Raises NotFound for the product or the policy, BadInput, naming the field.
    """
    _check(name, price)
    if policy is not None:
        services.policies.offered(policy)
    named = {
        "name": None if name is None else name.strip(),
        "price_minor": None if price is None else price.minor,
        "currency": None if price is None else price.currency,
        "policy_name": policy,
    }
    values = {column: value for column, value in named.items() if value is not None} | told.values()
    if not values:
        raise BadInput("name", "give a name, a price, a policy or a fact to change")
    async with services.db.writing() as tx:
        row = await _seen(tx, code, EVERYTHING)
        await check_links(tx, code, told)
        await products.change(tx, row.id, values)
        await audit.append(
            tx,
            at=services.clock.now(),
            actor=actor,
            action="product_change",
            outcome=Outcome.ALLOW.value,
            code=Grant.PRODUCT_CHANGED.value,
            clauses=("K-09",),
            facts={"product": code, **values},
        )
        return shown(await _seen(tx, code, EVERYTHING))


def shown(row: products.ProductRow) -> dict[str, object]:
    """Return a product as people see it."""
    return {
        "id": str(row.id),
        "code": row.code,
        "name": row.name,
        "key_prefix": row.key_prefix,
        "policy": row.policy_name,
        "price": Money(row.price_minor, row.currency).display(),
        "created_at": instant(row.created_at),
        "kind": row.kind,
        "family": row.family or row.code,
        "requires": list(row.requires or ()),
        "parts": list(row.parts or ()),
        "advertised": None if row.advertised is None else dict(row.advertised),
        "refund_days": row.refund_days,
        "offline_at": instant(row.offline_at),
        "retired_at": instant(row.retired_at),
    }


async def _seen(tx: AsyncConnection, code: str, scope: Scope) -> products.ProductRow:
    row = await products.by_code(tx, code)
    if row is None or not scope.admits_product(row.id):
        raise NotFound("product", code)
    return row


def _check(name: str | None, price: Money | None) -> None:
    if name is not None and (not name.strip() or len(name) > _MAX_NAME or not name.isprintable()):
        raise BadInput("name", f"must be 1 to {_MAX_NAME} characters without control characters")
    if price is not None:
        check_price(price, "price")


def check_price(price: Money, field: str) -> None:
    """Raise BadInput, naming the field, for what no price can be."""
    if not 0 <= price.minor <= _MAX_PRICE:
        raise BadInput(field, "must not be negative, nor more than a database holds")


async def load_examples(services: Services) -> list[str]:
    """Put the example catalogue on sale, and return its codes; products that are there stay as they are."""
    for code, name, key_prefix, policy, price in EXAMPLES:
        await add_product(services, code=code, name=name, key_prefix=key_prefix, policy=policy, price=price)
    return [code for code, *_ in EXAMPLES]
