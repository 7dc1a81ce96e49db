"""Making a server: the data folder, its keys, its database, the terms, and the examples where they are wanted.

1. What exists is never overwritten: a second `init` says what it found and changes nothing.
2. `keyset.json` is written last among the keys, so that it tells a complete folder from one whose `init` was
   interrupted.
3. The issuer is a name and no address: a server keeps it when it moves (PROTOCOL section 2). Without one given it is
   drawn, so that two servers of one vendor are never taken for one another.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from tillkey_server.clock import Clock
from tillkey_server.errors import BadInput, ConfigError
from tillkey_server.settings import Settings
from tillkey_server.signing import ceremony
from tillkey_server.signing.files import open_to_others
from tillkey_server.signing.keyring import Keyring
from tillkey_server.store import migrate
from tillkey_server.usecases import catalogue
from tillkey_server.usecases.services import open_services

_ISSUER_PREFIX = "tillkey-"
_ISSUER_SYMBOLS = "abcdefghjkmnpqrstvwxyz0123456789"
_ISSUER_LENGTH = 8


@dataclass(frozen=True, slots=True)
class Initialized:
    """What `init` made and what it found; `products` are the examples on sale, none where they were not asked for.

    `open_to_others` is whether others than its owner may enter the data folder, which then was there before.
    """

    issuer: str
    created: tuple[str, ...]
    found: tuple[str, ...]
    products: tuple[str, ...]
    open_to_others: bool


@dataclass(frozen=True, slots=True)
class Migrated:
    """The database's revision before and after; None before the first."""

    before: str | None
    after: str


async def initialize(settings: Settings, *, issuer: str | None, examples: bool, clock: Clock) -> Initialized:
    """Make whatever is missing of a server in its data folder and database.

    In: `issuer`, the server's name for ever; None keeps the one there is or draws one. Raises BadInput for another
    issuer than the folder's, ConfigError for a folder that is half made, Unavailable where the database cannot be
    reached.
    """
    created: list[str] = []
    found: list[str] = []
    if settings.keyset_path.exists():
        found.append(f"keys and keyset ({settings.keyset_path})")
    else:
        _refuse_half_made(settings)
        ceremony.init(settings, issuer=issuer or _draw_issuer(), now=clock.now())
        created.append(f"keys and keyset ({settings.keyset_path})")
    held = Keyring.load(settings).issuer
    if issuer is not None and issuer != held:
        raise BadInput(
            "issuer",
            f"is fixed: this server has been {held} since its keys were made; leave --issuer out, or make"
            " another server in a folder of its own with --data-dir",
        )
    migrated = await migrate_database(settings)
    (found if migrated.before == migrated.after else created).append(f"database schema {migrated.after}")
    services = await open_services(settings, clock)
    try:
        found.append(f"policies {', '.join(services.policies.names())}")
        products = await catalogue.load_examples(services) if examples else []
    finally:
        await services.close()
    return Initialized(held, tuple(created), tuple(found), tuple(products), open_to_others(settings.data_dir))


async def migrate_database(settings: Settings) -> Migrated:
    """Bring the database to the newest schema. Raises ConfigError or Unavailable."""
    before = await migrate.current(settings.database_url)
    return Migrated(before, await migrate.upgrade(settings.database_url))


def _draw_issuer() -> str:
    return _ISSUER_PREFIX + "".join(secrets.choice(_ISSUER_SYMBOLS) for _ in range(_ISSUER_LENGTH))


def _refuse_half_made(settings: Settings) -> None:
    parts = (settings.pepper_path, settings.root_key_path, settings.keysets_dir / "1.json")
    there = [str(path) for path in parts if path.exists()]
    if there:
        raise ConfigError(
            f"{settings.data_dir}: holds {', '.join(there)} but no keyset.json. If an `init` was interrupted here,"
            " nothing used these files yet: move them away and run it again. If this is a restored backup, restore all"
            " of it."
        )
