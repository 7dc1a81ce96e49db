"""Activations with what people want to see beside them: product, project, last contact and the end of the lease."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, select

from tillkey_server.rules.access import EVERYTHING, Scope
from tillkey_server.store import activations, rows, tables
from tillkey_server.store.license_list import same_machine
from tillkey_server.store.paging import Paging, Sort, paged
from tillkey_server.store.scoping import admitted

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import ColumnElement, Select
    from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class ListedActivation:
    """One activation in a list.

    `customer_id` is the license's, `project_customer_id` that of the project, which is another one where the license
    was transferred after the activation had ended; `lease_ends_at` is the `exp` of its last lease.
    """

    activation: activations.ActivationRow
    product_code: str
    customer_id: UUID
    project_name: str
    project_customer_id: UUID
    last_seen_at: datetime
    lease_ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivationFilters:
    """What an activation must match, all of it; None: anything.

    `machine` is an installation's thumbprint or its beginning; `status` is `active`, `released` or `superseded`.
    """

    license_id: UUID | None = None
    customer_id: UUID | None = None
    product_code: str | None = None
    project_id: UUID | None = None
    environment: str | None = None
    status: str | None = None
    machine: str | None = None


_A, _L = tables.activation.c, tables.license_.c
_MORE = 6
SORTS = {"started_at": Sort(_A.started_at, lambda row: row.activation.started_at)}
_BY_ITSELF = "released"

_SELECT = (
    select(
        *activations.COLUMNS,
        tables.product.c.code,
        _L.customer_id,
        tables.project.c.name,
        tables.project.c.customer_id.label("project_customer_id"),
        tables.chain.c.last_seen_at,
        tables.lease.c.exp,
    )
    .join(tables.license_, _L.id == _A.license_id)
    .join(tables.product, tables.product.c.id == _A.product_id)
    .join(tables.project, tables.project.c.id == _A.project_id)
    .join(tables.chain, tables.chain.c.activation_id == _A.id)
    .join(
        tables.lease,
        (tables.lease.c.activation_id == _A.id) & (tables.lease.c.seq == tables.chain.c.seq),
    )
)


async def page(
    conn: AsyncConnection, paging: Paging, filters: ActivationFilters, *, scope: Scope = EVERYTHING
) -> tuple[ListedActivation, ...]:
    """Return a page of the activations that match and are seen, and one more."""
    statement = _seen(scope).where(*_conditions(filters))
    return await rows.many(conn, paged(statement, paging, key=_A.id, sorts=SORTS), _listed)


async def of_license(conn: AsyncConnection, license_id: UUID) -> tuple[ListedActivation, ...]:
    """Return all activations of a license, the oldest first."""
    return await rows.many(conn, _SELECT.where(_A.license_id == license_id).order_by(_A.id), _listed)


async def by_id(conn: AsyncConnection, activation_id: UUID, *, scope: Scope = EVERYTHING) -> ListedActivation | None:
    """Return one activation, if it is seen."""
    return await rows.one(conn, _seen(scope).where(_A.id == activation_id), _listed)


def _conditions(filters: ActivationFilters) -> list[ColumnElement[bool]]:
    equal: tuple[tuple[ColumnElement[Any], Any], ...] = (
        (_A.license_id, filters.license_id),
        (_L.customer_id, filters.customer_id),
        (tables.product.c.code, filters.product_code),
        (_A.project_id, filters.project_id),
        (_A.environment, filters.environment),
    )
    found: list[ColumnElement[bool]] = [column == value for column, value in equal if value is not None]
    if filters.machine is not None:
        found.append(same_machine(filters.machine))
    if filters.status is not None:
        found.append(
            {
                "active": _A.ended_at.is_(None),
                "released": _A.end_reason == _BY_ITSELF,
                "superseded": and_(_A.ended_at.is_not(None), _A.end_reason != _BY_ITSELF),
            }[filters.status]
        )
    return found


def _seen(scope: Scope) -> Select[Any]:
    return _SELECT.where(*admitted(scope, customer=_L.customer_id, product=_L.product_id))


def _listed(*row: Any) -> ListedActivation:
    return ListedActivation(activations.ActivationRow(*row[:-_MORE]), *row[-_MORE:])
