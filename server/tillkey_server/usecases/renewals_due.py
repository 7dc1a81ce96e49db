"""The renewals that fall due by subscriptions, created once for each period by whoever looks first (CJ-23).

Many subscriptions are due and cannot be charged, some of them for ever: they are read, a page at a time, and nothing of
theirs is locked or written. What is to be created is decided again under the license's lock.
"""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from tillkey_server.rules.access import EVERYTHING
from tillkey_server.rules.decision import Decision, instant
from tillkey_server.rules.effect import Effect
from tillkey_server.rules.subscription import decide_due
from tillkey_server.store import audit, outbox, subscriptions
from tillkey_server.store.subscriptions import DueRow, SubscriptionRow
from tillkey_server.usecases.renewal_facts import gather
from tillkey_server.usecases.seen import license_of
from tillkey_server.usecases.services import Services
from tillkey_server.usecases.subscription_facts import facts_of, following, held_of, priced, quoted

SCHEDULER = "system:renewals"
BATCH = 100


async def create_due(services: Services, *, batch: int = BATCH) -> dict[str, int]:
    """Create every renewal that is due, once for each subscription and period; return how many, and how many wait.

    Safe beside itself: the license's lock and the key of the period let one of two workers do it.
    """
    done = {"created": 0, "blocked": 0}
    last: UUID | None = None
    while True:
        now = services.clock.now()
        async with services.db.reading() as tx:
            listed = await subscriptions.due_after(tx, now, last, batch)
            terms = [await services.policies.of(tx, one.license.policy_ref) for one in listed]
        for one, policy in zip(listed, terms, strict=True):
            decision = decide_due(facts_of(one, policy), policy, now)
            if decision is not None and decision.allowed:
                decision = await _create(services, one.subscription)
            if decision is not None:
                done["created" if decision.allowed else "blocked"] += 1
        if len(listed) < batch:
            return done
        last = listed[-1].subscription.id


async def _create(services: Services, listed: SubscriptionRow) -> Decision | None:
    """Create one renewal, if it still is due; return what was decided."""
    async with services.db.writing() as tx:
        row = await license_of(tx, listed.license_id, EVERYTHING, lock=True)
        found = await gather(services, tx, row, still=True)
        held = await held_of(tx, row, found.product, found.sold_under)
        one, now = held.subscription, services.clock.now()
        if one is None or one.id != listed.id or held.facts is None:
            return None
        decision = decide_due(held.facts, held.policy, now)
        if decision is None or not decision.allowed:
            return decision
        due_at = held.facts.next_due_at
        quote = quoted(services, found, one.months, due_at, now)
        if not quote.allowed:
            return quote
        price = priced(quote, one.agreed)
        cost = (None, None, price.minor, price.currency)
        due = DueRow(one.id, held.facts.next_period, due_at, now, *cost)
        if not await subscriptions.create_due(tx, due):
            return None
        after = following(quote, held.policy.timezone)
        await subscriptions.change(tx, one.id, {"next_due_at": after, "next_period": due.period + 1})
        shown = {**decision.facts, "price": price.display(), "next_due_at": instant(after)}
        decision = replace(decision, facts=shown)
        await audit.record(tx, decision, actor=SCHEDULER, action="renewal_due", license_id=row.id)
        told = {
            "subscription_id": str(one.id),
            "period": due.period,
            "due_at": instant(due.due_at),
            "amount_minor": price.minor,
            "currency": price.currency,
            "notices": decision.facts.get("notices", []),
        }
        await outbox.add(tx, kind=Effect.RENEWAL_CREATED, subject=str(row.id), payload=told, now=now)
        return decision
