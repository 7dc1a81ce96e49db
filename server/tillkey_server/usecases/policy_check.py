"""Whether a policy file agrees with what a server has recorded under its name and version (K-09)."""

from __future__ import annotations

from enum import StrEnum

from tillkey_server.policies.loader import LoadedPolicy
from tillkey_server.settings import Settings
from tillkey_server.store import policies
from tillkey_server.store.db import Database


class Recorded(StrEnum):
    """How the version on record compares: there is none, it has the same text, or another."""

    NEW = "new"
    SAME = "same"
    OTHER = "other"


async def compare(settings: Settings, loaded: LoadedPolicy) -> Recorded:
    """Compare a file with the record, and write nothing. Raises ConfigError and Unavailable as the database does."""
    ref = loaded.policy.ref
    database = Database(settings.database_url)
    try:
        async with database.reading() as tx:
            row = await policies.get(tx, ref.name, ref.version)
    finally:
        await database.dispose()
    if row is None:
        return Recorded.NEW
    return Recorded.SAME if row.digest == loaded.digest else Recorded.OTHER
