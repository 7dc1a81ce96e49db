"""Projects: a customer's shops or sites, matched by normalised name (`rules.project.normal_name`), a former one too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from tillkey_server.errors import BrokenInvariant
from tillkey_server.store import rows, tables
from tillkey_server.store.paging import Paging, Sort, paged
from tillkey_server.store.scoping import customers_of
from tillkey_server.store.tables import former_name

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncConnection

    from tillkey_server.rules.access import Scope


@dataclass(frozen=True, slots=True)
class ProjectRow:
    """One project of one customer; it keeps its id when renamed."""

    id: UUID
    customer_id: UUID
    name: str
    name_key: str
    site: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class FormerName:
    """A name that a project had until it was renamed; of several that had it, the last one."""

    customer_id: UUID
    name_key: str
    project_id: UUID
    until: datetime


_SELECT = select(*rows.columns_of(tables.project, ProjectRow))
SORTS = {
    "created_at": Sort(tables.project.c.created_at, lambda row: row.created_at),
    "name": Sort(tables.project.c.name_key, lambda row: row.name_key),
}


async def by_id(conn: AsyncConnection, project_id: UUID) -> ProjectRow | None:
    """Return the project of that id."""
    return await rows.one(conn, _SELECT.where(tables.project.c.id == project_id), ProjectRow)


async def by_ids(conn: AsyncConnection, project_ids: Collection[UUID]) -> dict[UUID, ProjectRow]:
    """Return those of these projects that are there, by their ids."""
    if not project_ids:
        return {}
    found = await rows.many(conn, _SELECT.where(tables.project.c.id.in_(project_ids)), ProjectRow)
    return {row.id: row for row in found}


async def by_name_key(conn: AsyncConnection, customer_id: UUID, name_key: str) -> ProjectRow | None:
    """Return the customer's project of that normalised name."""
    statement = _SELECT.where(tables.project.c.customer_id == customer_id, tables.project.c.name_key == name_key)
    return await rows.one(conn, statement, ProjectRow)


async def by_any_name(conn: AsyncConnection, customer_id: UUID, name_key: str) -> ProjectRow | None:
    """Return the customer's project of that normalised name, else the one that had it last (NX-02)."""
    known = await by_name_key(conn, customer_id, name_key)
    if known is not None:
        return known
    statement = _SELECT.join(former_name, former_name.c.project_id == tables.project.c.id)
    statement = statement.where(former_name.c.customer_id == customer_id, former_name.c.name_key == name_key)
    return await rows.one(conn, statement, ProjectRow)


async def of_customer(conn: AsyncConnection, customer_id: UUID) -> tuple[ProjectRow, ...]:
    """Return a customer's projects, oldest first."""
    statement = _SELECT.where(tables.project.c.customer_id == customer_id).order_by(tables.project.c.id)
    return await rows.many(conn, statement, ProjectRow)


async def seen(conn: AsyncConnection, project_id: UUID, scope: Scope, *, lock: bool = False) -> ProjectRow | None:
    """Return the project of that id if a caller sees its customer; `lock` its row before deciding about it."""
    statement = _SELECT.where(tables.project.c.id == project_id, customers_of(scope, tables.project.c.customer_id))
    return await rows.one(conn, rows.locked(statement, tables.project, lock=lock), ProjectRow)


async def page(
    conn: AsyncConnection, paging: Paging, scope: Scope, *, customer_id: UUID | None = None
) -> tuple[ProjectRow, ...]:
    """Return a page of the projects that a caller sees, and one more; of one customer where it is given."""
    statement = _SELECT.where(customers_of(scope, tables.project.c.customer_id))
    if customer_id is not None:
        statement = statement.where(tables.project.c.customer_id == customer_id)
    return await rows.many(conn, paged(statement, paging, key=tables.project.c.id, sorts=SORTS), ProjectRow)


async def insert(conn: AsyncConnection, row: ProjectRow) -> None:
    """Insert a project; IntegrityError (`uq_project_customer_id_name_key`) when the customer has one of that name."""
    await rows.insert(conn, tables.project, row)


async def ensure(conn: AsyncConnection, row: ProjectRow) -> ProjectRow:
    """Return the customer's project of that name, inserting `row` if there is none; safe for two at once."""
    await rows.insert_if_absent(conn, tables.project, row, ("customer_id", "name_key"))
    known = await by_name_key(conn, row.customer_id, row.name_key)
    if known is None:
        raise BrokenInvariant("a project vanished within one transaction")
    return known


async def rename(conn: AsyncConnection, project_id: UUID, *, name: str, name_key: str) -> bool:
    """Give a project another name; return whether it exists. IntegrityError when the name is taken."""
    statement = tables.project.update().where(tables.project.c.id == project_id).values(name=name, name_key=name_key)
    return bool(await rows.changed(conn, statement))


async def had_name(conn: AsyncConnection, row: ProjectRow, until: datetime) -> None:
    """Record the name that a project has until now, so that it goes on to be found by it."""
    made = FormerName(row.customer_id, row.name_key, row.id, until)
    if not await rows.insert_if_absent(conn, former_name, made, ("customer_id", "name_key")):
        its = (former_name.c.customer_id == row.customer_id, former_name.c.name_key == row.name_key)
        await rows.changed(conn, former_name.update().where(*its).values(project_id=row.id, until=until))


async def follow_names(conn: AsyncConnection, old: UUID, new: ProjectRow) -> None:
    """Let a project of another customer be found by what `old` was called, as far as nothing there is (NX-06)."""
    statement = select(*rows.columns_of(former_name, FormerName)).where(former_name.c.project_id == old)
    for one in await rows.many(conn, statement, FormerName):
        made = FormerName(new.customer_id, one.name_key, new.id, one.until)
        await rows.insert_if_absent(conn, former_name, made, ("customer_id", "name_key"))


async def set_site(conn: AsyncConnection, project_id: UUID, site: str) -> None:
    """Give a project another site."""
    await rows.changed(conn, tables.project.update().where(tables.project.c.id == project_id).values(site=site))
