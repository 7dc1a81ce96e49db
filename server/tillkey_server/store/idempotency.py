"""Idempotency keys: which request came under each, who works on it, and what was answered."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import and_, select

from tillkey_server.store import rows
from tillkey_server.store.access_tables import idempotency

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement
    from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class IdempotencyRow:
    """One key of one owner; `done_at`, `status` and `answer` are there once the work has committed."""

    owner: str
    key_hash: bytes = field(repr=False)
    request_hash: bytes = field(repr=False)
    claim: str = field(repr=False)
    claimed_at: datetime
    done_at: datetime | None = None
    status: int | None = None
    answer: bytes | None = field(default=None, repr=False)


_C = idempotency.c


async def claim(conn: AsyncConnection, row: IdempotencyRow) -> bool:
    """Take a key that is new; return False where it is known. Safe for two at once: one of them takes it."""
    return await rows.insert_if_absent(conn, idempotency, row, ("owner", "key_hash"))


async def get(conn: AsyncConnection, owner: str, key_hash: bytes) -> IdempotencyRow | None:
    """Return what is known of a key."""
    statement = select(*rows.columns_of(idempotency, IdempotencyRow))
    found = statement.where(_C.owner == owner, _C.key_hash == key_hash)
    return await rows.one(conn, found, IdempotencyRow)


async def take_over(conn: AsyncConnection, known: IdempotencyRow, *, claim: str, at: datetime) -> bool:
    """Take a key from an attempt that died; return False where that attempt or another was faster."""
    mine = and_(_mine(known), _C.done_at.is_(None))
    return bool(await rows.changed(conn, idempotency.update().where(mine).values(claim=claim, claimed_at=at)))


async def finish(conn: AsyncConnection, row: IdempotencyRow, *, status: int, answer: bytes, at: datetime) -> bool:
    """Record the answer of the attempt that holds the key; return False where it was taken over meanwhile."""
    mine = and_(_mine(row), _C.done_at.is_(None))
    statement = idempotency.update().where(mine).values(status=status, answer=answer, done_at=at)
    return bool(await rows.changed(conn, statement))


async def touch(conn: AsyncConnection, known: IdempotencyRow) -> None:
    """Write a row as it stands: what is answered from it must be on disk wherever this write is."""
    await conn.execute(idempotency.update().where(_mine(known)).values(status=known.status))


async def forget(conn: AsyncConnection, row: IdempotencyRow) -> None:
    """Give a key back whose work came to nothing, so that the same request can be sent again."""
    await conn.execute(idempotency.delete().where(_mine(row), _C.done_at.is_(None)))


def _mine(row: IdempotencyRow) -> ColumnElement[bool]:
    return and_(_C.owner == row.owner, _C.key_hash == row.key_hash, _C.claim == row.claim)
