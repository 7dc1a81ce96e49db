"""Policy versions: the exact terms that orders were sold under, kept for as long as anyone may ask why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from tillkey_server.store import rows, tables

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class PolicyVersionRow:
    """One version of a policy: the digest of its file, and the file's whole text."""

    name: str
    version: int
    digest: str
    source: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class PolicyMark:
    """What tells a version from another, without its text."""

    name: str
    version: int
    digest: str
    recorded_at: datetime


_SELECT = select(*rows.columns_of(tables.policy_version, PolicyVersionRow))
_MARKS = select(*rows.columns_of(tables.policy_version, PolicyMark))


async def record(conn: AsyncConnection, row: PolicyVersionRow) -> bool:
    """Record a version unless it is recorded; return whether it is new.

    A recorded version is never changed: compare the digest with `get` to find a file that was edited in place.
    """
    return await rows.insert_if_absent(conn, tables.policy_version, row, ("name", "version"))


async def get(conn: AsyncConnection, name: str, version: int) -> PolicyVersionRow | None:
    """Return one version of a policy."""
    statement = _SELECT.where(tables.policy_version.c.name == name, tables.policy_version.c.version == version)
    return await rows.one(conn, statement, PolicyVersionRow)


async def marks(conn: AsyncConnection) -> tuple[PolicyMark, ...]:
    """Return the mark of every recorded version."""
    return await rows.many(conn, _MARKS, PolicyMark)


async def everything(conn: AsyncConnection) -> tuple[PolicyVersionRow, ...]:
    """Return every recorded version, by name and version."""
    statement = _SELECT.order_by(tables.policy_version.c.name, tables.policy_version.c.version)
    return await rows.many(conn, statement, PolicyVersionRow)


async def versions(conn: AsyncConnection, name: str) -> tuple[PolicyVersionRow, ...]:
    """Return every recorded version of a policy, the oldest first."""
    table = tables.policy_version.c
    return await rows.many(conn, _SELECT.where(table.name == name).order_by(table.version), PolicyVersionRow)


async def newest(conn: AsyncConnection, name: str) -> PolicyVersionRow | None:
    """Return the newest recorded version of a policy."""
    table = tables.policy_version.c
    statement = _SELECT.where(table.name == name).order_by(table.version.desc()).limit(1)
    return await rows.one(conn, statement, PolicyVersionRow)
