"""Licenses with what people want to see beside them, and the ways to find them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, case, exists, func, or_, select

from tillkey_server.rules.access import EVERYTHING, Scope
from tillkey_server.rules.standing import Status
from tillkey_server.store import licenses, rows, tables
from tillkey_server.store.columns import JKT_LENGTH
from tillkey_server.store.paging import Paging, Sort, paged
from tillkey_server.store.scoping import admitted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import ColumnElement, Select
    from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class ListedLicense:
    """One license in a list; `in_use` tells whether an activation holds it.

    `order_customer_id` is who bought it, another than its customer where it was transferred.
    """

    license: licenses.LicenseRow
    product_code: str
    customer_email: str = field(repr=False)
    order_id: UUID
    channel: str
    order_number: str
    order_customer_id: UUID
    project_name: str | None
    in_use: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenseFilters:
    """What a license must match, all of it; None: anything.

    `order` is the seller's number or our id. `key_hint` is some part of it, `machine` the thumbprint of an installation
    that uses or used the license, or its beginning. `any_of` matches where one of its filters does.
    """

    license_id: UUID | None = None
    customer_id: UUID | None = None
    email_key: str | None = field(default=None, repr=False)
    product_code: str | None = None
    project_id: UUID | None = None
    order: str | None = None
    order_id: UUID | None = None
    key_hash: bytes | None = field(default=None, repr=False)
    key_hint: str | None = None
    machine: str | None = None
    status: str | None = None
    any_of: Sequence[LicenseFilters] = ()


_L, _A, _O = tables.license_.c, tables.activation.c, tables.purchase_order.c
SORTS = {"issued_at": Sort(_L.issued_at, lambda row: row.license.issued_at)}

_SELECT = (
    select(
        *licenses.COLUMNS,
        tables.product.c.code,
        tables.customer.c.email,
        _O.id.label("order_id"),
        _O.channel,
        _O.external_id,
        _O.customer_id.label("order_customer_id"),
        tables.project.c.name.label("project_name"),
        exists().where(_A.license_id == _L.id, _A.ended_at.is_(None)).label("in_use"),
    )
    .join(tables.product, tables.product.c.id == _L.product_id)
    .join(tables.customer, tables.customer.c.id == _L.customer_id)
    .join(tables.order_line, tables.order_line.c.id == _L.order_line_id)
    .join(tables.purchase_order, _O.id == tables.order_line.c.order_id)
    .outerjoin(tables.project, tables.project.c.id == _L.project_id)
)


async def page(
    conn: AsyncConnection, paging: Paging, filters: LicenseFilters, *, scope: Scope, now: datetime
) -> tuple[ListedLicense, ...]:
    """Return a page of the licenses that match and are seen, and one more."""
    statement = _seen(scope).where(*conditions(filters, now, scope))
    return await rows.many(conn, paged(statement, paging, key=_L.id, sorts=SORTS), _listed)


async def by_id(conn: AsyncConnection, license_id: UUID, *, scope: Scope = EVERYTHING) -> ListedLicense | None:
    """Return one license, if it is seen."""
    return await rows.one(conn, _seen(scope).where(_L.id == license_id), _listed)


def status_at(now: datetime) -> ColumnElement[str]:
    """Return the status that a license's facts give at `now`, as `rules.standing.status_of` derives it."""
    suspended = and_(_L.suspended_at.is_not(None), or_(_L.suspended_until.is_(None), _L.suspended_until > now))
    stopped = and_(
        _L.account_stops_at <= now, or_(_L.account_suspended_until.is_(None), _L.account_suspended_until > now)
    )
    return case(
        (_L.legal_hold_at.is_not(None), Status.LEGAL_HOLD.value),
        (_L.terminated_at.is_not(None), Status.TERMINATED.value),
        (_L.revoked_at.is_not(None), Status.REVOKED.value),
        (_L.refunded_at.is_not(None), Status.REFUNDED.value),
        (or_(suspended, stopped), Status.SUSPENDED.value),
        (_L.use_until <= now, Status.EXPIRED.value),
        else_=Status.ACTIVE.value,
    )


def same_machine(machine: str) -> ColumnElement[bool]:
    """Return whether an activation's installation has this thumbprint, or one that begins so; capitals count."""
    if len(machine) == JKT_LENGTH:
        return _A.jkt == machine
    return func.substr(_A.jkt, 1, len(machine)) == machine


def conditions(filters: LicenseFilters, now: datetime, scope: Scope = EVERYTHING) -> list[ColumnElement[bool]]:
    """Return what a license must match, as conditions that all hold.

    By an order it is found by who sees that order: of one that was transferred it is its first customer's (I13).
    """
    equal: tuple[tuple[ColumnElement[Any], Any], ...] = (
        (_L.id, filters.license_id),
        (_L.customer_id, filters.customer_id),
        (tables.customer.c.email_key, filters.email_key),
        (tables.product.c.code, filters.product_code),
        (_O.external_id, filters.order),
        (_O.id, filters.order_id),
        (_L.key_hash, filters.key_hash),
    )
    found: list[ColumnElement[bool]] = [column == value for column, value in equal if value is not None]
    if filters.project_id is not None:
        found.append(or_(_L.project_id == filters.project_id, _used(_A.project_id == filters.project_id, active=True)))
    if filters.key_hint is not None:
        found.append(_L.key_hint.contains(filters.key_hint, autoescape=True))
    if filters.machine is not None:
        found.append(_used(same_machine(filters.machine)))
    if filters.status is not None:
        found.append(status_at(now) == filters.status)
    if scope.customers is not None and (filters.order is not None or filters.order_id is not None):
        found.append(_O.customer_id.in_(scope.customers))
    if filters.any_of:
        found.append(or_(*[and_(*conditions(one, now, scope)) for one in filters.any_of]))
    return found


def _used(condition: ColumnElement[bool], *, active: bool = False) -> ColumnElement[bool]:
    """Return whether the license has an activation of which a condition holds."""
    alive = [_A.ended_at.is_(None)] if active else []
    return exists().where(_A.license_id == _L.id, condition, *alive)


def _seen(scope: Scope) -> Select[Any]:
    return _SELECT.where(*admitted(scope, customer=_L.customer_id, product=_L.product_id))


def _listed(*row: Any) -> ListedLicense:
    return ListedLicense(licenses.LicenseRow(*row[:-8]), *row[-8:])
