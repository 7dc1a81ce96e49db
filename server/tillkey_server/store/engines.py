"""How connections to the two databases are made, and what is set on each.

SQLite's defaults in SQLAlchemy run a SELECT outside the transaction that the following UPDATE opens, and lose updates
without a word; `BEGIN IMMEDIATE` takes the write lock before the first read. PostgreSQL runs at READ COMMITTED with
row locks.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from typing import TYPE_CHECKING, Any

import aiosqlite
from sqlalchemy import URL, event, make_url
from sqlalchemy.exc import ArgumentError, InvalidatePoolError
from sqlalchemy.ext.asyncio import create_async_engine

from tillkey_server.errors import ConfigError, Unavailable

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from sqlalchemy.engine import ExceptionContext
    from sqlalchemy.ext.asyncio import AsyncEngine

log = logging.getLogger(__name__)

BUSY_TIMEOUT_SECONDS = 15
"""How long a SQLite writer waits for another process to finish."""

POOL_TIMEOUT_SECONDS = 30
"""How long a transaction waits for its turn within this process."""

POSTGRESQL_POOL = 10
SQLITE_READERS = 4
_CONNECT_SECONDS = 5
_ANSWER_SECONDS = 40
"""How long PostgreSQL may be silent: longer than its own limits below, so that only a lost network meets it."""

_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}

APPLICATION_NAME = "tillkey"

_POSTGRESQL_SETTINGS = {
    "application_name": APPLICATION_NAME,
    "default_transaction_isolation": "read committed",
    "lock_timeout": "10s",
    "statement_timeout": "30s",
    "idle_in_transaction_session_timeout": "60s",
    "timezone": "UTC",
}
"""A stuck peer must not hold a row, and with it a shop's license, for ever."""


def parse_url(text: str) -> URL:
    """Return the database's URL with the driver that this server uses.

    In: `sqlite:///path`, `postgresql://…`, with or without our driver's name. Raises ConfigError, which never repeats
    the text since it may hold a password.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        # Not chained: what could not be read may be a part of the password.
        raise ConfigError(
            "the database URL cannot be read: write sqlite:///path or postgresql://user:password@host:port/name,"
            " with %40 for @ and %2F for / in the password"
        ) from None
    backend = url.drivername.partition("+")[0]
    driver = _DRIVERS.get(backend)
    if driver is None or url.drivername not in {backend, driver}:
        raise ConfigError(f"no database {url.drivername!r} is known: use sqlite:///path or postgresql://…")
    url = url.set(drivername=driver)
    if backend == "sqlite" and url.database in {None, "", ":memory:"}:
        # The reading and the writing engine would each see an empty database of their own.
        raise ConfigError("a database in memory cannot be served: name a file, sqlite:///path")
    return url


def named(text: str) -> str:
    """Return a database's URL as a person may see it: SQLite's file, or a URL without password and options.

    For messages of the command line alone: a log line names no database (I16). Raises ConfigError as `parse_url` does.
    """
    url = parse_url(text)
    if url.get_backend_name() == "sqlite":
        return f"SQLite file {url.database}"
    # Options are left out too: asyncpg takes a password among them.
    shown = URL.create("postgresql", username=url.username, host=url.host, port=url.port, database=url.database)
    return shown.render_as_string(hide_password=True)


def sqlite_warning(version: tuple[int, ...]) -> str | None:
    """Return what is wrong with a version of the SQLite library, or None.

    Source: sqlite.org/wal.html, section "The WAL-Reset Bug": 3.7.0 to 3.51.2 can corrupt a database when two
    connections checkpoint at once; mended in 3.51.3 and in the later patches of 3.44 and 3.50.
    """
    mended = version >= (3, 51, 3) or (3, 44, 6) <= version < (3, 45) or (3, 50, 7) <= version < (3, 51)
    if mended or version < (3, 7):
        return None
    named = ".".join(map(str, version))
    return (
        f"SQLite {named} has a known bug that can, very rarely, corrupt a database in WAL mode (3.7.0 to 3.51.2). "
        "Install SQLite 3.51.3 or later, or use PostgreSQL; TILLKEY_STRICT_SQLITE=1 turns this warning into a refusal."
    )


def check_sqlite_version(*, strict: bool) -> None:
    """Warn of an affected SQLite library, or raise ConfigError where the operator asked for that."""
    warning = sqlite_warning(sqlite3.sqlite_version_info)
    if warning is None:
        return
    if strict:
        raise ConfigError(warning)
    log.warning(warning)


async def _opened(*arguments: Any, **options: Any) -> aiosqlite.Connection:
    """Open a SQLite file; where that fails, wait for the driver's thread to end.

    The driver does not: its thread would answer an event loop that may be closed by then, and the traceback of that
    would stand beside the error that the operator is told.
    """
    connection = aiosqlite.connect(*arguments, **options)
    thread = connection._thread  # noqa: SLF001 - nothing public tells when it has ended
    thread.daemon = True
    try:
        return await connection
    except BaseException:
        await asyncio.to_thread(thread.join)
        raise


_SQLITE_ARGUMENTS = {"isolation_level": None, "timeout": BUSY_TIMEOUT_SECONDS, "async_creator_fn": _opened}


def sqlite_writer(url: URL) -> AsyncEngine:
    """Return the engine of the one writing connection: the others of this process queue in asyncio, in order."""
    engine = create_async_engine(
        url,
        pool_size=1,
        max_overflow=0,
        pool_timeout=POOL_TIMEOUT_SECONDS,
        hide_parameters=True,
        connect_args=_SQLITE_ARGUMENTS,
    )
    event.listen(engine.sync_engine, "connect", prepare_sqlite_writer)
    event.listen(engine.sync_engine, "begin", begin_immediate)
    return engine


def sqlite_reader(url: URL) -> AsyncEngine:
    """Return the engine of SQLite's reading connections, which see one snapshot per transaction and cannot write."""
    engine = create_async_engine(
        url,
        pool_size=SQLITE_READERS,
        max_overflow=0,
        pool_timeout=POOL_TIMEOUT_SECONDS,
        hide_parameters=True,
        connect_args=_SQLITE_ARGUMENTS,
    )
    event.listen(engine.sync_engine, "connect", _prepare_sqlite_reader)
    event.listen(engine.sync_engine, "begin", _begin_deferred)
    return engine


