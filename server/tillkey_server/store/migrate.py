"""Migrations: bring a database to the tables that this server needs.

An upgrade is one transaction behind one lock, so that any number of processes may run it at once: the first does the
work, the others find it done. SQLite's lock is the writing transaction itself, PostgreSQL's an advisory one.
"""

from __future__ import annotations

import asyncio
import os
import threading
from contextlib import nullcontext, suppress
from enum import StrEnum
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alembic import command, context
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import event, inspect, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from tillkey_server.errors import BrokenInvariant, ConfigError, Unavailable
from tillkey_server.store import compatibility, engines, tables
from tillkey_server.store.faults import is_lock_not_available, means_unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import URL, Connection
    from sqlalchemy.ext.asyncio import AsyncEngine

# Any constant will do, as long as nothing else on the same database uses it: "tillkey" in ASCII.
_ADVISORY_LOCK = int.from_bytes(b"tillkey")
# PostgreSQL looks for deadlocks after a second: what gives way before that ends nobody's transaction.
_LOCK_WAIT_MS = 200
_LOCK_PAUSE_SECONDS = 0.05
_LOCK_ATTEMPTS = 200
_VERSION_TABLE = "alembic_version"
_ALEMBIC = threading.Lock()
TOO_NEW = "the database was migrated by a newer server, which no longer serves this one: install that version"


class Standing(StrEnum):
    """How a database stands to the code that looks at it."""

    CURRENT = "current"
    OLDER = "older"
    NEWER_SERVES = "newer_serves"
    NEWER = "newer"

    @property
    def usable(self) -> bool:
        """Whether this server may work with it."""
        return self in {Standing.CURRENT, Standing.NEWER_SERVES}


def scripts_folder() -> Path:
    """Return the folder of the migrations: within the installed package, or at the root of a checkout."""
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "_migrations", package.parent.parent / "migrations"):
        if (folder / "env.py").is_file():
            return folder
    raise ConfigError("the migrations are missing from this installation: install the server's wheel again")


def head() -> str:
    """Return the version that this server needs."""
    return _head_in(scripts_folder())


@cache
def _head_in(folder: Path) -> str:
    """Read it once: the files of a later server, installed over a running one, do not make this one later."""
    newest = ScriptDirectory.from_config(_config(folder)).get_current_head()
    if newest is None:
        raise BrokenInvariant("there are no migrations")
    return newest


async def current(url: str) -> str | None:
    """Return the database's version, or None where nothing was ever migrated.

    Raises ConfigError for a URL that names no database, Unavailable where it cannot be reached. A SQLite file that is
    not there is not made.
    """
    parsed = engines.parse_url(url)
    if parsed.get_backend_name() == "sqlite" and not path_of(parsed).exists():
        return None
    found: str | None = await with_connection(parsed, _revision_of)
    return found


async def is_current(url: str) -> bool:
    """Tell whether the database has exactly the version that this server brings. Raises as `current` does."""
    return await current(url) == head()


async def standing(url: str) -> Standing:
    """Tell how the database stands to this server's code. Raises as `current` does."""
    found = await current(url)
    if found == head():
        return Standing.CURRENT
    if found is None or known(found):
        return Standing.OLDER
    served = await with_connection(engines.parse_url(url), partial(compatibility.serves, revision=head()))
    return Standing.NEWER_SERVES if served else Standing.NEWER


async def upgrade(url: str) -> str:
    """Bring the database to `head()`, making a SQLite file (readable by its owner alone) where there is none.

    Returns the version reached: a later one where a newer server has migrated the database and it still serves this
    one. Several processes at once are safe. Raises ConfigError or Unavailable; what was begun is then undone.
    """
    parsed = engines.parse_url(url)
    if parsed.get_backend_name() == "sqlite":
        create_private(path_of(parsed))
    found = await current(url)
    if found is not None and not known(found):
        if await standing(url) is Standing.NEWER_SERVES:
            return found
        raise ConfigError(TOO_NEW)
    await asyncio.to_thread(_upgrade_at, parsed)
    return head()


def known(revision: str) -> bool:
    """Tell whether this server has the migration of that name; one that a newer server brought it has not."""
    return revision in {script.revision for script in _scripts().walk_revisions()}


def upgrade_within(connection: Connection, revision: str) -> None:
    """Migrate to `revision` inside the transaction of a connection that the caller has begun, and will commit."""
    with _ALEMBIC:
        _upgrade_over(connection, revision)


