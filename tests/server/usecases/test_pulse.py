"""Whether the database takes writes is found out by writing, and not once for each of those who ask."""

import asyncio

import pytest

from tests.support.house import TurnedClock
from tillkey_server.store.db import Database
from tillkey_server.usecases.pulse import KEPT, Pulse


@pytest.fixture
def written(database):
    """Every transaction of the database, as it ends."""
    seen = []
    database.watch(seen.append)
    return seen


async def test_one_write_answers_all_who_ask_within_a_moment(database, written):
    pulse, clock = Pulse(), TurnedClock()
    assert await asyncio.gather(*(pulse.trouble(database, clock) for _ in range(20))) == [None] * 20
    assert len(written) == 1
    clock.turn(seconds=KEPT.total_seconds() - 1)
    await pulse.trouble(database, clock)
    assert len(written) == 1
    clock.turn(seconds=1)
    await pulse.trouble(database, clock)
    assert len(written) == 2


async def test_a_clock_that_was_set_back_keeps_no_answer(database, written):
    pulse, clock = Pulse(), TurnedClock()
    await pulse.trouble(database, clock)
    clock.turn(hours=-1)
    await pulse.trouble(database, clock)
    assert len(written) == 2


async def test_a_trouble_is_told_and_kept_no_longer_than_an_answer_that_all_is_well(tmp_path):
    pulse, clock, database = Pulse(), TurnedClock(), Database(f"sqlite:///{tmp_path}/missing/tillkey.sqlite")
    assert "unavailable" in await pulse.trouble(database, clock)
    (tmp_path / "missing").mkdir()
    assert "unavailable" in await pulse.trouble(database, clock)
    clock.turn(seconds=KEPT.total_seconds())
    assert "migrate" in await pulse.trouble(database, clock)
    await database.dispose()
