"""Ends and suspensions against heartbeats that are on their way: no lease is committed after them (invariant I3)."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import ExitStack
from uuid import UUID

import httpx
import pytest

from tests.support.databases import DIALECTS, Databases
from tests.support.history import SETTINGS, keep_history, leases_after_the_end, leases_dated_after_the_end
from tests.support.postgres import Postgres
from tests.support.premises import Premises, cloned, servers  # noqa: F401 - fixture
from tests.support.till import RawTill, new_rid
from tillkey.wire.request import ClockReading, Heartbeat, open_request
from tillkey_server.store import chains, leases
from tillkey_server.usecases import heartbeat
from tillkey_server.usecases.answers import LeaseAnswer, RefusalAnswer
from tillkey_server.usecases.forced_deactivation import force_deactivate
from tillkey_server.usecases.license import change_standing

ROUNDS = 4
BEATS_BEFORE = 8


@pytest.fixture(scope="module")
def timed_databases(tmp_path_factory) -> Iterator[Databases]:
    """Databases of a PostgreSQL that keeps commit times."""
    with ExitStack() as stack:
        started: list[Postgres] = []

        def cluster() -> Postgres:
            if not started:
                started.append(stack.enter_context(Postgres(settings=SETTINGS)))
            return started[0]

        yield Databases(tmp_path_factory.mktemp("timed"), cluster)


@pytest.fixture(scope="module", params=DIALECTS)
def premises(request, timed_databases, tmp_path_factory) -> Iterator[Premises]:
    """A clone whose database tells in which order it committed."""
    with cloned(request.param, timed_databases, tmp_path_factory) as made:

        async def prepare() -> None:
            async with made.database() as database:
                await keep_history(database)

        asyncio.run(prepare())
        yield made


async def released(scene):
    reply = await scene.till.through(scene.http).deactivate()
    assert reply.statement.code == "activation_released"


async def moved(scene):
    ticket = (await scene.till.through(scene.http).move("staging")).ticket
    reply = await RawTill(scene.http, scene.till.keyset).activate(
        scene.sold.license_key, environment="staging", move_ticket=ticket
    )
    assert reply.status == 201, reply


async def reinstalled(scene):
    again = RawTill(scene.http, scene.till.keyset, machine=scene.till.jkt)
    assert (await again.activate(scene.sold.license_key)).status == 201


async def freed(scene):
    await force_deactivate(scene.services, UUID(scene.till.held.sub), actor="agent", reason="burnt", confirm=True)


async def revoked(scene):
    await change_standing(scene.services, UUID(scene.sold.license_id), event="revoke", actor="agent", reason="abuse")


async def suspended(scene):
    await change_standing(scene.services, UUID(scene.sold.license_id), event="suspend", actor="agent", reason="abuse")


ENDS = {
    released: "activation_released",
    moved: "activation_superseded",
    reinstalled: "activation_superseded",
    freed: "activation_superseded",
    revoked: "license_revoked",
    suspended: "license_suspended",
}
BY_AGENTS = {how: code for how, code in ENDS.items() if how in {freed, revoked, suspended}}


class Scene:
    """A till that holds a license, and what may end that."""

    def __init__(self, till, sold, http, services):
        self.till, self.sold, self.http, self.services = till, sold, http, services
        self.answered = 0
        self.warm = asyncio.Event()
        self.granted_at: list[float] = []
        self.codes: set[str] = set()

    async def beat(self, till, *, repeat):
        """Beat until told that it is over; with `repeat`, every beat is sent twice, as after a lost answer."""
        while True:
            rid = new_rid()
            for _ in range(1 + repeat):
                sent = time.monotonic()
                reply = await till.heartbeat(rid=rid)
                self.answered += 1
                if self.answered >= BEATS_BEFORE:
                    self.warm.set()
                if reply.lease is not None:
                    self.granted_at.append(sent)
                elif reply.code != "stale_request":
                    self.codes.add(reply.code)
                    return

    async def end(self, how):
        """End it in the midst of the beats; return when that was known to have happened."""
        await self.warm.wait()
        await how(self)
        return time.monotonic()


@pytest.mark.clause("NX-07", "NX-08", "K-12", "K-13", "X-04")
@pytest.mark.parametrize("how", ENDS, ids=lambda how: how.__name__)
async def test_no_lease_is_committed_after_the_end_while_copies_beat_through_two_servers(premises, servers, how):  # noqa: F811
    async with (
        httpx.AsyncClient(base_url=servers[0], timeout=60, trust_env=False) as one,
        httpx.AsyncClient(base_url=servers[1], timeout=60, trust_env=False) as other,
        premises.services() as services,
        premises.database() as database,
    ):
        for _ in range(ROUNDS):
            till, sold = RawTill(one, premises.keyset), premises.license()
            await till.activate(sold.license_key)
            scene = Scene(till, sold, other, services)
            ended, *_ = await asyncio.gather(
                scene.end(how),
                scene.beat(till.copied(), repeat=False),
                scene.beat(till.through(other), repeat=False),
                scene.beat(till.through(other), repeat=True),
            )
            assert scene.codes == {ENDS[how]}
            assert max(scene.granted_at) < ended, "a beat sent after the end was known got a lease"
            assert await leases_after_the_end(database, till.held.sub) == []
            assert await leases_dated_after_the_end(database, till.held.sub) == []


@pytest.mark.clause("NX-08", "K-12", "X-04")
@pytest.mark.parametrize("how", BY_AGENTS, ids=lambda how: how.__name__)
async def test_a_beat_judged_before_the_end_and_written_after_it_is_judged_again(premises, monkeypatch, how):
    async with premises.services() as ours, premises.services() as theirs, premises.in_process() as http:
        till, sold = RawTill(http, premises.keyset), premises.license()
        await till.activate(sold.license_key)
        answer = await interleaved(ours, monkeypatch, till, lambda: how(Scene(till, sold, http, theirs)))
        if premises.dialect == "sqlite":
            # The beat held the only write lock, so the end came after it.
            assert isinstance(answer, LeaseAnswer)
        else:
            assert isinstance(answer, RefusalAnswer)
            assert answer.decision_code == BY_AGENTS[how]
        assert await leases_after_the_end(ours.db, till.held.sub) == []


@pytest.mark.parametrize("how", BY_AGENTS, ids=lambda how: how.__name__)
async def test_without_the_revision_of_the_chain_the_history_shows_a_lease_after_the_end(premises, monkeypatch, how):
    async with premises.services() as ours, premises.services() as theirs, premises.in_process() as http:
        till, sold = RawTill(http, premises.keyset), premises.license()
        await till.activate(sold.license_key)
        if premises.dialect == "postgresql":
            monkeypatch.setattr(chains, "bump_revision", nothing)
            monkeypatch.setattr(chains, "bump_of_license", nothing)
            await interleaved(ours, monkeypatch, till, lambda: how(Scene(till, sold, http, theirs)))
        else:
            # There is no interleaving to be had: write what must not be written.
            await how(Scene(till, sold, http, theirs))
            await mint_again(ours, till)
        assert await leases_after_the_end(ours.db, till.held.sub) != []


async def interleaved(services, monkeypatch, till, end):
    """Hold a beat up between its reading and its writing, until the end is committed; return the beat's answer."""
    read, go_on = asyncio.Event(), asyncio.Event()
    real = heartbeat.next_step

    async def held_up(*args):
        read.set()
        await go_on.wait()
        return await real(*args)

    monkeypatch.setattr(heartbeat, "next_step", held_up)
    held = till.held
    body = Heartbeat(held.sub, held.nonce, held.seq, till.fingerprint, "1.0", ClockReading(1, 1, "boot"))
    request = open_request(till.sign(body, rid=new_rid()), aud=till.keyset.issuer)
    beat = asyncio.create_task(heartbeat.heartbeat(services, request))
    await read.wait()
    ending = asyncio.create_task(end())
    if services.db.dialect == "postgresql":
        await ending
    go_on.set()
    answer, _ = await asyncio.gather(beat, ending)
    return answer


async def nothing(*_args):
    """Stand in for what a mutation removes."""


async def mint_again(services, till):
    now = services.clock.now()
    async with services.db.writing() as tx:
        await leases.restamp(tx, UUID(till.held.sub), till.held.seq, issued_at=now, soft_exp=now, exp=now)
