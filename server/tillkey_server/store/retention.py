"""Deleting what is kept no longer, some rows at a time and each time by the primary key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Text, cast, func, select, tuple_

from tillkey_server.rules.retention import KEPT_STEPS
from tillkey_server.store.access_tables import idempotency
from tillkey_server.store.tables import activation, chain, lease

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from sqlalchemy import ColumnElement
    from sqlalchemy.ext.asyncio import AsyncConnection

    from tillkey_server.rules.retention import Horizons

_A, _L, _I = activation.c, lease.c, idempotency.c
_NO_FINGERPRINT = "{}"


async def activations_after(conn: AsyncConnection, last: UUID | None, limit: int) -> tuple[UUID, ...]:
    """Return the next activations in the order of their ids."""
    statement = select(_A.id).order_by(_A.id).limit(limit)
    if last is not None:
        statement = statement.where(_A.id > last)
    return tuple((await conn.execute(statement)).scalars())


async def has_old(conn: AsyncConnection, ids: Sequence[UUID], horizons: Horizons) -> bool:
    """Tell whether anything of these activations is to be forgotten."""
    steps = select(_L.activation_id).where(*_old_steps(ids, horizons)).limit(1)
    prints = select(_A.id).where(*_old_fingerprints(ids, horizons)).limit(1)
    return (await conn.execute(steps)).first() is not None or (await conn.execute(prints)).first() is not None


async def forget_steps(conn: AsyncConnection, ids: Sequence[UUID], horizons: Horizons) -> int:
    """Delete the old steps of these activations; return how many."""
    return (await conn.execute(lease.delete().where(*_old_steps(ids, horizons)))).rowcount


async def forget_fingerprints(conn: AsyncConnection, ids: Sequence[UUID], horizons: Horizons) -> int:
    """Empty the fingerprints of those activations that ended long ago; return how many."""
    statement = activation.update().where(*_old_fingerprints(ids, horizons)).values(fingerprint={})
    return (await conn.execute(statement)).rowcount


async def forget_idempotency(conn: AsyncConnection, horizons: Horizons, *, limit: int) -> int:
    """Delete up to `limit` old idempotency keys; return how many."""
    old = select(_I.owner, _I.key_hash).where(_I.claimed_at < horizons.idempotency).limit(limit)
    return (await conn.execute(idempotency.delete().where(tuple_(_I.owner, _I.key_hash).in_(old)))).rowcount


def _old_steps(ids: Sequence[UUID], horizons: Horizons) -> list[ColumnElement[bool]]:
    # The chain only ever goes on, so that reading it without a lock can keep a step too long and never too short.
    tip = select(chain.c.seq).where(chain.c.activation_id == _L.activation_id).scalar_subquery()
    return [
        _L.activation_id.in_(ids),
        _L.issued_at < horizons.steps,
        _L.exp < horizons.leases,
        _L.seq <= tip - KEPT_STEPS,
    ]


def _old_fingerprints(ids: Sequence[UUID], horizons: Horizons) -> list[ColumnElement[bool]]:
    told = func.trim(cast(_A.fingerprint, Text))
    return [_A.id.in_(ids), _A.ended_at < horizons.fingerprints, told != _NO_FINGERPRINT]
