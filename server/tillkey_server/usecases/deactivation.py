"""A till gives its license back (NX-07). It always may, whatever state the license is in."""

from __future__ import annotations

from uuid import UUID

from tillkey.wire.request import Deactivate, Request
from tillkey_server.crash_points import reach
from tillkey_server.errors import BrokenInvariant
from tillkey_server.rules.decision import Refusal
from tillkey_server.rules.release import decide_release
from tillkey_server.store import activations, chains, leases, licenses
from tillkey_server.usecases.answers import Answer, StatementAnswer
from tillkey_server.usecases.chain import Refused, audited, end_of, finish
from tillkey_server.usecases.refusing import unknown_installation
from tillkey_server.usecases.services import Services


async def deactivate(services: Services, request: Request) -> Answer:
    """End the activation that the request names and answer with the signed receipt `activation_released`.

    Said again it answers the same; on an activation that has ended otherwise it changes nothing (PROTOCOL section 5,
    fine print), but that a till gave back what a refund ended is noted: the payout waits for it (CJ-13). An activation
    of another installation's key is `unknown_installation`.
    """
    body = request.body
    if not isinstance(body, Deactivate):
        raise BrokenInvariant(request.op)
    async with services.db.writing() as tx:
        named = await activations.by_id(tx, UUID(body.activation))
        if named is None or named.jkt != request.jkt:
            return unknown_installation()
        license_row = await licenses.by_id(tx, named.license_id, lock=True)
        if license_row is None:
            raise BrokenInvariant(f"activation {named.id} has no license")
        await chains.hold_still(tx, license_row.id)
        now = services.clock.now()
        policy = await services.policies.of(tx, license_row.policy_ref)
        # Read again under the lock: another request may have ended it meanwhile.
        held = await activations.by_id(tx, named.id) or named
        known = await leases.by_rid(tx, request.jkt, request.rid) is not None
        decision = decide_release(end_of(held), policy, now, rid_known=known)
        refunded = held.ended_at is not None and held.ended_at == license_row.refunded_at
        if decision.allowed and (
            await activations.note_given_back(tx, named.id, now)
            if refunded
            else await activations.end(tx, [named.id], at=now, reason="released")
        ):
            await audited(tx, request, decision, license_row.id, named.id)
        reach("before_commit")
    if not decision.allowed:
        return finish(services, request, Refused(Refusal.STALE_REQUEST, named.id))
    reach("after_commit")
    statement = services.mint.statement(
        request=request, code=decision.code.value, clauses=decision.clauses, now=now, sub=named.id
    )
    reach("after_signing")
    return StatementAnswer(statement)
