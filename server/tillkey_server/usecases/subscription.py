"""Subscriptions: begun, cancelled, taken up again, and the renewals that fall due by them (CJ-23, BC-25).

The server creates what is due and charges nobody: whoever takes the payments sees what is due and tells what was paid
(`usecases.renewal`). Creating, cancelling and paying each lock the license first, so that one comes before the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.errors import BadInput
from tillkey_server.ids import new_id
from tillkey_server.money import Money
from tillkey_server.rules.access import EVERYTHING, Scope
from tillkey_server.rules.decision import Decision, Outcome, instant
from tillkey_server.rules.effect import Effect
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.renewal import Asked
from tillkey_server.rules.subscription import (
    PRODUCT_RETIRED,
    SubscriptionFacts,
    decide_cancel,
    decide_due,
    decide_next,
    decide_resume,
    decide_retirement,
    decide_start,
    period_start,
)
from tillkey_server.rules.term_policy import Clock
from tillkey_server.store import audit, licenses, outbox, subscriptions
from tillkey_server.store.licenses import LicenseRow
from tillkey_server.store.subscriptions import DueRow, SubscriptionRow
from tillkey_server.usecases.holds import legal_hold_of
from tillkey_server.usecases.renewal_facts import Gathered, gather, governed
from tillkey_server.usecases.seen import license_of
from tillkey_server.usecases.services import Services, settled

SCHEDULER = "system:renewals"
BATCH = 100
CUSTOMER_WISH = "customer"


@dataclass(frozen=True, slots=True)
class _Held:
    """A license with its subscription, if any, and what decides about it."""

    row: LicenseRow
    found: Gathered
    subscription: SubscriptionRow | None
    facts: SubscriptionFacts | None
    renewals: tuple[DueRow, ...]

    @property
    def policy(self) -> Policy:
        return self.found.sold_under


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

    Its periods are counted from where the license's clocks began. Raises NotFound, and BadInput for a missing price.
    """

    async def attempt() -> Decision:
        now = services.clock.now()
        async with services.db.writing() as tx:
            held = await _held(services, tx, license_id, scope, lock=True)
            decision = decide_start(held.facts, months, held.policy, now)
            if decision.allowed and not (quote := _quote(services, held, months, now, now)).allowed:
                decision = quote
            if decision.allowed:
                agreed = price or _price(quote, None)
                row = await _begin(tx, held, months, agreed, channel, now)
                shown = {**decision.facts, "price": agreed.display(), "next_due_at": instant(row.next_due_at)}
                decision = replace(decision, facts=shown)
            await audit.record(tx, decision, actor=actor, action="subscription_start", license_id=license_id)
        return decision

    return await settled(attempt)


async def subscription_shown(services: Services, license_id: UUID, *, scope: Scope = EVERYTHING) -> dict[str, object]:
    """Return the automatic renewals of a license, and what fell due by them, ready for JSON. Raises NotFound."""
    async with services.db.reading() as tx:
        held = await _held(services, tx, license_id, scope)
    one = held.subscription
    shown: Mapping[str, object] = {} if one is None else _shown(one)
    return {
        "license_id": str(license_id),
        "subscription": dict(shown) or None,
        "renewals": [_due(due) for due in held.renewals],
    }


async def next_renewal(
    services: Services, tx: AsyncConnection, row: LicenseRow, found: Gathered, now: datetime
) -> Decision:
    """Return the next renewal of a license's subscription with its price, for whoever asks within a transaction."""
    held = await _held_of(tx, row, found)
    decision = decide_next(held.facts, held.policy, now)
    if held.subscription is None or held.facts is None or "due_at" not in decision.facts:
        return decision
    one, due_at = held.subscription, held.facts.ends_at
    price = _price(_quote(services, held, one.months, due_at, now), Money(one.price_minor, one.currency))
    return replace(decision, facts={**decision.facts, "price": price.display()})


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
    held = await _held_of(tx, row, await gather(services, tx, row, lock=True))
    decision = decide_cancel(held.facts, held.policy, now)
    if decision.allowed and held.subscription is not None:
        await subscriptions.cancel_if_running(tx, held.subscription.id, now, CUSTOMER_WISH)
        await _drop(tx, held.renewals, now)
    await audit.record(tx, decision, actor=actor, action="subscription_cancel", license_id=row.id)
    return decision


