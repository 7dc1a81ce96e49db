"""What is kept no longer goes, and nothing that a rule still needs."""

from datetime import timedelta

import pytest
from sqlalchemy import func, insert, select

from tests.support.house import MORNING
from tillkey_server.rules.rate import LICENSE_KEY_GUESSES
from tillkey_server.store.access_tables import idempotency, rate_limit
from tillkey_server.store.tables import activation, lease
from tillkey_server.usecases.rate import take
from tillkey_server.usecases.retention import EVERY, sweep, sweep_if_due


async def _beaten(house, beats, days=1):
    till = house.till()
    await till.activate(await house.key())
    for _ in range(beats):
        house.clock.turn(days=days)
        await till.heartbeat()
    return till


async def _steps(house):
    async with house.services.db.reading() as tx:
        return list((await tx.execute(select(lease.c.seq).order_by(lease.c.seq))).scalars())


async def test_steps_of_the_last_sixty_days_are_kept(house):
    await _beaten(house, 5)
    house.clock.turn(days=55)
    assert ((await sweep(house.services)).steps, await _steps(house)) == (0, [1, 2, 3, 4, 5, 6])


async def test_older_steps_go(house):
    await _beaten(house, 9, days=10)
    assert ((await sweep(house.services)).steps, await _steps(house)) == (3, [4, 5, 6, 7, 8, 9, 10])


async def test_the_last_two_steps_are_kept_however_old(house):
    await _beaten(house, 5)
    house.clock.turn(days=1000)
    assert ((await sweep(house.services)).steps, await _steps(house)) == (4, [5, 6])


async def test_a_step_whose_lease_still_runs_is_kept(house):
    await _beaten(house, 5)
    late = house.clock.now() + timedelta(days=2000)
    async with house.services.db.writing() as tx:
        await tx.execute(lease.update().where(lease.c.seq == 2).values(exp=late))
    house.clock.turn(days=1000)
    await sweep(house.services)
    assert await _steps(house) == [2, 5, 6]


async def test_a_till_that_comes_back_after_a_sweep_goes_on_as_if_nothing_was(house):
    till = await _beaten(house, 5)
    house.clock.turn(days=300)
    await sweep(house.services)
    assert (await till.heartbeat()).granted.seq == 7


async def test_a_till_whose_last_answer_was_lost_is_known_after_a_sweep(house):
    till = await _beaten(house, 5)
    nonce = till.held.nonce
    await till.heartbeat()
    house.clock.turn(days=300)
    await sweep(house.services)
    assert (await till.heartbeat(nonce=nonce)).granted.seq == 8


async def _fingerprints(house):
    async with house.services.db.reading() as tx:
        return [bool(one) for one in (await tx.execute(select(activation.c.fingerprint))).scalars()]


async def test_the_fingerprint_of_an_activation_that_ended_long_ago_goes(house):
    till = await _beaten(house, 1)
    await till.deactivate()
    house.clock.turn(days=91)
    assert ((await sweep(house.services)).fingerprints, await _fingerprints(house)) == (1, [False])
    assert (await sweep(house.services)).fingerprints == 0


async def test_the_fingerprint_of_an_activation_that_ended_lately_is_kept(house):
    till = await _beaten(house, 1)
    await till.deactivate()
    house.clock.turn(days=89)
    assert ((await sweep(house.services)).fingerprints, await _fingerprints(house)) == (0, [True])


async def test_the_fingerprint_of_a_live_activation_is_kept_forever(house):
    await _beaten(house, 1)
    house.clock.turn(days=1000)
    await sweep(house.services)
    assert await _fingerprints(house) == [True]


@pytest.mark.parametrize(("hours", "left"), [(23, 1), (25, 0)])
async def test_an_idempotency_key_is_kept_for_a_day(house, hours, left):
    row = {"owner": "o", "key_hash": bytes(32), "request_hash": bytes(32), "claim": "c", "claimed_at": MORNING}
    async with house.services.db.writing() as tx:
        await tx.execute(insert(idempotency), row)
    house.clock.turn(hours=hours)
    await sweep(house.services)
    assert await _count(house, idempotency) == left


async def test_an_address_is_forgotten_once_nothing_is_owed(house):
    await take(house.services, LICENSE_KEY_GUESSES, "203.0.113.7")
    await sweep(house.services)
    owed = await _count(house, rate_limit)
    house.clock.turn(seconds=3)
    await sweep(house.services)
    assert (owed, await _count(house, rate_limit)) == (1, 0)


async def test_more_than_a_batch_is_forgotten_in_one_sweep(house, monkeypatch):
    monkeypatch.setattr("tillkey_server.usecases.retention.BATCH", 2)
    for number in range(5):
        await take(house.services, LICENSE_KEY_GUESSES, str(number))
        await (till := house.till()).activate(await house.key())
        await till.deactivate()
    house.clock.turn(days=100)
    swept = await sweep(house.services)
    assert (swept.rate_limits, swept.fingerprints) == (10, 5)


async def test_one_process_sweeps_in_a_while(house):
    first = await sweep_if_due(house.services, "first")
    again = [await sweep_if_due(house.services, holder) for holder in ("first", "second")]
    house.clock.turn(seconds=EVERY.total_seconds())
    assert (first is None, again, await sweep_if_due(house.services, "second") is None) == (False, [None, None], False)


async def _count(house, table):
    async with house.services.db.reading() as tx:
        return (await tx.execute(select(func.count()).select_from(table))).scalar_one()