def postgresql(url: URL) -> AsyncEngine:
    """Return PostgreSQL's engine.

    No pre-ping: it would cost a round trip per transaction. Connections that the server closed are recognised without
    one, see `_refuse_closed`.
    """
    arguments: dict[str, Any] = {"timeout": _CONNECT_SECONDS, "server_settings": _POSTGRESQL_SETTINGS}
    arguments["command_timeout"] = _ANSWER_SECONDS
    if "target_session_attrs" not in url.query:
        # Decisions are made on the primary only, also right after a failover.
        arguments["target_session_attrs"] = "read-write"
    engine = create_async_engine(
        url,
        pool_size=POSTGRESQL_POOL,
        max_overflow=0,
        pool_timeout=POOL_TIMEOUT_SECONDS,
        pool_pre_ping=False,
        hide_parameters=True,
        connect_args=arguments,
    )
    event.listen(engine.sync_engine, "checkout", _refuse_closed)
    event.listen(engine.sync_engine, "handle_error", _forget_values)
    event.listen(engine.sync_engine, "handle_error", _name_silence)
    return engine


def pragmas(connection: Any, *statements: str) -> None:
    """Run PRAGMA statements on a fresh SQLite connection."""
    cursor = connection.cursor()
    for statement in statements:
        cursor.execute(f"PRAGMA {statement}")
        cursor.fetchall()
    cursor.close()


def prepare_sqlite_writer(connection: Any, _record: object) -> None:
    """Set what makes SQLite durable and strict; the busy timeout comes first, since WAL itself needs a lock."""
    pragmas(
        connection,
        f"busy_timeout = {BUSY_TIMEOUT_SECONDS * 1000}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
    )


def _prepare_sqlite_reader(connection: Any, _record: object) -> None:
    """Make the connection refuse to write, so that a use case cannot write outside a writing transaction."""
    pragmas(connection, f"busy_timeout = {BUSY_TIMEOUT_SECONDS * 1000}", "query_only = ON")


def begin_immediate(connection: Connection) -> None:
    """Take SQLite's write lock before the first read."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin_deferred(connection: Connection) -> None:
    """Open a transaction, so that several reads see the same snapshot."""
    connection.exec_driver_sql("BEGIN DEFERRED")


def _refuse_closed(connection: Any, _record: object, _proxy: object) -> None:
    """Let the pool replace its connections when the server has closed one, after a restart or a failover."""
    if connection.driver_connection.is_closed():
        raise InvalidatePoolError("the server closed the connection")


def _forget_values(context: ExceptionContext) -> None:
    """Drop the row's values from PostgreSQL's errors: they hold e-mail addresses and end up in logs (I16)."""
    link: BaseException | None = context.original_exception
    while link is not None:
        if getattr(link, "detail", None):
            link.detail = None  # type: ignore[attr-defined]
        link = link.__cause__


def _name_silence(context: ExceptionContext) -> Unavailable | None:
    """Turn the driver's bare timeout into ours, and drop the connection: an answer to it may still come."""
    if not isinstance(context.original_exception, TimeoutError):
        return None
    context.is_disconnect = True
    return Unavailable("the database did not answer in time")
