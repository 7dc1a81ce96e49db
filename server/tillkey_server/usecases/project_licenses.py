"""What a project may use, by all of its licenses together (NX-05)."""

from __future__ import annotations

from uuid import UUID

from tillkey_server.errors import NotFound
from tillkey_server.rules.access import EVERYTHING, Scope
from tillkey_server.rules.decision import Decision
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.project_licenses import ProjectLicense, decide_project
from tillkey_server.store import activations, projects, sales
from tillkey_server.usecases.services import Services


async def project_entitlements(services: Services, project_id: UUID, *, scope: Scope = EVERYTHING) -> Decision:
    """Return a project's entitlements and seats, and which license an installation is to use next. Raises NotFound."""
    async with services.db.reading() as tx:
        project = await projects.seen(tx, project_id, scope)
        if project is None:
            raise NotFound("project", str(project_id))
        held, policy = [], None
        for one in await sales.owned(tx, project.customer_id):
            row = one.license
            if not scope.admits_product(row.product_id):
                continue
            policy = await services.policies.of(tx, row.policy_ref)
            live = await activations.active_of_license(tx, row.id)
            used_here = any(active.project_id == project.id for active in live)
            held.append(
                ProjectLicense(
                    license=row.facts,
                    product=one.product_code,
                    entitlements=policy.entitlements.granted,
                    here=row.project_id == project.id or used_here,
                    elsewhere=row.project_id not in {None, project.id},
                    in_use=bool(live),
                )
            )
    return decide_project(held, policy or _offered(services), services.clock.now())


def _offered(services: Services) -> Policy:
    return services.policies.offered(services.policies.names()[0])
