"""Subscriptions, and the renewals that fell due by them: one for each period (CJ-23)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from tillkey_server.store import rows
from tillkey_server.store.tables import license_, subscription, subscription_renewal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class SubscriptionRow:
    """One subscription of a license; the price is that of each period, in minor units and without tax.

    `started_at` is where its periods are counted from, `next_period` the first whose renewal was not created.
    """

    id: UUID
    license_id: UUID
    months: int
    started_at: datetime
    price_minor: int
    currency: str
    channel: str
    next_period: int
    next_due_at: datetime
    recorded_at: datetime
    cancelled_at: datetime | None = None
    cancel_reason: str | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class DueRow:
    """The renewal of one period: due, then paid by a line of an order or dropped by a cancellation."""

    subscription_id: UUID
    period: int
    due_at: datetime
    recorded_at: datetime
    order_line_id: UUID | None = None
    dropped_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Tell whether it still is to be paid."""
        return self.order_line_id is None and self.dropped_at is None


_SELECT = select(*rows.columns_of(subscription, SubscriptionRow))
_DUE = select(*rows.columns_of(subscription_renewal, DueRow))
_S, _D = subscription.c, subscription_renewal.c


async def open_of(conn: AsyncConnection, license_id: UUID) -> SubscriptionRow | None:
    """Return the subscription of a license that was not ended; lock the license before deciding about it."""
    return await rows.one(conn, _SELECT.where(_S.license_id == license_id, _S.ended_at.is_(None)), SubscriptionRow)


async def due_after(conn: AsyncConnection, now: datetime, last: UUID | None, limit: int) -> tuple[SubscriptionRow, ...]:
    """Return the next subscriptions by id whose renewal is due, none of them cancelled."""
    statement = _SELECT.where(_S.next_due_at <= now, _S.cancelled_at.is_(None), _S.ended_at.is_(None))
    if last is not None:
        statement = statement.where(_S.id > last)
    return await rows.many(conn, statement.order_by(_S.id).limit(limit), SubscriptionRow)


async def running_of_product(conn: AsyncConnection, product_id: UUID) -> tuple[SubscriptionRow, ...]:
    """Return the subscriptions to a product that nobody cancelled, locked."""
    statement = _SELECT.join(license_, license_.c.id == _S.license_id).where(
        license_.c.product_id == product_id, _S.cancelled_at.is_(None), _S.ended_at.is_(None)
    )
    return await rows.many(conn, rows.locked(statement.order_by(_S.id), subscription, lock=True), SubscriptionRow)


async def insert(conn: AsyncConnection, row: SubscriptionRow) -> None:
    """Insert a subscription; IntegrityError (`one_open_subscription_per_license`) where the license has one."""
    await rows.insert(conn, subscription, row)


async def change(conn: AsyncConnection, subscription_id: UUID, values: Mapping[str, object]) -> None:
    """Cancel, resume or end a subscription, or set when its next renewal is due."""
    await rows.changed(conn, subscription.update().where(_S.id == subscription_id).values(dict(values)))


async def cancel_if_running(conn: AsyncConnection, subscription_id: UUID, at: datetime, reason: str) -> bool:
    """Cancel a subscription unless somebody did before; return whether this did."""
    statement = subscription.update().where(_S.id == subscription_id, _S.cancelled_at.is_(None))
    return await rows.changed(conn, statement.values(cancelled_at=at, cancel_reason=reason)) == 1


async def renewals_of(conn: AsyncConnection, subscription_id: UUID) -> tuple[DueRow, ...]:
    """Return what fell due by a subscription, by period."""
    return await rows.many(conn, _DUE.where(_D.subscription_id == subscription_id).order_by(_D.period), DueRow)


async def create_due(conn: AsyncConnection, row: DueRow) -> bool:
    """Insert the renewal of a period unless it is there; return whether it is new. Safe for two at once."""
    return await rows.insert_if_absent(conn, subscription_renewal, row, ("subscription_id", "period"))


async def set_paid(conn: AsyncConnection, row: DueRow, line_id: UUID) -> None:
    """Note by which order's line a renewal was paid."""
    await _write(conn, row, {"order_line_id": line_id})


async def set_dropped(conn: AsyncConnection, row: DueRow, at: datetime) -> None:
    """Note that a renewal is not to be paid any more."""
    await _write(conn, row, {"dropped_at": at})


async def _write(conn: AsyncConnection, row: DueRow, values: Mapping[str, object]) -> None:
    of_row = (_D.subscription_id == row.subscription_id, _D.period == row.period)
    await rows.changed(conn, subscription_renewal.update().where(*of_row).values(dict(values)))
