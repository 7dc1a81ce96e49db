"""Support requests with their events; closures, grants and hotfixes are in `support_extras`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, or_, select

from tillkey_server.rules.policy import PolicyRef
from tillkey_server.store import rows, tables
from tillkey_server.store.paging import Paging, Sort, paged
from tillkey_server.store.scoping import admitted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncConnection

    from tillkey_server.rules.access import Scope


@dataclass(frozen=True, slots=True)
class SupportRequestRow:
    """One request; `license_id` None: asked before a purchase. `reference` is its name in the vendor's help desk."""

    id: UUID
    customer_id: UUID
    product_id: UUID
    license_id: UUID | None
    project_id: UUID | None
    policy_name: str
    policy_version: int
    task: str
    presale: bool
    reference: str | None
    matter: str | None
    platform_version: str | None
    duplicate_of: UUID | None
    taken_as: str
    received_at: datetime
    created_at: datetime
    created_by: str
    refund_proposed_at: datetime | None = None

    @property
    def policy_ref(self) -> PolicyRef:
        """Return which terms it is decided by."""
        return PolicyRef(self.policy_name, self.policy_version)


@dataclass(frozen=True, slots=True)
class SupportEventRow:
    """One event of a request; `at` is when it happened, `recorded_at` when we were told."""

    id: UUID
    request_id: UUID
    kind: str
    at: datetime
    details: Mapping[str, object]
    recorded_at: datetime
    actor: str


_REQUEST = select(*rows.columns_of(tables.support_request, SupportRequestRow))
_EVENT = select(*rows.columns_of(tables.support_event, SupportEventRow))
_R, _E = tables.support_request.c, tables.support_event.c
SORTS = {"received_at": Sort(_R.received_at, lambda row: row.received_at)}


async def insert(conn: AsyncConnection, row: SupportRequestRow) -> None:
    """Insert a request; its license, project and policy version must be there."""
    await rows.insert(conn, tables.support_request, row)


async def add_event(conn: AsyncConnection, row: SupportEventRow) -> None:
    """Add an event to a request; lock the request before deciding about it."""
    await rows.insert(conn, tables.support_event, row)


async def by_id(conn: AsyncConnection, request_id: UUID, *, lock: bool = False) -> SupportRequestRow | None:
    """Return the request of that id; `lock` its row before deciding about it."""
    statement = _REQUEST.where(_R.id == request_id)
    return await rows.one(conn, rows.locked(statement, tables.support_request, lock=lock), SupportRequestRow)


async def to_look_at(conn: AsyncConnection, now: datetime, limit: int) -> tuple[SupportRequestRow, ...]:
    """Return up to `limit` requests, locked, that propose no refund and whose time to be looked at has come."""
    due = or_(_R.look_at.is_(None), _R.look_at <= now)
    statement = _REQUEST.where(_R.refund_proposed_at.is_(None), due).order_by(_R.look_at, _R.id).limit(limit)
    return await rows.many(conn, rows.locked(statement, tables.support_request, lock=True), SupportRequestRow)


async def look_later(conn: AsyncConnection, when: Mapping[UUID, datetime | None]) -> None:
    """Say when to look at requests again, by their ids; None: at once."""
    request = tables.support_request
    statement = request.update().where(request.c.id == bindparam("of")).values(look_at=bindparam("at"))
    if when:
        await conn.execute(statement, [{"of": request_id, "at": at} for request_id, at in when.items()])


async def propose_refund(conn: AsyncConnection, request_id: UUID, *, at: datetime) -> None:
    """Note since when a request proposes a refund."""
    request = tables.support_request
    await conn.execute(request.update().where(request.c.id == request_id).values(refund_proposed_at=at))


async def of_ids(conn: AsyncConnection, request_ids: Iterable[UUID]) -> tuple[SupportRequestRow, ...]:
    """Return the requests of these ids that are there, oldest first."""
    return await rows.many(conn, _REQUEST.where(_R.id.in_(list(request_ids))).order_by(_R.id), SupportRequestRow)


async def events_of(conn: AsyncConnection, *request_ids: UUID) -> tuple[SupportEventRow, ...]:
    """Return the events of requests in the order in which they happened."""
    statement = _EVENT.where(_E.request_id.in_(request_ids)).order_by(_E.at, _E.id)
    return await rows.many(conn, statement, SupportEventRow)


async def page(
    conn: AsyncConnection,
    paging: Paging,
    scope: Scope,
    *,
    license_id: UUID | None = None,
    customer_id: UUID | None = None,
    reference: str | None = None,
    refund_proposed: bool | None = None,
) -> tuple[SupportRequestRow, ...]:
    """Return a page of the requests that match and are seen, and one more."""
    statement = _REQUEST.where(*admitted(scope, customer=_R.customer_id, product=_R.product_id))
    for column, wanted in ((_R.license_id, license_id), (_R.customer_id, customer_id), (_R.reference, reference)):
        if wanted is not None:
            statement = statement.where(column == wanted)
    if refund_proposed is not None:
        proposed = _R.refund_proposed_at
        statement = statement.where(proposed.is_not(None) if refund_proposed else proposed.is_(None))
    return await rows.many(conn, paged(statement, paging, key=_R.id, sorts=SORTS), SupportRequestRow)


async def of_license(conn: AsyncConnection, license_id: UUID) -> tuple[SupportRequestRow, ...]:
    """Return a license's requests, oldest first."""
    return await rows.many(conn, _REQUEST.where(_R.license_id == license_id).order_by(_R.id), SupportRequestRow)


async def of_customer(conn: AsyncConnection, customer_id: UUID) -> tuple[SupportRequestRow, ...]:
    """Return a customer's requests, oldest first."""
    return await rows.many(conn, _REQUEST.where(_R.customer_id == customer_id).order_by(_R.id), SupportRequestRow)


async def fixed_in_releases(conn: AsyncConnection, product_id: UUID) -> tuple[tuple[SupportRequestRow, str], ...]:
    """Return a product's requests whose solution named a version, each with that version, oldest solution first."""
    version = _E.details["fixed_in_release"].as_string()
    statement = (
        select(*rows.columns_of(tables.support_request, SupportRequestRow), version)
        .join(tables.support_event, _E.request_id == _R.id)
        .where(_R.product_id == product_id, _E.kind == "resolved", version.is_not(None))
        .order_by(_E.at, _E.id)
    )
    return await rows.many(conn, statement, lambda *row: (SupportRequestRow(*row[:-1]), str(row[-1])))


async def taken_for_lines(
    conn: AsyncConnection, taken_as: str, line_ids: Collection[UUID]
) -> tuple[tuple[UUID, SupportRequestRow], ...]:
    """Return the requests that were taken as something for licenses of order lines, each with its line."""
    line = tables.license_.c.order_line_id
    statement = (
        select(line, *rows.columns_of(tables.support_request, SupportRequestRow))
        .join(tables.license_, tables.license_.c.id == _R.license_id)
        .where(_R.taken_as == taken_as, line.in_(line_ids))
        .order_by(_R.id)
    )
    return await rows.many(conn, statement, lambda *row: (row[0], SupportRequestRow(*row[1:])))


async def of_matter(conn: AsyncConnection, customer_id: UUID, matter: str) -> tuple[SupportRequestRow, ...]:
    """Return a customer's requests about one matter, oldest first."""
    statement = _REQUEST.where(_R.customer_id == customer_id, _R.matter == matter).order_by(_R.id)
    return await rows.many(conn, statement, SupportRequestRow)
