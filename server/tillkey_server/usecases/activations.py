"""The list of activations, page by page, for people and scripts."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from tillkey_server.errors import BadInput
from tillkey_server.rules.decision import instant
from tillkey_server.store.activation_list import ListedActivation, page
from tillkey_server.usecases.services import Services

MAX_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Page:
    """Some items, and after which id the next ones come; None on the last page."""

    items: tuple[dict[str, object], ...]
    next: str | None


async def list_activations(services: Services, *, after: UUID | None = None, limit: int = 100) -> Page:
    """Return up to `limit` activations (1 to 200), the oldest first, that come after an id. Raises BadInput."""
    if not 1 <= limit <= MAX_LIMIT:
        raise BadInput("limit", f"must be from 1 to {MAX_LIMIT}")
    async with services.db.reading() as tx:
        found = await page(tx, after=after, limit=limit + 1)
    items = tuple(shown(row) for row in found[:limit])
    return Page(items, str(items[-1]["id"]) if len(found) > limit else None)


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
