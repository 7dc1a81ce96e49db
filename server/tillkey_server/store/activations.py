"""Activations: licenses in use, each by one installation for one project; ended ones stay as history."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from tillkey_server.store import chains, rows, tables

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class ActivationRow:
    """One activation; it holds its license's `slot` until `ended_at`."""

    id: UUID
    license_id: UUID
    product_id: UUID
    project_id: UUID
    jkt: str
    environment: str
    slot: str
    fingerprint: Mapping[str, str] = field(repr=False)
    app_version: str
    platform_version: str | None
    site: str | None
    started_at: datetime
    ended_at: datetime | None = None
    end_reason: str | None = None
    superseded_by: UUID | None = None

    @property
    def active(self) -> bool:
        """Tell whether it still holds its license."""
        return self.ended_at is None


@dataclass(frozen=True, slots=True)
class Holder:
    """An active activation, and when its till was last heard of."""

    activation: ActivationRow
    last_seen_at: datetime


COLUMNS = rows.columns_of(tables.activation, ActivationRow)
_SELECT = select(*COLUMNS)
_C = tables.activation.c
_ACTIVE = _C.ended_at.is_(None)


async def by_id(conn: AsyncConnection, activation_id: UUID) -> ActivationRow | None:
    """Return the activation of that id, ended or not."""
    return await rows.one(conn, _SELECT.where(_C.id == activation_id), ActivationRow)


async def active_of_license(conn: AsyncConnection, license_id: UUID) -> tuple[ActivationRow, ...]:
    """Return the activations that hold the license now, at most one per slot; lock the license row first."""
    return await rows.many(conn, _SELECT.where(_C.license_id == license_id, _ACTIVE).order_by(_C.id), ActivationRow)


async def holders(conn: AsyncConnection, license_id: UUID, *, lock: bool = False) -> tuple[Holder, ...]:
    """Return the same as `active_of_license`, each with its chain's `last_seen_at`.

    `lock` holds the chains still, as `chains.hold_still` does.
    """
    statement = (
        select(*COLUMNS, tables.chain.c.last_seen_at)
        .join(tables.chain, tables.chain.c.activation_id == _C.id)
        .where(_C.license_id == license_id, _ACTIVE)
        .order_by(_C.id)
    )
    locked = rows.locked(statement, tables.chain, lock=lock)
    return await rows.many(conn, locked, lambda *row: Holder(ActivationRow(*row[:-1]), row[-1]))


async def active_of_key(conn: AsyncConnection, jkt: str, product_id: UUID) -> ActivationRow | None:
    """Return the one active activation of an installation key for a product."""
    return await rows.one(conn, _SELECT.where(_C.jkt == jkt, _C.product_id == product_id, _ACTIVE), ActivationRow)


async def active_of_keys(conn: AsyncConnection, keys: Collection[str]) -> tuple[ActivationRow, ...]:
    """Return the active activations of some installation keys, of every product."""
    return await rows.many(conn, _SELECT.where(_C.jkt.in_(keys), _ACTIVE).order_by(_C.id), ActivationRow)


async def count_of_license(conn: AsyncConnection, license_id: UUID) -> int:
    """Return how many activations a license ever had, ended ones too (NX-33)."""
    statement = select(func.count()).select_from(tables.activation).where(_C.license_id == license_id)
    return int((await conn.execute(statement)).scalar_one())


async def active_of_customer(conn: AsyncConnection, customer_id: UUID) -> list[tuple[UUID, UUID, str]]:
    """Return the active activations of a customer's licenses: each with its license and product's code, by both ids."""
    held, sold = tables.license_.c, tables.product.c
    mine = tables.activation.join(tables.license_, held.id == _C.license_id)
    joined = mine.join(tables.product, sold.id == held.product_id)
    statement = select(_C.id, held.id, sold.code).select_from(joined).where(held.customer_id == customer_id, _ACTIVE)
    found = await conn.execute(statement.order_by(held.id, _C.id))
    return [(till, license_id, product) for till, license_id, product in found]


