"""The pulse of a server: whether its database takes writes, found out by writing, and not more often than is of use.

Whoever watches a server may ask as often as they like, and several may: one real write answers all who ask within
`KEPT`, and those who ask while one is under way wait for it.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from tillkey_server.clock import Clock
from tillkey_server.errors import Unavailable
from tillkey_server.store.db import Database

KEPT = timedelta(seconds=2)
"""How long an answer is given again. The clock counts whole seconds, so that it is one second at least."""


class Pulse:
    """What the last write told, and when. One for each process; safe to share between tasks."""

    def __init__(self) -> None:
        """Begin without an answer."""
        self._turn = asyncio.Lock()
        self._told: tuple[datetime, str | None] | None = None

    async def trouble(self, database: Database, clock: Clock) -> str | None:
        """Return why the database takes no writes, or None where it does."""
        async with self._turn:
            # A clock that was set back must not keep an answer for ever.
            if self._told is None or not timedelta(0) <= clock.now() - self._told[0] < KEPT:
                told = await _write(database)
                self._told = (clock.now(), told)
            return self._told[1]


async def _write(database: Database) -> str | None:
    try:
        await database.ping_writable()
    except Unavailable as error:
        return str(error)
    return None
