"""Products: what is sold, each under the terms of one policy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from tillkey_server.store import rows, tables
from tillkey_server.store.paging import Paging, Sort, paged

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncConnection

    from tillkey_server.rules.access import Scope


@dataclass(frozen=True, slots=True)
class ProductRow:
    """One product; its license keys begin with `key_prefix`, its price is in minor units.

    `kind` None is a product like any other; `family` None stands for its own code (CJ-05). `requires` are the codes
    of products that a buyer must hold (NX-10), `parts` those of a bundle (BC-21), `advertised` is what its page
    promises today, `refund_days` its own refund window where the vendor gives each product one (CJ-01).
    """

    id: UUID
    code: str
    name: str
    key_prefix: str
    policy_name: str
    price_minor: int
    currency: str
    created_at: datetime
    kind: str | None = None
    family: str | None = None
    requires: Sequence[str] | None = None
    parts: Sequence[str] | None = None
    advertised: Mapping[str, object] | None = None
    refund_days: int | None = None
    offline_at: datetime | None = None
    retired_at: datetime | None = None


_SELECT = select(*rows.columns_of(tables.product, ProductRow))
SORTS = {
    "code": Sort(tables.product.c.code, lambda row: row.code),
    "created_at": Sort(tables.product.c.created_at, lambda row: row.created_at),
}


async def by_code(conn: AsyncConnection, code: str) -> ProductRow | None:
    """Return the product of that code."""
    return await rows.one(conn, _SELECT.where(tables.product.c.code == code), ProductRow)


async def by_id(conn: AsyncConnection, product_id: UUID, *, still: bool = False) -> ProductRow | None:
    """Return the product of that id; `still`: nobody changes or retires it before the transaction ends."""
    statement = _SELECT.where(tables.product.c.id == product_id)
    return await rows.one(conn, rows.unchanged(statement, tables.product) if still else statement, ProductRow)


async def by_ids(conn: AsyncConnection, product_ids: Collection[UUID]) -> dict[UUID, ProductRow]:
    """Return those of these products that are there, by their ids."""
    if not product_ids:
        return {}
    found = await rows.many(conn, _SELECT.where(tables.product.c.id.in_(product_ids)), ProductRow)
    return {row.id: row for row in found}


async def page(conn: AsyncConnection, paging: Paging, scope: Scope) -> tuple[ProductRow, ...]:
    """Return a page of the products that a caller sees, and one more."""
    statement = _SELECT
    if scope.products is not None:
        statement = statement.where(tables.product.c.id.in_(scope.products))
    return await rows.many(conn, paged(statement, paging, key=tables.product.c.id, sorts=SORTS), ProductRow)


async def all_of(conn: AsyncConnection, *, lock: bool = False) -> tuple[ProductRow, ...]:
    """Return every product by code; `lock` them before changing what they say of each other."""
    statement = _SELECT.order_by(tables.product.c.code)
    return await rows.many(conn, rows.locked(statement, tables.product, lock=lock), ProductRow)


async def change(conn: AsyncConnection, product_id: UUID, values: Mapping[str, object]) -> None:
    """Give a product another name, price or policy; what was sold before is not touched."""
    await conn.execute(tables.product.update().where(tables.product.c.id == product_id).values(dict(values)))


async def insert(conn: AsyncConnection, row: ProductRow) -> None:
    """Insert a product; IntegrityError (`uq_product_code`) when the code is taken."""
    await rows.insert(conn, tables.product, row)
