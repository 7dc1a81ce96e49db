"""The seals of the audit log: the chain's head, what is not sealed yet, and the walk along the chain."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from tillkey_server.store import rows
from tillkey_server.store.access_tables import audit_seal
from tillkey_server.store.audit import AuditRow
from tillkey_server.store.tables import audit_event

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement
    from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class SealRow:
    """One seal: the row of the log that it covers, and the chain's hash up to it."""

    seq: int
    event_id: int
    hash: bytes
    sealed_at: datetime


_S = audit_seal.c
_E = audit_event.c
_SEAL = rows.columns_of(audit_seal, SealRow)
_EVENT = rows.columns_of(audit_event, AuditRow)
_SEAL_WIDTH = len(fields(SealRow))


async def head(conn: AsyncConnection) -> SealRow | None:
    """Return the last seal; None before the first."""
    return await rows.one(conn, select(*_SEAL).order_by(_S.seq.desc()).limit(1), SealRow)


async def highest_event(conn: AsyncConnection) -> int:
    """Return the highest id that is sealed; 0 for none."""
    found: int | None = await conn.scalar(select(func.max(_S.event_id)))
    return found or 0


async def unsealed(conn: AsyncConnection, *, above: int, limit: int) -> tuple[AuditRow, ...]:
    """Return up to `limit` rows with ids above `above` that have no seal, in the order of their ids."""
    statement = select(*_EVENT).where(_E.id > above, _bare()).order_by(_E.id).limit(limit)
    return await rows.many(conn, statement, AuditRow)


async def append(conn: AsyncConnection, seals: Sequence[SealRow]) -> None:
    """Append seals; IntegrityError where a row or a number has one already."""
    await conn.execute(audit_seal.insert(), [rows.values_of(seal) for seal in seals])


async def after(conn: AsyncConnection, seq: int, limit: int) -> tuple[tuple[SealRow, AuditRow | None], ...]:
    """Return up to `limit` seals with numbers above `seq`, each with its row where that is still there.

    Raises ValueError, TypeError or OverflowError where somebody wrote into a row what no server writes.
    """
    joined = audit_seal.outerjoin(audit_event, _E.id == _S.event_id)
    statement = select(*_SEAL, *_EVENT).select_from(joined).where(_S.seq > seq).order_by(_S.seq).limit(limit)
    found = []
    for row in await conn.execute(statement):
        seal, event = row[:_SEAL_WIDTH], row[_SEAL_WIDTH:]
        found.append((SealRow(*seal), None if event[0] is None else AuditRow(*event)))
    return tuple(found)


async def next_ids(conn: AsyncConnection, seq: int) -> tuple[int, int] | None:
    """Return number and row id of the seal after `seq`, without reading the rest of it."""
    found = (await conn.execute(select(_S.seq, _S.event_id).where(_S.seq > seq).order_by(_S.seq).limit(1))).first()
    return None if found is None else (found[0], found[1])


async def count_unsealed(conn: AsyncConnection) -> int:
    """Return how many rows have no seal."""
    return (await conn.execute(select(func.count()).select_from(audit_event).where(_bare()))).scalar_one()


async def first_unsealed(conn: AsyncConnection, *, below: int, before: datetime) -> int | None:
    """Return the lowest id under `below` that has no seal although it was decided before `before`."""
    statement = select(_E.id).where(_E.id < below, _E.at < before, _bare()).order_by(_E.id).limit(1)
    found: int | None = await conn.scalar(statement)
    return found


def _bare() -> ColumnElement[bool]:
    return ~select(_S.seq).where(_S.event_id == _E.id).exists()
