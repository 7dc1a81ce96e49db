"""How often somebody asked: a row for each subject, counted in one statement, so that all processes agree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, case, literal, select
from sqlalchemy.dialects import postgresql, sqlite

from tillkey_server.clock import to_epoch
from tillkey_server.store.access_tables import rate_limit

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncConnection

    from tillkey_server.rules.rate import Limit

_C = rate_limit.c


async def take(conn: AsyncConnection, bucket: bytes, limit: Limit, now: datetime) -> bool:
    """Count a question of a subject where it is allowed (`rules.rate`), and tell whether it was.

    The row is changed only where the limit admits it, by the database itself: two processes cannot both take the last
    place.
    """
    make: Any = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
    # Compared as the numbers that the column holds: arithmetic on its own type would mean moments.
    at, interval = to_epoch(now), int(limit.interval.total_seconds())
    kept = _C.due.cast(BigInteger)
    owed = case((kept > at, kept), else_=literal(at, BigInteger))
    statement = (
        make(rate_limit)
        .values(bucket=bucket, due=now + limit.interval)
        .on_conflict_do_update(
            index_elements=["bucket"],
            set_={"due": owed + literal(interval, BigInteger)},
            where=owed - literal(at, BigInteger) <= literal(int(limit.tolerance.total_seconds()), BigInteger),
        )
    )
    return bool((await conn.execute(statement)).rowcount)


async def due(conn: AsyncConnection, bucket: bytes) -> datetime | None:
    """Return what is kept of a subject."""
    found: datetime | None = (await conn.execute(select(_C.due).where(_C.bucket == bucket))).scalar_one_or_none()
    return found


async def forget(conn: AsyncConnection, before: datetime, *, limit: int) -> int:
    """Delete up to `limit` rows that have been paid for since `before`; return how many."""
    old = select(_C.bucket).where(_C.due < before).limit(limit)
    return (await conn.execute(rate_limit.delete().where(_C.bucket.in_(old)))).rowcount
