"""The list of activations, page by page, for people and scripts."""

from __future__ import annotations

from uuid import UUID

from tillkey.wire.fields import ENVIRONMENTS
from tillkey_server.errors import BadInput, NotFound
from tillkey_server.rules.access import EVERYTHING, Scope
from tillkey_server.rules.decision import instant
from tillkey_server.store.activation_list import SORTS, ActivationFilters, ListedActivation, by_id, page
from tillkey_server.usecases.licenses import machine_of
from tillkey_server.usecases.paging import DEFAULT_LIMIT, Page, page_of, paging_of
from tillkey_server.usecases.services import Services

STATUSES = ("active", "released", "superseded")


async def list_activations(
    services: Services,
    *,
    scope: Scope = EVERYTHING,
    license_id: UUID | None = None,
    customer_id: UUID | None = None,
    product: str | None = None,
    project_id: UUID | None = None,
    environment: str | None = None,
    status: str | None = None,
    machine: str | None = None,
    after: str | None = None,
    limit: int = DEFAULT_LIMIT,
    sort: str | None = None,
) -> Page:
    """Return a page of the activations that match, the oldest first unless sorted otherwise.

    In: `machine` is an installation's thumbprint or its beginning. Raises BadInput, naming the field.
    """
    paging = paging_of(after=after, limit=limit, sort=sort, sorts=SORTS)
    if environment is not None and environment not in ENVIRONMENTS:
        raise BadInput("environment", f"must be one of {', '.join(ENVIRONMENTS)}")
    if status is not None and status not in STATUSES:
        raise BadInput("status", f"must be one of {', '.join(STATUSES)}")
    filters = ActivationFilters(
        license_id=license_id,
        customer_id=customer_id,
        product_code=product,
        project_id=project_id,
        environment=environment,
        status=status,
        machine=None if machine is None else machine_of(machine),
    )
    async with services.db.reading() as tx:
        found = await page(tx, paging, filters, scope=scope)
    return page_of(found, paging, show=lambda row: shown(row, scope), key=lambda row: row.activation.id, sorts=SORTS)


async def get_activation(services: Services, activation_id: UUID, *, scope: Scope = EVERYTHING) -> dict[str, object]:
    """Return one activation as people see it. Raises NotFound."""
    async with services.db.reading() as tx:
        row = await by_id(tx, activation_id, scope=scope)
    if row is None:
        raise NotFound("activation", str(activation_id))
    return shown(row, scope)


def shown(row: ListedActivation, scope: Scope = EVERYTHING) -> dict[str, object]:
    """Return an activation as people see it; its status is `active`, `released` or `superseded`.

    One that ended before its license was transferred was another customer's: whoever does not see that customer does
    not see the shop (I13).
    """
    held = row.activation
    foreign = not scope.admits_customer(row.project_customer_id)
    return {
        "id": str(held.id),
        "status": status_of(held.end_reason),
        "license_id": str(held.license_id),
        "customer_id": str(row.customer_id),
        "product": row.product_code,
        "project_id": None if foreign else str(held.project_id),
        "project": None if foreign else row.project_name,
        "site": None if foreign else held.site,
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
