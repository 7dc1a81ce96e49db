"""The list of move tickets, page by page. Only a keyed hash of a ticket is stored, and not even that is shown."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from tillkey_server.errors import BadInput
from tillkey_server.rules.access import EVERYTHING, Scope
from tillkey_server.rules.decision import instant
from tillkey_server.store.tickets import SORTS, TicketRow, page
from tillkey_server.usecases.paging import DEFAULT_LIMIT, Page, page_of, paging_of
from tillkey_server.usecases.services import Services

STATUSES = ("open", "used", "expired")


async def list_move_tickets(
    services: Services,
    *,
    scope: Scope = EVERYTHING,
    license_id: UUID | None = None,
    status: str | None = None,
    after: str | None = None,
    limit: int = DEFAULT_LIMIT,
    sort: str | None = None,
) -> Page:
    """Return a page of move tickets, the oldest first unless sorted otherwise. Raises BadInput."""
    paging = paging_of(after=after, limit=limit, sort=sort, sorts=SORTS)
    if status is not None and status not in STATUSES:
        raise BadInput("status", f"must be one of {', '.join(STATUSES)}")
    now = services.clock.now()
    async with services.db.reading() as tx:
        found = await page(tx, paging, scope=scope, now=now, license_id=license_id, status=status)
    return page_of(found, paging, show=lambda row: shown(row, now), key=lambda row: row.id, sorts=SORTS)


def shown(row: TicketRow, now: datetime) -> dict[str, object]:
    """Return a ticket as people see it; its status is `open`, `used` or `expired`."""
    unused = "open" if now < row.expires_at else "expired"
    return {
        "id": str(row.id),
        "status": unused if row.used_at is None else "used",
        "license_id": str(row.license_id),
        "environment": row.environment,
        "activation_id": None if row.activation_id is None else str(row.activation_id),
        "issued_by": row.issued_by,
        "created_at": instant(row.created_at),
        "expires_at": instant(row.expires_at),
        "used_at": instant(row.used_at),
        "used_by": None if row.used_by is None else str(row.used_by),
    }
