"""Subscriptions: begun, shown, cancelled and taken up again (CJ-23, BC-25).

The server creates what is due (`usecases.renewals_due`) and charges nobody: whoever takes the payments sees what is due
and tells what was paid (`usecases.renewal`). Creating, cancelling and paying each lock the license first, so that one
comes before the other.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.errors import BadInput
from tillkey_server.ids import new_id
from tillkey_server.money import Money
from tillkey_server.rules.access import EVERYTHING, Scope
from tillkey_server.rules.decision import Decision, instant
from tillkey_server.rules.subscription import decide_cancel, decide_next, decide_resume, decide_start, first_due
from tillkey_server.store import audit, subscriptions
from tillkey_server.store.licenses import LicenseRow
from tillkey_server.store.subscriptions import DueRow, SubscriptionRow
from tillkey_server.usecases.renewal_facts import Gathered, gather
from tillkey_server.usecases.seen import license_of
from tillkey_server.usecases.services import Services, settled
from tillkey_server.usecases.subscription_facts import (
    Held,
    held_by,
    held_of,
    held_still,
    paid_until,
    priced,
    quoted,
)

CUSTOMER_WISH = "customer"


@dataclass(frozen=True, slots=True)
class _Wish:
    """What is to begin: periods of so many months, paid by a channel, at a price or that of the terms."""

    months: int
    channel: str
    price: Money | None


async def start_subscription(
    services: Services,
    license_id: UUID,
    *,
    months: int,
    channel: str,
    actor: str,
    price: Money | None = None,
    scope: Scope = EVERYTHING,
) -> Decision:
    """Begin automatic renewals of a license: `price` is that of a period without tax, None the one of the terms.

    Its first period follows what is paid for when it begins. Raises NotFound, and BadInput for a price that is
    missing, or is another one than the terms name.
    """

    async def attempt() -> Decision:
        now = services.clock.now()
        async with services.db.writing() as tx:
            row = await license_of(tx, license_id, scope, lock=True)
            found = await gather(services, tx, row, still=True)
            held = await held_of(tx, row, found.product, found.sold_under)
            decision = decide_start(held.facts, months, found.product.retired_at, held.policy, now)
            if decision.allowed:
                decision = await _begin(services, tx, held, found, decision, _Wish(months, channel, price))
            await audit.record(tx, decision, actor=actor, action="subscription_start", license_id=license_id)
        return decision

    return await settled(attempt)


async def _begin(
    services: Services,
    tx: AsyncConnection,
    held: Held,
    found: Gathered,
    decision: Decision,
    wish: _Wish,
) -> Decision:
    """Insert a subscription, one that is over gives way to it; or return why the first period cannot be renewed."""
    now, months = decision.evaluated_at, wish.months
    started = held.row.clocks_from or found.bought.order.paid_at
    due_at = first_due(paid_until(held.row, held.policy), held.policy.timezone, now).replace(microsecond=0)
    quote = quoted(services, found, months, due_at, now)
    if not quote.allowed:
        return quote
    agreed = priced(quote, wish.price)
    if wish.price is not None and agreed != wish.price:
        raise BadInput("price", f"is {agreed.display()} by the terms: leave it out")
    if held.subscription is not None and held.facts is not None:
        await subscriptions.change(tx, held.subscription.id, {"ended_at": held.facts.ends_at})
    told = (agreed.minor, agreed.currency, wish.channel)
    await subscriptions.insert(tx, SubscriptionRow(new_id(), held.row.id, months, started, *told, 1, due_at, now))
    return replace(decision, facts={**decision.facts, "price": agreed.display(), "next_due_at": instant(due_at)})


async def subscription_shown(services: Services, license_id: UUID, *, scope: Scope = EVERYTHING) -> dict[str, object]:
    """Return the automatic renewals of a license, and what fell due by them, ready for JSON. Raises NotFound."""
    now = services.clock.now()
    async with services.db.reading() as tx:
        row = await license_of(tx, license_id, scope)
        found = await gather(services, tx, row)
        held = await held_of(tx, row, found.product, found.sold_under)
    one = held.subscription
    return {
        "license_id": str(license_id),
        "subscription": None if one is None else _shown(one, held, _next_price(services, found, held, one, now)),
        "renewals": [] if one is None else [_due(services, found, one, due, now) for due in held.renewals],
    }


async def next_renewal(
    services: Services, tx: AsyncConnection, row: LicenseRow, found: Gathered, now: datetime
) -> Decision:
    """Return the next renewal of a license's subscription with its price, for whoever asks within a transaction."""
    held = await held_of(tx, row, found.product, found.sold_under)
    decision = decide_next(held.facts, held.policy, now)
    one = held.subscription
    if one is None or held.facts is None or "due_at" not in decision.facts:
        return decision
    price = _next_price(services, found, held, one, now)
    return replace(decision, facts={**decision.facts, "price": price.display()})


