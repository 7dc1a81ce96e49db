"""Chains: the tip of each activation's heartbeats (PROTOCOL section 5).

A step is a compare-and-swap on `seq`, `nonce` and `revision`. Whatever ends or suspends an activation raises
`revision` in its own transaction, so that a heartbeat judged on older facts fails its swap and is judged again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from tillkey_server.store import rows, tables

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class ChainRow:
    """The last step of an activation: its number, the nonce the next beat presents, and the `rid` that made it."""

    activation_id: UUID
    seq: int
    nonce: str
    rid: str
    last_seen_at: datetime
    revision: int = 0


COLUMNS = rows.columns_of(tables.chain, ChainRow)
_SELECT = select(*COLUMNS)
_C = tables.chain.c


async def get(conn: AsyncConnection, activation_id: UUID, *, lock: bool = False) -> ChainRow | None:
    """Return an activation's chain; `lock` its row to judge anything but the plain step (row c)."""
    statement = _SELECT.where(_C.activation_id == activation_id)
    return await rows.one(conn, rows.locked(statement, tables.chain, lock=lock), ChainRow)


async def hold_still(conn: AsyncConnection, license_id: UUID) -> None:
    """Lock the chains of a license's active activations; lock the license first.

    A beat locks no more than its chain. Whoever reads the clock after this has every lease that was committed before
    behind it, so that an end is never recorded as earlier than a lease that came first (I3).
    """
    statement = (
        select(_C.activation_id)
        .join(tables.activation, tables.activation.c.id == _C.activation_id)
        .where(tables.activation.c.license_id == license_id, tables.activation.c.ended_at.is_(None))
        .order_by(_C.activation_id)
    )
    await conn.execute(rows.locked(statement, tables.chain, lock=True))


async def insert(conn: AsyncConnection, row: ChainRow) -> None:
    """Insert the chain of a new activation."""
    await rows.insert(conn, tables.chain, row)


async def advance(
    conn: AsyncConnection, held: ChainRow, *, seq: int, nonce: str, rid: str, last_seen_at: datetime
) -> bool:
    """Take a step from `held`, by compare-and-swap; return whether it was taken.

    In: the chain as it was read; `seq` is one above it, or higher when a lost history is adopted. False says that
    another beat, an end or a suspension came between: read again and judge again.
    """
    statement = (
        tables.chain.update()
        .where(
            _C.activation_id == held.activation_id,
            _C.seq == held.seq,
            _C.nonce == held.nonce,
            _C.revision == held.revision,
        )
        .values(seq=seq, nonce=nonce, rid=rid, last_seen_at=last_seen_at)
    )
    return await rows.changed(conn, statement) == 1


async def heard_of(conn: AsyncConnection, activation_id: UUID, at: datetime) -> None:
    """Note that a till was heard of though its chain took no step: it is suspended, or asks for the same step again."""
    await rows.changed(conn, tables.chain.update().where(_C.activation_id == activation_id).values(last_seen_at=at))


async def bump_revision(conn: AsyncConnection, activation_ids: Collection[UUID]) -> None:
    """Make every heartbeat that was judged on older facts of these activations fail its swap."""
    if activation_ids:
        await rows.changed(
            conn,
            tables.chain.update().where(_C.activation_id.in_(activation_ids)).values(revision=_C.revision + 1),
        )


async def bump_of_license(conn: AsyncConnection, license_id: UUID) -> None:
    """Do the same for the activations that hold a license."""
    held = select(tables.activation.c.id).where(
        tables.activation.c.license_id == license_id, tables.activation.c.ended_at.is_(None)
    )
    await rows.changed(conn, tables.chain.update().where(_C.activation_id.in_(held)).values(revision=_C.revision + 1))
