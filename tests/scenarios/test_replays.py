"""The same request again: a lost answer, a network's duplicate, fifty retries at once, over two server processes."""

from collections import Counter
from uuid import UUID

import httpx
import pytest

from tests.support.census import census, totals
from tests.support.premises import premises, servers  # noqa: F401 - fixtures
from tests.support.till import RawTill, new_rid
from tests.support.volley import Shot, shot, taking, volley
from tillkey.wire.request import ClockReading, Heartbeat, path_of
from tillkey_server.store import leases

RETRIES = 50


@pytest.fixture
async def http(servers):  # noqa: F811
    """A client of the first process."""
    async with httpx.AsyncClient(base_url=servers[0], timeout=60, trust_env=False) as client:
        yield client


@pytest.fixture
async def elsewhere(servers):  # noqa: F811
    """A client of the second process."""
    async with httpx.AsyncClient(base_url=servers[1], timeout=60, trust_env=False) as client:
        yield client


@pytest.fixture
def till(premises, http):  # noqa: F811
    """A new installation."""
    return RawTill(http, premises.keyset)


def beat_of(till):
    held = till.held
    return Heartbeat(held.sub, held.nonce, held.seq, till.fingerprint, "1.0", ClockReading(1, 1, "boot"))


def is_stale(reply):
    return reply.code == "stale_request" and reply.status == 409 and reply.statement is not None


@pytest.mark.clause("V-20", "K-10")
async def test_fifty_retries_at_once_of_one_request_are_one_activation_and_all_get_201(premises, servers, till):  # noqa: F811
    sold = premises.license()
    body, rid = taking(till, sold.license_key), new_rid()
    text = till.sign(body, rid=rid)
    async with premises.database() as database:
        before = await totals(database)
        replies = await volley([Shot(till, servers[n % 2], path_of(body), rid, text) for n in range(RETRIES)])
        assert Counter(reply.status for reply in replies) == {201: RETRIES}
        assert len({(reply.granted.sub, reply.granted.seq, reply.granted.nonce) for reply in replies}) == 1
        assert len({reply.granted.jti for reply in replies}) == RETRIES
        gained = await totals(database) - before
        assert {name: gained[name] for name in ("activation", "lease", "chain_event")} == {
            "activation": 1,
            "lease": 1,
            "chain_event": 0,
        }
        async with database.reading() as conn:
            step = await leases.by_rid(conn, till.jkt, rid)
        assert step.minted == RETRIES


@pytest.mark.clause("V-20", "K-10", "NX-03")
async def test_fifty_retries_at_once_by_new_rids_are_one_activation_of_which_one_rid_is_the_creator(
    premises,  # noqa: F811
    servers,  # noqa: F811
    till,
):
    sold = premises.license()
    replies = await volley(
        [shot(till.copied(), servers[n % 2], taking(till, sold.license_key)) for n in range(RETRIES)]
    )
    assert Counter(reply.status for reply in replies) == {201: 1, 200: RETRIES - 1}
    assert len({reply.granted.sub for reply in replies}) == 1
    assert sorted(reply.granted.seq for reply in replies) == list(range(1, RETRIES + 1))
    async with premises.database() as database:
        assert (await census(database, sold.license_id)).holders == (UUID(replies[0].granted.sub),)


@pytest.mark.clause("V-20", "K-10")
async def test_the_creating_rid_gets_201_again_and_another_rid_of_the_same_installation_200(premises, till, elsewhere):  # noqa: F811
    sold, rid = premises.license(), new_rid()
    first = await till.activate(sold.license_key, rid=rid)
    again = await till.through(elsewhere).activate(sold.license_key, rid=rid)
    other = await till.activate(sold.license_key)
    assert (first.status, again.status, other.status) == (201, 201, 200)
    assert first.granted.sub == again.granted.sub == other.granted.sub


async def test_a_beat_whose_answer_was_lost_is_the_same_step_with_a_lease_minted_afresh(premises, till, elsewhere):  # noqa: F811
    await till.activate(premises.license().license_key)
    rid, text = new_rid(), beat_of(till)
    signed = till.sign(text, rid=rid)
    first = await till.send(signed, path_of(text), rid=rid)
    again = await till.through(elsewhere).send(signed, path_of(text), rid=rid)
    assert (
        (first.granted.seq, first.granted.nonce) == (again.granted.seq, again.granted.nonce) == (2, again.granted.nonce)
    )
    assert first.granted.jti != again.granted.jti


async def test_twenty_duplicates_of_one_beat_at_once_are_one_step(premises, servers, till):  # noqa: F811
    await till.activate(premises.license().license_key)
    body, rid = beat_of(till), new_rid()
    text = till.sign(body, rid=rid)
    replies = await volley([Shot(till, servers[n % 2], path_of(body), rid, text) for n in range(20)])
    assert {(reply.status, reply.granted.seq) for reply in replies} == {(200, 2)}
    assert len({reply.granted.nonce for reply in replies}) == 1


