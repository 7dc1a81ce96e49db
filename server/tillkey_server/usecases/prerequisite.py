"""What becomes of extensions when what they require is lost, and when that is undone (NX-13, NX-36).

Whoever revokes or refunds a license calls `lock_with_dependents` before it locks it, and `after_loss` in the same
transaction, after it wrote that; whoever undoes a refund does the same with `after_return`. Two who end the last two
prerequisites at once thus come one after the other: the second sees what the first wrote, and neither waits for a
license with a lower id than one that it holds.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.rules.access import Scope
from tillkey_server.rules.effect import Effect
from tillkey_server.rules.sale import decide_loss, decide_return, satisfied_by
from tillkey_server.rules.standing import Event, advance, decide_change
from tillkey_server.store import audit, chains, licenses, outbox, products, sales
from tillkey_server.store.licenses import LicenseRow
from tillkey_server.store.products import ProductRow
from tillkey_server.usecases.sale import held_of
from tillkey_server.usecases.seen import license_of
from tillkey_server.usecases.services import Services


async def lock_with_dependents(tx: AsyncConnection, license_id: UUID, scope: Scope) -> None:
    """Lock a license and, by id, those of its customer's that require its product. Raises NotFound."""
    row = await license_of(tx, license_id, scope)
    rows = {one.id: one for one in await products.all_of(tx)}
    names = _names(rows[row.product_id])
    owned = await licenses.of_customer(tx, row.customer_id)
    needing = [one.id for one in owned if names & set(rows[one.product_id].requires or ())]
    await licenses.lock_all(tx, {row.id, *needing})


async def after_loss(services: Services, tx: AsyncConnection, lost: LicenseRow, now: datetime, *, actor: str) -> int:
    """Tell every extension of the customer's whose last prerequisite `lost` was, and suspend it by its terms.

    Returns how many there are. Whatever else holds the prerequisite keeps it.
    """
    rows = {row.id: row for row in await products.all_of(tx)}
    product = rows[lost.product_id]
    names = _names(product)
    owned = await sales.owned(tx, lost.customer_id)
    held = tuple(held_of(one, now) for one in owned)
    gone = {name for name in names if not satisfied_by(name, held)}
    dependents = [
        one.license
        for one, facts in zip(owned, held, strict=True)
        if facts.alive and gone & set(rows[one.license.product_id].requires or ())
    ]
    for row in dependents:
        policy = await services.policies.of(tx, row.policy_ref)
        decision = decide_loss(product.code, lost.id, policy, now)
        if decision.facts["suspends"]:
            await _suspend(services, tx, row, lost.id, now)
        await audit.record(tx, decision, actor=actor, action="prerequisite_lost", license_id=row.id)
        await outbox.add(tx, kind=Effect.PREREQ_LOST, subject=str(row.id), payload=dict(decision.facts), now=now)
    return len(dependents)


async def after_return(
    services: Services, tx: AsyncConnection, returned: LicenseRow, now: datetime, *, actor: str
) -> None:
    """Resume what was suspended for the loss of what `returned` is again, as far as it holds all that it requires."""
    rows = {row.id: row for row in await products.all_of(tx)}
    product = rows[returned.product_id]
    names = _names(product)
    owned = await sales.owned(tx, returned.customer_id)
    held = tuple(held_of(one, now) for one in owned)
    for one in owned:
        needed = set(rows[one.license.product_id].requires or ())
        if one.license.suspended_for is None or not names & needed:
            continue
        if all(satisfied_by(name, held) for name in needed) and await _resume(services, tx, one.license, now):
            policy = await services.policies.of(tx, one.license.policy_ref)
            decision = decide_return(product.code, returned.id, policy, now)
            subject, told = str(one.license.id), dict(decision.facts)
            await audit.record(tx, decision, actor=actor, action="prerequisite_restored", license_id=one.license.id)
            await outbox.add(tx, kind=Effect.PREREQ_RESTORED, subject=subject, payload=told, now=now)


def _names(product: ProductRow) -> set[str]:
    """Return by which names others may require a product."""
    return {product.code, product.family or product.code}


async def _suspend(services: Services, tx: AsyncConnection, seen: LicenseRow, lost: UUID, now: datetime) -> None:
    row = await _change(services, tx, seen, Event.SUSPEND, now)
    # What somebody suspended before stays that person's, although it has no end by itself any more.
    if row is not None and not row.facts.is_suspended(now):
        await licenses.set_suspended_for(tx, row.id, lost)


async def _resume(services: Services, tx: AsyncConnection, seen: LicenseRow, now: datetime) -> bool:
    row = await _change(services, tx, seen, Event.RESUME, now)
    if row is not None:
        await licenses.set_suspended_for(tx, row.id, None)
    return row is not None


async def _change(
    services: Services, tx: AsyncConnection, seen: LicenseRow, event: Event, now: datetime
) -> LicenseRow | None:
    """Suspend or resume a license as far as its standing allows it; return it as it was before, None: it stays so."""
    row = await licenses.by_id(tx, seen.id, lock=True)
    if row is None:
        return None
    await chains.hold_still(tx, row.id)
    if not decide_change(row.facts, event, await services.policies.of(tx, row.policy_ref), now).allowed:
        return None
    after = advance(row.facts, event, now)
    await licenses.set_moments(
        tx, row.id, {"suspended_at": after.suspended_at, "suspended_until": after.suspended_until}
    )
    return row
