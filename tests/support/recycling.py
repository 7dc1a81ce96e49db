"""A PostgreSQL database that a test gave back is washed for the next: cheaper by far than a clone of seventy tables.

What the template holds is kept in memory. A database whose schema or settings a test changed is never washed, so that
nothing of a test can reach the next but by a table's rows, and those are all replaced.
"""

from dataclasses import dataclass

import asyncpg

Row = tuple[str, str]
"""A table's name and one of its rows as JSON."""

TIMES = 40
"""How often a database is washed before a fresh clone takes its place: its dead rows are never vacuumed."""

_SHAPE = """
SELECT md5(concat_ws('/',
  (SELECT sum(hashtext(concat(xmin, ctid, relname))) FROM pg_class WHERE oid >= 16384),
  (SELECT sum(hashtext(concat(xmin, ctid, attname))) FROM pg_attribute WHERE attrelid >= 16384),
  (SELECT sum(hashtext(concat(xmin, ctid))) FROM pg_attrdef),
  (SELECT sum(hashtext(concat(xmin, ctid))) FROM pg_constraint WHERE oid >= 16384),
  (SELECT sum(hashtext(concat(xmin, ctid))) FROM pg_index WHERE indexrelid >= 16384),
  (SELECT sum(hashtext(concat(xmin, ctid, tgenabled))) FROM pg_trigger),
  (SELECT sum(hashtext(concat(xmin, ctid))) FROM pg_proc WHERE oid >= 16384),
  (SELECT sum(hashtext(concat(xmin, ctid))) FROM pg_namespace),
  (SELECT count(*) FROM pg_sequence),
  (SELECT count(*) FROM pg_db_role_setting)))
"""
"""Changes with every change of schema and every setting: a row of the catalog is written anew by each."""

WRITTEN = """
SELECT relname FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND pg_relation_size(oid) > 0 ORDER BY relname
"""
"""The tables that ever held a row."""


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


async def rows_of(connection: asyncpg.Connection) -> list[Row]:
    """Return every row of a database."""
    tables = [name for (name,) in await connection.fetch(WRITTEN)]
    if not tables:
        return []
    parts = (f"SELECT {i}, row_to_json(t)::text FROM {_quoted(name)} t" for i, name in enumerate(tables))
    return [(tables[i], row) for i, row in await connection.fetch(" UNION ALL ".join(parts))]


@dataclass(frozen=True)
class Content:
    """What a template holds: its schema's fingerprint and its rows."""

    shape: str
    rows: tuple[Row, ...]

    @classmethod
    async def of(cls, connection: asyncpg.Connection) -> "Content":
        """Read it from the template."""
        return cls(await connection.fetchval(_SHAPE), tuple(await rows_of(connection)))

    async def restore(self, connection: asyncpg.Connection) -> bool:
        """Bring a clone back to the template's rows; False, with nothing done, where its schema is another now."""
        if await connection.fetchval(_SHAPE) != self.shape:
            return False
        written = [name for (name,) in await connection.fetch(WRITTEN)]
        # Neither triggers nor foreign keys have a say: an append-only ledger is emptied as any other table.
        statements = ["SET LOCAL session_replication_role = replica"]
        statements += [f"DELETE FROM {_quoted(name)}" for name in written]
        async with connection.transaction():
            await connection.execute("; ".join(statements))
            for name in {name for name, _ in self.rows}:
                rows = ",".join(row for table, row in self.rows if table == name)
                await connection.execute(
                    f"INSERT INTO {_quoted(name)} OVERRIDING SYSTEM VALUE"
                    f" SELECT * FROM json_populate_recordset(NULL::{_quoted(name)}, $1)",
                    f"[{rows}]",
                )
        return True
