"""The server dies by SIGKILL in the midst of a request, and comes back: the till's retry finishes what was begun."""

import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

import httpx
import pytest

from tests.support.census import census
from tests.support.premises import cloned, premises  # noqa: F401 - fixture
from tests.support.server import CRASH_MARKER, IssuedKey, Serving
from tests.support.till import RawTill, Reply, new_rid
from tillkey_server.crash_points import POINTS
from tillkey_server.store import activations, audit, leases

COMMITTED = {"before_commit": False, "after_commit": True, "after_signing": True}


@dataclass(frozen=True)
class Case:
    """What the till asks, how its success looks, and whether it takes a step."""

    ask: Callable[..., Awaitable[Reply]]
    status: int
    seq: int | None


CASES = {
    "activate": Case(lambda till, sold, rid: till.activate(sold.license_key, rid=rid), 201, 1),
    "heartbeat": Case(lambda till, _, rid: till.heartbeat(rid=rid), 200, 2),
    "rebind": Case(lambda till, _, rid: till.activate(None, rid=rid), 200, 2),
    "move": Case(lambda till, _, rid: till.move("production", rid=rid), 200, 2),
    "deactivate": Case(lambda till, _, rid: till.deactivate(rid=rid), 200, None),
}


@dataclass(frozen=True)
class Asked:
    """A request that died: the till that made it, for which license, by which `rid`."""

    case: Case
    till: RawTill
    sold: IssuedKey
    rid: str


@pytest.mark.clause("NX-03", "NX-04", "NX-07", "K-10")
@pytest.mark.parametrize("point", POINTS)
async def test_a_server_killed_in_the_midst_gives_every_retry_one_effect_and_the_same_answer(premises, point):  # noqa: F811
    server = Serving(premises.installation)
    try:
        async with premises.database() as database:
            died = [await prepared(premises, op) for op in CASES]
            for asked in died:
                await die(server.restart(crash_at=point), asked)
                await shows_what_was_committed(database, asked, committed=COMMITTED[point])
            server.restart()
            for asked in died:
                async with server.client() as asked.till.http:
                    first = await asked.case.ask(asked.till, asked.sold, asked.rid)
                    second = await asked.case.ask(asked.till, asked.sold, asked.rid)
                assert first.status == second.status == asked.case.status, first
                await is_one_step_that_the_database_knows(database, asked, first, second)
    finally:
        server.close()


@pytest.mark.parametrize(
    ("environment", "marked", "said"),
    [
        ({"TILLKEY_CRASH_AT": "after_commit"}, True, "is for tests: unset it"),
        ({"TILLKEY_CRASH_AT": "after_commit", "TILLKEY_TESTING": "1"}, False, f"holds no file {CRASH_MARKER}"),
        ({"TILLKEY_CRASH_AT": "at_lunch", "TILLKEY_TESTING": "1"}, True, "no crash point is named"),
    ],
    ids=["without the word that it is a test", "without the mark in the data folder", "at no point that there is"],
)
def test_outside_of_a_test_no_crash_point_can_be_armed(databases, tmp_path_factory, environment, marked, said):
    with cloned("sqlite", databases, tmp_path_factory) as quiet:
        if marked:
            (quiet.installation.data_dir / CRASH_MARKER).touch()
        refused = quiet.installation.run("serve", "--port", "0", environment=environment)
    assert refused.exit_code == 2
    assert said in refused.stderr
    assert "Traceback" not in refused.stderr


async def prepared(premises, op):  # noqa: F811
    """Return a till as it stands before the request: without a license for `activate`, else with its first lease."""
    sold = premises.license()
    async with premises.in_process() as http:
        till = RawTill(http, premises.keyset)
        if op != "activate":
            await till.activate(sold.license_key, environment="staging")
    return Asked(CASES[op], till, sold, new_rid())


async def die(server, asked):
    """Ask, and see the connection break and the process killed by itself."""
    async with server.client() as asked.till.http:
        with pytest.raises(httpx.TransportError):
            await asked.case.ask(asked.till, asked.sold, asked.rid)
    assert server.wait() == -signal.SIGKILL


async def shows_what_was_committed(database, asked, *, committed):
    """What the till holds is on record; the request that died is, exactly if it died after the commit."""
    till, held = asked.till, asked.till.lease
    async with database.reading() as conn:
        step = await leases.by_rid(conn, till.jkt, asked.rid)
        kept = None if held is None else await leases.by_seq(conn, UUID(held.sub), held.seq)
        active = await activations.active_of_license(conn, UUID(asked.sold.license_id))
    if held is not None:
        assert (kept.nonce, kept.rid, kept.jkt) == (held.nonce, held.rid, till.jkt)
    if asked.case.seq is None:
        assert len(active) == (0 if committed else 1)
    else:
        assert (step is not None) == committed
        assert len(active) == (1 if committed or held is not None else 0)


async def is_one_step_that_the_database_knows(database, asked, first, second):
    """Both answers are one step's, which is on record with all that the till holds of it."""
    license_id = UUID(asked.sold.license_id)
    holders = (await census(database, asked.sold.license_id)).holders
    async with database.reading() as conn:
        told = await audit.of_license(conn, license_id)
        step = await leases.by_rid(conn, asked.till.jkt, asked.rid)
    if asked.case.seq is None:
        assert [row.action for row in told].count("deactivate") == 1
        assert holders == ()
        return
    lease, again = first.granted, second.granted
    assert (lease.sub, lease.seq, lease.nonce, lease.rid) == (again.sub, again.seq, again.nonce, again.rid)
    assert (str(step.activation_id), step.seq, step.nonce, step.rid) == (lease.sub, lease.seq, lease.nonce, lease.rid)
    assert lease.seq == asked.case.seq
    assert first.ticket == second.ticket
    assert holders == (UUID(lease.sub),)
