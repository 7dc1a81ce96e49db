"""Orders and their lines: what was paid for, under which version of the terms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import and_, exists, func, or_, select

from tillkey_server.rules.policy import PolicyRef
from tillkey_server.store import account_tables, rows, tables
from tillkey_server.store.paging import Paging, Sort, paged
from tillkey_server.store.scoping import orders_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncConnection

    from tillkey_server.rules.access import Scope


@dataclass(frozen=True, slots=True)
class OrderRow:
    """One paid order, named by its sales channel's own number; `held_at` to `released_at` it is under review.

    `refunded_at` is when all of it was paid back instead: it gives no key ever.
    """

    id: UUID
    channel: str
    external_id: str
    customer_id: UUID
    paid_at: datetime
    created_at: datetime
    customer_type: str | None = None
    held_at: datetime | None = None
    released_at: datetime | None = None
    refunded_at: datetime | None = None

    @property
    def held_since(self) -> datetime | None:
        """Return since when neither keys nor new activations come of it (BC-37), also once it is paid back."""
        return self.held_at if self.released_at is None else None

    @property
    def under_review(self) -> bool:
        """Tell whether it waits for a person."""
        return self.held_since is not None and self.refunded_at is None


@dataclass(frozen=True, slots=True)
class OrderLineRow:
    """One line of an order; `position` counts from 0, prices are per piece in minor units and without tax.

    `kind` None is a product with its licenses. `beside` is the position of the line that an add-on was bought beside.
    `list_price_minor` is the price without discounts, `tax_minor` the tax of the whole line, `advertised` what the
    product's page promised on the day; None where nobody told. `refund_days` is the product's own refund window on the
    day; None: it had none, or older code sold it. `term_months` is how long the support lasts that was
    chosen, or for how long a renewal was paid. `bundle` is the code of the bundle that it was sold as a
    part of, `bundle_line` which of the told lines that was. `coupon_minor` is what of the whole line's price was paid
    with a gift card or a coupon that is worth money.
    """

    id: UUID
    order_id: UUID
    position: int
    product_id: UUID
    quantity: int
    price_minor: int
    currency: str
    policy_name: str
    policy_version: int
    kind: str | None = None
    beside: int | None = None
    list_price_minor: int | None = None
    tax_minor: int | None = None
    advertised: Mapping[str, object] | None = None
    refund_days: int | None = None
    term_months: int | None = None
    bundle: str | None = None
    bundle_line: int | None = None
    coupon_minor: int | None = None

    @property
    def policy_ref(self) -> PolicyRef:
        """Return which version of the terms it was sold under."""
        return PolicyRef(self.policy_name, self.policy_version)


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """An order under review since `held_at`, and the terms of its first line."""

    id: UUID
    held_at: datetime
    policy_name: str
    policy_version: int

    @property
    def policy_ref(self) -> PolicyRef:
        """Return which version of the terms decides about its review."""
        return PolicyRef(self.policy_name, self.policy_version)


SORTS = {
    "paid_at": Sort(tables.purchase_order.c.paid_at, lambda row: row.paid_at),
    "created_at": Sort(tables.purchase_order.c.created_at, lambda row: row.created_at),
}
_ORDER = select(*rows.columns_of(tables.purchase_order, OrderRow))
_LINE = select(*rows.columns_of(tables.order_line, OrderLineRow))


async def by_id(conn: AsyncConnection, order_id: UUID) -> OrderRow | None:
    """Return the order of that id."""
    return await rows.one(conn, _ORDER.where(tables.purchase_order.c.id == order_id), OrderRow)


async def seen(conn: AsyncConnection, order_id: UUID, scope: Scope) -> OrderRow | None:
    """Return the order of that id if a caller sees it."""
    return await rows.one(conn, _ORDER.where(tables.purchase_order.c.id == order_id, orders_of(scope)), OrderRow)


async def page(
    conn: AsyncConnection,
    paging: Paging,
    scope: Scope,
    *,
    customer_id: UUID | None = None,
    channel: str | None = None,
    number: str | None = None,
) -> tuple[OrderRow, ...]:
    """Return a page of the orders that a caller sees, and one more; narrowed by what is given."""
    order = tables.purchase_order.c
    statement = _ORDER.where(orders_of(scope))
    for column, wanted in ((order.customer_id, customer_id), (order.channel, channel), (order.external_id, number)):
        if wanted is not None:
            statement = statement.where(column == wanted)
    return await rows.many(conn, paged(statement, paging, key=order.id, sorts=SORTS), OrderRow)


async def by_external(conn: AsyncConnection, channel: str, external_id: str, *, lock: bool = False) -> OrderRow | None:
    """Return the order that a sales channel knows by that number."""
    table = tables.purchase_order
    statement = _ORDER.where(table.c.channel == channel, table.c.external_id == external_id)
    return await rows.one(conn, rows.locked(statement, table, lock=lock), OrderRow)


async def of_line(conn: AsyncConnection, line_id: UUID) -> OrderRow | None:
    """Return the order that a line belongs to."""
    table = tables.order_line
    statement = _ORDER.join(table, table.c.order_id == tables.purchase_order.c.id).where(table.c.id == line_id)
    return await rows.one(conn, statement, OrderRow)


async def locked(conn: AsyncConnection, order_id: UUID) -> OrderRow | None:
    """Return the order of that id, locked."""
    statement = _ORDER.where(tables.purchase_order.c.id == order_id)
    return await rows.one(conn, rows.locked(statement, tables.purchase_order, lock=True), OrderRow)


async def hold(conn: AsyncConnection, order_id: UUID, at: datetime) -> None:
    """Put an order under review; lock its row first. What put it there before is in its reviews."""
    await _review(conn, order_id, {"held_at": at, "released_at": None})


async def release(conn: AsyncConnection, order_id: UUID, at: datetime) -> None:
    """Note that an order is under review no more; lock its row first. Since when it was stays on record."""
    await _review(conn, order_id, {"released_at": at})


async def refund(conn: AsyncConnection, order_id: UUID, at: datetime) -> None:
    """Note that an order that is under review was paid back; lock its row first."""
    await _review(conn, order_id, {"refunded_at": at})


async def _review(conn: AsyncConnection, order_id: UUID, moments: Mapping[str, datetime | None]) -> None:
    statement = tables.purchase_order.update().where(tables.purchase_order.c.id == order_id)
    await rows.changed(conn, statement.values(dict(moments)))


async def under_review(
    conn: AsyncConnection, before: datetime, *, after: WaitingRow | None, limit: int
) -> tuple[WaitingRow, ...]:
    """Return orders under review since before an instant, oldest first and behind `after`.

    Without those for which a refund was proposed since they are.
    """
    order, line, step = tables.purchase_order.c, tables.order_line.c, account_tables.order_review.c
    proposed = exists().where(step.order_id == order.id, step.kind == "refund_proposed", step.at >= order.held_at)
    statement = (
        select(order.id, order.held_at, line.policy_name, line.policy_version)
        .join(tables.order_line, and_(line.order_id == order.id, line.position == 0))
        .where(order.held_at < before, order.released_at.is_(None), order.refunded_at.is_(None), ~proposed)
    )
    if after is not None:
        same = and_(order.held_at == after.held_at, order.id > after.id)
        statement = statement.where(or_(order.held_at > after.held_at, same))
    return await rows.many(conn, statement.order_by(order.held_at, order.id).limit(limit), WaitingRow)


async def waiting_of(conn: AsyncConnection, customer_id: UUID) -> int:
    """Return how many orders of a customer's are under review."""
    order = tables.purchase_order.c
    ended = order.released_at.is_(None) & order.refunded_at.is_(None)
    waits = (order.customer_id == customer_id, order.held_at.is_not(None), ended)
    return int((await conn.execute(select(func.count()).where(*waits))).scalar_one())


