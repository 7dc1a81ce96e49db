"""What the tests of the HTTP interface share: the app in this process on both databases, and a real server process."""

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace

import httpx
import pytest
from fastapi import FastAPI

from tests.support.databases import DIALECTS
from tests.support.made import made, with_examples
from tests.support.server import Installation, Serving
from tests.support.till import RawTill
from tillkey_server.app import create_app
from tillkey_server.clock import SystemClock
from tillkey_server.settings import Settings
from tillkey_server.signing.keyring import Keyring
from tillkey_server.signing.mint import Mint
from tillkey_server.signing.pepper import Pepper
from tillkey_server.store.db import Database
from tillkey_server.usecases.license import issue
from tillkey_server.usecases.policy_book import PolicyBook
from tillkey_server.usecases.services import Services, open_services

__all__ = ["made", "with_examples"]

BASE = "http://tillkey.test"


@pytest.fixture(params=DIALECTS)
async def services(
    request: pytest.FixtureRequest,
    made: Settings,
    fresh_database: Callable[..., str],
    with_examples: Callable[[str], None],
) -> AsyncIterator[Services]:
    """Open services on a database with the example products; the test runs once on each engine."""
    opened = await open_services(replace(made, database_url=fresh_database(request.param, with_examples)))
    yield opened
    await opened.close()


@pytest.fixture
def app(services: Services) -> FastAPI:
    return create_app(services)


@pytest.fixture
async def http(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=BASE) as client:
        yield client


@pytest.fixture
def bare(made: Settings) -> Services:
    """Services whose database is never opened, for what must not need it."""
    keyring = Keyring.load(made)
    book = PolicyBook({})
    return Services(made, Database(made.database_url), SystemClock(), book, keyring, Mint(keyring), Pepper.load(made))


@pytest.fixture
async def bare_http(bare: Services) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=create_app(bare)), base_url=BASE) as client:
        yield client


@pytest.fixture
def till(http: httpx.AsyncClient, services: Services) -> RawTill:
    return RawTill(http, services.keyring.keyset)


@pytest.fixture
async def license_key(services: Services) -> str:
    issued = await issue(services, product="pos-core", customer_email="owner@shop.example", actor="cli:test")
    key = issued.licenses[0].license_key
    assert key is not None
    return key


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A real server process, for what only a real connection shows; no test that takes it reaches the database."""
    with Installation(tmp_path_factory.mktemp("serving") / "data").init(examples=False).serving() as process:
        yield process
