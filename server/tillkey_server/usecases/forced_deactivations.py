"""The list of forced deactivations and agents' move tickets, page by page."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from tillkey_server.rules.access import EVERYTHING, Scope
from tillkey_server.rules.decision import instant
from tillkey_server.store.forced import SORTS, ForcedRow, freed_of, page
from tillkey_server.usecases.paging import DEFAULT_LIMIT, Page, page_of, paging_of
from tillkey_server.usecases.services import Services


async def list_forced_deactivations(
    services: Services,
    *,
    scope: Scope = EVERYTHING,
    license_id: UUID | None = None,
    customer_id: UUID | None = None,
    after: str | None = None,
    limit: int = DEFAULT_LIMIT,
    sort: str | None = None,
) -> Page:
    """Return a page, the oldest first unless sorted otherwise. Raises BadInput.

    What showed that a former owner's machine was gone is not for a caller who does not see him (I13).
    """
    paging = paging_of(after=after, limit=limit, sort=sort, sorts=SORTS)
    async with services.db.reading() as tx:
        found = await page(tx, paging, scope=scope, license_id=license_id, customer_id=customer_id)
        freed = {one.activation_id for one in found if one.evidence is not None and one.activation_id is not None}
        whose = await freed_of(tx, freed)
    hidden = {one for one, customer in whose.items() if not scope.admits_customer(customer)}
    found = tuple(replace(one, evidence=None) if one.activation_id in hidden else one for one in found)
    return page_of(found, paging, show=shown, key=lambda row: row.id, sorts=SORTS)


def shown(row: ForcedRow) -> dict[str, object]:
    """Return one as people see it."""
    return {
        "id": str(row.id),
        "kind": row.kind,
        "license_id": str(row.license_id),
        "activation_id": None if row.activation_id is None else str(row.activation_id),
        "at": instant(row.at),
        "actor": row.actor,
        "reason": row.reason,
        "vendor_fault": row.vendor_fault,
        "force_majeure": row.force_majeure,
        "override_reason": row.override_reason,
        "counted": row.counted,
        "evidence": row.evidence,
    }