@pytest.mark.clause("X-05")
async def test_ten_beats_of_one_nonce_at_once_are_ten_steps_and_nine_forks(premises, servers, till):  # noqa: F811
    await till.activate(premises.license().license_key)
    async with premises.database() as database:
        before = await totals(database)
        replies = await volley([shot(till.copied(), servers[n % 2], beat_of(till)) for n in range(10)])
        assert {reply.status for reply in replies} == {200}
        assert sorted(reply.granted.seq for reply in replies) == list(range(2, 12))
        gained = await totals(database) - before
    assert (gained["lease"], gained["chain_event"]) == (10, 9)


@pytest.mark.clause("X-05")
async def test_a_late_duplicate_of_an_older_beat_is_told_so_signed_and_changes_nothing(premises, till):  # noqa: F811
    await till.activate(premises.license().license_key)
    body, rid = beat_of(till), new_rid()
    text = till.sign(body, rid=rid)
    await till.send(text, path_of(body), rid=rid)
    tip = (await till.heartbeat()).granted
    async with premises.database() as database:
        before = await totals(database)
        assert is_stale(await till.send(text, path_of(body), rid=rid))
        assert await totals(database) - before == {}
    after = await till.heartbeat()
    assert after.granted.seq == tip.seq + 1


async def test_a_known_rid_with_another_op_is_stale(premises, till):  # noqa: F811
    rids = [new_rid() for _ in range(3)]
    await till.activate(premises.license().license_key, environment="staging", rid=rids[0])
    assert is_stale(await till.heartbeat(rid=rids[0]))
    assert is_stale(await till.move(rid=rids[0]))
    assert is_stale(await till.deactivate(rid=rids[0]))
    assert is_stale(await till.activate(None, environment="staging", rid=rids[0]))
    await till.heartbeat(rid=rids[1])
    assert is_stale(await till.move(rid=rids[1]))
    assert is_stale(await till.activate(None, environment="staging", rid=rids[1]))
    await till.move(rid=rids[2])
    assert is_stale(await till.heartbeat(rid=rids[2]))
    assert (await till.heartbeat()).granted.seq == 4


async def test_a_known_rid_with_another_license_key_or_activation_is_stale(premises, till):  # noqa: F811
    ours, theirs = premises.license(), premises.license("pos-loyalty")
    loyalty = RawTill(till.http, premises.keyset, product="pos-loyalty")
    loyalty.key = till.key
    rid = new_rid()
    await till.activate(ours.license_key, rid=rid)
    assert is_stale(await loyalty.activate(theirs.license_key, rid=rid))
    await loyalty.activate(theirs.license_key)
    assert is_stale(await loyalty.heartbeat(rid=rid))
    assert is_stale(await loyalty.activate(theirs.license_key, rid=rid))
    assert (await till.activate(ours.license_key, rid=rid)).status == 201


@pytest.mark.clause("NX-07", "NX-50")
async def test_a_known_rid_of_an_ended_activation_gets_the_end_and_an_activate_a_stale_request(premises, till):  # noqa: F811
    sold = premises.license()
    rids = [new_rid() for _ in range(4)]
    await till.activate(sold.license_key, environment="staging", rid=rids[0])
    await till.heartbeat(rid=rids[1])
    await till.move(rid=rids[2])
    assert (await till.deactivate(rid=rids[3])).status == 200
    assert is_stale(await till.activate(sold.license_key, environment="staging", rid=rids[0]))
    for reply in (
        await till.heartbeat(rid=rids[1]),
        await till.move(rid=rids[2]),
        await till.activate(None, environment="staging", rid=rids[1]),
    ):
        assert (reply.status, reply.code, reply.statement.sub) == (403, "activation_released", till.held.sub)
    for rid in (*rids, new_rid()):
        reply = await till.deactivate(rid=rid)
        assert (reply.status, reply.statement.code) == (200, "activation_released")


@pytest.mark.clause("NX-04")
async def test_a_replayed_move_gives_the_same_ticket_and_it_still_works_once(premises, till, elsewhere):  # noqa: F811
    sold, rid = premises.license(), new_rid()
    await till.activate(sold.license_key, environment="staging")
    first = await till.move(rid=rid)
    again = await till.through(elsewhere).move(rid=rid)
    # The second asked with the nonce that it held by then: what counts is the `rid`.
    assert first.ticket == again.ticket
    assert first.granted.seq == again.granted.seq
    new = RawTill(elsewhere, premises.keyset)
    assert (await new.activate(sold.license_key, move_ticket=again.ticket)).status == 201
    late = await till.move(rid=rid)
    assert (late.status, late.code) == (403, "activation_superseded")


@pytest.mark.clause("NX-04", "K-10")
async def test_a_retry_of_an_activation_with_a_ticket_is_the_same_activation(premises, till, elsewhere):  # noqa: F811
    sold, rid = premises.license(), new_rid()
    await till.activate(sold.license_key, environment="staging")
    ticket = (await till.move()).ticket
    new = RawTill(elsewhere, premises.keyset)
    first = await new.activate(sold.license_key, move_ticket=ticket, rid=rid)
    again = await new.activate(sold.license_key, move_ticket=ticket, rid=rid)
    assert (first.status, again.status) == (201, 201)
    assert (first.granted.sub, first.granted.seq) == (again.granted.sub, again.granted.seq)
