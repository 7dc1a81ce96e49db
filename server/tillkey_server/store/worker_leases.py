"""Who does a kind of background work: one holder at a time, taken over when it dies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import or_, select
from sqlalchemy.dialects import postgresql, sqlite

from tillkey_server.store.access_tables import worker_lease

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncConnection

_C = worker_lease.c


async def take(conn: AsyncConnection, name: str, holder: str, *, now: datetime, until: datetime) -> bool:
    """Take or renew the work of that name until a moment; return False while another holds it."""
    make: Any = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
    statement = (
        make(worker_lease)
        .values(name=name, holder=holder, until=until)
        .on_conflict_do_update(
            index_elements=["name"],
            set_={"holder": holder, "until": until},
            where=or_(_C.holder == holder, _C.until <= now),
        )
    )
    return bool((await conn.execute(statement)).rowcount)


async def is_free(conn: AsyncConnection, name: str, holder: str, *, now: datetime) -> bool:
    """Tell, without writing, whether `take` would succeed."""
    statement = select(_C.holder).where(_C.name == name, _C.holder != holder, _C.until > now)
    return (await conn.execute(statement)).first() is None


async def release(conn: AsyncConnection, name: str, holder: str) -> None:
    """Give the work back, so that another need not wait."""
    await conn.execute(worker_lease.delete().where(_C.name == name, _C.holder == holder))


async def is_due(conn: AsyncConnection, name: str, *, now: datetime) -> bool:
    """Tell whether nobody holds the work now, this process included."""
    return (await conn.execute(select(_C.name).where(_C.name == name, _C.until > now))).first() is None
