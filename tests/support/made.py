"""A server's data folder made once for a run, and databases with the example products, cloned for each test."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from tillkey_server.clock import SystemClock
from tillkey_server.settings import Settings
from tillkey_server.usecases.setup import initialize

ISSUER = "tillkey-tests"


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A data folder with its keys; each test puts a database of its own beside it."""
    settings = Settings.load(tmp_path_factory.mktemp("made") / "data", {})
    asyncio.run(initialize(settings, issuer=ISSUER, examples=False, clock=SystemClock()))
    return settings


@pytest.fixture(scope="session")
def with_examples(made: Settings) -> Callable[[str], None]:
    """Prepares a database: every table, the example products on sale."""

    def prepare(url: str) -> None:
        settings = replace(made, database_url=url)
        asyncio.run(initialize(settings, issuer=None, examples=True, clock=SystemClock()))

    return prepare
