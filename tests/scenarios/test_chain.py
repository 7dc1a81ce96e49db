"""The heartbeat chain over HTTP: restored states, copies, lost leases (PROTOCOL section 5, rows c to e)."""

import os
from collections import Counter
from uuid import UUID

import httpx
import pytest

from tests.support.premises import STRANGER, premises, servers  # noqa: F401 - fixtures
from tests.support.till import RawTill, new_rid
from tillkey.wire.license_key import format_key
from tillkey_server.ids import new_id
from tillkey_server.store import chain_events, leases

ROUNDS = 5
SPENT = ("jti", "iat", "rid")


@pytest.fixture
async def http(servers):  # noqa: F811
    """A client of the first process."""
    async with httpx.AsyncClient(base_url=servers[0], timeout=60, trust_env=False) as client:
        yield client


@pytest.fixture
async def till(premises, http):  # noqa: F811
    """A till that has just been activated."""
    made = RawTill(http, premises.keyset)
    await made.activate(premises.license().license_key)
    return made


async def events_of(premises, till):  # noqa: F811
    """What the chain of a till's activation showed, by kind."""
    async with premises.database() as database, database.reading() as conn:
        return Counter(event.kind for event in await chain_events.of_activation(conn, UUID(till.held.sub)))


async def state_of(premises, till, nonce):  # noqa: F811
    async with premises.database() as database, database.reading() as conn:
        return (await leases.by_nonce(conn, UUID(till.held.sub), nonce)).nonce_state


async def test_beats_with_the_current_nonce_are_steps_of_one_each_and_no_event(premises, till):  # noqa: F811
    nonces = {till.held.nonce}
    for seq in range(2, 7):
        lease = (await till.heartbeat()).granted
        assert lease.seq == seq
        nonces.add(lease.nonce)
    assert len(nonces) == 6
    assert await events_of(premises, till) == {}


@pytest.mark.clause("X-05")
async def test_a_state_restored_from_a_backup_is_one_fork_and_the_till_sells_on(premises, till):  # noqa: F811
    backup = till.copied()
    for _ in range(3):
        await till.heartbeat()
    tip = till.held.nonce
    lease = (await backup.heartbeat()).granted
    assert (lease.seq, lease.sub) == (5, till.held.sub)
    for _ in range(3):
        assert (await backup.heartbeat()).status == 200
    assert await events_of(premises, till) == {"fork": 1}
    assert await state_of(premises, till, tip) == "tombstone"


@pytest.mark.clause("X-05")
async def test_two_copies_in_turn_are_forks_and_switches_and_both_sell_on(premises, till):  # noqa: F811
    copy = till.copied()
    for _ in range(ROUNDS):
        for one in (till, copy):
            reply = await one.heartbeat()
            assert (reply.status, reply.granted.environment) == (200, "production")
    # The first beat of all is a step; the copy's first is a fork; each one after that presents a tombstone.
    assert await events_of(premises, till) == {"fork": 2 * ROUNDS - 1, "switch": 2 * ROUNDS - 2}
    assert till.held.entitlements == copy.held.entitlements


@pytest.mark.clause("X-05")
async def test_a_tombstone_counts_one_switch_and_is_consumed(premises, till):  # noqa: F811
    copy = till.copied()
    tombstone = (await till.heartbeat()).granted.nonce
    await copy.heartbeat()
    assert await state_of(premises, till, tombstone) == "tombstone"
    await till.heartbeat(nonce=tombstone)
    assert await state_of(premises, till, tombstone) == "consumed"
    assert await events_of(premises, till) == {"fork": 2, "switch": 1}
    await till.heartbeat(nonce=tombstone)
    assert await events_of(premises, till) == {"fork": 3, "switch": 1}


@pytest.mark.clause("X-05")
async def test_an_unknown_nonce_is_told_to_rebind_signed_and_a_rebind_goes_on(premises, till):  # noqa: F811
    reply = await till.heartbeat(nonce=new_rid())
    assert (reply.status, reply.code, reply.statement.sub) == (409, "rebind_required", till.held.sub)
    assert (await till.activate(None)).granted.seq == 2
    assert (await till.heartbeat()).granted.seq == 3
    assert await events_of(premises, till) == {}


