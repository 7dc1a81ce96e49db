"""What the retirement of a product does to its subscriptions: each is cancelled, and its customer told (BC-23).

That the product is retired is on record before, and from that instant nothing falls due (`rules.subscription`, sentence
6). The cancellations follow, each in a transaction of its own, so that a product with any number of subscriptions holds
up nobody; where they were interrupted, the next call or the next sweep goes on (ADR 0025).
"""

from __future__ import annotations

from uuid import UUID

from tillkey_server.rules.access import EVERYTHING
from tillkey_server.rules.decision import instant
from tillkey_server.rules.effect import Effect
from tillkey_server.rules.subscription import PRODUCT_RETIRED, decide_retirement
from tillkey_server.store import audit, outbox, subscriptions
from tillkey_server.store.subscriptions import SubscriptionRow
from tillkey_server.usecases.renewals_due import SCHEDULER
from tillkey_server.usecases.services import Services
from tillkey_server.usecases.subscription_facts import held_by

BATCH = 100


async def cancel_of_retired(
    services: Services, product_id: UUID | None = None, *, actor: str = SCHEDULER, batch: int = BATCH
) -> int:
    """Cancel what still runs of retired products, or of one of them, and return how many subscriptions that were.

    Safe beside itself and at any time: what was cancelled before is left.
    """
    count = 0
    last: UUID | None = None
    while True:
        async with services.db.reading() as tx:
            listed = await subscriptions.of_retired(tx, product_id, last, batch)
        for one in listed:
            count += await _cancel(services, one, actor)
        if len(listed) < batch:
            return count
        last = listed[-1].id


async def _cancel(services: Services, listed: SubscriptionRow, actor: str) -> bool:
    """Cancel one subscription, if it still runs; return whether this did."""
    async with services.db.writing() as tx:
        held = await held_by(services, tx, listed.license_id, EVERYTHING)
        one, now = held.subscription, services.clock.now()
        if one is None or one.id != listed.id or held.facts is None:
            return False
        decision = decide_retirement(held.facts, held.policy, now)
        if decision is None:
            return False
        if not await subscriptions.cancel(tx, one.id, now, PRODUCT_RETIRED):
            return False
        await audit.record(tx, decision, actor=actor, action="subscription_cancel", license_id=held.row.id)
        told = {"subscription_id": str(one.id), "ends_at": instant(held.facts.ends_at)}
        await outbox.add(tx, kind=Effect(decision.code.value), subject=str(held.row.id), payload=told, now=now)
    return True
