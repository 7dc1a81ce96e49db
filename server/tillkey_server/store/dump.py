"""Every row of a database in one snapshot, in a form that either engine can take back.

1. One read-only transaction sees one moment: PostgreSQL at REPEATABLE READ, SQLite by its WAL. Servers go on writing.
2. Rows are streamed; no table is ever held in memory.
3. What describes the schema itself (Alembic's table, `served_code`) is left out: whoever restores migrates.
4. The database may be older or newer than this code: it is asked for its tables and columns, and `tables` only says
   what the values are.
"""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
from alembic.runtime.migration import MigrationContext
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from tillkey_server.errors import BrokenInvariant, Unavailable
from tillkey_server.store import engines, tables
from tillkey_server.store.faults import means_unavailable

if TYPE_CHECKING:
    from sqlalchemy.types import TypeEngine

OF_THE_SCHEMA = frozenset({"alembic_version", tables.served_code.name})
ROWS_AT_ONCE = 500

_KINDS: tuple[tuple[type[TypeEngine[Any]], str], ...] = (
    (sa.Uuid, "uuid"),
    (sa.JSON, "json"),
    (sa.Boolean, "bool"),
    (sa.Integer, "int"),
    (sa.LargeBinary, "bytes"),
    (sa.String, "text"),
)
_HEX_OF_A_UUID = 32


@dataclass(frozen=True, slots=True)
class ColumnOutline:
    """A column as a backup describes it: its `kind` is one of uuid, json, bool, int, bytes, text."""

    name: str
    kind: str
    nullable: bool

    def __post_init__(self) -> None:
        """Raise ValueError for what a damaged backup may say."""
        if self.kind not in {kind for _, kind in _KINDS}:
            raise ValueError(self.kind)

    @property
    def sql(self) -> sa.Column[Any]:
        """The column for statements, on either engine."""
        types: dict[str, TypeEngine[Any]] = {
            "uuid": sa.Uuid(),
            "json": sa.JSON(none_as_null=self.nullable),
            "bool": sa.Boolean(),
            "int": sa.BigInteger(),
            "bytes": sa.LargeBinary(),
            "text": sa.Text(),
        }
        return sa.Column(self.name, types[self.kind])


@dataclass(frozen=True, slots=True)
class TableOutline:
    """A table as a backup describes it."""

    name: str
    columns: tuple[ColumnOutline, ...]

    @property
    def sql(self) -> sa.Table:
        """The table for statements, on either engine."""
        return sa.Table(self.name, sa.MetaData(), *(column.sql for column in self.columns))

    def document(self) -> dict[str, object]:
        """Return it for `about.json`."""
        return asdict(self)


class Snapshot:
    """One moment of a database: its revision, its tables in an order in which they may be filled, and their rows."""

    def __init__(self, connection: AsyncConnection, revision: str | None, outlines: Sequence[TableOutline]) -> None:
        """Take what was found; made by `snapshot`."""
        self._connection = connection
        self.revision = revision
        self.tables = tuple(outlines)

    async def rows(self, table: TableOutline) -> AsyncIterator[bytes]:
        """Give the rows of a table, some hundred at a time, each a line of JSON."""
        streamed = await self._connection.stream(sa.select(table.sql))
        async for some in streamed.partitions(ROWS_AT_ONCE):
            yield b"".join(
                json.dumps([_plain(value) for value in row], separators=(",", ":")).encode("ascii") + b"\n"
                for row in some
            )


@asynccontextmanager
async def snapshot(url: str) -> AsyncIterator[Snapshot]:
    """Open a snapshot of the database. Raises ConfigError or Unavailable."""
    engine = _engine(engines.parse_url(url))
    opening = True
    try:
        async with engine.connect() as connection, connection.begin():
            opening = False
            revision, outlines = await connection.run_sync(_look)
            yield Snapshot(connection, revision, outlines)
    except Exception as error:
        if means_unavailable(error, opening=opening, writing=False):
            raise Unavailable("the database is unavailable") from error
        raise
    finally:
        await engine.dispose()


def _engine(url: sa.URL) -> AsyncEngine:
    """Return an engine without the time limits that serve requests: a big database takes its time."""
    if url.get_backend_name() == "sqlite":
        return engines.sqlite_reader(url)
    engine = create_async_engine(url, poolclass=NullPool, hide_parameters=True)
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def _look(connection: sa.Connection) -> tuple[str | None, list[TableOutline]]:
    found = sa.MetaData()
    found.reflect(connection)
    outlines = [
        TableOutline(
            table.name, tuple(ColumnOutline(one.name, _kind(one), bool(one.nullable)) for one in table.columns)
        )
        for table in found.sorted_tables
        if table.name not in OF_THE_SCHEMA
    ]
    return MigrationContext.configure(connection).get_current_revision(), outlines


def _kind(found: sa.Column[Any]) -> str:
    """Return what a column holds: as this code knows it, else as the database tells."""
    known = tables.metadata.tables.get(found.table.name)
    held = known.columns.get(found.name) if known is not None else None
    type_ = found.type if held is None else held.type
    if isinstance(type_, sa.types.TypeDecorator):
        type_ = type_.impl_instance
    if held is None and isinstance(type_, sa.CHAR) and type_.length == _HEX_OF_A_UUID:
        return "uuid"
    for known_type, kind in _KINDS:
        if isinstance(type_, known_type):
            return kind
    raise BrokenInvariant(f"a backup cannot hold the column {found.table.name}.{found.name}")


def _plain(value: object) -> object:
    match value:
        case UUID():
            return value.hex
        case bytes():
            return base64.b64encode(value).decode("ascii")
        case _:
            return value
