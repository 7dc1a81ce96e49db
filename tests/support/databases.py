"""A fresh database for each test that asks, on either engine, empty or as a clone of a prepared one."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from sqlalchemy import make_url

from tests.support import dumps
from tests.support.postgres import Postgres, Prepare, in_thread
from tests.support.record import RECORD

DIALECTS = ("sqlite", "postgresql")


class Databases:
    """Makes databases and, for PostgreSQL, drops them again.

    `folder` holds the SQLite files; `postgres` starts the cluster when it is first called, so that a run without a
    test on PostgreSQL pays nothing for it.
    """

    def __init__(self, folder: Path, postgres: Callable[[], Postgres]) -> None:
        self._folder = folder
        self._postgres = postgres
        self._prepared: dict[Prepare, Path] = {}
        self._made = 0

    def create(self, dialect: str, template: Prepare | None = None) -> str:
        """Return the URL of a new database: empty, or a clone of what `template` prepared when it was first named."""
        if dialect == "postgresql":
            return self._postgres().create_database(template)
        path = self._new_path()
        if template is not None:
            with (
                closing(sqlite3.connect(self._sqlite_template(template))) as source,
                closing(sqlite3.connect(path)) as copy,
            ):
                source.backup(copy)
        return _sqlite_url(path)

    def drop(self, url: str) -> None:
        """Remove a database once the secret scan has seen it."""
        if url.startswith("postgresql"):
            RECORD.database(self._postgres().take_back(url))
            return
        path = Path(str(make_url(url).database))
        RECORD.database(dumps.of_sqlite(path))
        for file in path.parent.glob(f"{path.name}*"):
            file.unlink(missing_ok=True)

    def _sqlite_template(self, prepare: Prepare) -> Path:
        if prepare not in self._prepared:
            path = self._new_path()
            in_thread(lambda: prepare(_sqlite_url(path)))
            self._prepared[prepare] = path
        return self._prepared[prepare]

    def _new_path(self) -> Path:
        self._made += 1
        return self._folder / f"{self._made}.sqlite"


def _sqlite_url(path: Path) -> str:
    return f"sqlite+aiosqlite:///{path}"
