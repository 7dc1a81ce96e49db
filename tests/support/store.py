"""A migrated database for tests, on both engines: a clone per test, so that commits are real."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from tests.support.databases import DIALECTS
from tillkey_server.store import migrate
from tillkey_server.store.db import Database


def migrated(url: str) -> None:
    """Prepare a template: every table, no rows. Leaves no connection behind."""
    asyncio.run(migrate.upgrade(url))


@pytest.fixture(params=DIALECTS)
def migrated_url(request: pytest.FixtureRequest, fresh_database: Callable[..., str]) -> str:
    """The URL of a new database with all tables; the test runs once on each engine."""
    return fresh_database(request.param, migrated)


@pytest.fixture
async def database(migrated_url: str) -> AsyncIterator[Database]:
    """An open database with all tables; the test runs once on each engine."""
    opened = Database(migrated_url)
    yield opened
    await opened.dispose()


@pytest.fixture
async def sqlite_database(fresh_database: Callable[..., str]) -> AsyncIterator[Database]:
    """The same, on SQLite alone."""
    opened = Database(fresh_database("sqlite", migrated))
    yield opened
    await opened.dispose()


@pytest.fixture
async def postgresql_database(fresh_database: Callable[..., str]) -> AsyncIterator[Database]:
    """The same, on PostgreSQL alone."""
    opened = Database(fresh_database("postgresql", migrated))
    yield opened
    await opened.dispose()
