"""Forgetting what is kept no longer (`rules.retention`), in small transactions that let every till through."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from tillkey_server.rules.retention import Horizons, horizons
from tillkey_server.store import rates, worker_leases
from tillkey_server.store import retention as old
from tillkey_server.usecases.services import Services

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncConnection

WORK = "retention"
WORKING = timedelta(minutes=30)
EVERY = timedelta(hours=6)
BATCH = 100
PAUSE_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Swept:
    """How many rows were forgotten of each kind."""

    steps: int
    fingerprints: int
    idempotency_keys: int
    rate_limits: int


async def sweep_if_due(services: Services, holder: str) -> Swept | None:
    """Sweep unless another process does, or did within the last hours: a lease keeps the others away until then."""
    now = services.clock.now()
    async with services.db.reading() as tx:
        if not await worker_leases.is_due(tx, WORK, now=now):
            return None
    async with services.db.writing() as tx:
        if not await worker_leases.take(tx, WORK, holder, now=now, until=now + WORKING):
            return None
    swept = await sweep(services)
    now = services.clock.now()
    async with services.db.writing() as tx:
        await worker_leases.take(tx, WORK, holder, now=now, until=now + EVERY)
    return swept


async def sweep(services: Services) -> Swept:
    """Forget what is older than the settings say; return how much. Two sweeps at once are harmless."""
    settings = services.settings
    limits = horizons(
        services.clock.now(),
        lease_days=settings.keep_leases_days,
        fingerprint_days=settings.keep_fingerprints_days,
    )
    steps, fingerprints = await _along_the_activations(services, limits)
    keys = await _until_none(services, lambda tx: old.forget_idempotency(tx, limits, limit=BATCH))
    counted = await _until_none(services, lambda tx: rates.forget(tx, limits.rates, limit=BATCH))
    return Swept(steps, fingerprints, keys, counted)


async def _along_the_activations(services: Services, limits: Horizons) -> tuple[int, int]:
    steps, fingerprints = 0, 0
    last: UUID | None = None
    while True:
        async with services.db.reading() as tx:
            ids = await old.activations_after(tx, last, BATCH)
            found = bool(ids) and await old.has_old(tx, ids, limits)
        if not ids:
            return steps, fingerprints
        if found:
            async with services.db.writing() as tx:
                steps += await old.forget_steps(tx, ids, limits)
                fingerprints += await old.forget_fingerprints(tx, ids, limits)
        last = ids[-1]
        await asyncio.sleep(PAUSE_SECONDS if found else 0)


async def _until_none(services: Services, forget: Callable[[AsyncConnection], Awaitable[int]]) -> int:
    total = 0
    while True:
        async with services.db.writing() as tx:
            gone = await forget(tx)
        total += gone
        if gone < BATCH:
            return total
        await asyncio.sleep(PAUSE_SECONDS)
