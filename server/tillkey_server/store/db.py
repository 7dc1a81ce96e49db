"""The database: writing and reading transactions, on SQLite and PostgreSQL alike.

1. `writing()` is one transaction: committed on a clean exit of the block, rolled back on any exception. On SQLite it
   begins with the write lock, so whatever the block reads stays true until it commits; on PostgreSQL the queries lock
   the rows they are asked to.
2. `reading()` is one read-only transaction.
3. What the database cannot do just now is `errors.Unavailable`, never a driver's exception.
4. A COMMIT that was cancelled or timed out is *unknown*, never failed: the rows may be there. It is Unavailable, or
   the caller's own CancelledError, and the caller repeats its request with the same `rid` or idempotency key.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from sqlalchemy import false

from tillkey_server.errors import Unavailable
from tillkey_server.store import engines, tables
from tillkey_server.store.faults import is_missing_table, means_unavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

log = logging.getLogger(__name__)

COMMIT_SECONDS = 20.0
"""How long a COMMIT may take before its outcome is called unknown."""

_GIVE_UP_SECONDS = 5.0


class Database:
    """The one door to the rows; made once per process and event loop, closed with `dispose()`.

    In: a URL as `engines.parse_url` takes it. `strict_sqlite` refuses a SQLite library with the known WAL bug instead
    of warning. Raises ConfigError. Nothing is connected before the first transaction.
    """

    def __init__(self, url: str, *, strict_sqlite: bool = False) -> None:
        """Make the engines for `url`."""
        self._url = engines.parse_url(url)
        self.dialect = self._url.get_backend_name()
        self._writer: AsyncEngine
        self._reader: AsyncEngine
        if self.dialect == "sqlite":
            engines.check_sqlite_version(strict=strict_sqlite)
            self._writer = engines.sqlite_writer(self._url)
            self._reader = engines.sqlite_reader(self._url)
        else:
            self._writer = engines.postgresql(self._url)
            self._reader = self._writer.execution_options(postgresql_readonly=True)

    def __repr__(self) -> str:
        """Name the database without its password."""
        return f"Database({self._url.render_as_string(hide_password=True)!r})"

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """Give the connection of one writing transaction, which commits when the block ends cleanly.

        Raises Unavailable when the database cannot be reached, a lock is not granted in time, or the outcome of the
        COMMIT is unknown. Never open a second one inside the first: on SQLite it would wait for itself.
        """
        async with self._transaction(self._writer) as connection:
            yield connection
            await _commit(connection)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """Give the connection of one read-only transaction; nothing in it can write. Raises Unavailable."""
        async with self._transaction(self._reader) as connection:
            yield connection

    async def ping_writable(self) -> None:
        """Prove that a writing transaction can begin and write, leaving no rows; raise Unavailable otherwise.

        A standby, a lost connection, a held write lock and a database that was never migrated all fail it.
        """
        try:
            async with self._transaction(self._writer) as connection:
                await connection.execute(tables.policy_version.delete().where(false()))
        except Exception as error:
            if is_missing_table(error):
                raise Unavailable("the database has no tables: run `tillkey-server migrate`") from error
            raise

    async def dispose(self) -> None:
        """Close every connection."""
        await self._writer.dispose()
        await self._reader.dispose()

    @asynccontextmanager
    async def _transaction(self, engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
        """Open a connection and begin; leaving without a commit rolls back."""
        opening = True
        try:
            async with engine.connect() as connection:
                await connection.begin()
                opening = False
                yield connection
        except Unavailable:
            raise
        except Exception as error:
            if means_unavailable(error, opening=opening, writing=engine is self._writer):
                log.warning("the database is unavailable: %s", type(error).__name__)
                raise Unavailable(f"the database is unavailable ({self.dialect})") from error
            raise


async def _commit(connection: AsyncConnection) -> None:
    """Commit, seeing a COMMIT that has begun through to its end even when the caller is cancelled.

    It cannot be called back, and a connection that is torn away in its midst would leave the outcome unknown without
    need.
    """
    commit = asyncio.ensure_future(connection.commit())
    try:
        await asyncio.wait({commit}, timeout=COMMIT_SECONDS)
    except asyncio.CancelledError:
        with suppress(asyncio.CancelledError):
            await asyncio.wait({commit}, timeout=COMMIT_SECONDS)
        if commit.done() and not commit.cancelled():
            commit.exception()  # taken, so that asyncio does not report it: the caller is going away
        raise
    if not commit.done():
        commit.cancel()
        # Until it has noticed: the driver then throws the connection away in good order.
        await asyncio.wait({commit}, timeout=_GIVE_UP_SECONDS)
        if not commit.done() or commit.cancelled():
            raise Unavailable("the outcome of the COMMIT is unknown: it took too long")
    commit.result()
