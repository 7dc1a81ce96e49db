"""Every write can be sent again under its idempotency key: one effect, one answer."""

import json

import pytest

from tests.support.administration import EXAMPLES, Shelf
from tests.support.administration.operations import WRITES, allowed, ask
from tests.support.callers import Callers
from tests.support.house import House
from tests.support.picture import picture

UNDER = {"Idempotency-Key": "order-17"}


@pytest.mark.clause("I6")
@pytest.mark.parametrize("name", WRITES)
async def test_the_same_write_twice_is_done_once_and_answered_alike(
    one_house: House, one_callers: Callers, name: str
) -> None:
    client = await one_callers.client()
    example = await EXAMPLES[name](Shelf(one_house))
    first = await ask(client, name, example, headers=UNDER)
    after_one = await picture(one_house)
    one_house.clock.turn(minutes=5)
    second = await ask(client, name, example, headers=UNDER)
    assert first.status_code in allowed(name), first.text
    assert (second.status_code, second.content) == (first.status_code, first.content)
    assert second.headers["content-type"] == first.headers["content-type"]
    assert await picture(one_house) == after_one


@pytest.mark.clause("I6")
@pytest.mark.parametrize("name", WRITES)
async def test_another_body_or_another_address_under_the_key_is_refused(
    one_house: House, one_callers: Callers, name: str
) -> None:
    client = await one_callers.client()
    example = await EXAMPLES[name](Shelf(one_house))
    await ask(client, name, example, headers=UNDER)
    before = await picture(one_house)
    otherwise = await ask(client, name, example, content=b" " + json.dumps(example.body).encode(), headers=UNDER)
    elsewhere = await client.post("/v1/api-keys", json={"name": "x", "role": "agent"}, headers=UNDER)
    assert [otherwise.status_code, elsewhere.status_code] == [422, 422]
    assert {one.json()["code"] for one in (otherwise, elsewhere)} == {"idempotency_key_reused"}
    assert await picture(one_house) == before
