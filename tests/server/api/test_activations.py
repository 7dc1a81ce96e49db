"""The verbs over HTTP: status, shape, and the order in which a request is looked at."""

import asyncio

import pytest

from tests.support.till import RawTill, new_rid
from tillkey.wire.errors import WireError
from tillkey.wire.request import Activate, Deactivate, Project, path_of
from tillkey_server.api import activations
from tillkey_server.api.problems import PUBLIC_FACTS, TYPE_PREFIX


async def test_an_activation_is_created_once_and_then_found(till, license_key):
    first = await till.activate(license_key)
    assert first.status == 201
    assert set(first.body) == {"lease"}
    assert first.granted.environment == "production"
    again = await till.activate(license_key)
    assert again.status == 200
    assert again.granted.sub == first.granted.sub


async def test_an_answer_is_never_kept_by_a_cache(till, license_key):
    reply = await till.activate(license_key)
    assert reply.headers["cache-control"] == "no-store"
    assert reply.headers["x-content-type-options"] == "nosniff"


@pytest.mark.clause("X-05")
async def test_a_heartbeat_brings_the_next_lease(till, license_key):
    first = (await till.activate(license_key)).granted
    reply = await till.heartbeat()
    assert reply.status == 200
    assert reply.granted.seq == first.seq + 1
    assert reply.granted.nonce != first.nonce


async def test_a_move_brings_a_ticket_and_the_next_lease(till, license_key):
    await till.activate(license_key, environment="staging")
    reply = await till.move("production")
    assert reply.status == 200
    assert set(reply.body) == {"ticket", "lease"}
    assert reply.ticket is not None
    other = RawTill(till.http, till.keyset)
    taken = await other.activate(license_key, move_ticket=reply.ticket)
    assert taken.status == 201, taken.body


@pytest.mark.clause("NX-07")
async def test_a_deactivation_brings_its_receipt_every_time(till, license_key):
    await till.activate(license_key)
    for _ in range(2):
        reply = await till.deactivate()
        assert reply.status == 200
        assert set(reply.body) == {"statement"}
        assert reply.statement is not None
        assert reply.statement.code == "activation_released"


@pytest.mark.clause("NX-03")
async def test_a_refusal_says_by_what_the_license_is_held_and_names_nobody(till, license_key):
    await till.activate(license_key)
    reply = await RawTill(till.http, till.keyset).activate(license_key)
    assert reply.status == 409
    assert reply.code == "license_in_use"
    assert reply.body["type"] == TYPE_PREFIX + "license_in_use"
    assert reply.body["clauses"]
    assert reply.body["options"]
    assert set(reply.body["facts"]) <= PUBLIC_FACTS
    assert till.jkt not in str(dict(reply.body))
    assert reply.statement is not None


async def test_an_unknown_license_key_is_refused_without_spending_a_signature(till):
    reply = await till.activate("POS-00000-00000-00000-00000-0000000")
    assert (reply.status, reply.code, reply.statement) == (404, "license_invalid", None)


@pytest.mark.parametrize("ticket", ["x", "MOVE-00000-00000-00000-00000-0000000", "POS", "é" * 40])
async def test_a_ticket_that_cannot_be_one_is_refused_like_one_that_is_not_known(till, license_key, ticket):
    await RawTill(till.http, till.keyset).activate(license_key, environment="staging")
    reply = await till.activate(license_key, move_ticket=ticket)
    assert (reply.status, reply.code) == (409, "move_ticket_invalid")


async def test_an_answer_of_ours_that_cannot_be_made_is_a_defect_and_no_fault_of_the_caller(
    till, license_key, services, monkeypatch
):
    def too_long(*_arguments, **_named):
        raise WireError("malformed", "lease", "would be too long")

    monkeypatch.setattr(type(services.mint), "lease", too_long)
    reply = await till.activate(license_key)
    assert (reply.status, reply.code) == (500, "internal_error")


async def test_an_unknown_activation_is_a_hint_without_a_signature(till, license_key):
    await till.activate(license_key)
    stranger = RawTill(till.http, till.keyset)
    stranger.lease = till.lease
    reply = await stranger.heartbeat()
    assert (reply.status, reply.code, reply.statement) == (409, "unknown_installation", None)


@pytest.mark.parametrize("verb", ["heartbeat", "move", "deactivate", "support"])
async def test_an_address_that_names_another_activation_is_malformed(till, license_key, verb):
    await till.activate(license_key)
    rid = new_rid()
    path = f"/v1/activations/00000000-0000-7000-8000-000000000000/{verb}"
    body = Deactivate(till.held.sub)
    reply = await till.send(till.sign(body, rid=rid), path, rid=rid)
    assert (reply.status, reply.code) == (400, "malformed")


async def test_an_address_with_another_verb_than_was_signed_is_malformed(till, license_key):
    await till.activate(license_key)
    rid = new_rid()
    text = till.sign(Deactivate(till.held.sub), rid=rid)
    for path in (f"/v1/activations/{till.held.sub}/heartbeat", "/v1/activations"):
        reply = await till.send(text, path, rid=rid)
        assert (reply.status, reply.code) == (400, "malformed")
    assert (await till.heartbeat()).status == 200, "nothing was deactivated"


async def test_a_request_for_another_server_is_malformed(till, license_key):
    body = Activate("pos-core", Project("Shop"), "production", till.fingerprint, "1.0", license_key=license_key)
    rid = new_rid()
    reply = await till.send(till.sign(body, rid=rid, aud="another-server"), path_of(body), rid=rid)
    assert (reply.status, reply.code) == (400, "malformed")


async def test_a_changed_request_has_a_bad_signature(till, license_key):
    body = Activate("pos-core", Project("Shop"), "production", till.fingerprint, "1.0", license_key=license_key)
    rid = new_rid()
    head, payload, signature = till.sign(body, rid=rid).split(".")
    changed = ("B" if signature[0] == "A" else "A") + signature[1:]
    reply = await till.send(f"{head}.{payload}.{changed}", path_of(body), rid=rid)
    assert (reply.status, reply.code) == (401, "bad_signature")


async def test_what_is_not_signed_reaches_no_use_case(http, monkeypatch):
    async def touched(*_arguments):
        raise AssertionError("a use case was asked")

    monkeypatch.setattr(activations.activation, "activate", touched)
    for request in ("", "a.b.c", "....", "e30.e30.e30"):
        response = await http.post("/v1/activations", json={"request": request})
        assert response.status_code == 400
        assert response.json()["code"] == "malformed"


async def test_parallel_retries_of_one_request_get_one_activation(till, license_key):
    rid = new_rid()
    replies = await asyncio.gather(*[till.activate(license_key, rid=rid) for _ in range(8)])
    assert {reply.status for reply in replies} == {201}
    assert len({(reply.granted.sub, reply.granted.seq, reply.granted.nonce) for reply in replies}) == 1
