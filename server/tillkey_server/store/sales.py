"""What a buyer holds, as far as buying more depends on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from tillkey_server.store import licenses, rows, tables

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class OwnedRow:
    """A license with its product's code and family, the channel that it was bought by, and the customer who did."""

    license: licenses.LicenseRow
    product_code: str
    family: str | None
    channel: str
    buyer_id: UUID


async def owned(conn: AsyncConnection, customer_id: UUID) -> tuple[OwnedRow, ...]:
    """Return everything that a customer holds, oldest first."""
    license_, line, order = tables.license_.c, tables.order_line.c, tables.purchase_order.c
    statement = (
        select(*licenses.COLUMNS, tables.product.c.code, tables.product.c.family, order.channel, order.customer_id)
        .select_from(tables.license_)
        .join(tables.product, tables.product.c.id == license_.product_id)
        .join(tables.order_line, line.id == license_.order_line_id)
        .join(tables.purchase_order, order.id == line.order_id)
        .where(license_.customer_id == customer_id)
        .order_by(license_.id)
    )
    return await rows.many(conn, statement, lambda *row: OwnedRow(licenses.LicenseRow(*row[:-4]), *row[-4:]))
