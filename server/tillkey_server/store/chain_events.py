"""Chain events: forks, switches, adopted histories and conflicts, as facts for the suspicion of clones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from tillkey_server.store import rows, tables

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class ChainEventRow:
    """One event at step `seq`; `kind` is of `tables.CHAIN_EVENTS`."""

    id: UUID
    activation_id: UUID
    license_id: UUID
    kind: str
    at: datetime
    seq: int
    detail: str


_SELECT = select(*rows.columns_of(tables.chain_event, ChainEventRow))
_C = tables.chain_event.c


async def insert(conn: AsyncConnection, row: ChainEventRow) -> None:
    """Insert an event."""
    await rows.insert(conn, tables.chain_event, row)


async def of_activation(
    conn: AsyncConnection, activation_id: UUID, *, since: datetime | None = None
) -> tuple[ChainEventRow, ...]:
    """Return an activation's events from `since` on, oldest first."""
    statement = _SELECT.where(_C.activation_id == activation_id).order_by(_C.at, _C.id)
    if since is not None:
        statement = statement.where(_C.at >= since)
    return await rows.many(conn, statement, ChainEventRow)


async def of_license(conn: AsyncConnection, license_id: UUID) -> tuple[ChainEventRow, ...]:
    """Return the events of all activations of a license, oldest first."""
    statement = _SELECT.where(_C.license_id == license_id).order_by(_C.at, _C.id)
    return await rows.many(conn, statement, ChainEventRow)
