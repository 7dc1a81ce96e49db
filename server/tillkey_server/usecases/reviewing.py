"""Putting a paid order under review, within the transaction of whoever found the reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.ids import new_id
from tillkey_server.rules.decision import Decision
from tillkey_server.rules.effect import Effect
from tillkey_server.rules.sale import decide_at_payment, decide_review
from tillkey_server.store import audit, orders, outbox, reviews
from tillkey_server.store.licenses import LicenseRow
from tillkey_server.store.orders import OrderRow
from tillkey_server.store.products import ProductRow
from tillkey_server.store.reviews import ReviewRow
from tillkey_server.usecases.services import Services


async def decided_at_payment(
    services: Services, tx: AsyncConnection, found: Decision, sold: ProductRow, now: datetime, *, told: bool = False
) -> Decision:
    """Return what becomes of a paid order: sold; or under review, for the rule's reason or as it was `told`."""
    policy = await services.policies.of(tx, found.policy)
    decided = decide_at_payment(found, policy, now)
    if decided.allowed and told:
        return decide_review(sold.code, "the shop's check", policy, now)
    return decided


async def held_since(tx: AsyncConnection, row: LicenseRow) -> datetime | None:
    """Return since when a license's order is under review (BC-37)."""
    order = await orders.of_line(tx, row.order_line_id)
    return None if order is None else order.held_since


async def put_under_review(tx: AsyncConnection, row: OrderRow, decision: Decision, actor: str) -> OrderRow:
    """Note that an order waits for a person, and why; its row is locked, or new in this transaction."""
    held_at = decision.evaluated_at
    await orders.hold(tx, row.id, held_at)
    reason = str(decision.facts.get("reason", ""))
    note = ReviewRow(new_id(), row.id, "held", held_at, decision.code.value, actor, reason, dict(decision.facts))
    await reviews.insert(tx, note)
    told = replace(decision, facts={**decision.facts, "order": str(row.id)})
    await audit.record(tx, told, actor=actor, action="order_hold")
    payload = {"customer_id": str(row.customer_id), "code": decision.code.value}
    await outbox.add(tx, kind=Effect.ORDER_UNDER_REVIEW, subject=str(row.id), payload=payload, now=held_at)
    return replace(row, held_at=held_at, released_at=None)
