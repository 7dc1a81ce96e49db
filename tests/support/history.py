"""In which order a database committed leases and ends, told by the database itself and not by our clocks.

Invariant I3: no lease is issued after its activation ended or its license was revoked. PostgreSQL keeps each
transaction's commit time, in microseconds, where it is asked to (`track_commit_timestamp`); of two transactions that
lock one row, the later has the later one. SQLite writes one transaction at a time, so a counter that triggers raise is
the order of the commits.
"""

from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.store import tables
from tillkey_server.store.db import Database

SETTINGS = {"track_commit_timestamp": "on"}

_LEDGER = (
    "CREATE TABLE ledger (n INTEGER PRIMARY KEY AUTOINCREMENT, what TEXT, id TEXT)",
    (
        "CREATE TRIGGER ledger_new AFTER INSERT ON lease BEGIN"
        " INSERT INTO ledger (what, id) VALUES ('lease', new.activation_id); END"
    ),
    (
        "CREATE TRIGGER ledger_again AFTER UPDATE OF minted ON lease BEGIN"
        " INSERT INTO ledger (what, id) VALUES ('lease', new.activation_id); END"
    ),
    (
        "CREATE TRIGGER ledger_end AFTER UPDATE OF ended_at ON activation BEGIN"
        " INSERT INTO ledger (what, id) VALUES ('end', new.id); END"
    ),
    (
        "CREATE TRIGGER ledger_standing AFTER UPDATE OF revoked_at, suspended_at ON license BEGIN"
        " INSERT INTO ledger (what, id) SELECT 'end', id FROM activation WHERE license_id = new.id; END"
    ),
)

_OF_SQLITE = (
    "SELECT lease.n FROM ledger AS lease JOIN ledger AS ended ON ended.id = lease.id AND ended.what = 'end'"
    " WHERE lease.what = 'lease' AND lease.id = :id AND lease.n > ended.n"
)
_OF_POSTGRESQL = (
    "SELECT lease.seq FROM lease JOIN activation ON activation.id = lease.activation_id"
    " JOIN license ON license.id = activation.license_id"
    " WHERE lease.activation_id = CAST(:id AS uuid) AND ("
    " (activation.ended_at IS NOT NULL"
    "  AND pg_xact_commit_timestamp(lease.xmin) > pg_xact_commit_timestamp(activation.xmin))"
    " OR (COALESCE(license.revoked_at, license.suspended_at) IS NOT NULL"
    "  AND pg_xact_commit_timestamp(lease.xmin) > pg_xact_commit_timestamp(license.xmin)))"
)


async def keep_history(database: Database) -> None:
    """Make the database keep what `leases_after_the_end` reads."""
    if database.dialect == "sqlite":
        async with database.writing() as conn:
            for statement in _LEDGER:
                await conn.exec_driver_sql(statement)
        return
    async with database.reading() as conn:
        kept = (await conn.execute(text("SHOW track_commit_timestamp"))).scalar_one()
        assert kept == "on", "this cluster keeps no commit times"


async def leases_after_the_end(database: Database, activation_id: str) -> list[int]:
    """Return the leases of an activation that were committed, or minted again, after what ended it."""
    async with database.reading() as conn:
        return await _read(conn, database.dialect, UUID(activation_id))


async def leases_dated_after_the_end(database: Database, activation_id: str) -> list[int]:
    """Return the leases that are later than the end by the two moments on record, which is what an auditor compares."""
    held, standing, step = tables.activation.c, tables.license_.c, tables.lease.c
    ended = func.coalesce(held.ended_at, standing.revoked_at, standing.suspended_at, type_=held.ended_at.type)
    late = (
        select(step.seq)
        .join(tables.activation, held.id == step.activation_id)
        .join(tables.license_, standing.id == held.license_id)
        .where(held.id == UUID(activation_id), step.issued_at > ended)
    )
    async with database.reading() as conn:
        return list((await conn.execute(late)).scalars())


async def _read(conn: AsyncConnection, dialect: str, activation_id: UUID) -> list[int]:
    if dialect == "sqlite":
        found = await conn.execute(text(_OF_SQLITE), {"id": activation_id.hex})
    else:
        found = await conn.execute(text(_OF_POSTGRESQL), {"id": str(activation_id)})
    return list(found.scalars())
