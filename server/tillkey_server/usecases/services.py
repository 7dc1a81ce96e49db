"""What every use case works with, opened once for each process."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy.exc import IntegrityError

from tillkey_server.clock import Clock, SystemClock
from tillkey_server.errors import ConfigError, Unavailable
from tillkey_server.policies.loader import bundled_policies, load_folder
from tillkey_server.settings import Settings
from tillkey_server.signing.keyring import Keyring
from tillkey_server.signing.mint import Mint
from tillkey_server.signing.pepper import Pepper
from tillkey_server.store import migrate
from tillkey_server.store.db import Database
from tillkey_server.store.engines import named
from tillkey_server.store.faults import cause_of
from tillkey_server.store.migrate import Standing
from tillkey_server.usecases.policy_book import PolicyBook
from tillkey_server.usecases.product_book import ProductBook
from tillkey_server.usecases.pulse import Pulse

_ATTEMPTS = 3
_OWN_DATABASE = "tillkey.sqlite"
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Services:
    """The database, the clock, the terms and the keys of one running server or command."""

    settings: Settings
    db: Database
    clock: Clock
    policies: PolicyBook
    keyring: Keyring
    mint: Mint
    pepper: Pepper
    products: ProductBook = field(default_factory=ProductBook)
    pulse: Pulse = field(default_factory=Pulse)

    async def close(self) -> None:
        """Close the database's connections."""
        await self.db.dispose()


async def open_services(settings: Settings, clock: Clock | None = None) -> Services:
    """Open what the settings name.

    Raises ConfigError, naming the command that mends it, where the database is not migrated, a key is missing or the
    boot canary fails; Unavailable where the database cannot be reached.
    """
    clock = clock or SystemClock()
    keyring = Keyring.load(settings)
    mint = Mint(keyring)
    mint.prove(clock.now())
    await refuse_unmigrated(settings)
    # A vendor's own policy stands before a bundled one of the same name.
    book = PolicyBook({**bundled_policies(), **load_folder(settings.policies_dir)})
    db = Database(settings.database_url, strict_sqlite=settings.strict_sqlite)
    try:
        async with db.writing() as tx:
            await book.record(tx, clock.now())
    except BaseException:
        await db.dispose()
        raise
    return Services(settings, db, clock, book, keyring, mint, Pepper.load(settings))


async def refuse_unmigrated(settings: Settings) -> None:
    """Raise ConfigError, naming the database and the mend, unless its schema serves this code; or Unavailable.

    The newest schema does, and a newer one that says so (invariant I18).
    """
    standing = await migrate.standing(settings.database_url)
    if standing is Standing.NEWER:
        raise ConfigError(f"{migrate.TOO_NEW} ({named(settings.database_url)})")
    if not standing.usable:
        raise ConfigError(_unmigrated(settings))


def _unmigrated(settings: Settings) -> str:
    """Name the database, and the likely mistake: a PostgreSQL server's folder used without its setting."""
    by_default = settings.database_url.endswith(f"///{settings.data_dir / _OWN_DATABASE}")
    doubt = " If your data is in another database, TILLKEY_DATABASE_URL is missing: set it first." if by_default else ""
    return (
        f"the database is not migrated ({named(settings.database_url)}):"
        f" run `tillkey-server migrate --data-dir {settings.data_dir}`.{doubt}"
    )


@contextmanager
def naming_the_database(settings: Settings) -> Iterator[None]:
    """Make `Unavailable` name the database and the driver's class of cause, for people at a command line."""
    try:
        yield
    except Unavailable as error:
        cause = cause_of(error)
        because = "" if cause is None else f", {cause}"
        raise Unavailable(f"{error}: {named(settings.database_url)}{because}") from error


class Raced(Exception):
    """A parallel transaction wrote first what this one decided on; it is to be run again."""


async def settled(
    attempt: Callable[[], Awaitable[Result]], *, races: tuple[type[Exception], ...] = (IntegrityError, Raced)
) -> Result:
    """Run one transaction, and once more where a parallel one was faster: `Raced` or the database's uniqueness (law 6).

    The second run sees what the faster one committed and decides by it. In: `races` are the exceptions that say so.
    Raises Unavailable after three.
    """
    for _ in range(_ATTEMPTS - 1):
        with suppress(*races):
            return await attempt()
    try:
        return await attempt()
    except races as error:
        raise Unavailable("parallel requests kept coming first: try again") from error
