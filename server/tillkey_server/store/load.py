"""A backup's rows back into a database, of either engine: all of them or nothing.

One transaction migrates to the backup's revision, fills the tables and migrates on to the newest. Until it commits,
nobody sees any of it.
"""

from __future__ import annotations

import base64
import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import DataError, IntegrityError

from tillkey_server.errors import BadInput, ConfigError
from tillkey_server.store import engines, migrate, tables
from tillkey_server.store.dump import ROWS_AT_ONCE, TableOutline

if TYPE_CHECKING:
    from sqlalchemy import Connection

_ALEMBIC_TABLE = "alembic_version"
_STOP_FIRST = "stop every server and command that uses it, then restore"

Lines = Iterable[tuple[str, bytes]]
"""Names of tables, in the order of filling, each with some of its rows as `dump.Snapshot.rows` gave them."""


async def holds_tables(url: str) -> bool:
    """Tell whether a database holds any table of ours. Raises ConfigError or Unavailable."""
    parsed = engines.parse_url(url)
    if parsed.get_backend_name() == "sqlite" and not migrate.path_of(parsed).exists():
        return False
    found: bool = await migrate.with_connection(parsed, lambda connection: bool(_ours(connection)))
    return found


def fill(
    connection: Connection,
    outlines: Sequence[TableOutline],
    lines: Lines,
    revision: str,
    told: Callable[[str, int], None],
) -> None:
    """Make the tables of `revision`, put every row into them, and bring them to the newest schema.

    Whatever tables of ours the database holds are dropped first. `told(table, rows)` hears of each lot. Raises
    BadInput for rows that do not fit.
    """
    by_name = {outline.name: outline for outline in outlines}
    with connection.begin():
        _refuse_running_servers(connection)
        for name in _ours(connection):
            cascade = " CASCADE" if connection.dialect.name == "postgresql" else ""
            connection.exec_driver_sql(f'DROP TABLE "{name}"{cascade}')
        migrate.upgrade_within(connection, revision)
        _refuse_strange_tables(connection, outlines)
        for name, some in lines:
            if name not in by_name:
                raise BadInput(
                    "file", "is damaged: it holds rows of a table that it does not describe; take another backup"
                )
            told(name, _insert(connection, by_name[name], some))
        if connection.dialect.name == "postgresql":
            # Deferred references must be proved before a migration may alter their tables.
            connection.exec_driver_sql("SET CONSTRAINTS ALL IMMEDIATE")
        migrate.upgrade_within(connection, "head")
        _go_on_counting(connection, outlines)


def refuse_open_file(path: Path) -> None:
    """Raise ConfigError while any process has a SQLite file open; what stands in its WAL is then in the file itself.

    Leaving WAL mode needs the file for oneself, which makes it the one question that SQLite answers truthfully.
    """
    with closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as connection:
        try:
            mode = connection.execute("PRAGMA journal_mode = DELETE").fetchone()
        except sqlite3.OperationalError as error:
            raise ConfigError(f"{path} is in use: {_STOP_FIRST}") from error
    assert mode == ("delete",), mode


def _refuse_running_servers(connection: Connection) -> None:
    """Raise ConfigError while a server is connected to a PostgreSQL database that is to be filled."""
    if connection.dialect.name != "postgresql":
        return
    statement = sa.text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name = :name AND pid <> pg_backend_pid()"
    )
    if connection.scalar(statement, {"name": engines.APPLICATION_NAME}):
        raise ConfigError(f"a server is connected to the database: {_STOP_FIRST}")


def _refuse_strange_tables(connection: Connection, outlines: Sequence[TableOutline]) -> None:
    """Raise BadInput for a backup that describes what its own schema does not have."""
    look = sa.inspect(connection)
    there = {name: {column["name"] for column in look.get_columns(name)} for name in look.get_table_names()}
    for outline in outlines:
        if not {column.name for column in outline.columns} <= there.get(outline.name, set()):
            raise BadInput(
                "file", "is damaged: it describes a table that its schema does not have; take another backup"
            )


def _ours(connection: Connection) -> list[str]:
    """Return which tables of ours a database holds, those that refer to others first."""
    there = set(sa.inspect(connection).get_table_names())
    ordered = [table.name for table in reversed(tables.metadata.sorted_tables)]
    return [name for name in (*ordered, _ALEMBIC_TABLE) if name in there]


def _insert(connection: Connection, outline: TableOutline, some: bytes) -> int:
    statement = outline.sql.insert()
    try:
        values = [_values(outline, json.loads(line)) for line in some.splitlines()]
    except (ValueError, TypeError) as error:
        raise BadInput(
            "file", f"is damaged: a row of {outline.name} does not fit its columns; take another backup"
        ) from error
    try:
        for start in range(0, len(values), ROWS_AT_ONCE):
            connection.execute(statement, values[start : start + ROWS_AT_ONCE])
    except (IntegrityError, DataError) as error:
        # Not chained: the driver's words may hold what a row holds (I16).
        raise BadInput(
            "file",
            f"holds rows of {outline.name} that its schema refuses ({type(error).__name__}); take another backup",
        ) from None
    return len(values)


def _values(outline: TableOutline, row: list[Any]) -> dict[str, Any]:
    return {column.name: _value(column.kind, plain) for column, plain in zip(outline.columns, row, strict=True)}


def _value(kind: str, plain: Any) -> Any:
    if plain is None or kind not in {"uuid", "bytes"}:
        return plain
    return UUID(plain) if kind == "uuid" else base64.b64decode(plain, validate=True)


def _go_on_counting(connection: Connection, outlines: Sequence[TableOutline]) -> None:
    """Let PostgreSQL's counters go on after the restored rows; SQLite's do so by themselves."""
    if connection.dialect.name != "postgresql":
        return
    for outline in outlines:
        for column in outline.columns:
            if column.kind != "int":
                continue
            names = {"table": f'"{outline.name}"', "column": column.name}
            counter = connection.scalar(sa.text("SELECT pg_get_serial_sequence(:table, :column)"), names)
            highest = connection.scalar(sa.select(sa.func.max(outline.sql.c[column.name]))) if counter else None
            if highest is not None:
                connection.execute(
                    sa.text("SELECT setval(CAST(:counter AS regclass), :highest)"),
                    {"counter": counter, "highest": highest},
                )
