"""The whole server in this process, over a real database, with a clock that the test turns."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import pytest

from tests.support.databases import DIALECTS
from tests.support.till import RawTill
from tillkey.wire.keyset import Keyset
from tillkey_server.app import create_app
from tillkey_server.clock import Clock
from tillkey_server.policies.loader import bundled_policies, parse_policy
from tillkey_server.settings import Settings
from tillkey_server.signing import ceremony
from tillkey_server.store import migrate
from tillkey_server.usecases import catalogue
from tillkey_server.usecases import license as licenses
from tillkey_server.usecases.explain import explain
from tillkey_server.usecases.license import IssuedLicense
from tillkey_server.usecases.services import Services, open_services

MORNING = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
AGENT = "agent:test"
TRYING = bundled_policies()["default"].source.replace('name = "default"', 'name = "trying"') + (
    '\n[trial]\ndays = 14\nclauses = ["X-01", "K-03"]\n'
)
"""The vendor's own terms: the default ones, with trials."""


class TurnedClock(Clock):
    """A clock that stands still until the test turns it."""

    def __init__(self, instant: datetime = MORNING) -> None:
        self.instant = instant

    def now(self) -> datetime:
        return self.instant

    def turn(self, **by: float) -> None:
        """Let time pass: `turn(days=3)`."""
        self.instant += timedelta(**by)


class House:
    """The services, the application over ASGI, and what tests ask of them again and again."""

    def __init__(self, services: Services, clock: TurnedClock, http: httpx.AsyncClient) -> None:
        self.services = services
        self.clock = clock
        self.http = http

    @property
    def keyset(self) -> Keyset:
        """The keyset that a till is shipped with."""
        return self.services.keyring.keyset

    def till(self, machine: str | None = None, *, product: str = "pos-core", location: str = "/opt/till") -> RawTill:
        """A till with a key of its own, on a machine of its own unless the test names one."""
        return RawTill(self.http, self.keyset, product=product, machine=machine, location=location)

    async def license(self, product: str = "pos-core", customer: str = "owner@shop.example") -> IssuedLicense:
        """Sell one license."""
        issued = await licenses.issue(self.services, product=product, customer_email=customer, actor=AGENT)
        return issued.licenses[0]

    async def key(self, product: str = "pos-core", customer: str = "owner@shop.example") -> str:
        """Sell one license and return its key."""
        return (await self.license(product, customer)).license_key or ""

    async def new_terms(self, name: str, *changes: tuple[str, str]) -> None:
        """Offer the next version of a policy from now on, with a text that differs in these places."""
        book = self.services.policies
        now = book.offered(name)
        source = book.files()[name].source
        for before, after in ((f"version = {now.version}\n", f"version = {now.version + 1}\n"), *changes):
            assert source.count(before) == 1, before
            source = source.replace(before, after)
        book._offered[name] = parse_policy(source, f"{name}.toml")
        async with self.services.db.writing() as tx:
            await book.record(tx, self.clock.now())

    async def last_decision(self, sold: IssuedLicense) -> dict[str, object]:
        """Return the newest decision about a license, as `explain` tells it."""
        told = await explain(self.services, sold.license_id)
        decisions = told["decisions"]
        assert isinstance(decisions, list)
        newest: dict[str, object] = decisions[-1]
        return newest


async def opened(folder: Path, url: str, clock: TurnedClock) -> Services:
    """Make keys in a new folder and open the services over a migrated database."""
    settings = Settings.load(folder, {"TILLKEY_DATABASE_URL": url})
    settings.policies_dir.mkdir(parents=True, exist_ok=True)
    (settings.policies_dir / "trying.toml").write_text(TRYING, "utf-8")
    await asyncio.to_thread(ceremony.init, settings, issuer="test-house", now=clock.now())
    return await open_services(settings, clock)


async def _furnish(url: str) -> None:
    await migrate.upgrade(url)
    with TemporaryDirectory() as folder:
        services = await opened(Path(folder) / "data", url, TurnedClock())
        await catalogue.load_examples(services)
        await services.close()


def furnished(url: str) -> None:
    """Prepare a template: every table, the policies and the example catalogue."""
    asyncio.run(_furnish(url))


@asynccontextmanager
async def opened_house(
    dialect: str, fresh_database: Callable[..., str], folder: Path, clock: TurnedClock
) -> AsyncIterator[House]:
    """Open a server over a new database of that engine, with the example catalogue."""
    url = await asyncio.to_thread(fresh_database, dialect, furnished)
    services = await opened(folder / "data", url, clock)
    transport = httpx.ASGITransport(app=create_app(services))
    async with httpx.AsyncClient(transport=transport, base_url="http://house.example") as http:
        yield House(services, clock, http)
    await services.close()


@pytest.fixture(params=DIALECTS)
async def house(
    request: pytest.FixtureRequest, fresh_database: Callable[..., str], tmp_path: Path
) -> AsyncIterator[House]:
    """A server with the example catalogue; the test runs once on each engine."""
    async with opened_house(request.param, fresh_database, tmp_path, TurnedClock()) as opened_one:
        yield opened_one