async def insert(conn: AsyncConnection, row: OrderRow) -> None:
    """Insert an order; IntegrityError (`uq_purchase_order_channel_external_id`) when the channel sent it before."""
    await rows.insert(conn, tables.purchase_order, row)


async def insert_if_absent(conn: AsyncConnection, row: OrderRow) -> bool:
    """Insert an order unless the channel sent it before; return whether it is new. Safe for two at once."""
    return await rows.insert_if_absent(conn, tables.purchase_order, row, ("channel", "external_id"))


async def insert_line(conn: AsyncConnection, row: OrderLineRow) -> None:
    """Insert a line of an order; its policy version must be recorded."""
    await rows.insert(conn, tables.order_line, row)


async def line(conn: AsyncConnection, line_id: UUID, *, lock: bool = False) -> OrderLineRow | None:
    """Return one line; `lock` it before issuing its licenses (NX-01)."""
    statement = _LINE.where(tables.order_line.c.id == line_id)
    return await rows.one(conn, rows.locked(statement, tables.order_line, lock=lock), OrderLineRow)


async def lines_of(conn: AsyncConnection, order_id: UUID) -> tuple[OrderLineRow, ...]:
    """Return an order's lines by position."""
    statement = _LINE.where(tables.order_line.c.order_id == order_id).order_by(tables.order_line.c.position)
    return await rows.many(conn, statement, OrderLineRow)


async def with_lines(conn: AsyncConnection, line_ids: Collection[UUID]) -> dict[UUID, tuple[OrderRow, OrderLineRow]]:
    """Return lines by their id, each with its order."""
    lines = await rows.many(conn, _LINE.where(tables.order_line.c.id.in_(line_ids)), OrderLineRow)
    wanted = _ORDER.where(tables.purchase_order.c.id.in_({one.order_id for one in lines}))
    found = {one.id: one for one in await rows.many(conn, wanted, OrderRow)}
    return {one.id: (found[one.order_id], one) for one in lines}
