"""A license moves to another project of its customer, with what runs (NX-06)."""

from __future__ import annotations

from uuid import UUID

from tillkey_server.errors import NotFound
from tillkey_server.rules.access import EVERYTHING, Scope
from tillkey_server.rules.decision import Decision
from tillkey_server.rules.project_move import MoveFacts, decide_project_move, support_after
from tillkey_server.store import activations, audit, chains, licenses, projects
from tillkey_server.usecases.answers import RefusalAnswer, refusal_of
from tillkey_server.usecases.seen import license_of
from tillkey_server.usecases.services import Services


async def move_to_project(
    services: Services, license_id: UUID, *, project_id: UUID, reason: str, actor: str, scope: Scope = EVERYTHING
) -> Decision | RefusalAnswer:
    """Bind a license to another project of the same customer. Raises NotFound, for another customer's project too."""
    async with services.db.writing() as tx:
        row = await license_of(tx, license_id, scope, lock=True)
        await chains.hold_still(tx, license_id)
        target = await projects.seen(tx, project_id, scope)
        if target is None or target.customer_id != row.customer_id:
            raise NotFound("project", str(project_id))
        policy = await services.policies.of(tx, row.policy_ref)
        live = [one.id for one in await activations.active_of_license(tx, license_id)]
        facts = MoveFacts(row.facts, row.project_id, project_id, reason, row.support_project_id, tuple(live))
        decision = decide_project_move(facts, policy, services.clock.now())
        await audit.record(tx, decision, actor=actor, action="license_project_move", license_id=license_id)
        if not decision.allowed:
            return refusal_of(decision)
        support_at = support_after(facts, policy)
        await licenses.move(tx, license_id, project_id=project_id, support_project_id=support_at)
        for one in live:
            await activations.set_project(tx, one, project_id)
        # A beat that was judged before must not write a lease for the old project afterwards.
        await chains.bump_revision(tx, live)
    return decision
