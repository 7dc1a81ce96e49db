"""The sealer: what is committed gets one seal and the numbers have no gap, whoever writes, seals or dies meanwhile."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from tests.support.audited import bad, decide, sealed_log, seals, write
from tillkey_server.jobs.running import background
from tillkey_server.store import audit, worker_leases
from tillkey_server.store import seals as stored
from tillkey_server.store.tables import audit_event
from tillkey_server.usecases import sealing
from tillkey_server.usecases.sealing import LEASE, WORK, give_up, seal


async def test_a_long_log_is_sealed_in_batches(house, monkeypatch):
    monkeypatch.setattr(sealing, "BATCH", 4)
    numbers = await decide(house, 10)
    assert await seal(house.services) == 10
    assert await seals(house) == list(enumerate(numbers, 1))


async def test_sealing_twice_seals_nothing_anew(house):
    await sealed_log(house)
    assert await seal(house.services) == 0


@pytest.mark.parametrize("house", ["postgresql"], indirect=True)
async def test_a_row_that_commits_after_a_higher_one_was_sealed_gets_the_next_seal(house):
    async with house.services.db.writing() as slow:
        late = await _append(house, slow)
        [early] = await sealed_log(house, 1)
    await seal(house.services, thorough=False)
    assert (late < early, await seals(house)) == (True, [(1, early), (2, late)])
    assert await bad(house) is None


async def _append(house, tx):
    return await audit.append(tx, at=house.clock.now(), actor="till", action="a", outcome="allow", code="c")


async def test_a_late_row_far_below_the_newest_is_found_by_a_thorough_round(house, monkeypatch):
    monkeypatch.setattr(sealing, "WINDOW", 3)
    numbers = await decide(house, 10)
    await write(house, audit_event.delete().where(audit_event.c.id == numbers[0]))
    await seal(house.services)
    [other] = await decide(house, 1)
    await write(house, audit_event.update().where(audit_event.c.id == other).values(id=numbers[0]))
    assert (await seal(house.services, thorough=False), await seal(house.services)) == (0, 1)


async def test_sealers_at_once_give_every_row_one_seal(house, monkeypatch):
    monkeypatch.setattr(sealing, "BATCH", 3)
    numbers = await decide(house, 20)
    while await asyncio.gather(*(seal(house.services) for _ in range(4))) != [0, 0, 0, 0]:
        pass
    assert await seals(house) == list(enumerate(numbers, 1))
    assert await bad(house) is None


async def test_one_process_seals_while_it_holds_the_work(house):
    await decide(house, 1)
    assert await seal(house.services, holder="first") == 1
    await decide(house, 1)
    assert (await seal(house.services, holder="second"), await seal(house.services, holder="first")) == (0, 1)


async def test_a_dead_sealers_work_is_taken_over(house):
    await decide(house, 1)
    await seal(house.services, holder="dead")
    await decide(house, 1)
    house.clock.turn(seconds=LEASE.total_seconds())
    assert await seal(house.services, holder="heir") == 1


async def test_work_that_was_given_up_can_be_taken_at_once(house):
    await decide(house, 1)
    await seal(house.services, holder="first")
    await give_up(house.services, "first")
    await decide(house, 1)
    assert await seal(house.services, holder="second") == 1


async def test_work_is_taken_by_one_of_many(house):
    now = house.clock.now()

    async def take(holder):
        async with house.services.db.writing() as tx:
            return await worker_leases.take(tx, WORK, holder, now=now, until=now + timedelta(seconds=1))

    assert sum(await asyncio.gather(*(take(str(number)) for number in range(5)))) == 1


async def test_writers_at_once_are_each_sealed_once_while_the_background_runs(house, monkeypatch):
    monkeypatch.setattr("tillkey_server.jobs.running.SEAL_SECONDS", 0.01)
    async with background(house.services):
        await asyncio.gather(*(decide(house, 1) for _ in range(40)))
        await _until_sealed(house, 40)
    assert await bad(house) is None


async def _until_sealed(house, count):
    async with asyncio.timeout(20):
        while True:
            async with house.services.db.reading() as tx:
                head = await stored.head(tx)
            if head is not None and head.seq == count:
                return
            await asyncio.sleep(0.01)


async def test_the_background_gives_its_work_back(house, monkeypatch):
    monkeypatch.setattr("tillkey_server.jobs.running.SEAL_SECONDS", 0.01)
    await decide(house, 1)
    async with background(house.services):
        await _until_sealed(house, 1)
    async with house.services.db.reading() as tx:
        assert await worker_leases.is_free(tx, WORK, "another", now=house.clock.now())


async def test_each_effect_of_a_till_is_one_decision_with_one_seal(house):
    till = house.till()
    await till.activate(await house.key())
    await till.heartbeat()
    await till.deactivate()
    await seal(house.services)
    async with house.services.db.reading() as tx:
        rows = (await tx.execute(select(audit_event.c.action, func.count()).group_by(audit_event.c.action))).all()
    assert sorted(map(tuple, rows)) == [("activate", 1), ("deactivate", 1), ("license_issue", 1)]
    assert len(await seals(house)) == 3
