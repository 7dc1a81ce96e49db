"""A server without the lock that keeps one license in one place: the deliberate mutation that proves the race tests.

`python -m tests.support.mutation serve …` is `tillkey-server serve …` with the first of the two safeguards of law 6
removed; the second, the unique index, is dropped from the database by `drop_unique_index`. What is removed, exactly:

1. PostgreSQL: no query locks any row (`store.rows.locked` returns its statement as it came).
2. SQLite: a writing transaction no longer begins with the write lock. The driver's defaults take its place, under
   which each SELECT stands alone and the transaction begins at the first INSERT or UPDATE. A mere `BEGIN DEFERRED`
   would be no honest mutation: in WAL mode SQLite itself then refuses to write on a snapshot that is not the newest.
3. Activations of a license are not counted (`usecases.rate`): the row that counts them would stand in for the lock.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any, Self

from sqlalchemy import URL, event, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from tests.support.server import Serving
from tillkey_server.store import engines, rows
from tillkey_server.store.db import Database
from tillkey_server.store.tables import ONE_ACTIVE_PER_LICENSE
from tillkey_server.usecases import rate


class UnlockedServing(Serving):
    """A `serve` process as this module starts it."""

    def start(self) -> Self:
        """Start the process and wait until it says that it is ready."""
        words = ["serve", "--data-dir", str(self.installation.data_dir), "--host", "127.0.0.1", "--port", "0"]
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.mutation", *words],
                stdout=log,
                stderr=log,
                env={**self.installation.environment, "PYTHONPATH": os.pathsep.join(sys.path)},
            )
        self._wait_until_ready()
        return self


async def drop_unique_index(database: Database) -> None:
    """Remove the index that holds one active activation per license."""
    async with database.writing() as conn:
        await conn.execute(text(f"DROP INDEX {ONE_ACTIVE_PER_LICENSE}"))


def remove_lock() -> None:
    """Take the lock away in this process."""
    rows.locked = _never_locked
    rate.take_in = _never_counted
    engines.sqlite_writer = _writer_of_the_drivers_defaults


def _never_locked(statement: Any, _table: object, *, lock: bool) -> Any:
    return statement


async def _never_counted(*_arguments: object) -> int:
    return 0


def _writer_of_the_drivers_defaults(url: URL) -> AsyncEngine:
    engine = create_async_engine(
        url, pool_size=1, max_overflow=0, connect_args={"timeout": engines.BUSY_TIMEOUT_SECONDS}
    )
    event.listen(engine.sync_engine, "connect", engines.prepare_sqlite_writer)
    return engine


if __name__ == "__main__":
    from tillkey_server.cli.main import main

    remove_lock()
    main()
