"""The server dies by SIGKILL in the midst of a move from staging to production, after each of its writes in turn.

A move is one transaction (NX-04): what is on record afterwards is the state before or the state after, never two seats
and never a seat that nobody holds, and the till's retry of the same request finishes it.
"""

import signal
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

import httpx
import pytest

from tests.support.census import census, totals
from tests.support.dying import AFTER
from tests.support.premises import Premises, premises  # noqa: F401 - fixture
from tests.support.server import IssuedKey, Serving
from tests.support.till import RawTill, Reply, new_rid
from tillkey_server.store import activations, leases
from tillkey_server.store.db import Database

FEWEST, MOST = 5, 30
"""Between these lies the number of writes that a move has: fewer would not be one, more would never end."""


@dataclass
class Moving:
    """A license in use on staging, and the request that moves it to production, as often as it is asked."""

    sold: IssuedKey
    old: RawTill
    new: RawTill
    ticket: str | None
    rid: str

    async def ask(self, http: httpx.AsyncClient) -> Reply:
        """Ask for the move; always the same request."""
        self.new.http = http
        return await self.new.activate(
            self.sold.license_key, environment="production", move_ticket=self.ticket, rid=self.rid
        )


async def by_ticket(premises: Premises) -> Moving:  # noqa: F811
    """Another machine takes the license over with the ticket of the one on staging."""
    sold = premises.license()
    async with premises.in_process() as http:
        old, new = RawTill(http, premises.keyset), RawTill(http, premises.keyset)
        await old.activate(sold.license_key, environment="staging")
        ticket = (await old.move("production")).ticket
    assert ticket is not None
    return Moving(sold, old, new, ticket, new_rid())


async def in_place(premises: Premises) -> Moving:  # noqa: F811
    """The machine on staging itself goes to production."""
    sold = premises.license()
    async with premises.in_process() as http:
        till = RawTill(http, premises.keyset)
        await till.activate(sold.license_key, environment="staging")
    return Moving(sold, till, till, None, new_rid())


@dataclass(frozen=True)
class State:
    """What is on record of a license: who holds it where, whether the request made a step, and how many rows there are.

    Two of these are equal only where nothing at all was written between them.
    """

    held_in: tuple[str, ...]
    stepped: bool
    rows: Counter[str]


async def state_of(database: Database, moving: Moving) -> State:
    """Look at it."""
    async with database.reading() as conn:
        held = await activations.active_of_license(conn, UUID(moving.sold.license_id))
        step = await leases.by_rid(conn, moving.new.jkt, moving.rid)
    return State(tuple(one.environment for one in held), step is not None, await totals(database))


@pytest.mark.clause("NX-03", "NX-04", "K-10")
@pytest.mark.parametrize("move", [by_ticket, in_place])
async def test_a_server_killed_after_any_write_of_a_move_has_moved_nothing_and_the_retry_moves_it_once(
    premises: Premises,  # noqa: F811
    move: Callable[[Premises], Awaitable[Moving]],
) -> None:
    server = Serving(premises.installation)
    died = 0
    try:
        async with premises.database() as database:
            for number in range(1, MOST):
                moving = await move(premises)
                before = await state_of(database, moving)
                assert before.held_in == ("staging",)
                with dying(premises, number):
                    server.restart()
                if not await dies(server, moving):
                    break
                died = number
                assert await state_of(database, moving) == before
                await finished_once(server.restart(), database, moving)
            assert FEWEST <= died < MOST - 1
            assert (await state_of(database, moving)).held_in == ("production",)
    finally:
        server.close()


@pytest.mark.clause("NX-03", "NX-04", "K-10")
@pytest.mark.parametrize("move", [by_ticket, in_place])
@pytest.mark.parametrize("point", ["after_commit", "after_signing"])
async def test_a_server_killed_after_the_commit_of_a_move_has_moved_all_of_it(
    premises: Premises,  # noqa: F811
    move: Callable[[Premises], Awaitable[Moving]],
    point: str,
) -> None:
    server = Serving(premises.installation)
    try:
        async with premises.database() as database:
            moving = await move(premises)
            assert await dies(server.restart(crash_at=point), moving)
            after = await state_of(database, moving)
            assert (after.held_in, after.stepped) == (("production",), True)
            await finished_once(server.restart(), database, moving)
    finally:
        server.close()


@contextmanager
def dying(premises: Premises, writes: int) -> Iterator[None]:  # noqa: F811
    """Let a server that is started in the block kill itself after so many writes of an activation."""
    premises.installation.environment[AFTER] = str(writes)
    try:
        yield
    finally:
        del premises.installation.environment[AFTER]


async def dies(server: Serving, moving: Moving) -> bool:
    """Ask for the move, and tell whether the server killed itself over it; else it was granted."""
    async with server.client() as http:
        try:
            reply = await moving.ask(http)
        except httpx.TransportError:
            assert server.wait() == -signal.SIGKILL
            return True
    assert reply.status == 201, reply
    return False


async def finished_once(server: Serving, database: Database, moving: Moving) -> None:
    """The retry of the request that died is granted, and again with the same answer; the old till is told."""
    async with server.client() as http:
        first, second = await moving.ask(http), await moving.ask(http)
        assert (first.status, second.status) == (201, 201), first
        lease, again = first.granted, second.granted
        assert (lease.sub, lease.seq, lease.nonce) == (again.sub, again.seq, again.nonce)
        assert lease.environment == "production"
        found = await census(database, moving.sold.license_id)
        assert found.holders == (UUID(lease.sub),)
        assert found.decisions.total() == 2, "one for staging, one for production"
        if moving.old is not moving.new:
            moving.old.http = http
            assert (await moving.old.heartbeat()).code == "activation_superseded"
        moving.new.http = http
        assert (await moving.new.heartbeat()).status == 200
