"""Downloads: each grant to one, and whether it was used."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import func, or_, select

from tillkey_server.rules.update_policy import ReleaseKind
from tillkey_server.store import rows
from tillkey_server.store.release_tables import download, software_release

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class DownloadRow:
    """A grant to download one release for one license; `used_at` is when the file was first handed out."""

    id: UUID
    license_id: UUID
    release_id: UUID
    activation_id: UUID | None
    grant_hash: bytes = field(repr=False)
    granted_at: datetime
    expires_at: datetime
    granted_by: str
    used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """How many downloads a license has had, of ordinary releases and of those that are marked as free for all."""

    ordinary: int
    free: int


_C, _R = download.c, software_release.c
_SELECT = select(*rows.columns_of(download, DownloadRow))


async def downloads_of(conn: AsyncConnection, license_id: UUID) -> int:
    """Return how many downloads of a license were handed out, by whatever channel (BC-27: a bare grant is none)."""
    statement = select(func.count()).select_from(download).where(_C.license_id == license_id, _C.used_at.is_not(None))
    return int((await conn.execute(statement)).scalar_one())


async def counted(conn: AsyncConnection, license_id: UUID, now: datetime) -> Counted:
    """Return how many were handed out or may still be, by a grant that lives; lock the license first."""
    counts = or_(_C.used_at.is_not(None), _C.expires_at > now)
    statement = (
        select(_R.always_free, func.count())
        .join_from(download, software_release, _R.id == _C.release_id)
        .where(_C.license_id == license_id, counts)
        .group_by(_R.always_free)
    )
    found = {bool(row[0]): int(row[1]) for row in await conn.execute(statement)}
    return Counted(found.get(False, 0), found.get(True, 0))


async def hotfixes_of(conn: AsyncConnection, license_id: UUID) -> frozenset[str]:
    """Return the SHA-256 of each hotfix that was handed out for a license: such a file is no change of its owner's."""
    statement = (
        select(_R.sha256)
        .join_from(download, software_release, _R.id == _C.release_id)
        .where(_C.license_id == license_id, _C.used_at.is_not(None), _R.kind == ReleaseKind.HOTFIX.value)
    )
    return frozenset(row[0] for row in await conn.execute(statement))


async def by_hash(conn: AsyncConnection, grant_hash: bytes, *, lock: bool = False) -> DownloadRow | None:
    """Return the grant of that keyed hash, used or not."""
    statement = _SELECT.where(_C.grant_hash == grant_hash)
    return await rows.one(conn, rows.locked(statement, download, lock=lock), DownloadRow)


async def insert(conn: AsyncConnection, row: DownloadRow) -> None:
    """Insert a grant."""
    await rows.insert(conn, download, row)


async def use(conn: AsyncConnection, download_id: UUID, at: datetime) -> None:
    """Note when the file was first handed out."""
    await rows.changed(conn, download.update().where(_C.id == download_id, _C.used_at.is_(None)).values(used_at=at))
