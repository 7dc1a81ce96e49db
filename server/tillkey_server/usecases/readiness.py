"""Whether the server can answer tills: each need looked at, each named with its state."""

from __future__ import annotations

from dataclasses import dataclass

from tillkey_server.errors import TillkeyError, Unavailable
from tillkey_server.store import migrate
from tillkey_server.store.migrate import Standing
from tillkey_server.usecases.services import Services

_STANDINGS = {
    Standing.CURRENT: "the schema is the newest",
    Standing.NEWER_SERVES: "the schema is newer than this server, and serves it",
    Standing.OLDER: "run `tillkey-server migrate`",
    Standing.NEWER: migrate.TOO_NEW,
}


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that answers depend on; `detail` says how it stands, or what to do about it."""

    name: str
    ok: bool
    detail: str


async def look(services: Services) -> tuple[Need, ...]:
    """Look at the schema of the database, the keys and a write; never raises for a need that is not met.

    The write is a real one, so that a full disk is found; it is made every other second at most, however many ask.
    """
    return (await _migrated(services), _keys(services), await _database(services))


async def _migrated(services: Services) -> Need:
    try:
        standing = await migrate.standing(services.settings.database_url)
    except Unavailable:
        return Need("migrated", ok=False, detail="unknown: the database cannot be reached")
    return Need("migrated", ok=standing.usable, detail=_STANDINGS[standing])


def _keys(services: Services) -> Need:
    try:
        services.mint.prove(services.clock.now())
    except TillkeyError as error:
        return Need("keys", ok=False, detail=str(error))
    return Need("keys", ok=True, detail=f"keyset version {services.keyring.keyset.version} signs")


async def _database(services: Services) -> Need:
    trouble = await services.pulse.trouble(services.db, services.clock)
    return Need("database", ok=trouble is None, detail=trouble or f"{services.db.dialect} takes writes")