async def resume_subscription(
    services: Services, license_id: UUID, *, actor: str, scope: Scope = EVERYTHING
) -> Decision:
    """Take up automatic renewals again that were cancelled and are not over. Raises NotFound."""
    async with services.db.writing() as tx:
        held = await _held(services, tx, license_id, scope, lock=True)
        decision = decide_resume(held.facts, held.policy, services.clock.now())
        if decision.allowed and held.subscription is not None:
            await subscriptions.change(tx, held.subscription.id, {"cancelled_at": None, "cancel_reason": None})
        await audit.record(tx, decision, actor=actor, action="subscription_resume", license_id=license_id)
    return decision


async def create_due(services: Services) -> dict[str, int]:
    """Create every renewal that is due, once for each subscription and period; return how many, and how many wait.

    Safe beside itself: the license's lock and the key of the period let one of two workers do it.
    """
    done = {"created": 0, "blocked": 0}
    last: UUID | None = None
    while True:
        async with services.db.reading() as tx:
            listed = await subscriptions.due_after(tx, services.clock.now(), last, BATCH)
        for one in listed:
            decision = await _create(services, one)
            if decision is not None:
                done["created" if decision.allowed else "blocked"] += 1
        if len(listed) < BATCH:
            return done
        last = listed[-1].id


async def cancel_of_product(
    services: Services, tx: AsyncConnection, product_id: UUID, *, actor: str, now: datetime
) -> int:
    """Cancel all subscriptions to a product that is retired in this transaction, and return how many (BC-23).

    The product's row is locked and retired already, so that no renewal is created meanwhile. Each customer is told.
    """
    cancelled = 0
    for one in await subscriptions.running_of_product(tx, product_id):
        row = await licenses.by_id(tx, one.license_id)
        if row is None:
            continue
        held = await _held_of(tx, row, await gather(services, tx, row))
        if held.facts is None:
            continue
        decision = decide_retirement(held.facts, held.policy, now)
        if decision is not None and await subscriptions.cancel_if_running(tx, one.id, now, PRODUCT_RETIRED):
            await _drop(tx, held.renewals, now)
            await audit.record(tx, decision, actor=actor, action="subscription_cancel", license_id=row.id)
            told = {"subscription_id": str(one.id), "ends_at": instant(held.facts.ends_at)}
            kind = Effect(decision.code.value)
            await outbox.add(tx, kind=kind, subject=str(row.id), payload=told, now=now)
            cancelled += 1
    return cancelled


async def _create(services: Services, listed: SubscriptionRow) -> Decision | None:
    """Create one renewal, if it still is due; return what was decided."""
    async with services.db.writing() as tx:
        held = await _held(services, tx, listed.license_id, EVERYTHING, lock=True)
        one, now = held.subscription, services.clock.now()
        if one is None or one.id != listed.id or held.facts is None:
            return None
        decision = decide_due(held.facts, held.policy, now)
        if decision is None or decision.outcome is not Outcome.ALLOW:
            return decision
        due = DueRow(one.id, held.facts.next_period, one.next_due_at, now)
        if not await subscriptions.create_due(tx, due):
            return None
        zone = held.policy.timezone
        following = period_start(one.started_at, one.months, due.period + 1, zone)
        await subscriptions.change(tx, one.id, {"next_due_at": following, "next_period": due.period + 1})
        price = _price(_quote(services, held, one.months, due.due_at, now), Money(one.price_minor, one.currency))
        shown = {**decision.facts, "price": price.display(), "next_due_at": instant(following)}
        decision = replace(decision, facts=shown)
        await audit.record(tx, decision, actor=SCHEDULER, action="renewal_due", license_id=held.row.id)
        told = {
            "subscription_id": str(one.id),
            "period": due.period,
            "due_at": instant(due.due_at),
            "amount_minor": price.minor,
            "currency": price.currency,
            "notices": decision.facts.get("notices", []),
        }
        await outbox.add(tx, kind=Effect.RENEWAL_CREATED, subject=str(held.row.id), payload=told, now=now)
        return decision


