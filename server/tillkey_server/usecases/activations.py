"""The list of activations, page by page, for people and scripts."""

from __future__ import annotations

from tillkey_server.rules.decision import instant
from tillkey_server.store.activation_list import ListedActivation, page
from tillkey_server.usecases.paging import DEFAULT_LIMIT, Page, page_of, paging_of
from tillkey_server.usecases.services import Services


async def list_activations(services: Services, *, after: str | None = None, limit: int = DEFAULT_LIMIT) -> Page:
    """Return a page of activations, the oldest first. Raises BadInput."""
    paging = paging_of(after=after, limit=limit)
    async with services.db.reading() as tx:
        found = await page(tx, paging)
    return page_of(found, paging, show=shown, key=lambda row: row.activation.id)


def shown(row: ListedActivation) -> dict[str, object]:
    """Return an activation as people see it; its status is `active`, `released` or `superseded`."""
    held = row.activation
    return {
        "id": str(held.id),
        "status": status_of(held.end_reason),
        "license_id": str(held.license_id),
        "product": row.product_code,
        "project": row.project_name,
        "site": held.site,
        "environment": held.environment,
        "installation": held.jkt,
        "app_version": held.app_version,
        "started_at": instant(held.started_at),
        "last_seen_at": instant(row.last_seen_at),
        "lease_ends_at": instant(row.lease_ends_at),
        "ended_at": instant(held.ended_at),
        "end_reason": held.end_reason,
        "superseded_by": None if held.superseded_by is None else str(held.superseded_by),
    }


def status_of(end_reason: str | None) -> str:
    """Return an activation's status from why it ended, if it did."""
    if end_reason is None:
        return "active"
    return "released" if end_reason == "released" else "superseded"
