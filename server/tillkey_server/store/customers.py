"""Customers: the buyers' records, found by their e-mail address in folded case."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import select

from tillkey_server.errors import BrokenInvariant
from tillkey_server.store import rows, tables
from tillkey_server.store.paging import Paging, Sort, paged
from tillkey_server.store.scoping import customers_of

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncConnection

    from tillkey_server.rules.access import Scope


@dataclass(frozen=True, slots=True)
class CustomerRow:
    """One customer; the address is personal data and stays out of `repr` (I16).

    `readdressed_at` is when it got another one; None: never.
    """

    id: UUID
    email: str = field(repr=False)
    email_key: str = field(repr=False)
    created_at: datetime
    readdressed_at: datetime | None = None


_SELECT = select(*rows.columns_of(tables.customer, CustomerRow))
SORTS = {
    "created_at": Sort(tables.customer.c.created_at, lambda row: row.created_at),
    "email": Sort(tables.customer.c.email_key, lambda row: row.email_key),
}


async def by_id(conn: AsyncConnection, customer_id: UUID) -> CustomerRow | None:
    """Return the customer of that id."""
    return await rows.one(conn, _SELECT.where(tables.customer.c.id == customer_id), CustomerRow)


async def by_email_key(conn: AsyncConnection, email_key: str) -> CustomerRow | None:
    """Return the customer of that case-folded address."""
    return await rows.one(conn, _SELECT.where(tables.customer.c.email_key == email_key), CustomerRow)


async def seen(conn: AsyncConnection, customer_id: UUID, scope: Scope, *, lock: bool = False) -> CustomerRow | None:
    """Return the customer of that id if a caller sees it; `lock` its row before changing it."""
    statement = _SELECT.where(tables.customer.c.id == customer_id, customers_of(scope, tables.customer.c.id))
    return await rows.one(conn, rows.locked(statement, tables.customer, lock=lock), CustomerRow)


async def page(
    conn: AsyncConnection, paging: Paging, scope: Scope, *, email_key: str | None = None
) -> tuple[CustomerRow, ...]:
    """Return a page of the customers that a caller sees, and one more; of one address where it is given."""
    statement = _SELECT.where(customers_of(scope, tables.customer.c.id))
    if email_key is not None:
        statement = statement.where(tables.customer.c.email_key == email_key)
    return await rows.many(conn, paged(statement, paging, key=tables.customer.c.id, sorts=SORTS), CustomerRow)


async def readdress(
    conn: AsyncConnection, customer_id: UUID, *, email: str, email_key: str, at: datetime | None
) -> None:
    """Give a customer another address, which is its own since `at`; None: since it is known.

    IntegrityError (`uq_customer_email_key`) when somebody has it.
    """
    statement = tables.customer.update().where(tables.customer.c.id == customer_id)
    await conn.execute(statement.values(email=email, email_key=email_key, readdressed_at=at))


async def insert(conn: AsyncConnection, row: CustomerRow) -> None:
    """Insert a customer; IntegrityError (`uq_customer_email_key`) when the address is known."""
    await rows.insert(conn, tables.customer, row)


async def ensure(conn: AsyncConnection, row: CustomerRow) -> CustomerRow:
    """Return the customer of that address, inserting `row` if there is none; safe for two at once."""
    await rows.insert_if_absent(conn, tables.customer, row, ("email_key",))
    known = await by_email_key(conn, row.email_key)
    if known is None:
        raise BrokenInvariant("a customer vanished within one transaction")
    return known
