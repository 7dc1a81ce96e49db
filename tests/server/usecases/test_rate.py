"""Counting in the database: as the rule says, together across processes, and never against an honest till."""

import asyncio
from datetime import timedelta

from sqlalchemy import select

from tests.support.callers import Callers
from tillkey_server.rules.rate import ACTIVATIONS, API_KEY_GUESSES, LICENSE_KEY_GUESSES, Limit, decide_rate
from tillkey_server.store.access_tables import rate_limit
from tillkey_server.usecases.rate import take

LIMIT = Limit("test", 3, timedelta(seconds=2))
KEY = "POS-00000-00000-00000-00000-0000000"


async def test_the_database_counts_as_the_rule_does(house):
    found, expected, due = [], [], None
    for gap in [0, 0, 0, 0, 1, 1, 0, 5, 0, 0, 0, 100, 0, 0, 0, 0]:
        house.clock.turn(seconds=gap)
        found.append(await take(house.services, LIMIT, "somebody"))
        rated = decide_rate(due, LIMIT, house.clock.now())
        due = rated.due
        expected.append(rated.wait)
    assert found == expected


async def test_many_at_once_get_no_more_than_the_burst(house):
    waits = await asyncio.gather(*(take(house.services, LIMIT, "somebody") for _ in range(20)))
    assert waits.count(0) == LIMIT.burst


async def test_each_subject_and_each_limit_is_counted_for_itself(house):
    other = Limit("other", 1, timedelta(seconds=2))
    assert [await take(house.services, LIMIT, "a") for _ in range(4)] == [0, 0, 0, 2]
    assert (await take(house.services, LIMIT, "b"), await take(house.services, other, "a")) == (0, 0)


async def test_no_address_stands_in_the_database_in_clear(house):
    await take(house.services, LIMIT, "203.0.113.77")
    async with house.services.db.reading() as tx:
        rows = (await tx.execute(select(rate_limit))).all()
    assert "203.0.113.77" not in str(rows)


async def test_honest_tills_are_served_behind_an_address_from_which_keys_are_guessed(house):
    thief = house.till()
    for _ in range(LICENSE_KEY_GUESSES.burst):
        assert (await thief.activate(KEY)).code == "license_invalid"
    refused = await thief.activate(KEY)
    assert (refused.status, refused.code, refused.statement) == (429, "rate_limited", None)
    assert int(refused.headers["retry-after"]) == LICENSE_KEY_GUESSES.interval.total_seconds()
    assert (await house.till().activate(await house.key())).status == 201


async def test_a_license_that_is_activated_over_and_over_is_told_to_wait_unsigned_and_unaudited(house):
    sold = await house.license()
    for number in range(ACTIVATIONS.burst):
        await house.till(f"machine {number}").activate(sold.license_key)
    refused = await house.till("one more").activate(sold.license_key)
    decided = await house.last_decision(sold)
    house.clock.turn(seconds=10)
    later = await house.till("one more").activate(sold.license_key)
    assert (refused.status, refused.statement) == (429, None)
    assert decided["code"] == later.code == "license_in_use"


async def test_whoever_guesses_api_keys_is_told_to_wait_and_a_valid_key_is_not(house):
    async with Callers(house.services) as callers:
        thief = await callers.with_key("tks_" + "A" * 43)
        statuses = [(await thief.get("/v1/me")).status_code for _ in range(API_KEY_GUESSES.burst + 1)]
        honest = await callers.client("agent")
        assert statuses == [401] * API_KEY_GUESSES.burst + [429]
        assert (await honest.get("/v1/me")).status_code == 200


async def test_who_is_over_the_limit_is_told_so_without_a_write(house, monkeypatch):
    while not await take(house.services, LIMIT, "somebody"):
        pass

    def no_writes():
        raise AssertionError("it writes")

    monkeypatch.setattr(type(house.services.db), "writing", lambda _self: no_writes())
    assert await take(house.services, LIMIT, "somebody") == 2
