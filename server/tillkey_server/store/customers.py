"""Customers: the buyers' records, found by their e-mail address in folded case."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import select

from tillkey_server.errors import BrokenInvariant
from tillkey_server.store import rows, tables

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class CustomerRow:
    """One customer; the address is personal data and stays out of `repr` (I16)."""

    id: UUID
    email: str = field(repr=False)
    email_key: str = field(repr=False)
    created_at: datetime


_SELECT = select(*rows.columns_of(tables.customer, CustomerRow))


async def by_id(conn: AsyncConnection, customer_id: UUID) -> CustomerRow | None:
    """Return the customer of that id."""
    return await rows.one(conn, _SELECT.where(tables.customer.c.id == customer_id), CustomerRow)


async def by_email_key(conn: AsyncConnection, email_key: str) -> CustomerRow | None:
    """Return the customer of that case-folded address."""
    return await rows.one(conn, _SELECT.where(tables.customer.c.email_key == email_key), CustomerRow)


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
