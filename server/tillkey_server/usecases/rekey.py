"""A license gets another key: shown once, the old one unknown at once, what runs undisturbed (K-14)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from uuid import UUID

from tillkey.wire.license_key import format_key, hint, normalize
from tillkey_server.errors import BrokenInvariant
from tillkey_server.rules.access import EVERYTHING, Scope
from tillkey_server.rules.decision import Decision
from tillkey_server.rules.rekey import decide_rekey
from tillkey_server.store import activations, audit, licenses, products
from tillkey_server.usecases.answers import RefusalAnswer, refusal_of
from tillkey_server.usecases.reviewing import held_since
from tillkey_server.usecases.seen import license_of
from tillkey_server.usecases.services import Services, settled


@dataclass(frozen=True, slots=True)
class Rekeyed:
    """A license with its new key, which is shown this once."""

    license_id: UUID
    license_key: str = field(repr=False)
    key_hint: str
    decision: Decision


async def rekey(
    services: Services, license_id: UUID, *, actor: str, reason: str, scope: Scope = EVERYTHING
) -> Rekeyed | RefusalAnswer:
    """Give a license another key. An activation that waits for the license finds its old key unknown.

    No chain is touched: no lease and no heartbeat knows the key. Raises NotFound.
    """

    async def attempt() -> Rekeyed | RefusalAnswer:
        async with services.db.writing() as tx:
            row = await license_of(tx, license_id, scope, lock=True)
            now = services.clock.now()
            policy = await services.policies.of(tx, row.policy_ref)
            held = await activations.active_of_license(tx, row.id)
            decision = decide_rekey(
                row.facts,
                old_hint=row.key_hint,
                holders=[one.id for one in held],
                reason=reason,
                policy=policy,
                now=now,
                order_held_at=await held_since(tx, row),
            )
            await audit.record(tx, decision, actor=actor, action="license_rekey", license_id=row.id)
            if not decision.allowed:
                return refusal_of(decision)
            product = await products.by_id(tx, row.product_id)
            if product is None:
                raise BrokenInvariant(f"license {license_id} has no product")
            key = format_key(product.key_prefix, secrets.token_bytes)
            key_hash = services.pepper.hash_key(normalize(key))
            await licenses.rekey(tx, row.id, key_hash=key_hash, key_hint=hint(key))
        return Rekeyed(license_id, key, hint(key), decision)

    return await settled(attempt)