def _next_price(services: Services, found: Gathered, held: Held, one: SubscriptionRow, now: datetime) -> Money:
    """Return what the next renewal costs that is to be paid: the one that fell due, else the one to come."""
    unpaid = next((due for due in held.renewals if due.is_open), None)
    told = None if unpaid is None else _price_due(services, found, one, unpaid, now)
    return told or _price_at(services, found, one, _next_due(one, held), now)


def _next_due(one: SubscriptionRow, held: Held) -> datetime:
    return one.next_due_at if held.facts is None else held.facts.next_due_at


def _price_due(services: Services, found: Gathered, one: SubscriptionRow, due: DueRow, now: datetime) -> Money | None:
    """Return what a renewal costs that fell due: what was told then.

    Where older code kept nothing, one that is to be paid costs what the terms say; of another one it is not known.
    """
    if due.price is None and due.is_open:
        return _price_at(services, found, one, due.due_at, now)
    return due.price


def _price_at(services: Services, found: Gathered, one: SubscriptionRow, at: datetime, now: datetime) -> Money:
    """Return what a period of a subscription costs that falls due at `at`."""
    return priced(quoted(services, found, one.months, at, now), one.agreed)


async def cancel_subscription(
    services: Services, license_id: UUID, *, actor: str, scope: Scope = EVERYTHING
) -> Decision:
    """Cancel automatic renewals with the end of the period that is paid for. Raises NotFound."""
    async with services.db.writing() as tx:
        row = await license_of(tx, license_id, scope, lock=True)
        return await cancel_within(services, tx, row, actor=actor, now=services.clock.now())


async def cancel_within(
    services: Services, tx: AsyncConnection, row: LicenseRow, *, actor: str, now: datetime
) -> Decision:
    """Cancel the automatic renewals of a license, whose row is locked, within a transaction that is another act's."""
    held = await held_still(services, tx, row)
    decision = decide_cancel(held.facts, held.policy, now)
    if decision.allowed and held.subscription is not None:
        await subscriptions.cancel(tx, held.subscription.id, now, CUSTOMER_WISH)
    await audit.record(tx, decision, actor=actor, action="subscription_cancel", license_id=row.id)
    return decision


async def resume_subscription(
    services: Services, license_id: UUID, *, actor: str, scope: Scope = EVERYTHING
) -> Decision:
    """Take up automatic renewals again that were cancelled and are not over. Raises NotFound."""
    async with services.db.writing() as tx:
        held = await held_by(services, tx, license_id, scope)
        decision = decide_resume(held.facts, held.policy, services.clock.now())
        if decision.allowed and held.subscription is not None:
            await subscriptions.change(tx, held.subscription.id, {"cancelled_at": None, "cancel_reason": None})
        await audit.record(tx, decision, actor=actor, action="subscription_resume", license_id=license_id)
    return decision


def _shown(one: SubscriptionRow, held: Held, price: Money) -> dict[str, object]:
    return {
        "id": str(one.id),
        "months": one.months,
        "price": price.display(),
        "channel": one.channel,
        "started_at": instant(one.started_at),
        "next_due_at": instant(_next_due(one, held)),
        "cancelled_at": instant(one.cancelled_at),
        "cancel_reason": one.cancel_reason,
        "notices": [] if held.facts is None else held.facts.notices,
    }


def _due(services: Services, found: Gathered, one: SubscriptionRow, due: DueRow, now: datetime) -> dict[str, object]:
    price = _price_due(services, found, one, due, now)
    return {
        "period": due.period,
        "due_at": instant(due.due_at),
        "price": None if price is None else price.display(),
        "paid": due.order_line_id is not None,
        "dropped_at": instant(due.dropped_at),
    }
