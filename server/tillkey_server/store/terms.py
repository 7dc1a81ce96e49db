"""Support terms: the renewals that were paid for a license, and the early endings of its clocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from tillkey_server.errors import BrokenInvariant
from tillkey_server.store import rows
from tillkey_server.store.tables import license_, order_line, purchase_order, support_ending, support_term
from tillkey_server.store.term_tables import clock_pause

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class TermRow:
    """One paid renewal of a license; `clocks` are the names of those that it extends."""

    id: UUID
    license_id: UUID
    order_line_id: UUID
    months: int
    paid_at: datetime
    clocks: Sequence[str]
    recorded_at: datetime
    refunded_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class EndingRow:
    """One early ending of a license's clocks; one that was withdrawn counts no more."""

    id: UUID
    license_id: UUID
    at: datetime
    clocks: Sequence[str]
    reason: str
    recorded_at: datetime
    withdrawn_at: datetime | None = None


_TERM = select(*rows.columns_of(support_term, TermRow))
_ENDING = select(*rows.columns_of(support_ending, EndingRow))


async def of_license(conn: AsyncConnection, license_id: UUID) -> tuple[TermRow, ...]:
    """Return the paid renewals of a license, refunded ones too, by the time of their payment."""
    statement = _TERM.where(support_term.c.license_id == license_id)
    return await rows.many(conn, statement.order_by(support_term.c.paid_at, support_term.c.id), TermRow)


async def supported_by_owner(conn: AsyncConnection, license_ids: Collection[UUID]) -> dict[UUID, datetime]:
    """Return since when the owners of these licenses pay for support themselves, by renewals not paid back."""
    statement = (
        select(support_term.c.license_id, support_term.c.paid_at, support_term.c.clocks)
        .join(order_line, order_line.c.id == support_term.c.order_line_id)
        .join(purchase_order, purchase_order.c.id == order_line.c.order_id)
        .join(license_, license_.c.id == support_term.c.license_id)
        .where(support_term.c.license_id.in_(license_ids), support_term.c.refunded_at.is_(None))
        .where(purchase_order.c.customer_id == license_.c.customer_id)
        .order_by(support_term.c.paid_at.desc())
    )
    if not license_ids:
        return {}
    return {one: paid_at for one, paid_at, clocks in await conn.execute(statement) if "support" in clocks}


async def of_line(conn: AsyncConnection, line_id: UUID) -> TermRow | None:
    """Return the renewal that an order's line paid for."""
    return await rows.one(conn, _TERM.where(support_term.c.order_line_id == line_id), TermRow)


async def insert(conn: AsyncConnection, row: TermRow) -> None:
    """Insert a renewal; IntegrityError (`uq_support_term_order_line_id`) when that line paid for one before."""
    await rows.insert(conn, support_term, row)


async def set_refunded(conn: AsyncConnection, line_id: UUID, at: datetime | None) -> None:
    """Note that a renewal's line was refunded, or with None that it was not after all; `recompute` afterwards.

    Raises BrokenInvariant where the line paid for no renewal.
    """
    statement = support_term.update().where(support_term.c.order_line_id == line_id).values(refunded_at=at)
    if await rows.changed(conn, statement) != 1:
        raise BrokenInvariant(f"order line {line_id} paid for no renewal")


async def endings_of(conn: AsyncConnection, license_id: UUID) -> tuple[EndingRow, ...]:
    """Return the early endings of a license, withdrawn ones too, by their time."""
    statement = _ENDING.where(support_ending.c.license_id == license_id)
    return await rows.many(conn, statement.order_by(support_ending.c.at, support_ending.c.id), EndingRow)


async def insert_ending(conn: AsyncConnection, row: EndingRow) -> None:
    """Insert an early ending; `recompute` afterwards."""
    await rows.insert(conn, support_ending, row)


async def extended(conn: AsyncConnection, limit: int) -> tuple[UUID, ...]:
    """Return licenses with renewals, early endings or pauses, the newest first."""
    paid, ended, paused = support_term.c.license_id, support_ending.c.license_id, clock_pause.c.license_id
    listed = select(paid.label("id")).union(select(ended), select(paused)).subquery()
    return tuple((await conn.execute(select(listed.c.id).order_by(listed.c.id.desc()).limit(limit))).scalars())


async def withdraw_ending(conn: AsyncConnection, ending_id: UUID, at: datetime) -> None:
    """Note that an early ending counts no more; `recompute` afterwards."""
    statement = support_ending.update().where(support_ending.c.id == ending_id, support_ending.c.withdrawn_at.is_(None))
    await rows.changed(conn, statement.values(withdrawn_at=at))
