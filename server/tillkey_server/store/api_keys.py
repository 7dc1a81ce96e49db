"""API keys: who may call the administration, found by the keyed hash of what they present."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import or_, select

from tillkey_server.store import rows
from tillkey_server.store.access_tables import api_key

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class ApiKeyRow:
    """One API key; `customers` and `products` hold ids as texts, None for all of them."""

    id: UUID
    name: str
    role: str
    key_hash: bytes = field(repr=False)
    key_hint: str
    customers: Sequence[str] | None
    products: Sequence[str] | None
    created_at: datetime
    created_by: str
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None


COLUMNS = rows.columns_of(api_key, ApiKeyRow)
SELECT = select(*COLUMNS)
_C = api_key.c


async def insert(conn: AsyncConnection, row: ApiKeyRow) -> None:
    """Insert a key."""
    await rows.insert(conn, api_key, row)


async def by_hash(conn: AsyncConnection, key_hash: bytes) -> ApiKeyRow | None:
    """Return the key that was stored under that keyed hash, whatever became of it."""
    return await rows.one(conn, SELECT.where(_C.key_hash == key_hash), ApiKeyRow)


async def by_id(conn: AsyncConnection, key_id: UUID, *, lock: bool = False) -> ApiKeyRow | None:
    """Return the key of that id; `lock` its row before changing it."""
    return await rows.one(conn, rows.locked(SELECT.where(_C.id == key_id), api_key, lock=lock), ApiKeyRow)


async def revoke(conn: AsyncConnection, key_id: UUID, at: datetime) -> bool:
    """Note when a key was revoked; return whether it was not before."""
    statement = api_key.update().where(_C.id == key_id, _C.revoked_at.is_(None)).values(revoked_at=at)
    return bool(await rows.changed(conn, statement))


async def note_use(conn: AsyncConnection, key_id: UUID, at: datetime, *, unless_since: datetime) -> None:
    """Note that a key was used at `at`, unless a use after `unless_since` is on record."""
    stale = or_(_C.last_used_at.is_(None), _C.last_used_at <= unless_since)
    await conn.execute(api_key.update().where(_C.id == key_id, stale).values(last_used_at=at))
