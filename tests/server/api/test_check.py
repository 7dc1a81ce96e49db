"""The unsigned question about a license key, and its limit."""

import pytest

from tillkey_server.rules.rate import LICENSE_KEY_GUESSES
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


async def test_who_guesses_too_often_is_told_when_to_come_back(http):
    answers = [await ask(http, "x") for _ in range(LICENSE_KEY_GUESSES.burst + 1)]
    assert {answer.status_code for answer in answers[:-1]} == {200}
    assert (answers[-1].status_code, answers[-1].json()["code"]) == (429, "rate_limited")
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert (await http.get("/healthz")).status_code == 200


async def test_a_known_key_is_answered_whatever_else_its_address_asked(http, license_key):
    for _ in range(LICENSE_KEY_GUESSES.burst + 1):
        guessed = await ask(http, "x")
    assert guessed.status_code == 429
    assert (await ask(http, license_key)).json()["usable"] is True
