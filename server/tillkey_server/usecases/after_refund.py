"""What is noticed after a refund: that a license is still used."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.rules.decision import Decision
from tillkey_server.rules.effect import Effect
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.refund_decision import use_after_refund
from tillkey_server.rules.standing import LicenseFacts
from tillkey_server.store import audit, outbox, refunds

SYSTEM = "server"
"""Who notices, in the audit log."""


async def notice_use(
    tx: AsyncConnection, facts: LicenseFacts, policy: Policy, now: datetime, activation_id: UUID | None
) -> None:
    """Note that a refunded license is used after the grace: for a person, told once for each refund, no block (CJ-14).

    It is too from the moment on at which it was stated that every copy is destroyed (CJ-13).
    Each further use is counted on the refund: one call of a forgotten copy is another matter than a month of them.
    The till is refused for the refund itself, whatever is noted here.
    """
    if facts.refunded_at is None:
        return
    decision = use_after_refund(facts.refunded_at, policy, now, await refunds.attested_at(tx, facts.id))
    if decision is None:
        return
    if await refunds.seen_used(tx, facts.id, now):
        await _noticed(tx, decision, facts.id, now, activation_id)


async def _noticed(
    tx: AsyncConnection, decision: Decision, license_id: UUID, now: datetime, activation_id: UUID | None
) -> None:
    code = decision.code.value
    await audit.record(tx, decision, actor=SYSTEM, action=code, license_id=license_id, activation_id=activation_id)
    await outbox.add(tx, kind=Effect.USE_AFTER_REFUND, subject=str(license_id), payload=dict(decision.facts), now=now)
