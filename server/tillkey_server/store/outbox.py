"""The outbox: effects outside the database, written in the transaction that decides them (law 5).

A row that was rolled back was never there; a row that was committed is delivered at least once by its worker (I19).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from tillkey_server.ids import new_id
from tillkey_server.store import rows, tables

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncConnection

    from tillkey_server.rules.effect import Effect


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """One effect to carry out: what it is, what it is about, and its facts, without anything secret or personal."""

    id: UUID
    kind: str
    subject: str
    payload: Mapping[str, Any]
    created_at: datetime
    done_at: datetime | None = None


_SELECT = select(*rows.columns_of(tables.outbox, OutboxRow))
_C = tables.outbox.c


async def add(tx: AsyncConnection, *, kind: Effect, subject: str, payload: Mapping[str, Any], now: datetime) -> None:
    """Add an effect about the id `subject`; `payload` is JSON-able, and nothing in it is secret or personal."""
    await rows.insert(tx, tables.outbox, OutboxRow(new_id(), kind.value, subject, dict(payload), now))


async def add_each(
    tx: AsyncConnection, *, kind: Effect, subjects: Collection[str], payload: Mapping[str, Any], now: datetime
) -> None:
    """Add the same effect about several ids, in one statement."""
    found = [OutboxRow(new_id(), kind.value, subject, dict(payload), now) for subject in subjects]
    await rows.insert(tx, tables.outbox, *found)


async def waiting(conn: AsyncConnection, limit: int = 100) -> tuple[OutboxRow, ...]:
    """Return up to `limit` effects that are not done, oldest first."""
    return await rows.many(conn, _SELECT.where(_C.done_at.is_(None)).order_by(_C.id).limit(limit), OutboxRow)


async def of_subject(conn: AsyncConnection, subject: str) -> tuple[OutboxRow, ...]:
    """Return every effect about a subject, done or not, oldest first."""
    return await rows.many(conn, _SELECT.where(_C.subject == subject).order_by(_C.id), OutboxRow)
