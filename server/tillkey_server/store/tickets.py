"""Move tickets: one use each, bound to a license and an environment; only a keyed hash is stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import select

from tillkey_server.store import rows, tables

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class TicketRow:
    """One ticket. A till's own names its activation and step; an agent's names neither.

    `used_by` is the activation that used it, `issued_by` the till's thumbprint or the agent.
    """

    id: UUID
    license_id: UUID
    environment: str
    ticket_hash: bytes = field(repr=False)
    activation_id: UUID | None
    step_seq: int | None
    created_at: datetime
    expires_at: datetime
    issued_by: str
    used_at: datetime | None = None
    used_by: UUID | None = None


_SELECT = select(*rows.columns_of(tables.move_ticket, TicketRow))
_C = tables.move_ticket.c


async def by_hash(conn: AsyncConnection, ticket_hash: bytes, *, lock: bool = False) -> TicketRow | None:
    """Return the ticket of that keyed hash, used or not."""
    statement = _SELECT.where(_C.ticket_hash == ticket_hash)
    return await rows.one(conn, rows.locked(statement, tables.move_ticket, lock=lock), TicketRow)


async def insert(conn: AsyncConnection, row: TicketRow) -> None:
    """Insert a ticket; IntegrityError (`uq_move_ticket_ticket_hash`) when it exists."""
    await rows.insert(conn, tables.move_ticket, row)


async def insert_if_absent(conn: AsyncConnection, row: TicketRow) -> bool:
    """Insert a ticket unless it exists, as on a replayed `move`; return whether it is new."""
    return await rows.insert_if_absent(conn, tables.move_ticket, row, ("ticket_hash",))


async def use(conn: AsyncConnection, ticket_id: UUID, *, at: datetime, used_by: UUID) -> bool:
    """Use a ticket up; return False when it was used before.

    In: `used_by` may name an activation that is inserted later in the same transaction.
    """
    statement = (
        tables.move_ticket.update().where(_C.id == ticket_id, _C.used_at.is_(None)).values(used_at=at, used_by=used_by)
    )
    return await rows.changed(conn, statement) == 1
