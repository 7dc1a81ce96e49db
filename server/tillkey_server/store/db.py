"""The database: writing and reading transactions, on SQLite and PostgreSQL alike.

1. `writing()` is one transaction: committed on a clean exit of the block, rolled back on any exception. On SQLite it
   begins with the write lock, so whatever the block reads stays true until it commits; on PostgreSQL the queries lock
   the rows they are asked to.
2. `reading()` is one read-only transaction.
3. What the database cannot do just now is `errors.Unavailable`, never a driver's exception.
4. Within `joined(connection)` both give that connection, `writing()` behind a savepoint: a use case that is run inside
   another's transaction commits and fails with it.
5. A COMMIT that was cancelled or timed out is *unknown*, never failed: the rows may be there. It is Unavailable, or
   the caller's own CancelledError, and the caller repeats its request with the same `rid` or idempotency key.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, TypeVar

from tillkey_server.clock import from_epoch
from tillkey_server.errors import Unavailable
from tillkey_server.ids import new_token
from tillkey_server.store import engines, worker_leases
from tillkey_server.store.faults import is_missing_table, means_unavailable
from tillkey_server.store.watching import Kind, Outcome, Stopwatch, Watch, count_statements

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

log = logging.getLogger(__name__)

COMMIT_SECONDS = 20.0
"""How long a COMMIT may take before its outcome is called unknown."""

Result = TypeVar("Result")
_joined: ContextVar[AsyncConnection | None] = ContextVar("joined", default=None)


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
            self._turns = {
                self._writer: asyncio.Semaphore(1),
                self._reader: asyncio.Semaphore(engines.SQLITE_READERS),
            }
        else:
            self._writer = engines.postgresql(self._url)
            self._reader = self._writer.execution_options(postgresql_readonly=True)
            shared = asyncio.Semaphore(engines.POSTGRESQL_POOL)
            self._turns = {self._writer: shared, self._reader: shared}
        self._watches: list[Watch] = []
        self._counting = False

    def __repr__(self) -> str:
        """Name the database without its password."""
        return f"Database({self._url.render_as_string(hide_password=True)!r})"

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """Give the connection of one writing transaction, which commits when the block ends cleanly.

        Raises Unavailable when the database cannot be reached, a lock is not granted in time, or the outcome of the
        COMMIT is unknown. Never open a second one inside the first: on SQLite it would wait for itself.
        """
        outer = _joined.get()
        if outer is not None:
            async with outer.begin_nested():
                yield outer
            return
        async with self._transaction(self._writer) as connection:
            yield connection
            await _commit(connection)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """Give the connection of one read-only transaction; nothing in it can write. Raises Unavailable."""
        outer = _joined.get()
        if outer is not None:
            yield outer
            return
        async with self._transaction(self._reader) as connection:
            yield connection

    @contextmanager
    def joined(self, connection: AsyncConnection) -> Iterator[None]:
        """Let what this task does in the block take part in the transaction of `connection`."""
        token = _joined.set(connection)
        try:
            yield
        finally:
            _joined.reset(token)

    def watch(self, watch: Watch, *, statements: bool = False) -> None:
        """Tell `watch` of every transaction that is over, with the number of its statements where those are asked for.

        It must be quick and raise nothing. One that watches already goes on as it is.
        """
        if watch not in self._watches:
            self._watches.append(watch)
        if statements and not self._counting:
            self._counting = True
            count_statements(self._writer)
            if self.dialect == "sqlite":
                # PostgreSQL's is the writing one with an option, and has its events.
                count_statements(self._reader)

    async def ping_writable(self) -> None:
        """Prove that a writing transaction can begin, write and commit, leaving no rows; raise Unavailable otherwise.

        A standby, a lost connection, a held write lock, a full disk and a database that was never migrated all fail it.
        It commits, since SQLite takes up room for what was written only then; and where a disk has room for this little
        alone, the write-ahead log is longer after each time, so that the next ones find it.
        """
        name = f"ping:{new_token()}"
        try:
            async with self._transaction(self._writer) as connection:
                await worker_leases.take(connection, name, name[-22:], now=from_epoch(0), until=from_epoch(0))
                await worker_leases.release(connection, name, name[-22:])
                await _commit(connection)
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
        watched = Stopwatch(Kind.WRITE if engine is self._writer else Kind.READ)
        opening = True
        try:
            async with self._turn(engine), _opened(engine) as connection:
                opening = False
                with watched.running(connection, counting=self._counting):
                    yield connection
            watched.outcome = Outcome.DONE
        except Unavailable:
            watched.outcome = Outcome.UNAVAILABLE
            raise
        except Exception as error:
            if means_unavailable(error, opening=opening, writing=engine is self._writer):
                watched.outcome = Outcome.UNAVAILABLE
                log.warning("the database is unavailable: %s", type(error).__name__)
                raise Unavailable(f"the database is unavailable ({self.dialect})") from error
            raise
        finally:
            past = watched.past()
            for watch in self._watches:
                watch(past)

    @asynccontextmanager
    async def _turn(self, engine: AsyncEngine) -> AsyncIterator[None]:
        """Wait until the engine has a free connection, first come, first served; Unavailable if that takes too long.

        Here and not in SQLAlchemy's pool, since opening a connection must not be cancelled and waiting for one may be.
        """
        turns = self._turns[engine]
        try:
            async with asyncio.timeout(engines.POOL_TIMEOUT_SECONDS):
                await turns.acquire()
        except TimeoutError as error:
            raise Unavailable("every connection to the database stayed busy") from error
        try:
            yield
        finally:
            turns.release()


@asynccontextmanager
async def _opened(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Give a connection with a transaction begun; closing it rolls back what was not committed.

    Opening and closing are seen through although the caller may be cancelled: a connection torn away half-made would
    be lost to the pool with whatever it locks.
    """
    opening = asyncio.ensure_future(_open(engine))
    try:
        connection = await _seen_through(opening)
    except asyncio.CancelledError:
        if not opening.cancelled() and opening.exception() is None:
            await _seen_through(asyncio.ensure_future(opening.result().close()))
        raise
    try:
        yield connection
    finally:
        await _seen_through(asyncio.ensure_future(connection.close()))


async def _open(engine: AsyncEngine) -> AsyncConnection:
    """Connect and begin; on SQLite beginning takes the lock."""
    connection = await engine.connect()
    try:
        await connection.begin()
    except BaseException:
        await connection.close()
        raise
    return connection


async def _commit(connection: AsyncConnection) -> None:
    """Commit; a COMMIT that has begun is seen through to its end even when the caller is cancelled.

    It cannot be called back, and a connection that is torn away in its midst would leave the outcome unknown without
    need. Raises Unavailable when the outcome is unknown after `COMMIT_SECONDS`.
    """
    commit = asyncio.ensure_future(connection.commit())
    stop = asyncio.get_running_loop().call_later(COMMIT_SECONDS, commit.cancel)
    try:
        await _seen_through(commit)
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if commit.cancelled() and not (task and task.cancelling()):
            raise Unavailable("the outcome of the COMMIT is unknown: it took too long") from error
        raise
    finally:
        stop.cancel()


async def _seen_through(work: asyncio.Future[Result]) -> Result:
    """Wait until `work` is done, however often the caller is cancelled meanwhile; then let that go on.

    Whatever is waited for here ends by its own time limits.
    """
    cancelled: asyncio.CancelledError | None = None
    while not work.done():
        try:
            await asyncio.wait({work})
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is None:
        return work.result()
    if not work.cancelled():
        work.exception()  # taken, so that asyncio does not report it: the caller is going away
    raise cancelled