async def _held(
    services: Services, tx: AsyncConnection, license_id: UUID, scope: Scope, *, lock: bool = False
) -> _Held:
    row = await license_of(tx, license_id, scope, lock=lock)
    return await _held_of(tx, row, await gather(services, tx, row, lock=lock))


async def _held_of(tx: AsyncConnection, row: LicenseRow, found: Gathered) -> _Held:
    one = await subscriptions.open_of(tx, row.id)
    if one is None:
        return _Held(row, found, None, None, ())
    renewals = await subscriptions.renewals_of(tx, one.id)
    unpaid = next((due.due_at for due in renewals if due.order_line_id is None), None)
    facts = SubscriptionFacts(
        license=row.facts,
        months=one.months,
        next_period=one.next_period,
        next_due_at=one.next_due_at,
        cancelled_at=one.cancelled_at,
        cancel_reason=one.cancel_reason,
        unpaid_since=unpaid,
        access_until=_access(row, found.sold_under),
        offline_at=found.product.offline_at,
        retired_at=found.product.retired_at,
        held_since=await legal_hold_of(tx, row.customer_id),
    )
    return _Held(row, found, one, facts, renewals)


async def _begin(
    tx: AsyncConnection, held: _Held, months: int, price: Money, channel: str, now: datetime
) -> SubscriptionRow:
    """Insert a subscription; one that is over gives way to it."""
    if held.subscription is not None and held.facts is not None:
        await subscriptions.change(tx, held.subscription.id, {"ended_at": held.facts.ends_at})
    started = held.row.clocks_from or held.found.bought.order.paid_at
    zone = held.policy.timezone
    # What begins later than the purchase is due with the first period that has not begun yet.
    later = (period for period in count(1) if period_start(started, months, period, zone) > now)
    period = next(later)
    due = period_start(started, months, period, zone)
    agreed = (price.minor, price.currency, channel)
    row = SubscriptionRow(new_id(), held.row.id, months, started, *agreed, period, due, now)
    await subscriptions.insert(tx, row)
    return row


async def _drop(tx: AsyncConnection, renewals: Sequence[DueRow], now: datetime) -> None:
    for due in renewals:
        if due.is_open:
            await subscriptions.set_dropped(tx, due, now)


def _quote(services: Services, held: _Held, months: int, at: datetime, now: datetime) -> Decision:
    """Return what a renewal would be that is paid on the day on which it is due."""
    return governed(services, held.found, Asked(at, months), now)[1]


def _price(quote: Decision, agreed: Money | None) -> Money:
    """Return what a period costs: by the terms where they name a price (BC-33), else what was agreed."""
    minor = quote.facts.get("price_minor")
    if isinstance(minor, int):
        return Money(minor, str(quote.facts["currency"]))
    if agreed is None:
        raise BadInput("price", "is needed: the terms of the license name none")
    return agreed


def _access(row: LicenseRow, policy: Policy) -> datetime | None:
    """Return the end of what is paid for: of the first clock that a renewal extends."""
    clock = Clock.USE if policy.renewal is None else policy.renewal.extends[0]
    return {Clock.USE: row.use_until, Clock.UPDATES: row.updates_until, Clock.SUPPORT: row.support_until}[clock]


def _shown(one: SubscriptionRow) -> dict[str, object]:
    return {
        "id": str(one.id),
        "months": one.months,
        "price": Money(one.price_minor, one.currency).display(),
        "channel": one.channel,
        "started_at": instant(one.started_at),
        "next_due_at": instant(one.next_due_at),
        "cancelled_at": instant(one.cancelled_at),
        "cancel_reason": one.cancel_reason,
    }


def _due(due: DueRow) -> dict[str, object]:
    return {
        "period": due.period,
        "due_at": instant(due.due_at),
        "paid": due.order_line_id is not None,
        "dropped_at": instant(due.dropped_at),
    }
