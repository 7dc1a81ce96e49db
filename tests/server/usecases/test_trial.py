"""Trials on both engines: one for each customer and product, ending by itself, beside whatever is bought."""

import asyncio
from uuid import UUID

import pytest

from tillkey_server.rules.decision import Refusal
from tillkey_server.rules.product import ProductState
from tillkey_server.rules.sale import SaleCode
from tillkey_server.usecases.answers import RefusalAnswer
from tillkey_server.usecases.catalogue import change_product
from tillkey_server.usecases.licenses import get_license
from tillkey_server.usecases.product_facts import set_state
from tillkey_server.usecases.services import open_services
from tillkey_server.usecases.trial import start_trial

BUYER = "owner@shop.example"


async def tried(services, product="pos-core", customer=BUYER):
    return await start_trial(services, product=product, customer_email=customer, actor="cli:test")


@pytest.fixture(autouse=True)
async def offered(house):
    for product in ("pos-core", "pos-loyalty"):
        await change_product(house.services, product, policy="trying", actor="cli:test")


@pytest.mark.clause("K-11")
async def test_two_servers_asked_at_once_give_one_trial(house):
    other = await open_services(house.services.settings, house.clock)
    try:
        answers = await asyncio.gather(*[tried(one) for one in (house.services, other) * 3])
    finally:
        await other.close()
    refused = [one for one in answers if isinstance(one, RefusalAnswer)]
    assert [one.decision_code for one in refused] == [Refusal.TRIAL_USED] * 5


async def test_each_customer_and_each_product_has_a_trial_of_its_own(house):
    await tried(house.services)
    for more in ({"product": "pos-loyalty"}, {"customer": "other@shop.example"}):
        assert not isinstance(await tried(house.services, **more), RefusalAnswer)
    again = await tried(house.services, customer=BUYER.upper())
    assert again.decision_code is Refusal.TRIAL_USED


@pytest.mark.clause("K-03")
async def test_a_trial_sells_until_it_ends_by_itself_and_is_not_given_again(house):
    started = await tried(house.services)
    till = house.till()
    granted = (await till.activate(started.license.license_key)).granted
    house.clock.turn(days=15)
    shown = await get_license(house.services, UUID(granted.license))
    assert (shown["status"], shown["use_until"], shown["channel"]) == ("expired", "2026-03-17T00:00:00Z", "trial")
    assert (await tried(house.services)).facts["use_until"] == shown["use_until"]


async def test_what_is_bought_later_is_a_license_of_its_own(house):
    started = await tried(house.services)
    bought = await house.license()
    assert bought.license_id != started.license.license_id
    assert (await get_license(house.services, bought.license_id))["use_until"] is None


@pytest.mark.clause("BC-19")
async def test_of_what_is_offline_there_is_no_trial(house):
    await set_state(house.services, "pos-core", ProductState.OFFLINE, actor="cli:test")
    assert (await tried(house.services)).decision_code is SaleCode.PRODUCT_NOT_ON_SALE
