"""A server that is set up already, cloned for each test module that asks: keys, tables, products, licenses in stock.

A clone has its own data folder and its own database, on either engine, and takes a tenth of a second; `init` and the
commands that issue licenses take seconds.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx
import pytest

from tests.support.databases import DIALECTS, Databases
from tests.support.postgres import in_thread
from tests.support.server import Installation, IssuedKey
from tillkey.wire.keyset import Keyset
from tillkey_server.app import create_app
from tillkey_server.clock import Clock, SystemClock
from tillkey_server.settings import Settings
from tillkey_server.store.db import Database
from tillkey_server.usecases import license as licenses
from tillkey_server.usecases.services import Services, open_services
from tillkey_server.usecases.setup import initialize

OWNER = "owner@shop.example"
STRANGER = "somebody@else.example"
EXEMPT = "prestashop-click-collect"
"""A product whose policy gives staging a seat of its own."""

STOCK = {
    ("pos-core", OWNER): 260,
    ("pos-core", STRANGER): 30,
    ("pos-loyalty", OWNER): 30,
    ("pos-loyalty", STRANGER): 30,
    (EXEMPT, OWNER): 30,
}
Sold = dict[tuple[str, str], list[IssuedKey]]


class Premises:
    """One clone.

    `installation` runs its commands and servers; `license` takes the next license of the stock.
    """

    def __init__(self, dialect: str, url: str, data_dir: Path, sold: Sold) -> None:
        self.dialect = dialect
        self.url = url
        self.installation = Installation(data_dir, database_url=url, warm=True)
        self._stock = {lot: list(reversed(keys)) for lot, keys in sold.items()}

    @property
    def keyset(self) -> Keyset:
        """The keyset that a till is shipped with."""
        return self.installation.keyset

    def license(self, product: str = "pos-core", customer: str = OWNER) -> IssuedKey:
        """Take a license that no test has used; where none is left, a hundred more are sold first."""
        left = self._stock[product, customer]
        if not left:
            in_thread(lambda: left.extend(asyncio.run(self._more(product, customer))))
        return left.pop()

    async def _more(self, product: str, customer: str) -> list[IssuedKey]:
        async with self.services() as services:
            return await _sell(services, product, customer, 100)

    @asynccontextmanager
    async def database(self) -> AsyncIterator[Database]:
        """Open the database beside the servers, to look at what they wrote."""
        opened = Database(self.url)
        try:
            yield opened
        finally:
            await opened.dispose()

    @asynccontextmanager
    async def services(self, clock: Clock | None = None) -> AsyncIterator[Services]:
        """Open the use cases in this process, as a command does beside running servers."""
        opened = await open_services(_settings(self.installation.data_dir, self.url), clock)
        try:
            yield opened
        finally:
            await opened.close()

    @asynccontextmanager
    async def in_process(self, clock: Clock | None = None) -> AsyncIterator[httpx.AsyncClient]:
        """Serve in this process, for the part of a story that needs no process of its own or another time of day."""
        async with self.services(clock) as services:
            transport = httpx.ASGITransport(app=create_app(services))
            async with httpx.AsyncClient(transport=transport, base_url="http://premises.example") as http:
                yield http


class Stock:
    """What clones are made from: one prepared data folder and database per engine, made when first asked for."""

    def __init__(self, databases: Databases, folder: Path) -> None:
        self._databases = databases
        self._folder = folder
        self._sold: dict[str, Sold] = {}

    def clone(self, dialect: str, folder: Path) -> Premises:
        """Return a new clone with its data in `folder`."""
        url = self._databases.create(dialect, self._prepare)
        shutil.copytree(self._folder / dialect, folder / "data")
        return Premises(dialect, url, folder / "data", self._sold[dialect])

    def _prepare(self, url: str) -> None:
        dialect = url.partition("+")[0]
        self._sold[dialect] = asyncio.run(_fill(_settings(self._folder / dialect, url)))


def _settings(data_dir: Path, url: str) -> Settings:
    return Settings.load(data_dir, {"TILLKEY_DATABASE_URL": url})


async def _fill(settings: Settings) -> Sold:
    """Set a server up and sell the stock."""
    await initialize(settings, issuer=None, examples=True, clock=SystemClock())
    services = await open_services(settings)
    try:
        return {lot: await _sell(services, *lot, quantity) for lot, quantity in STOCK.items()}
    finally:
        await services.close()


async def _sell(services: Services, product: str, customer: str, quantity: int) -> list[IssuedKey]:
    issued = await licenses.issue(
        services, product=product, customer_email=customer, actor="agent:test", quantity=quantity
    )
    return [IssuedKey(str(one.license_id), one.license_key or "") for one in issued.licenses]


_STOCKS: dict[Databases, Stock] = {}


def stock_of(databases: Databases, factory: pytest.TempPathFactory) -> Stock:
    """Return the stock of this process and maker of databases, whichever module asks."""
    if databases not in _STOCKS:
        _STOCKS[databases] = Stock(databases, factory.mktemp("stock"))
    return _STOCKS[databases]


@contextmanager
def cloned(dialect: str, databases: Databases, factory: pytest.TempPathFactory) -> Iterator[Premises]:
    """Make a clone, and drop its database at the end."""
    made = stock_of(databases, factory).clone(dialect, factory.mktemp("premises"))
    try:
        yield made
    finally:
        databases.drop(made.url)


@pytest.fixture(scope="module", params=DIALECTS)
def premises(
    request: pytest.FixtureRequest, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Premises]:
    """A clone for the module's tests together; they run once on each engine."""
    with cloned(request.param, databases, tmp_path_factory) as made:
        yield made


@pytest.fixture(params=DIALECTS)
def own_premises(
    request: pytest.FixtureRequest, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Premises]:
    """A clone for one test, which may spoil it; the test runs once on each engine."""
    with cloned(request.param, databases, tmp_path_factory) as made:
        yield made


@pytest.fixture(scope="module")
def servers(premises: Premises) -> Iterator[tuple[str, str]]:
    """The addresses of two processes that serve the module's clone."""
    with premises.installation.serving() as one, premises.installation.serving() as other:
        yield one.url, other.url
