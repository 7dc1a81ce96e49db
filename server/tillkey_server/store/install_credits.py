"""Free installations: one for each order line of a core."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from tillkey_server.store import account_tables, rows

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class CreditRow:
    """One free installation; `used_at` is when it was done, or when the request for it was taken."""

    id: UUID
    order_line_id: UUID
    customer_id: UUID
    granted_at: datetime
    used_at: datetime | None = None
    used_by: str | None = None


_C = account_tables.install_credit.c
_SELECT = select(*rows.columns_of(account_tables.install_credit, CreditRow))


async def of_customer(conn: AsyncConnection, customer_id: UUID, *, lock: bool = False) -> tuple[CreditRow, ...]:
    """Return a customer's free installations, oldest first; `lock` them before using one."""
    statement = _SELECT.where(_C.customer_id == customer_id).order_by(_C.id)
    return await rows.many(conn, rows.locked(statement, account_tables.install_credit, lock=lock), CreditRow)


async def of_line(conn: AsyncConnection, order_line_id: UUID, *, lock: bool = False) -> tuple[CreditRow, ...]:
    """Return the free installation of an order's line, if it has one; `lock` it before using it."""
    statement = _SELECT.where(_C.order_line_id == order_line_id)
    return await rows.many(conn, rows.locked(statement, account_tables.install_credit, lock=lock), CreditRow)


async def grant(conn: AsyncConnection, row: CreditRow) -> bool:
    """Insert the free installation of a line unless it has one; return whether it is new."""
    return await rows.insert_if_absent(conn, account_tables.install_credit, row, ("order_line_id",))


async def use(conn: AsyncConnection, credit_id: UUID, *, at: datetime, by: str) -> None:
    """Note that an installation was done or asked for; the row is locked, and is not used or was given back."""
    statement = account_tables.install_credit.update().where(_C.id == credit_id)
    await rows.changed(conn, statement.values(used_at=at, used_by=by))
