"""Against the vendor's end of an account: an appeal, its decision, and the vendor's own second thought (NX-40)."""

from __future__ import annotations

from uuid import UUID

from tillkey_server.errors import said_why
from tillkey_server.rules.access import EVERYTHING, Scope
from tillkey_server.rules.decision import Decision
from tillkey_server.rules.termination import decide_appeal, decide_on_appeal, decide_take_back
from tillkey_server.store import terminations
from tillkey_server.usecases.services import Services
from tillkey_server.usecases.termination import VENDOR, audited, opened


async def take_termination_back(
    services: Services, customer_id: UUID, *, reason: str, actor: str, scope: Scope = EVERYTHING
) -> Decision:
    """Take the vendor's own end back while it is not carried out. Raises NotFound and BadInput."""
    why = said_why(reason)
    async with services.db.writing() as tx:
        held, policy, now = await opened(services, tx, customer_id, scope)
        due_at, by_vendor = (None, False) if held is None else (held.due_at, held.ended_by == VENDOR)
        decision = decide_take_back(due_at, by_vendor, why, policy, now)
        if decision.allowed and held is not None:
            await terminations.cancel(tx, held.id, now)
        await audited(tx, decision, customer_id, actor, "termination_take_back")
    return decision


async def appeal_termination(
    services: Services, customer_id: UUID, *, actor: str, scope: Scope = EVERYTHING
) -> Decision:
    """Put a customer's appeal against the vendor's end on record; the end waits for its decision. Raises NotFound."""
    async with services.db.writing() as tx:
        held, policy, now = await opened(services, tx, customer_id, scope)
        due_at, by_vendor = (None, False) if held is None else (held.due_at, held.ended_by == VENDOR)
        decision = decide_appeal(due_at, by_vendor, held is not None and held.appealed_at is not None, policy, now)
        if decision.allowed and held is not None:
            await terminations.appeal(tx, held.id, at=now, by=actor)
        await audited(tx, decision, customer_id, actor, "termination_appeal")
    return decision


async def decide_termination_appeal(
    services: Services, customer_id: UUID, *, granted: bool, reason: str, actor: str, scope: Scope = EVERYTHING
) -> Decision:
    """Decide an appeal that waits: granted, the end is taken back; rejected, it goes on.

    Raises NotFound and BadInput.
    """
    why = said_why(reason)
    async with services.db.writing() as tx:
        held, policy, now = await opened(services, tx, customer_id, scope)
        waits = held is not None and held.appealed_at is not None and held.appeal_decided_at is None
        decision = decide_on_appeal(waits, granted, why, policy, now)
        if decision.allowed and held is not None:
            await terminations.decide_appeal(tx, held.id, at=now, by=actor)
            if granted:
                await terminations.cancel(tx, held.id, now)
        await audited(tx, decision, customer_id, actor, "termination_appeal_decide")
    return decision
