"""Products: what is sold, each under the terms of one policy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from tillkey_server.store import rows, tables

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class ProductRow:
    """One product; its license keys begin with `key_prefix`, its price is in minor units."""

    id: UUID
    code: str
    name: str
    key_prefix: str
    policy_name: str
    price_minor: int
    currency: str
    created_at: datetime


_SELECT = select(*rows.columns_of(tables.product, ProductRow))


async def by_code(conn: AsyncConnection, code: str) -> ProductRow | None:
    """Return the product of that code."""
    return await rows.one(conn, _SELECT.where(tables.product.c.code == code), ProductRow)


async def by_id(conn: AsyncConnection, product_id: UUID) -> ProductRow | None:
    """Return the product of that id."""
    return await rows.one(conn, _SELECT.where(tables.product.c.id == product_id), ProductRow)


async def everything(conn: AsyncConnection) -> tuple[ProductRow, ...]:
    """Return all products by code; a vendor has few."""
    return await rows.many(conn, _SELECT.order_by(tables.product.c.code), ProductRow)


async def insert(conn: AsyncConnection, row: ProductRow) -> None:
    """Insert a product; IntegrityError (`uq_product_code`) when the code is taken."""
    await rows.insert(conn, tables.product, row)
