"""Pauses of a license's clocks while its account was suspended, under terms that pause them (NX-42)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from tillkey_server.store import rows
from tillkey_server.store.term_tables import clock_pause

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class PauseRow:
    """One pause, half-open; `refund_until` is the end of the refund window as no pause had moved it."""

    id: UUID
    license_id: UUID
    starts_at: datetime
    ends_at: datetime | None
    refund_until: datetime | None


_C = clock_pause.c
_SELECT = select(*rows.columns_of(clock_pause, PauseRow))


async def of_license(conn: AsyncConnection, license_id: UUID) -> tuple[PauseRow, ...]:
    """Return a license's pauses, oldest first."""
    return await rows.many(conn, _SELECT.where(_C.license_id == license_id).order_by(_C.starts_at, _C.id), PauseRow)


async def insert(conn: AsyncConnection, row: PauseRow) -> None:
    """Insert a pause; lock its license first, and fold its clocks anew afterwards."""
    await rows.insert(conn, clock_pause, row)


async def set_end(conn: AsyncConnection, pause_id: UUID, ends_at: datetime | None) -> None:
    """Say when a pause ends; None: nobody knows. Fold its license's clocks anew afterwards."""
    await rows.changed(conn, clock_pause.update().where(_C.id == pause_id).values(ends_at=ends_at))
