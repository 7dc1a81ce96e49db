"""The vendor gives a license back on its customer's word, where the till cannot do it itself (NX-07)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tillkey_server.rules.access import EVERYTHING, Scope
from tillkey_server.rules.decision import Decision
from tillkey_server.rules.release import decide_release_on_word
from tillkey_server.store import activations, audit, leases
from tillkey_server.usecases.answers import RefusalAnswer, refusal_of
from tillkey_server.usecases.chain import end_of
from tillkey_server.usecases.forced_deactivation import held_still
from tillkey_server.usecases.services import Services


@dataclass(frozen=True, slots=True)
class Released:
    """What was given back; `lease_ends_at` is until when a till that cannot be reached may work on."""

    activation_id: UUID
    license_id: UUID
    lease_ends_at: datetime | None
    decision: Decision


async def release(
    services: Services, activation_id: UUID, *, actor: str, reason: str, scope: Scope = EVERYTHING
) -> Released | RefusalAnswer:
    """End an activation as its customer asked. Its till is told `activation_released`. Raises NotFound."""
    async with services.db.writing() as tx:
        license_row, named, chain = await held_still(tx, activation_id, scope)
        now = services.clock.now()
        policy = await services.policies.of(tx, license_row.policy_ref)
        decision = decide_release_on_word(end_of(named), reason, policy, now)
        await audit.record(
            tx, decision, actor=actor, action="release", license_id=license_row.id, activation_id=named.id
        )
        if not decision.allowed:
            return refusal_of(decision)
        await activations.end(tx, [named.id], at=now, reason="released")
        tip = await leases.by_seq(tx, named.id, chain.seq)
    return Released(named.id, license_row.id, None if tip is None else tip.exp, decision)
