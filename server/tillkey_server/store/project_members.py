"""Members of projects: other customers who may ask for a project's support (NX-18)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from tillkey_server.store import account_tables, rows

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class MemberRow:
    """A customer who is, or was, a member of another one's project."""

    id: UUID
    project_id: UUID
    customer_id: UUID
    role: str
    added_at: datetime
    added_by: str
    removed_at: datetime | None = None
    removed_by: str | None = None


_C = account_tables.project_member.c
_SELECT = select(*rows.columns_of(account_tables.project_member, MemberRow))


async def insert(conn: AsyncConnection, row: MemberRow) -> None:
    """Insert one; IntegrityError (`one_open_membership`) when that customer is a member already."""
    await rows.insert(conn, account_tables.project_member, row)


async def of_project(conn: AsyncConnection, project_id: UUID) -> tuple[MemberRow, ...]:
    """Return a project's members, the former ones too, in the order in which they were added."""
    statement = _SELECT.where(_C.project_id == project_id).order_by(_C.added_at, _C.id)
    return await rows.many(conn, statement, MemberRow)


async def current(conn: AsyncConnection, project_id: UUID, customer_id: UUID) -> MemberRow | None:
    """Return the membership of a customer in a project, if there is one now."""
    statement = _SELECT.where(_C.project_id == project_id, _C.customer_id == customer_id, _C.removed_at.is_(None))
    return await rows.one(conn, statement, MemberRow)


async def end(conn: AsyncConnection, member_id: UUID, *, at: datetime, by: str) -> None:
    """End a membership."""
    ended = account_tables.project_member.update().where(_C.id == member_id, _C.removed_at.is_(None))
    await rows.changed(conn, ended.values(removed_at=at, removed_by=by))
