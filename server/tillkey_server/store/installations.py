"""Installations: one installed copy each, named by its key's thumbprint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from tillkey_server.errors import BrokenInvariant
from tillkey_server.store import rows, tables

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class InstallationRow:
    """One installation; its key belongs to one customer, and may be blocked."""

    jkt: str
    customer_id: UUID
    first_seen_at: datetime
    blocked_at: datetime | None = None


_SELECT = select(*rows.columns_of(tables.installation, InstallationRow))


async def get(conn: AsyncConnection, jkt: str, *, lock: bool = False) -> InstallationRow | None:
    """Return the installation of that thumbprint."""
    statement = _SELECT.where(tables.installation.c.jkt == jkt)
    return await rows.one(conn, rows.locked(statement, tables.installation, lock=lock), InstallationRow)


async def insert(conn: AsyncConnection, row: InstallationRow) -> None:
    """Insert an installation; IntegrityError (`pk_installation`) when its key is known."""
    await rows.insert(conn, tables.installation, row)


async def insert_if_absent(conn: AsyncConnection, row: InstallationRow) -> bool:
    """Insert an installation unless its key is known; return whether it is new.

    Two customers' first requests with one key at once: the later sees False and must look whose it is with `get`.
    """
    return await rows.insert_if_absent(conn, tables.installation, row, ("jkt",))


async def set_customer(conn: AsyncConnection, jkt: str, customer_id: UUID) -> None:
    """Give a key to another customer, with all that lives on it; lock its row first. BrokenInvariant if unknown."""
    statement = tables.installation.update().where(tables.installation.c.jkt == jkt).values(customer_id=customer_id)
    if await rows.changed(conn, statement) != 1:
        raise BrokenInvariant("an installation that was locked is not there")


async def set_blocked(conn: AsyncConnection, jkt: str, at: datetime | None) -> bool:
    """Block a key from `at` on, or lift that with None; return whether the key is known."""
    statement = tables.installation.update().where(tables.installation.c.jkt == jkt).values(blocked_at=at)
    return bool(await rows.changed(conn, statement))
