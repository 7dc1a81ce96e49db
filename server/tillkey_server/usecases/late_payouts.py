"""Telling, once for each refund, that its payout is late (CJ-30)."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.errors import BrokenInvariant
from tillkey_server.rules.access import EVERYTHING
from tillkey_server.rules.decision import Decision
from tillkey_server.rules.effect import Effect
from tillkey_server.rules.refund_payout import decide_late
from tillkey_server.store import audit, licenses, outbox, refunds
from tillkey_server.store.licenses import LicenseRow
from tillkey_server.usecases.payout_facts import payout_facts
from tillkey_server.usecases.services import Services

WATCH = "job:payouts"
BATCH = 100


async def tell_late_payouts(services: Services, *, batch: int = BATCH) -> int:
    """Tell of every payout that was due and is still to come; return how many were told of now.

    Looks at `batch` refunds at a time, and writes for those alone that are late.
    """
    count, last = 0, None
    while True:
        async with services.db.reading() as tx:
            waiting = await refunds.to_pay(tx, after=last, limit=batch)
            held = await licenses.by_ids(tx, {one.license_id for one in waiting})
            late = [one for one in waiting if await _late(services, tx, one.id, held[one.license_id]) is not None]
        for one in late:
            count += await _tell(services, one.id, one.license_id)
        if len(waiting) < batch:
            return count
        last = waiting[-1].id


async def _late(services: Services, tx: AsyncConnection, refund_id: UUID, held: LicenseRow) -> Decision | None:
    request = await refunds.request_seen(tx, refund_id, EVERYTHING)
    refund = await refunds.of_request(tx, refund_id)
    if request is None or refund is None:
        raise BrokenInvariant(f"refund {refund_id} has no request")
    policy = await services.policies.of(tx, held.policy_ref)
    return decide_late(await payout_facts(tx, request, refund, held), policy, services.clock.now())


async def _tell(services: Services, refund_id: UUID, license_id: UUID) -> bool:
    """Note that a payout is late, unless it was paid or told of meanwhile; return whether this did."""
    async with services.db.writing() as tx:
        held = await licenses.by_id(tx, license_id, lock=True)
        if held is None:
            raise BrokenInvariant(f"refund {refund_id} has no license")
        decision = await _late(services, tx, refund_id, held)
        if decision is None or not await refunds.told_late(tx, refund_id, decision.evaluated_at):
            return False
        named = replace(decision, facts={**decision.facts, "refund_id": str(refund_id)})
        await audit.record(tx, named, actor=WATCH, action="refund_late", license_id=license_id)
        payload = {"refund_id": str(refund_id), "payout_due": decision.facts["payout_due"]}
        kind, at = Effect.REFUND_PAYOUT_LATE, decision.evaluated_at
        await outbox.add(tx, kind=kind, subject=str(license_id), payload=payload, now=at)
    return True
