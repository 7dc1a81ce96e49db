"""What is noticed after a refund: a license that is still used, and products that lost their prerequisite."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.rules.decision import Decision
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.refund_decision import prerequisite_lost, use_after_refund
from tillkey_server.rules.standing import Event, LicenseFacts, Status, advance, decide_change, status_of
from tillkey_server.store import activations, audit, chains, licenses, outbox, products, refunds
from tillkey_server.store.licenses import LicenseRow
from tillkey_server.usecases.services import Services

SYSTEM = "server"
"""Who notices, in the audit log."""
GONE = frozenset({Status.TERMINATED, Status.REVOKED, Status.REFUNDED})
"""The states in which a license is no prerequisite of anything."""


async def notice_use(
    tx: AsyncConnection, facts: LicenseFacts, policy: Policy, now: datetime, activation_id: UUID | None
) -> None:
    """Note, once for each refund, that a refunded license is used after the grace: for a person, and no block (CJ-14).

    The till is refused for the refund itself, whatever is noted here.
    """
    if facts.refunded_at is None:
        return
    decision = use_after_refund(facts.refunded_at, policy, now)
    if decision is None:
        return
    for refund in await refunds.of_license(tx, facts.id):
        if await refunds.seen_used(tx, refund.id, now):
            await _noticed(tx, decision, facts.id, now, activation_id)


async def lose_prerequisite(services: Services, tx: AsyncConnection, lost: LicenseRow, now: datetime) -> None:
    """Tell the owner's licenses that ask for a product of which none is left to him (NX-13).

    Where their terms say so they are suspended, until somebody resumes them.
    """
    sold = await products.by_id(tx, lost.product_id)
    own = await licenses.page(tx, limit=_MOST, customer_id=lost.customer_id)
    if sold is None or any(_still_holds(one, lost, now) for one in own):
        return
    for one in own:
        dependent = await products.by_id(tx, one.product_id)
        asks = dependent is not None and sold.code in (dependent.requires or ())
        if asks and status_of(one.facts, now) not in GONE:
            policy = await services.policies.of(tx, one.policy_ref)
            decision = prerequisite_lost(sold.code, policy, now)
            if decision is not None:
                await _noticed(tx, decision, one.id, now, None)
                if decision.facts["suspends"]:
                    await _suspend(tx, one.id, policy, now)


_MOST = 10_000
"""The licenses of one customer that are looked at; nobody has more."""


def _still_holds(one: LicenseRow, lost: LicenseRow, now: datetime) -> bool:
    return one.id != lost.id and one.product_id == lost.product_id and status_of(one.facts, now) not in GONE


async def _noticed(
    tx: AsyncConnection, decision: Decision, license_id: UUID, now: datetime, activation_id: UUID | None
) -> None:
    code = decision.code.value
    await audit.record(tx, decision, actor=SYSTEM, action=code, license_id=license_id, activation_id=activation_id)
    await outbox.add(tx, kind=code, subject=str(license_id), payload=dict(decision.facts), now=now)


async def _suspend(tx: AsyncConnection, license_id: UUID, policy: Policy, now: datetime) -> None:
    row = await licenses.by_id(tx, license_id, lock=True)
    if row is None:
        return
    await chains.hold_still(tx, row.id)
    decision = decide_change(row.facts, Event.SUSPEND, policy, now)
    if decision.allowed:
        after = advance(row.facts, Event.SUSPEND, now)
        moments = {"suspended_at": after.suspended_at, "suspended_until": after.suspended_until}
        await licenses.set_moments(tx, row.id, moments)
        await chains.bump_revision(tx, [held.id for held in await activations.active_of_license(tx, row.id)])
    await audit.record(tx, decision, actor=SYSTEM, action="license_suspend", license_id=row.id)
