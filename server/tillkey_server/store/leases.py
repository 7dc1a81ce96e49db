"""Leases: one row per step of a chain, written before the lease is signed (I4).

A `rid` is known by its row here, per installation key; a nonce by its row here, per activation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from tillkey_server.errors import BrokenInvariant
from tillkey_server.store import rows, tables

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class LeaseRow:
    """One step: what was asked by which `rid`, and the lease that answered it.

    `license_key_given` tells an `activate` with the license key from one with a lease; `created` whether the step made
    the activation (201 again on a replay); `minted` how often the lease was signed.
    """

    activation_id: UUID
    seq: int
    jkt: str
    rid: str
    op: str
    license_key_given: bool
    created: bool
    nonce: str
    issued_at: datetime
    soft_exp: datetime
    exp: datetime
    nonce_state: str = "live"
    minted: int = 1


@dataclass(frozen=True, slots=True)
class StillLive:
    """What a till that cannot be reached may still believe: how many leases, and until when the last of them."""

    leases: int
    until: datetime | None


_SELECT = select(*rows.columns_of(tables.lease, LeaseRow))
_C = tables.lease.c


async def insert(conn: AsyncConnection, row: LeaseRow) -> None:
    """Insert a step; IntegrityError (`uq_lease_jkt_rid`) when that key's `rid` made a step before."""
    await rows.insert(conn, tables.lease, row)


async def by_rid(conn: AsyncConnection, jkt: str, rid: str) -> LeaseRow | None:
    """Return the step that an installation key's `rid` made, on whichever activation."""
    return await rows.one(conn, _SELECT.where(_C.jkt == jkt, _C.rid == rid), LeaseRow)


async def by_nonce(conn: AsyncConnection, activation_id: UUID, nonce: str) -> LeaseRow | None:
    """Return the step that issued a nonce of this activation."""
    return await rows.one(conn, _SELECT.where(_C.activation_id == activation_id, _C.nonce == nonce), LeaseRow)


async def by_seq(conn: AsyncConnection, activation_id: UUID, seq: int) -> LeaseRow | None:
    """Return one step of an activation by its number."""
    return await rows.one(conn, _SELECT.where(_C.activation_id == activation_id, _C.seq == seq), LeaseRow)


async def latest_exp_of_license(conn: AsyncConnection, license_id: UUID) -> datetime | None:
    """Return until when full rights may last on a till that cannot be reached: the latest `exp` ever leased (K-12).

    A lease lives until its `exp`, whoever gave it back: a copy of the till's folder knows of no receipt (I2).
    """
    statement = (
        select(func.max(_C.exp, type_=_C.exp.type))
        .join(tables.activation, tables.activation.c.id == _C.activation_id)
        .where(tables.activation.c.license_id == license_id)
    )
    latest: datetime | None = (await conn.execute(statement)).scalar_one()
    return latest


async def still_live(conn: AsyncConnection, license_id: UUID, now: datetime) -> StillLive:
    """Return how many leases of a license have not ended at `now` (X-04), one for each activation that got any.

    One counts also where its activation ended, for the reason of `latest_exp_of_license`.
    """
    statement = (
        select(func.count(_C.activation_id.distinct()), func.max(_C.exp, type_=_C.exp.type))
        .join(tables.activation, tables.activation.c.id == _C.activation_id)
        .where(tables.activation.c.license_id == license_id, _C.exp > now)
    )
    count, until = (await conn.execute(statement)).one()
    return StillLive(count, until)


async def ends_of_license(conn: AsyncConnection, license_id: UUID) -> dict[UUID, datetime]:
    """Return the `exp` of the last lease of each activation that holds the license now, by the activation's id."""
    held, chain = tables.activation.c, tables.chain.c
    statement = (
        select(held.id, _C.exp)
        .join(tables.chain, chain.activation_id == held.id)
        .join(tables.lease, (_C.activation_id == held.id) & (_C.seq == chain.seq))
        .where(held.license_id == license_id, held.ended_at.is_(None))
    )
    return {row.id: row.exp for row in await conn.execute(statement)}


async def set_nonce_state(conn: AsyncConnection, activation_id: UUID, nonce: str, state: str) -> None:
    """Mark an issued nonce as `live`, `tombstone` or `consumed`; lock the chain first.

    Raises BrokenInvariant when the activation never issued it.
    """
    statement = (
        tables.lease.update().where(_C.activation_id == activation_id, _C.nonce == nonce).values(nonce_state=state)
    )
    if await rows.changed(conn, statement) != 1:
        raise BrokenInvariant(f"activation {activation_id} never issued the nonce to be marked {state}")


async def restamp(
    conn: AsyncConnection, activation_id: UUID, seq: int, *, issued_at: datetime, soft_exp: datetime, exp: datetime
) -> int:
    """Rewrite a step's times for a replay, and return how often its lease has been minted with this one.

    This is the write of its own that a replay commits before it answers: the row it found may not have been
    replicated, and can vanish with the primary. Raises BrokenInvariant when there is no such step.
    """
    statement = (
        tables.lease.update()
        .where(_C.activation_id == activation_id, _C.seq == seq)
        .values(issued_at=issued_at, soft_exp=soft_exp, exp=exp, minted=_C.minted + 1)
        .returning(_C.minted)
    )
    minted: int | None = (await conn.execute(statement)).scalar_one_or_none()
    if minted is None:
        raise BrokenInvariant(f"activation {activation_id} has no step {seq} to mint again")
    return minted
