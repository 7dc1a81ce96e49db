"""Suspensions of accounts: proposed, agreed to, lifted; a row stays when it is over."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import or_, select

from tillkey_server.store import account_tables, rows

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class SuspensionRow:
    """One suspension; `stops_at` is when a till that runs stops, `until` (exclusive, None: no end) when it is over."""

    id: UUID
    customer_id: UUID
    behavior: str
    severity: str
    fraud: bool
    evidence: str = field(repr=False)
    proposed_at: datetime
    proposed_by: str
    approved_at: datetime | None = None
    approved_by: str | None = None
    stops_at: datetime | None = None
    until: datetime | None = None
    lifted_at: datetime | None = None
    lifted_by: str | None = None


_C = account_tables.account_suspension.c
_SELECT = select(*rows.columns_of(account_tables.account_suspension, SuspensionRow))


async def of_customer(conn: AsyncConnection, customer_id: UUID) -> tuple[SuspensionRow, ...]:
    """Return all of a customer's suspensions, oldest first."""
    return await rows.many(conn, _SELECT.where(_C.customer_id == customer_id).order_by(_C.id), SuspensionRow)


async def live_of(conn: AsyncConnection, customer_id: UUID, now: datetime) -> tuple[SuspensionRow, ...]:
    """Return the customer's suspensions that hold at `now`."""
    statement = _SELECT.where(
        _C.customer_id == customer_id,
        _C.approved_at.is_not(None),
        _C.lifted_at.is_(None),
        or_(_C.until.is_(None), _C.until > now),
    )
    return await rows.many(conn, statement.order_by(_C.id), SuspensionRow)


async def insert(conn: AsyncConnection, row: SuspensionRow) -> None:
    """Insert a suspension, or the proposal of one; lock the customer's row first."""
    await rows.insert(conn, account_tables.account_suspension, row)


async def approve(
    conn: AsyncConnection,
    suspension_id: UUID,
    *,
    at: datetime,
    by: str,
    stops_at: datetime,
    until: datetime | None,
) -> None:
    """Note that a second person agreed; it suspends from then on."""
    statement = account_tables.account_suspension.update().where(_C.id == suspension_id)
    await rows.changed(conn, statement.values(approved_at=at, approved_by=by, stops_at=stops_at, until=until))


async def lift(conn: AsyncConnection, customer_id: UUID, *, at: datetime, by: str) -> None:
    """Lift all of a customer's suspensions that were not lifted."""
    statement = account_tables.account_suspension.update().where(_C.customer_id == customer_id, _C.lifted_at.is_(None))
    await rows.changed(conn, statement.values(lifted_at=at, lifted_by=by))
