"""Refunds are proposed where support came too late (ZG-09), once for each request, and never carried out by that."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.rules.decision import Decision, instant
from tillkey_server.rules.effect import Effect
from tillkey_server.rules.refund import Verdict
from tillkey_server.rules.refund_proposal import decide_proposal, in_due_form, is_breached, look_again_at
from tillkey_server.rules.support_clock import clocks_of
from tillkey_server.store import audit, licenses, outbox, support
from tillkey_server.store.licenses import LicenseRow
from tillkey_server.usecases.issue_facts import record_of
from tillkey_server.usecases.refund_facts import refund_facts, verdict_on
from tillkey_server.usecases.services import Services
from tillkey_server.usecases.support_views import all_seen, seen_of

WATCH = "job:support"
BATCH = 100


async def propose_for_breaches(services: Services, *, batch: int = BATCH) -> int:
    """Propose a refund for every request that opens one by what came too late; return for how many this did.

    Looks at `batch` requests at a time, and at those alone whose time has come.
    """
    count, now = 0, services.clock.now()
    while True:
        looked_at, breached = await _looked(services, now, batch)
        for request_id in breached:
            count += await _propose(services, request_id, now)
        if looked_at < batch:
            return count


async def _looked(services: Services, now: datetime, batch: int) -> tuple[int, list[UUID]]:
    """Put off what is not breached; return how many were looked at, and the others."""
    async with services.db.writing() as tx:
        found = await support.to_look_at(tx, now, batch)
        later: dict[UUID, datetime] = {}
        breached = []
        for one in await all_seen(tx, found, now):
            clocks = clocks_of(one.record, one.terms, now)
            if one.license is not None and one.license.refunded_at is None and is_breached(clocks, now):
                breached.append(one.row.id)
            else:
                later[one.row.id] = look_again_at(one.record, clocks, now)
        await support.look_later(tx, later)
    return len(found), breached


async def _propose(services: Services, request_id: UUID, now: datetime) -> bool:
    """Propose a refund, if the terms give one and nobody did meanwhile; return whether this did."""
    async with services.db.writing() as tx:
        row = await support.by_id(tx, request_id)
        about = None if row is None else (await record_of(tx, row, now)).license_id
        held = None if about is None else await licenses.by_id(tx, about, lock=True)
        row = await support.by_id(tx, request_id, lock=True)
        if row is None or held is None or row.refund_proposed_at is not None:
            return False
        seen = await seen_of(tx, row, now)
        clocks = clocks_of(seen.record, seen.terms, now)
        await support.look_later(tx, {row.id: look_again_at(seen.record, clocks, now)})
        if not is_breached(clocks, now):
            return False
        policy = await services.policies.of(tx, held.policy_ref)
        facts = await refund_facts(services, tx, held, policy, support_request_id=row.id, now=now)
        verdict = verdict_on(services, facts, in_due_form(now), policy, now)
        decision = decide_proposal(row.id, verdict, now)
        if decision is None:
            return False
        await support.propose_refund(tx, row.id, at=now)
        await _tell(tx, held, row.id, decision, verdict, facts.currency)
    return True


async def _tell(
    tx: AsyncConnection, held: LicenseRow, request_id: UUID, decision: Decision, verdict: Verdict, currency: str
) -> None:
    """Note a proposal, and put it into the outbox."""
    given = verdict.sum
    payload = {
        "license_id": str(held.id),
        "customer_id": str(held.customer_id),
        "code": decision.facts["refund_code"],
        "clauses": list(decision.clauses),
        "amount_minor": 0 if given is None else given.minor + given.tax_minor,
        "currency": currency,
        "proposed_at": instant(decision.evaluated_at),
    }
    kind, now = Effect.REFUND_PROPOSED, decision.evaluated_at
    await outbox.add(tx, kind=kind, subject=str(request_id), payload=payload, now=now)
    await audit.record(tx, decision, actor=WATCH, action="support_overdue", license_id=held.id)