async def held_before(conn: AsyncConnection, jkt: str, license_id: UUID) -> bool:
    """Tell whether an installation key held the license in an activation that has ended."""
    statement = select(_C.id).where(_C.jkt == jkt, _C.license_id == license_id, ~_ACTIVE).limit(1)
    return (await conn.execute(statement)).first() is not None


async def page(
    conn: AsyncConnection,
    *,
    after: UUID | None = None,
    limit: int = 100,
    license_id: UUID | None = None,
    only_active: bool = False,
) -> tuple[ActivationRow, ...]:
    """Return up to `limit` activations with ids above `after`, oldest first; narrowed as asked."""
    statement = _SELECT.order_by(_C.id).limit(limit)
    if after is not None:
        statement = statement.where(_C.id > after)
    if license_id is not None:
        statement = statement.where(_C.license_id == license_id)
    if only_active:
        statement = statement.where(_ACTIVE)
    return await rows.many(conn, statement, ActivationRow)


async def takeovers(conn: AsyncConnection, license_id: UUID) -> tuple[datetime, ...]:
    """Return when a reinstalled copy took over from the former one, oldest first."""
    statement = (
        select(_C.ended_at).where(_C.license_id == license_id, _C.end_reason == "reinstalled").order_by(_C.ended_at)
    )
    return tuple((await conn.execute(statement)).scalars())


async def first_started_at(conn: AsyncConnection, license_id: UUID) -> datetime | None:
    """Return when a license was first activated, ever; None: it never was."""
    statement = select(func.min(_C.started_at)).where(_C.license_id == license_id)
    first: datetime | None = (await conn.execute(statement)).scalar_one()
    return first


async def set_traits(
    conn: AsyncConnection, activation_id: UUID, *, fingerprint: Mapping[str, str], app_version: str
) -> None:
    """Write what changed of an activation's machine and software since it began (X-06)."""
    statement = tables.activation.update().where(_C.id == activation_id)
    await rows.changed(conn, statement.values(fingerprint=dict(fingerprint), app_version=app_version))


async def set_project(conn: AsyncConnection, activation_id: UUID, project_id: UUID) -> None:
    """Put an activation into another project, as when its license is transferred; bump its chain's revision too."""
    statement = tables.activation.update().where(_C.id == activation_id)
    await rows.changed(conn, statement.values(project_id=project_id))


async def insert(conn: AsyncConnection, row: ActivationRow) -> None:
    """Insert an activation.

    IntegrityError (`one_active_per_license`, `one_active_per_key`) when the slot or the key is taken: the backstop of
    law 6. Its chain and first lease follow in the same transaction.
    """
    await rows.insert(conn, tables.activation, row)


async def note_given_back(conn: AsyncConnection, activation_id: UUID, at: datetime) -> bool:
    """Note that a till gave back what a refund had ended; return False where that is noted already."""
    statement = tables.activation.update().where(_C.id == activation_id, ~_ACTIVE, _C.given_back_at.is_(None))
    return await rows.changed(conn, statement.values(given_back_at=at)) > 0


async def end(
    conn: AsyncConnection,
    activation_ids: Collection[UUID],
    *,
    at: datetime,
    reason: str,
    superseded_by: UUID | None = None,
) -> frozenset[UUID]:
    """End those of the activations that are active; return which were.

    In: `reason` of `tables.END_REASONS`; `superseded_by` may name an activation that is inserted later in the same
    transaction. The chains' revision rises with it, since a heartbeat locks only its chain row.
    """
    if not activation_ids:
        return frozenset()
    # The chains first: a heartbeat that notes a changed machine takes the two rows in this order as well.
    await chains.bump_revision(conn, activation_ids)
    statement = (
        tables.activation.update()
        .where(_C.id.in_(activation_ids), _ACTIVE)
        .values(ended_at=at, end_reason=reason, superseded_by=superseded_by)
        .returning(_C.id)
    )
    return frozenset((await conn.execute(statement)).scalars())
