"""Subscriptions, and the renewals that fell due by them: one for each period (CJ-23)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import exists, select

from tillkey_server.money import Money
from tillkey_server.store import licenses, rows
from tillkey_server.store.tables import license_, product, subscription, subscription_renewal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Select
    from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class SubscriptionRow:
    """One subscription of a license; the price is that of each period, in minor units and without tax.

    `started_at` is where the license's clocks began, `next_period` the first whose renewal was not created.
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

    @property
    def agreed(self) -> Money:
        """Return the price that was told when it began."""
        return Money(self.price_minor, self.currency)


@dataclass(frozen=True, slots=True)
class StandingRow:
    """A subscription with what may stop its next renewal: its license, its product's moments, its customer's hold."""

    subscription: SubscriptionRow
    license: licenses.LicenseRow
    offline_at: datetime | None
    retired_at: datetime | None
    held_since: datetime | None


@dataclass(frozen=True, slots=True)
class DueRow:
    """The renewal of one period: due, then paid by a line of an order or dropped by a cancellation."""

    subscription_id: UUID
    period: int
    due_at: datetime
    recorded_at: datetime
    order_line_id: UUID | None = None
    dropped_at: datetime | None = None
    price_minor: int | None = None
    currency: str | None = None

    @property
    def price(self) -> Money | None:
        """Return what was told that it costs, without tax; rows of older code do not say."""
        if self.price_minor is None or self.currency is None:
            return None
        return Money(self.price_minor, self.currency)

    @property
    def is_open(self) -> bool:
        """Tell whether it still is to be paid."""
        return self.order_line_id is None and self.dropped_at is None


_COLUMNS = rows.columns_of(subscription, SubscriptionRow)
_SELECT = select(*_COLUMNS)
_DUE = select(*rows.columns_of(subscription_renewal, DueRow))
_S, _D = subscription.c, subscription_renewal.c
_RUNNING = (
    select(
        *_COLUMNS,
        *licenses.COLUMNS,
        product.c.offline_at,
        product.c.retired_at,
        licenses.held_since(license_.c.customer_id),
    )
    .select_from(subscription)
    .join(license_, license_.c.id == _S.license_id)
    .join(product, product.c.id == license_.c.product_id)
    .where(_S.cancelled_at.is_(None), _S.ended_at.is_(None))
)
"""Subscriptions that nobody cancelled or ended."""


async def open_of(conn: AsyncConnection, license_id: UUID) -> SubscriptionRow | None:
    """Return the subscription of a license that was not ended; lock the license before deciding about it."""
    return await rows.one(conn, _SELECT.where(_S.license_id == license_id, _S.ended_at.is_(None)), SubscriptionRow)


async def due_after(conn: AsyncConnection, now: datetime, last: UUID | None, limit: int) -> tuple[StandingRow, ...]:
    """Return the next subscriptions by id whose renewal is due, with what may stop it.

    None of them cancelled, of a retired product, or with a renewal that is not paid yet.
    """
    unpaid = exists().where(_D.subscription_id == _S.id, _D.order_line_id.is_(None))
    due = _after(_RUNNING.where(_S.next_due_at <= now, product.c.retired_at.is_(None), ~unpaid), last, limit)
    split = len(_COLUMNS)
    return await rows.many(
        conn,
        due,
        lambda *row: StandingRow(
            SubscriptionRow(*row[:split]), licenses.LicenseRow(*row[split:-3]), row[-3], row[-2], row[-1]
        ),
    )


async def of_retired(
    conn: AsyncConnection, product_id: UUID | None, last: UUID | None, limit: int
) -> tuple[SubscriptionRow, ...]:
    """Return the next subscriptions by id that nobody cancelled though their product, or `product_id`, is retired."""
    statement = _RUNNING.with_only_columns(*_COLUMNS).where(product.c.retired_at.is_not(None))
    if product_id is not None:
        statement = statement.where(product.c.id == product_id)
    return await rows.many(conn, _after(statement, last, limit), SubscriptionRow)


def _after(statement: Select[Any], last: UUID | None, limit: int) -> Select[Any]:
    """Return one page of subscriptions by id."""
    return (statement if last is None else statement.where(_S.id > last)).order_by(_S.id).limit(limit)


async def insert(conn: AsyncConnection, row: SubscriptionRow) -> None:
    """Insert a subscription; IntegrityError (`one_open_subscription_per_license`) where the license has one."""
    await rows.insert(conn, subscription, row)


async def change(conn: AsyncConnection, subscription_id: UUID, values: Mapping[str, object]) -> None:
    """Resume or end a subscription, or set when its next renewal is due."""
    await rows.changed(conn, subscription.update().where(_S.id == subscription_id).values(dict(values)))


async def cancel(conn: AsyncConnection, subscription_id: UUID, at: datetime, reason: str) -> bool:
    """Cancel a subscription unless somebody did before, and drop what fell due unpaid; tell whether this did."""
    statement = subscription.update().where(_S.id == subscription_id, _S.cancelled_at.is_(None))
    if await rows.changed(conn, statement.values(cancelled_at=at, cancel_reason=reason)) == 0:
        return False
    still_open = (_D.subscription_id == subscription_id, _D.order_line_id.is_(None), _D.dropped_at.is_(None))
    await rows.changed(conn, subscription_renewal.update().where(*still_open).values(dropped_at=at))
    return True


async def renewals_of(conn: AsyncConnection, subscription_id: UUID) -> tuple[DueRow, ...]:
    """Return what fell due by a subscription, by period."""
    return await rows.many(conn, _DUE.where(_D.subscription_id == subscription_id).order_by(_D.period), DueRow)


async def create_due(conn: AsyncConnection, row: DueRow) -> bool:
    """Insert the renewal of a period unless it is there; return whether it is new. Safe for two at once."""
    return await rows.insert_if_absent(conn, subscription_renewal, row, ("subscription_id", "period"))


async def set_paid(conn: AsyncConnection, row: DueRow, line_id: UUID) -> None:
    """Note by which order's line a renewal was paid."""
    of_row = (_D.subscription_id == row.subscription_id, _D.period == row.period)
    await rows.changed(conn, subscription_renewal.update().where(*of_row).values(order_line_id=line_id))
