"""Orders under review: held while somebody checks, released with their keys, or paid back (BC-37)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.errors import BrokenInvariant, NotFound, said_why
from tillkey_server.ids import new_id
from tillkey_server.money import Money
from tillkey_server.rules.access import EVERYTHING, Scope
from tillkey_server.rules.decision import Decision, instant
from tillkey_server.rules.effect import Effect
from tillkey_server.rules.order_refund import OrderFacts, Paid, decide_order_refund
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.sale import decide_overdue, decide_release, decide_review, decide_reviewed
from tillkey_server.rules.sale_policy import ReviewClock
from tillkey_server.store import audit, customers, licenses, orders, outbox, products, reviews
from tillkey_server.store.orders import OrderLineRow, OrderRow, WaitingRow
from tillkey_server.store.reviews import ReviewRow
from tillkey_server.usecases.answers import RefusalAnswer, refusal_of
from tillkey_server.usecases.order import Placed, placed_order
from tillkey_server.usecases.reviewing import put_under_review
from tillkey_server.usecases.services import Services

WATCH = "job:reviews"
BATCH = 100
_PROPOSED = "refund_proposed"


async def hold_order(
    services: Services, order_id: UUID, *, reason: str, actor: str, scope: Scope = EVERYTHING
) -> Decision:
    """Put an order under review: no key is given and no till begins; what runs goes on. Raises NotFound, BadInput."""
    why = said_why(reason)
    async with services.db.writing() as tx:
        row = await _locked(tx, order_id, scope)
        policy, product = await _terms(services, tx, row)
        decision = decide_review(product, why, policy, services.clock.now())
        if row.held_since is None:
            await put_under_review(tx, row, decision, actor)
    return decision


async def release_order(
    services: Services, order_id: UUID, *, reason: str, actor: str, scope: Scope = EVERYTHING
) -> Placed | RefusalAnswer:
    """Release an order and issue its licenses; each key is in this answer alone. Raises NotFound and BadInput."""
    why = said_why(reason)
    async with services.db.writing() as tx:
        row = await _locked(tx, order_id, scope)
        policy, _ = await _terms(services, tx, row)
        now = services.clock.now()
        hold = await licenses.legal_hold_of(tx, row.customer_id)
        decision = decide_release(row.held_since if row.under_review else None, hold, why, policy, now)
        told = replace(decision, facts={**decision.facts, "order": str(row.id)})
        await audit.record(tx, told, actor=actor, action="order_release")
        if not decision.allowed:
            return refusal_of(decision)
        begins = await _begins(tx, row, policy, now)
        await orders.release(tx, row.id, now)
        out = replace(row, released_at=now)
        note = ReviewRow(new_id(), row.id, "released", now, decision.code.value, actor, why, dict(decision.facts))
        await reviews.insert(tx, note)
        payload = {"customer_id": str(row.customer_id), "clocks_from": instant(begins)}
        await outbox.add(tx, kind=Effect.ORDER_RELEASED, subject=str(row.id), payload=payload, now=now)
        customer = await customers.by_id(tx, row.customer_id)
        if customer is None:
            raise BrokenInvariant("an order of no customer")
        return await placed_order(services, tx, out, customer, actor, told, is_new=True, clocks_from=begins)


async def refund_order(
    services: Services, order_id: UUID, *, reason: str, actor: str, scope: Scope = EVERYTHING
) -> Decision:
    """Pay an order back that is under review and gave no license; the shop is told what. Raises NotFound, BadInput."""
    why = said_why(reason)
    async with services.db.writing() as tx:
        row = await _locked(tx, order_id, scope)
        policy, _ = await _terms(services, tx, row)
        now = services.clock.now()
        lines = await orders.lines_of(tx, row.id)
        facts = OrderFacts(
            lines=[_paid(line) for line in lines],
            held_since=row.held_since,
            refunded_at=row.refunded_at,
            licenses=sum([await licenses.count_of_order_line(tx, line.id) for line in lines]),
            legal_hold_at=await licenses.legal_hold_of(tx, row.customer_id),
        )
        decision = decide_order_refund(facts, why, policy, now)
        told = replace(decision, facts={**decision.facts, "order": str(row.id)})
        await audit.record(tx, told, actor=actor, action="order_refund")
        if decision.allowed and row.refunded_at is None:
            await orders.refund(tx, row.id, now)
            payload = {"customer_id": str(row.customer_id), "amounts": decision.facts["amounts"]}
            await outbox.add(tx, kind=Effect.ORDER_REFUNDED, subject=str(row.id), payload=payload, now=now)
    return decision


def _paid(line: OrderLineRow) -> Paid:
    price = Money(line.price_minor * line.quantity, line.currency)
    return Paid(price, line.tax_minor or 0, line.coupon_minor or 0)


async def _begins(tx: AsyncConnection, row: OrderRow, policy: Policy, now: datetime) -> datetime | None:
    """Return from when an order's clocks run instead of its payment, in whole seconds; None: from the payment.

    Where its keys were out before it was held, its clocks had begun.
    """
    if policy.sale is not None and policy.sale.review_clock is ReviewClock.PAYMENT:
        return None
    issued = [await licenses.count_of_order_line(tx, line.id) for line in await orders.lines_of(tx, row.id)]
    return None if any(issued) else now.replace(microsecond=0)


async def propose_refunds(services: Services, *, batch: int = BATCH) -> int:
    """Propose a refund of every order that was under review for too long, once; return how many.

    Looks at `batch` orders at a time, and writes for those alone whose time is over.
    """
    count, now, last = 0, services.clock.now(), None
    while True:
        async with services.db.reading() as tx:
            waiting = await orders.under_review(tx, now, after=last, limit=batch)
            terms = [await services.policies.of(tx, one.policy_ref) for one in waiting]
        for one, policy in zip(waiting, terms, strict=True):
            decision = decide_overdue(one.held_at, policy, now)
            if decision is not None:
                count += await _propose(services, one, decision)
        if len(waiting) < batch:
            return count
        last = waiting[-1]


async def _propose(services: Services, one: WaitingRow, decision: Decision) -> bool:
    """Note that a refund is proposed of an order that still waits; return whether this did."""
    async with services.db.writing() as tx:
        row = await orders.locked(tx, one.id)
        if row is None or row.held_since != one.held_at or row.refunded_at is not None:
            return False
        said = await reviews.of_order(tx, row.id)
        if any(step.kind == _PROPOSED and step.at >= one.held_at for step in said):
            return False
        at = decision.evaluated_at
        note = ReviewRow(new_id(), row.id, _PROPOSED, at, decision.code.value, WATCH, "", dict(decision.facts))
        await reviews.insert(tx, note)
        told = replace(decision, facts={**decision.facts, "order": str(row.id)})
        await audit.record(tx, told, actor=WATCH, action="order_overdue")
        payload = {"customer_id": str(row.customer_id), "held_at": instant(one.held_at)}
        await outbox.add(tx, kind=Effect.ORDER_REFUND_PROPOSED, subject=str(row.id), payload=payload, now=at)
    return True


async def review_of(services: Services, tx: AsyncConnection, order: OrderRow, now: datetime) -> Decision:
    """Return whether an order is under review, for whoever asks within a transaction of its own."""
    policy, _ = await _terms(services, tx, order)
    return decide_reviewed(order.held_since, policy, now)


async def _locked(tx: AsyncConnection, order_id: UUID, scope: Scope) -> OrderRow:
    if await orders.seen(tx, order_id, scope) is None:
        raise NotFound("order", str(order_id))
    row = await orders.locked(tx, order_id)
    if row is None:
        raise BrokenInvariant("an order vanished")
    return row


async def _terms(services: Services, tx: AsyncConnection, row: OrderRow) -> tuple[Policy, str]:
    """Return the terms of an order's first line, and its product's code."""
    lines = await orders.lines_of(tx, row.id)
    if not lines:
        raise BrokenInvariant("an order without lines")
    sold = await products.by_id(tx, lines[0].product_id)
    if sold is None:
        raise BrokenInvariant("a line of no product")
    return await services.policies.of(tx, lines[0].policy_ref), sold.code
