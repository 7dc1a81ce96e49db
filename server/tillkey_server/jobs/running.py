"""Runs the background work beside a server.

1. Each process of each machine runs this; a lease in the database lets one at a time do each kind of work, and another
   takes over from one that died.
2. Nothing that goes wrong here ends or slows the server: it is logged and tried again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from tillkey_server.errors import Unavailable
from tillkey_server.ids import new_token
from tillkey_server.usecases import (
    late_payouts,
    refund_proposal,
    renewals_due,
    retention,
    retirement,
    review,
    sealing,
    termination,
)
from tillkey_server.usecases.services import Services

log = logging.getLogger(__name__)

SEAL_SECONDS = 2.0
THOROUGH_EVERY = 1800
"""Rounds between two that look through the whole log: an hour. `rules.audit.LATE` must be longer."""
SWEEP_SECONDS = 600.0
ACCOUNTS_SECONDS = 60.0


@asynccontextmanager
async def background(services: Services) -> AsyncIterator[None]:
    """Do the background work while the block runs, and give it back at its end."""
    holder = new_token()
    tasks = [
        asyncio.create_task(_again_and_again("sealing", SEAL_SECONDS, _sealer(services, holder))),
        asyncio.create_task(
            _again_and_again("retention", SWEEP_SECONDS, lambda: retention.sweep_if_due(services, holder))
        ),
        # Each renewal is created once whoever looks first, so that this needs no lease.
        asyncio.create_task(_again_and_again("renewals", SWEEP_SECONDS, lambda: _renewals(services))),
        asyncio.create_task(_again_and_again("accounts", ACCOUNTS_SECONDS, lambda: _accounts(services))),
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with suppress(Unavailable):
            await sealing.give_up(services, holder)


async def _accounts(services: Services) -> None:
    """End accounts that are due, propose refunds of what took too long, and tell of payouts that are late.

    Twice at once is harmless.
    """
    await termination.end_due_accounts(services)
    await review.propose_refunds(services)
    await refund_proposal.propose_for_breaches(services)
    await late_payouts.tell_late_payouts(services)


async def _renewals(services: Services) -> None:
    """Cancel what a retirement left to cancel, and create the renewals that are due."""
    await retirement.cancel_of_retired(services)
    await renewals_due.create_due(services)


def _sealer(services: Services, holder: str) -> Callable[[], Awaitable[object]]:
    rounds = 0

    async def seal() -> object:
        nonlocal rounds
        thorough = rounds % THOROUGH_EVERY == 0
        done = await sealing.seal(services, holder=holder, thorough=thorough)
        rounds += 1
        return done

    return seal


async def _again_and_again(name: str, seconds: float, work: Callable[[], Awaitable[object]]) -> None:
    while True:
        try:
            await work()
        except Unavailable as error:
            log.warning("%s waits: %s", name, error)
        except Exception:
            log.exception("%s failed and is tried again", name)
        await asyncio.sleep(seconds)
