"""Software releases: what is published of each product, and what of it mends what somebody reported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, select

from tillkey_server.rules.update import ReleaseFacts
from tillkey_server.rules.update_policy import ReleaseKind
from tillkey_server.store import rows, tables
from tillkey_server.store.paging import Paging, Sort, paged
from tillkey_server.store.release_tables import release_fix, software_release

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncConnection

    from tillkey_server.rules.access import Scope


@dataclass(frozen=True, slots=True)
class SoftwareReleaseRow:
    """One release of a product; `version_key` is the spelling that equal versions share, `size` is in bytes."""

    id: UUID
    product_id: UUID
    version: str
    version_key: str
    kind: str
    severity: str | None
    platform_min: str | None
    platform_max: str | None
    always_free: bool
    prerelease: bool
    sha256: str
    size: int
    url: str
    notes: str | None
    published_at: datetime
    created_at: datetime
    withdrawn_at: datetime | None = None

    def facts(self, reported_at: datetime | None = None) -> ReleaseFacts:
        """Return what the rules of updates look at."""
        return ReleaseFacts(
            id=self.id,
            version=self.version,
            published_at=self.published_at,
            kind=ReleaseKind(self.kind),
            platform_min=self.platform_min,
            platform_max=self.platform_max,
            always_free=self.always_free,
            prerelease=self.prerelease,
            withdrawn_at=self.withdrawn_at,
            reported_at=reported_at,
        )


@dataclass(frozen=True, slots=True)
class FixRow:
    """That a release mends what was reported for a license."""

    release_id: UUID
    license_id: UUID
    reported_at: datetime


_C = software_release.c
_F = release_fix.c
_SELECT = select(*rows.columns_of(software_release, SoftwareReleaseRow))
SORTS = {"published_at": Sort(_C.published_at, lambda row: row.published_at)}


async def by_id(conn: AsyncConnection, release_id: UUID, *, lock: bool = False) -> SoftwareReleaseRow | None:
    """Return the release of that id, withdrawn or not."""
    statement = _SELECT.where(_C.id == release_id)
    return await rows.one(conn, rows.locked(statement, software_release, lock=lock), SoftwareReleaseRow)


async def by_version(conn: AsyncConnection, product_id: UUID, version_key: str) -> SoftwareReleaseRow | None:
    """Return a product's release of that version."""
    statement = _SELECT.where(_C.product_id == product_id, _C.version_key == version_key)
    return await rows.one(conn, statement, SoftwareReleaseRow)


async def of_license(conn: AsyncConnection, product_id: UUID, license_id: UUID) -> tuple[ReleaseFacts, ...]:
    """Return every release of a product as the rules see it for one license, with what its owner had reported."""
    joined = and_(_F.release_id == _C.id, _F.license_id == license_id)
    statement = (
        select(*rows.columns_of(software_release, SoftwareReleaseRow), _F.reported_at)
        .outerjoin(release_fix, joined)
        .where(_C.product_id == product_id)
        .order_by(_C.id)
    )
    return await rows.many(conn, statement, lambda *row: SoftwareReleaseRow(*row[:-1]).facts(row[-1]))


async def page(
    conn: AsyncConnection, paging: Paging, scope: Scope, *, product_id: UUID | None = None
) -> tuple[Any, ...]:
    """Return a page of (release, product code) that a caller sees, and one more; of one product if named."""
    product = tables.product.c
    statement = select(*rows.columns_of(software_release, SoftwareReleaseRow), product.code).join(
        tables.product, product.id == _C.product_id
    )
    if scope.products is not None:
        statement = statement.where(_C.product_id.in_(scope.products))
    if product_id is not None:
        statement = statement.where(_C.product_id == product_id)
    found = paged(statement, paging, key=_C.id, sorts=SORTS)
    return await rows.many(conn, found, lambda *row: ListedRelease(SoftwareReleaseRow(*row[:-1]), row[-1]))


@dataclass(frozen=True, slots=True)
class ListedRelease:
    """A release with its product's code."""

    release: SoftwareReleaseRow
    product: str

    @property
    def id(self) -> UUID:
        """Return the release's id, by which lists are paged."""
        return self.release.id

    @property
    def published_at(self) -> datetime:
        """Return when it was published."""
        return self.release.published_at


async def insert(conn: AsyncConnection, row: SoftwareReleaseRow) -> None:
    """Insert a release; IntegrityError (`uq_software_release_product_id_version_key`) for a version that is there."""
    await rows.insert(conn, software_release, row)


async def insert_fixes(conn: AsyncConnection, found: Collection[FixRow]) -> None:
    """Note for which licenses was reported what a release mends."""
    await rows.insert(conn, release_fix, *found)


async def add_fix(conn: AsyncConnection, row: FixRow) -> bool:
    """Note one more, unless it is on record; return whether it is new."""
    return await rows.insert_if_absent(conn, release_fix, row, ("release_id", "license_id"))


async def fixed_licenses(conn: AsyncConnection, release_id: UUID) -> frozenset[UUID]:
    """Return the licenses for which was reported what a release mends."""
    found = await conn.execute(select(_F.license_id).where(_F.release_id == release_id))
    return frozenset(found.scalars())


async def withdraw(conn: AsyncConnection, release_id: UUID, at: datetime) -> bool:
    """Withdraw a release for good; return False where it was before."""
    statement = software_release.update().where(_C.id == release_id, _C.withdrawn_at.is_(None))
    return await rows.changed(conn, statement.values(withdrawn_at=at)) == 1
