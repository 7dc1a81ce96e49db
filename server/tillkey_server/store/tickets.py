"""Move tickets: one use each, bound to a license and an environment; only a keyed hash is stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import select

from tillkey_server.store import rows, tables
from tillkey_server.store.paging import Paging, Sort, paged
from tillkey_server.store.scoping import admitted

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncConnection

    from tillkey_server.rules.access import Scope


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
_L = tables.license_.c
SORTS = {
    "created_at": Sort(_C.created_at, lambda row: row.created_at),
    "expires_at": Sort(_C.expires_at, lambda row: row.expires_at),
}


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


async def page(
    conn: AsyncConnection,
    paging: Paging,
    *,
    scope: Scope,
    now: datetime,
    license_id: UUID | None = None,
    status: str | None = None,
) -> tuple[TicketRow, ...]:
    """Return a page of the tickets that are seen and match, and one more; `status` is `open`, `used` or `expired`."""
    statement = _SELECT.join(tables.license_, _L.id == _C.license_id)
    statement = statement.where(*admitted(scope, customer=_L.customer_id, product=_L.product_id))
    if license_id is not None:
        statement = statement.where(_C.license_id == license_id)
    if status is not None:
        unused = _C.used_at.is_(None)
        matching = {
            "open": unused & (_C.expires_at > now),
            "used": ~unused,
            "expired": unused & (_C.expires_at <= now),
        }
        statement = statement.where(matching[status])
    return await rows.many(conn, paged(statement, paging, key=_C.id, sorts=SORTS), TicketRow)
