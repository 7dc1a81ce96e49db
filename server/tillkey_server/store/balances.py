"""Balances: a ledger of entries that are only ever added; a balance is their sum, for each currency by itself (I7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from tillkey_server.store import rows, tables

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class EntryRow:
    """One entry: what came (positive) or went (negative), in minor units; `reference` names what moved it."""

    id: UUID
    customer_id: UUID
    currency: str
    amount_minor: int
    kind: str
    reference: str
    at: datetime
    actor: str


_SELECT = select(*rows.columns_of(tables.balance_entry, EntryRow))
_C = tables.balance_entry.c


async def add(conn: AsyncConnection, row: EntryRow) -> None:
    """Add an entry; IntegrityError (`uq_balance_entry_kind_reference`) for one that is there.

    Whoever takes money away locks the customer's row before reading the sum.
    """
    await rows.insert(conn, tables.balance_entry, row)


async def by_reference(conn: AsyncConnection, kind: str, reference: str) -> EntryRow | None:
    """Return the entry of a kind about a reference."""
    return await rows.one(conn, _SELECT.where(_C.kind == kind, _C.reference == reference), EntryRow)


async def sums(conn: AsyncConnection, customer_id: UUID) -> dict[str, int]:
    """Return the balance of each currency in which there ever was an entry."""
    statement = (
        select(_C.currency, func.sum(_C.amount_minor))
        .where(_C.customer_id == customer_id)
        .group_by(_C.currency)
        .order_by(_C.currency)
    )
    return {currency: int(total) for currency, total in await conn.execute(statement)}


async def entries_of(conn: AsyncConnection, customer_id: UUID, limit: int = 200) -> tuple[EntryRow, ...]:
    """Return a customer's newest entries, the newest first."""
    statement = _SELECT.where(_C.customer_id == customer_id).order_by(_C.id.desc()).limit(limit)
    return await rows.many(conn, statement, EntryRow)