@pytest.mark.clause("X-05")
async def test_a_rebind_with_an_older_lease_is_a_fork(premises, till):  # noqa: F811
    backup = till.copied()
    await till.heartbeat()
    reply = await backup.activate(None)
    assert (reply.status, reply.granted.seq, reply.granted.sub) == (200, 3, till.held.sub)
    assert await events_of(premises, till) == {"fork": 1}


@pytest.mark.clause("X-05", "K-10")
async def test_the_holder_that_asks_with_its_license_key_is_a_fork_and_keeps_its_activation(premises, http):  # noqa: F811
    sold, till = premises.license(), RawTill(http, premises.keyset)
    await till.activate(sold.license_key)
    clone = till.copied()
    reply = await till.activate(sold.license_key)
    assert (reply.status, reply.granted.seq, reply.granted.sub) == (200, 2, clone.held.sub)
    assert await events_of(premises, till) == {"fork": 1}
    await clone.heartbeat()
    assert await events_of(premises, till) == {"fork": 2, "switch": 1}


async def test_a_lease_of_another_key_or_of_another_server_rebinds_nobody(premises, till, http):  # noqa: F811
    thief = till.copied()
    thief.key = RawTill(http, premises.keyset).key
    reply = await thief.activate(None)
    assert (reply.status, reply.code, reply.statement) == (404, "license_invalid", None)
    forged = till.copied()
    head, body, signature = till.lease_text.split(".")
    forged.lease_text = ".".join((head, body, signature[:-4] + "AAAA"))
    reply = await forged.activate(None)
    assert (reply.status, reply.code) == (404, "license_invalid")
    assert reply.statement is not None


async def test_an_unknown_activation_or_one_of_another_key_is_an_unsigned_hint(premises, till, http):  # noqa: F811
    stranger = till.copied()
    stranger.key = RawTill(http, premises.keyset).key
    lost = till.copied()
    lost.lease = _with_id(till.held, str(new_id()))
    for one in (stranger, lost):
        for reply in (await one.heartbeat(), await one.move("staging"), await one.deactivate()):
            assert (reply.status, reply.code, reply.statement) == (409, "unknown_installation", None)
            assert "statement" not in reply.body
    assert (await till.heartbeat()).granted.seq == 2


@pytest.mark.clause("NX-49")
async def test_a_key_belongs_to_one_customer_and_to_one_license_of_a_product(premises, till):  # noqa: F811
    loyalty = RawTill(till.http, premises.keyset, product="pos-loyalty")
    loyalty.key = till.key
    foreign = await loyalty.activate(premises.license("pos-loyalty", STRANGER).license_key)
    second = await till.activate(premises.license().license_key)
    for reply in (foreign, second):
        assert (reply.status, reply.code) == (409, "installation_key_in_use")
        assert reply.statement is not None
    assert (await loyalty.activate(premises.license("pos-loyalty").license_key)).status == 201


@pytest.mark.clause("K-14", "X-11")
async def test_an_unknown_license_key_and_one_of_another_product_are_told_the_same_bytes(premises, till, http):  # noqa: F811
    unknown = format_key("POS", os.urandom)
    foreign = premises.license("pos-loyalty").license_key
    for one, is_signed in ((till, True), (RawTill(http, premises.keyset), False)):
        answers = [await one.copied().activate(key) for key in (unknown, foreign)]
        assert [reply.status for reply in answers] == [404, 404]
        assert [reply.code for reply in answers] == ["license_invalid"] * 2
        assert [reply.statement is not None for reply in answers] == [is_signed] * 2
        first, second = (plain(reply) for reply in answers)
        assert first == second


def plain(reply):
    """An answer without what differs between any two answers; as for the statement's length, nothing may differ."""
    body = {name: value for name, value in reply.body.items() if name != "statement"}
    said = None
    if reply.statement is not None:
        claims = {name: getattr(reply.statement, name) for name in reply.statement.__dataclass_fields__}
        said = {name: value for name, value in claims.items() if name not in SPENT}
    headers = {name: value for name, value in reply.headers.items() if name not in {"date", "x-request-id"}}
    return body, said, headers, len(reply.body.get("statement", ""))


def _with_id(lease, activation_id):
    fields = {name: getattr(lease, name) for name in lease.__dataclass_fields__}
    return type(lease)(**(fields | {"sub": activation_id}))
