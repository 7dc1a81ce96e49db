"""`/metrics`: what was asked and refused, for whom it is for, without a word of anybody's."""

from dataclasses import replace

import httpx
import pytest

from tillkey_server.app import create_app
from tillkey_server.usecases.services import Services

GUESS = {"license_key": "POS-00000-00000-00000-00000-0000000", "product": "pos-core"}


def client(services: Services, address: str = "127.0.0.1", **settings: object) -> httpx.AsyncClient:
    changed = replace(services, settings=replace(services.settings, **settings))
    transport = httpx.ASGITransport(app=create_app(changed), client=(address, 1234))
    return httpx.AsyncClient(transport=transport, base_url="http://metrics.example")


def figure(text: str, name: str) -> float:
    found = [line for line in text.splitlines() if line.startswith(name)]
    return float(found[0].rpartition(" ")[2]) if found else 0.0


async def test_requests_and_refusals_are_counted_by_route_and_code(services):
    asked = 'tillkey_requests_total{method="POST",route="/v1/licenses/check",status="200"}'
    refused = 'tillkey_refusals_total{code="malformed"}'
    async with client(services) as http:
        before = (await http.get("/metrics")).text
        await http.post("/v1/licenses/check", json=GUESS)
        await http.post("/v1/licenses/check", json={})
        after = await http.get("/metrics")
    assert after.headers["content-type"].startswith("text/plain; version=")
    assert figure(after.text, asked) == figure(before, asked) + 1
    assert figure(after.text, refused) == figure(before, refused) + 1
    assert figure(after.text, "tillkey_keyset_version") == 1
    assert figure(after.text, "tillkey_build_info") == 1


async def test_the_time_of_transactions_is_counted_by_kind_and_outcome(services):
    taken = "tillkey_transaction_seconds_count{"
    waited = "tillkey_transaction_wait_seconds_count{"
    async with client(services) as http:
        before = (await http.get("/metrics")).text
        with pytest.raises(KeyError):
            async with services.db.writing():
                raise KeyError
        async with services.db.reading():
            pass
        after = (await http.get("/metrics")).text

    def rise(name):
        return figure(after, name) - figure(before, name)

    assert rise(taken + 'kind="write",outcome="rolled_back"') == 1
    # And that with which the first answer looked for unsealed rows.
    assert rise(taken + 'kind="read",outcome="done"') == 2
    assert rise(taken + 'kind="write",outcome="unavailable"') == 0
    assert (rise(waited + 'kind="write"'), rise(waited + 'kind="read"')) == (1, 2)


@pytest.mark.parametrize(
    ("who", "address", "headers", "status"),
    [
        ("local", "127.0.0.1", {}, 200),
        ("local", "::1", {}, 200),
        ("local", "203.0.113.7", {}, 404),
        ("local", "a socket", {}, 404),
        ("local", "127.0.0.1", {"X-Forwarded-For": "203.0.113.7"}, 404),
        ("local", "127.0.0.1", {"Forwarded": "for=203.0.113.7"}, 404),
        ("open", "203.0.113.7", {}, 200),
        ("off", "127.0.0.1", {}, 404),
    ],
)
async def test_the_metrics_are_for_whom_the_setting_says(services, who, address, headers, status):
    async with client(services, address, metrics=who) as http:
        assert (await http.get("/metrics", headers=headers)).status_code == status


@pytest.mark.clause("I16")
async def test_what_a_caller_makes_up_is_no_label(services):
    async with client(services) as http:
        await http.request("BREW-owner@shop.example", "/owner@shop.example?x=owner@shop.example")
        text = (await http.get("/metrics")).text
    assert "owner" not in text
    assert 'method="(other)",route="(none)"' in text
