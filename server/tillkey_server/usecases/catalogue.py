"""What is sold: products, each under a policy."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy.exc import IntegrityError

from tillkey.wire.errors import WireError
from tillkey.wire.license_key import format_key
from tillkey_server.errors import BadInput, BrokenInvariant
from tillkey_server.ids import new_id
from tillkey_server.money import Money
from tillkey_server.store import products
from tillkey_server.usecases.services import Services

_CODE = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}\Z")
_MAX_NAME = 200

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
    if not name.strip() or len(name) > _MAX_NAME or any(character < " " for character in name):
        raise BadInput("name", f"must be 1 to {_MAX_NAME} characters without control characters")
    if price.minor < 0:
        raise BadInput("price", "must not be negative")
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


_TOLD: Mapping[str, Callable[[products.ProductRow], object]] = {
    "name": lambda row: row.name,
    "key_prefix": lambda row: row.key_prefix,
    "policy": lambda row: row.policy_name,
    "price": lambda row: (row.price_minor, row.currency),
}


async def list_products(services: Services) -> tuple[products.ProductRow, ...]:
    """Return what is on sale, by code."""
    async with services.db.reading() as tx:
        return await products.everything(tx)


async def load_examples(services: Services) -> list[str]:
    """Put the example catalogue on sale, and return its codes; products that are there stay as they are."""
    for code, name, key_prefix, policy, price in EXAMPLES:
        await add_product(services, code=code, name=name, key_prefix=key_prefix, policy=policy, price=price)
    return [code for code, *_ in EXAMPLES]
