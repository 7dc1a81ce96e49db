"""Fixtures that every room's tests may use: real databases, and the guard that lets no test stand aside under CI."""

import gc
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support import compiled, folders
from tests.support.all_run import AllRun, wanted
from tests.support.callers import callers  # noqa: F401 - a fixture for every room
from tests.support.databases import DIALECTS, Databases, Prepare
from tests.support.house import house  # noqa: F401 - a fixture for every room
from tests.support.postgres import Postgres
from tests.support.secrecy import Secrecy
from tests.support.store import (  # noqa: F401 - fixtures for every room
    database,
    migrated_url,
    postgresql_database,
    sqlite_database,
)

pytest_plugins = ["pytester"]


def pytest_configure(config: pytest.Config) -> None:
    """Every run looks for its secrets; under CI, no test is skipped, deselected or expected to fail."""
    folders.settle()
    compiled.share()
    config.pluginmanager.register(Secrecy(), "tillkey-secrecy")
    if wanted(os.environ):
        config.pluginmanager.register(AllRun(), "tillkey-all-run")


def pytest_collection_finish() -> None:
    """What was imported and collected stays to the end: no search for garbage looks at it again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One PostgreSQL cluster for this process's whole run (with xdist: one per worker)."""
    with Postgres() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def databases(request: pytest.FixtureRequest) -> Iterator[Databases]:
    """The maker of databases, and the keeper of their prepared templates."""
    with tempfile.TemporaryDirectory(prefix="tk-sqlite-") as folder:
        yield Databases(Path(folder), lambda: request.getfixturevalue("postgres"))


@pytest.fixture
def fresh_database(databases: Databases) -> Iterator[Callable[..., str]]:
    """Give `fresh_database(dialect, template=None) -> url`; `template(url)` is run once, then cloned."""
    made: list[str] = []

    def make(dialect: str, template: Prepare | None = None) -> str:
        made.append(databases.create(dialect, template))
        return made[-1]

    yield make
    for url in made:
        databases.drop(url)


@pytest.fixture(params=DIALECTS)
def database_url(request: pytest.FixtureRequest, fresh_database: Callable[..., str]) -> str:
    """The URL of a new, empty database; the test runs once on each engine."""
    return fresh_database(request.param)
