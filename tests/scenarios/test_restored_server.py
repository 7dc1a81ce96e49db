"""A server restored from yesterday's backup: returning tills are known again and nobody is blamed (invariant I20)."""

import asyncio
import time
from datetime import UTC, datetime
from uuid import UUID

import pytest

from tests.support.backups import back_up, restore
from tests.support.census import census
from tests.support.house import TurnedClock
from tests.support.premises import own_premises  # noqa: F401 - fixture
from tests.support.till import RawTill, new_rid
from tillkey_server.store import chain_events


class Shop:
    """A license and the till that activates it."""

    def __init__(self, premises):
        self.sold = premises.license()
        self.till = RawTill(None, premises.keyset)

    async def activate(self, http, **how):
        self.till.http = http
        return await self.till.activate(self.sold.license_key, **how)

    async def rival(self, http):
        """Another machine takes the license, which nobody holds as far as this server knows."""
        other = RawTill(http, self.till.keyset)
        assert (await other.activate(self.sold.license_key)).status == 201
        return other


async def kinds_of(premises, sold):
    async with premises.database() as database, database.reading() as conn:
        return [event.kind for event in await chain_events.of_license(conn, UUID(sold.license_id))]


async def holder_of(premises, sold):
    async with premises.database() as database:
        [holder] = (await census(database, sold.license_id)).holders
        return str(holder)


@pytest.fixture
async def restored(own_premises):  # noqa: F811
    """Four tills of a day that the server lost, and a client of the process that was started on the backup.

    The first was activated before the backup and went on beating; the others only after it: `early` now, `alone` and
    `late` two hours ahead, when the clock had gone on.
    """
    clock = TurnedClock(datetime.now(UTC).replace(microsecond=0))
    shops = {name: Shop(own_premises) for name in ("known", "alone", "early", "late")}
    async with own_premises.in_process(clock) as http:
        await shops["known"].activate(http)
    await back_up(own_premises)
    async with own_premises.in_process(clock) as http:
        await shops["early"].activate(http)
        await shops["early"].till.heartbeat()
        clock.turn(hours=2)
        shops["known"].till.http = http
        for name in ("alone", "late"):
            await shops[name].activate(http)
        for name in ("known", "known", "alone", "late"):
            await shops[name].till.heartbeat()
    await restore(own_premises)
    with own_premises.installation.serving() as server:
        async with server.client() as http:
            for shop in shops.values():
                shop.till.http = http
            yield shops, http


@pytest.mark.clause("K-12", "X-05")
async def test_a_till_whose_last_beats_were_lost_rebinds_and_beats_on_above_what_it_holds(own_premises, restored):  # noqa: F811
    shops, _ = restored
    till = shops["known"].till
    held = till.held
    told = await till.heartbeat()
    assert (told.status, told.code, told.statement.sub) == (409, "rebind_required", held.sub)
    adopted = (await till.activate(None)).granted
    assert (adopted.sub, adopted.seq) == (held.sub, held.seq + 1)
    assert (await till.heartbeat()).granted.seq == adopted.seq + 1
    assert await kinds_of(own_premises, shops["known"].sold) == ["adopted"]


@pytest.mark.clause("K-12", "X-05")
async def test_a_till_whose_activation_was_lost_is_adopted_with_its_id_and_a_lost_answer_harms_nothing(
    own_premises,  # noqa: F811
    restored,
):
    shops, _ = restored
    till, rid = shops["alone"].till, new_rid()
    before = till.copied()
    assert (await till.heartbeat()).code == "unknown_installation"
    adopted = await till.activate(None, rid=rid)
    assert (adopted.granted.sub, adopted.granted.seq) == (before.held.sub, before.held.seq + 1)
    again = await before.activate(None, rid=rid)
    assert (again.status, again.granted.seq, again.granted.nonce) == (
        adopted.status,
        adopted.granted.seq,
        adopted.granted.nonce,
    )
    assert (await till.heartbeat()).granted.seq == adopted.granted.seq + 1
    assert await kinds_of(own_premises, shops["alone"].sold) == ["adopted"]
    assert await holder_of(own_premises, shops["alone"].sold) == before.held.sub


@pytest.mark.clause("NX-03", "X-05")
async def test_where_another_machine_holds_the_license_by_then_the_later_lease_stays(own_premises, restored):  # noqa: F811
    shops, http = restored
    early, late = shops["early"], shops["late"]
    # No real restore is done within the second of what it lost: the machine that comes after it is the later one.
    await asyncio.sleep(max(0.0, early.till.held.iat + 1 - time.time()))
    newer, older = await early.rival(http), await late.rival(http)
    lost = await early.till.activate(None)
    assert (lost.status, lost.code, lost.statement.sub) == (403, "activation_superseded", early.till.held.sub)
    assert (await newer.heartbeat()).status == 200
    assert await holder_of(own_premises, early.sold) == newer.held.sub
    before = late.till.held
    stays = (await late.till.activate(None)).granted
    assert (stays.sub, stays.seq) == (before.sub, before.seq + 1)
    assert (await older.heartbeat()).code == "activation_superseded"
    assert await holder_of(own_premises, late.sold) == before.sub
    for shop in (early, late):
        assert await kinds_of(own_premises, shop.sold) == ["conflict"]


@pytest.mark.clause("K-10", "X-05")
async def test_a_rid_that_made_another_step_since_is_stale_with_a_lost_lease_too(own_premises, restored):  # noqa: F811
    shops, _ = restored
    late, rid = shops["late"], new_rid()
    lost = late.till.copied()
    anew = (await late.till.activate(late.sold.license_key, rid=rid)).granted
    assert anew.sub != lost.held.sub
    reply = await lost.activate(None, rid=rid)
    assert (reply.status, reply.code) == (409, "stale_request"), reply
    assert reply.statement is not None
    assert (await late.till.heartbeat()).status == 200
    assert await holder_of(own_premises, late.sold) == anew.sub
