"""The unsigned question about a license key, and its limit."""

import pytest

from tillkey_server.api import context
from tillkey_server.api.rate import MAX_ADDRESSES, Limiter
from tillkey_server.usecases.license import change_standing, issue

UNKNOWN = {"known": False, "usable": False, "code": None}


async def ask(http, license_key: str, product: str = "pos-core"):
    return await http.post("/v1/licenses/check", json={"license_key": license_key, "product": product})


async def test_a_known_key_is_usable(http, license_key):
    response = await ask(http, license_key)
    assert response.status_code == 200
    assert response.json() == {"known": True, "usable": True, "code": None}


@pytest.mark.clause("K-14")
async def test_an_unknown_key_and_another_products_key_get_the_same_answer(http, license_key):
    answers = [
        await ask(http, "POS-00000-00000-00000-00000-0000000"),
        await ask(http, "no key at all"),
        await ask(http, license_key, "pos-loyalty"),
        await ask(http, license_key, "no-such-product"),
    ]
    assert [(answer.status_code, answer.json()) for answer in answers] == [(200, UNKNOWN)] * 4


@pytest.mark.clause("K-13")
async def test_a_key_that_may_not_be_used_says_why_and_names_nobody(http, services):
    issued = await issue(services, product="pos-core", customer_email="owner@shop.example", actor="cli:test")
    one = issued.licenses[0]
    await change_standing(services, one.license_id, event="revoke", actor="cli:test", reason="a test")
    response = await ask(http, one.license_key)
    assert response.json() == {"known": True, "usable": False, "code": "license_revoked"}
    assert "owner" not in response.text


async def test_who_asks_too_often_is_told_when_to_come_back(http):
    answers = [await ask(http, "x") for _ in range(context.CHECK_BURST + 1)]
    assert {answer.status_code for answer in answers[:-1]} == {200}
    assert (answers[-1].status_code, answers[-1].json()["code"]) == (429, "rate_limited")
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert (await http.get("/healthz")).status_code == 200


def test_a_limiter_lets_a_burst_through_and_then_one_for_each_interval():
    limiter = Limiter(burst=3, interval=2.0)
    assert [limiter.ask("192.0.2.1", 100.0) for _ in range(4)] == [0, 0, 0, 2]
    assert limiter.ask("192.0.2.1", 101.5) == 1
    assert limiter.ask("192.0.2.1", 102.0) == 0
    assert limiter.ask("192.0.2.1", 102.0) == 2


def test_a_limiter_counts_each_address_for_itself_and_an_ipv6_site_as_one():
    limiter = Limiter(burst=1, interval=60.0)
    assert limiter.ask("192.0.2.1", 0.0) == 0
    assert limiter.ask("192.0.2.2", 0.0) == 0
    assert limiter.ask("2001:db8::1", 0.0) == 0
    assert limiter.ask("2001:db8::2", 0.0) == 60
    assert limiter.ask("2001:db8:0:1::2", 0.0) == 0
    assert limiter.ask("a socket", 0.0) == 0


def test_a_limiter_forgets_the_addresses_that_were_quiet_longest():
    limiter = Limiter(burst=1, interval=60.0)
    for number in range(MAX_ADDRESSES + 1):
        limiter.ask(f"client-{number}", 0.0)
    assert limiter.ask("client-0", 0.0) == 0
    assert limiter.ask(f"client-{MAX_ADDRESSES}", 0.0) == 60
