"""What stands around support requests: closures of the vendor, grants of remote access, hotfixes.

Rows are only ever added, but for when a closure was withdrawn, which is written once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from tillkey_server.store import rows, tables
from tillkey_server.store.paging import Paging, Sort, paged

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class ClosureRow:
    """A time in which the vendor is closed, half-open; `notified_at` is when its customers were told.

    `withdrawn_at` is when the vendor took it back; from then on it is closed no more.
    """

    id: UUID
    notified_at: datetime
    starts_at: datetime
    ends_at: datetime
    reason: str
    recorded_at: datetime
    actor: str
    withdrawn_at: datetime | None = None
    withdrawn_by: str | None = None


@dataclass(frozen=True, slots=True)
class GrantRow:
    """A customer's consent to remote access: what may be done, and until when. No secret is in it."""

    id: UUID
    request_id: UUID
    granted_by: UUID
    scope: str
    starts_at: datetime
    until: datetime
    recorded_at: datetime
    actor: str


@dataclass(frozen=True, slots=True)
class HotfixRow:
    """Files that the vendor changed on an installation: path to SHA-256 as they were left."""

    id: UUID
    request_id: UUID
    license_id: UUID
    activation_id: UUID | None
    severity: str
    files: Mapping[str, str]
    applied_at: datetime
    recorded_at: datetime
    actor: str


_CLOSURE = select(*rows.columns_of(tables.vendor_closure, ClosureRow))
_GRANT = select(*rows.columns_of(tables.remote_access_grant, GrantRow))
_HOTFIX = select(*rows.columns_of(tables.hotfix, HotfixRow))
CLOSURE_SORTS = {"starts_at": Sort(tables.vendor_closure.c.starts_at, lambda row: row.starts_at)}


async def add_closure(conn: AsyncConnection, row: ClosureRow) -> None:
    """Insert a closure; IntegrityError for one that was not told before it began."""
    await rows.insert(conn, tables.vendor_closure, row)


async def closure(conn: AsyncConnection, closure_id: UUID, *, lock: bool = False) -> ClosureRow | None:
    """Return the closure of that id; `lock` its row before deciding about it."""
    statement = _CLOSURE.where(tables.vendor_closure.c.id == closure_id)
    return await rows.one(conn, rows.locked(statement, tables.vendor_closure, lock=lock), ClosureRow)


async def withdraw_closure(conn: AsyncConnection, closure_id: UUID, *, at: datetime, by: str) -> None:
    """Note that a closure was withdrawn; the row is locked and was not."""
    table = tables.vendor_closure
    statement = table.update().where(table.c.id == closure_id, table.c.withdrawn_at.is_(None))
    await rows.changed(conn, statement.values(withdrawn_at=at, withdrawn_by=by))


async def closures_from(conn: AsyncConnection, since: datetime) -> tuple[ClosureRow, ...]:
    """Return the closures that end after an instant, earliest first."""
    table = tables.vendor_closure.c
    return await rows.many(conn, _CLOSURE.where(table.ends_at > since).order_by(table.starts_at, table.id), ClosureRow)


async def page_of_closures(conn: AsyncConnection, paging: Paging) -> tuple[ClosureRow, ...]:
    """Return a page of the closures, and one more."""
    statement = paged(_CLOSURE, paging, key=tables.vendor_closure.c.id, sorts=CLOSURE_SORTS)
    return await rows.many(conn, statement, ClosureRow)


async def add_grant(conn: AsyncConnection, row: GrantRow) -> None:
    """Insert a grant of remote access."""
    await rows.insert(conn, tables.remote_access_grant, row)


async def grants_of(conn: AsyncConnection, request_id: UUID) -> tuple[GrantRow, ...]:
    """Return a request's grants, oldest first."""
    table = tables.remote_access_grant.c
    return await rows.many(conn, _GRANT.where(table.request_id == request_id).order_by(table.id), GrantRow)


async def add_hotfix(conn: AsyncConnection, row: HotfixRow) -> None:
    """Insert a hotfix."""
    await rows.insert(conn, tables.hotfix, row)


async def hotfixes_of(conn: AsyncConnection, license_id: UUID) -> tuple[HotfixRow, ...]:
    """Return a license's hotfixes, oldest first: whose hashes are no modification by the customer (NX-27)."""
    table = tables.hotfix.c
    return await rows.many(conn, _HOTFIX.where(table.license_id == license_id).order_by(table.id), HotfixRow)