def run_in(connection: Connection) -> None:
    """Run Alembic's migrations over a connection, in one transaction behind the lock. For /migrations/env.py.

    A transaction that is open already is the caller's to commit.
    """
    with nullcontext() if connection.in_transaction() else connection.begin():
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
            _hold_still(connection)
        context.configure(
            connection=connection,
            target_metadata=tables.metadata,
            render_as_batch=connection.dialect.name == "sqlite",
            transactional_ddl=True,
            compare_type=True,
        )
        with context.begin_transaction():
            context.run_migrations()
        compatibility.record(connection, _scripts(), _revision_of(connection))
        _check_references(connection)


def _hold_still(connection: Connection) -> None:
    """Lock our tables of PostgreSQL before anything is changed, and let go at once where a server holds one.

    A migration that takes its locks one by one meets a heartbeat that holds another one: PostgreSQL would end one of
    the two after a second. So it waits for less than that, gives way, lets who waits behind it through, and tries
    again. What else is in the database is nobody's business here. Raises what the last attempt met.
    """
    if _revision_of(connection) == _scripts().get_current_head():
        return
    ours = {_VERSION_TABLE, *tables.metadata.tables}.intersection(inspect(connection).get_table_names())
    names = ", ".join(f'"{name}"' for name in sorted(ours))
    for left in reversed(range(_LOCK_ATTEMPTS if names else 0)):
        try:
            with connection.begin_nested():
                connection.execute(text(f"SET LOCAL lock_timeout = '{_LOCK_WAIT_MS}ms'"))
                connection.execute(text(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE"))
                connection.execute(text("SET LOCAL lock_timeout = DEFAULT"))
        except DBAPIError as error:
            if not left or not is_lock_not_available(error):
                raise
        else:
            return
        connection.execute(text("SELECT pg_sleep(:pause)"), {"pause": _LOCK_PAUSE_SECONDS})


async def run_at(url: str) -> None:
    """Do the same at a URL, for the `alembic` command."""
    await with_connection(engines.parse_url(url), run_in)


def _scripts() -> ScriptDirectory:
    """Return the migrations as Alembic reads them."""
    return ScriptDirectory.from_config(_config(scripts_folder()))


def _config(folder: Path) -> Config:
    """Return Alembic's configuration without a file."""
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _upgrade_at(url: URL) -> None:
    """Upgrade in a thread and event loop of its own: Alembic's context is global to the process."""
    with _ALEMBIC:
        asyncio.run(with_connection(url, _upgrade_over))


def _upgrade_over(connection: Connection, revision: str = "head") -> None:
    """Run the upgrade through /migrations/env.py."""
    config = _config(scripts_folder())
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def _revision_of(connection: Connection) -> str | None:
    """Read the version from Alembic's own table."""
    return MigrationContext.configure(connection).get_current_revision()


def _check_references(connection: Connection) -> None:
    """Undo everything if a migration left a row that refers to nothing; PostgreSQL checks this itself."""
    if connection.dialect.name == "sqlite" and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
        raise BrokenInvariant("a migration left rows that refer to nothing")


async def with_connection(url: URL, work: Callable[[Connection], Any]) -> Any:
    """Give `work` a connection of its own, without the time limits that serve requests."""
    engine = _engine(url)
    opening = True
    try:
        async with engine.connect() as connection:
            opening = False
            return await connection.run_sync(work)
    except Exception as error:
        if means_unavailable(error, opening=opening, writing=True):
            raise Unavailable("the database is unavailable") from error
        raise
    finally:
        await engine.dispose()


def _engine(url: URL) -> AsyncEngine:
    """Return an engine for one connection; on SQLite every transaction takes the write lock at its start."""
    if url.get_backend_name() == "postgresql":
        return create_async_engine(url, poolclass=NullPool, hide_parameters=True)
    engine = create_async_engine(
        url,
        poolclass=NullPool,
        hide_parameters=True,
        connect_args={"isolation_level": None, "timeout": engines.BUSY_TIMEOUT_SECONDS},
    )
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    event.listen(engine.sync_engine, "begin", engines.begin_immediate)
    return engine


def _prepare_sqlite(connection: Any, record: object) -> None:
    """Prepare a connection that writes, but let references rest: altering a table on SQLite copies it."""
    engines.prepare_sqlite_writer(connection, record)
    engines.pragmas(connection, "foreign_keys = OFF")


def path_of(url: URL) -> Path:
    """Return the file of a SQLite URL."""
    return Path(url.database or "")


def create_private(path: Path) -> None:
    """Make an empty file that only its owner reads, unless it exists; SQLite's side files take its mode over."""
    try:
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError as error:
        mend = "let this user write there, or name another file in TILLKEY_DATABASE_URL"
        raise ConfigError(f"{path}: cannot be made: {error.strerror}; {mend}") from error
