"""A transfer or a new key at the same instant as a till's request: one comes first, and nothing is left in between."""

import asyncio
from uuid import UUID

import pytest
from sqlalchemy import select

from tests.support.premises import OWNER, STRANGER, premises, servers  # noqa: F401 - fixtures
from tests.support.till import RawTill
from tests.support.volley import shot, taking, volley
from tillkey.wire.request import ClockReading, Heartbeat
from tillkey_server.store import tables
from tillkey_server.usecases.rekey import Rekeyed, rekey
from tillkey_server.usecases.transfer import Transferred, transfer

ROUNDS = 8


async def sold_to_a_stranger(services, sold, *along):
    ids = [UUID(one.license_id) for one in along]
    how = {"customer": STRANGER, "actor": "agent:test", "reason": "the shop is sold"}
    return await transfer(services, UUID(sold.license_id), along=ids, **how)


async def astray(services):
    """Return the live activations whose license, project and installation are not all one customer's (NX-49)."""
    held, sold, project, copy = (
        tables.activation.c,
        tables.license_.c,
        tables.project.c,
        tables.installation.c,
    )
    statement = (
        select(held.id)
        .join(tables.license_, sold.id == held.license_id)
        .join(tables.project, project.id == held.project_id)
        .join(tables.installation, copy.jkt == held.jkt)
        .where(held.ended_at.is_(None))
        .where((sold.customer_id != project.customer_id) | (sold.customer_id != copy.customer_id))
    )
    async with services.db.reading() as tx:
        return (await tx.execute(statement)).scalars().all()


@pytest.mark.clause("NX-49", "K-11")
async def test_nothing_comes_to_live_on_an_installation_while_it_changes_its_customer(premises, servers):  # noqa: F811
    async with premises.services() as agent:
        for n in range(ROUNDS):
            sold, extra = premises.license(), premises.license("pos-loyalty")
            till, beside = RawTill(None, premises.keyset), RawTill(None, premises.keyset, product="pos-loyalty")
            beside.key = till.key
            await volley([shot(till, servers[0], taking(till, sold.license_key))])
            request = shot(beside, servers[n % 2], taking(beside, extra.license_key))
            done, [reply] = await asyncio.gather(sold_to_a_stranger(agent, sold), volley([request]))
            if isinstance(done, Transferred):
                assert (reply.status, reply.code) == (409, "installation_key_in_use")
            else:
                assert (done.decision_code, reply.status) == ("installation_shared", 201)
            assert await astray(agent) == []


@pytest.mark.clause("NX-06", "NX-49", "I1")
async def test_an_activation_comes_before_the_transfer_and_goes_along_or_after_it_to_the_buyer(premises, servers):  # noqa: F811
    async with premises.services() as agent:
        for n in range(ROUNDS):
            sold, till = premises.license(), RawTill(None, premises.keyset)
            request = shot(till, servers[n % 2], taking(till, sold.license_key))
            done, [reply] = await asyncio.gather(sold_to_a_stranger(agent, sold), volley([request]))
            assert isinstance(done, Transferred)
            assert reply.status == 201
            assert done.activations in {(), (UUID(reply.granted.sub),)}
            assert await astray(agent) == []


@pytest.mark.clause("NX-06", "I3")
async def test_heartbeats_go_on_through_a_transfer_and_none_is_taken_for_a_copy(premises, servers):  # noqa: F811
    async with premises.services() as agent:
        for n in range(ROUNDS):
            sold, till = premises.license(), RawTill(None, premises.keyset)
            await volley([shot(till, servers[0], taking(till, sold.license_key))])
            before = till.held
            done, [during] = await asyncio.gather(
                sold_to_a_stranger(agent, sold), volley([shot(till, servers[n % 2], beat(till))])
            )
            [after] = await volley([shot(till, servers[n % 2], beat(till))])
            assert isinstance(done, Transferred)
            assert [during.status, after.status] == [200, 200]
            assert [during.granted.seq, after.granted.seq] == [before.seq + 1, before.seq + 2]
            assert during.granted.project in {before.project, after.granted.project}
            assert after.granted.project != before.project
            async with agent.db.reading() as tx:
                events = select(tables.chain_event.c.kind).where(
                    tables.chain_event.c.license_id == UUID(sold.license_id)
                )
                assert (await tx.execute(events)).all() == []


@pytest.mark.clause("NX-49", "K-11")
async def test_two_agents_who_transfer_one_installation_at_once_do_it_once(premises, servers):  # noqa: F811
    async with premises.services() as ours, premises.services() as theirs:
        for _ in range(ROUNDS // 2):
            sold, extra = premises.license(), premises.license("pos-loyalty")
            till, beside = RawTill(None, premises.keyset), RawTill(None, premises.keyset, product="pos-loyalty")
            beside.key = till.key
            await volley([shot(till, servers[0], taking(till, sold.license_key))])
            await volley([shot(beside, servers[1], taking(beside, extra.license_key))])
            answers = await asyncio.gather(
                sold_to_a_stranger(ours, sold, extra), sold_to_a_stranger(theirs, extra, sold)
            )
            [refused] = [one for one in answers if not isinstance(one, Transferred)]
            assert refused.decision_code == "nothing_to_transfer"
            assert await astray(ours) == []


@pytest.mark.clause("K-14", "K-11")
async def test_the_old_key_activates_before_the_new_one_is_given_or_never(premises, servers):  # noqa: F811
    async with premises.services() as agent:
        for n in range(ROUNDS):
            sold = premises.license("pos-core", OWNER)
            till, late = RawTill(None, premises.keyset), RawTill(None, premises.keyset)
            request = shot(till, servers[n % 2], taking(till, sold.license_key))
            done, [reply] = await asyncio.gather(rekeyed(agent, sold), volley([request]))
            [refused] = await volley([shot(late, servers[0], taking(late, sold.license_key))])
            assert isinstance(done, Rekeyed)
            assert (reply.status, reply.code) in {(201, None), (404, "license_invalid")}
            assert refused.code == "license_invalid"
            codes = ["activation_granted"] if reply.status == 201 else []
            assert await told(agent, sold) == ["license_issued", *codes, "license_rekeyed"]


@pytest.mark.clause("K-14", "K-11")
async def test_of_two_new_keys_that_are_given_at_once_one_is_known(premises, servers):  # noqa: F811
    async with premises.services() as ours, premises.services() as theirs:
        sold = premises.license()
        made = await asyncio.gather(rekeyed(ours, sold), rekeyed(theirs, sold))
        tills = [RawTill(None, premises.keyset) for _ in made]
        replies = [
            (await volley([shot(till, servers[0], taking(till, one.license_key))]))[0]
            for till, one in zip(tills, made, strict=True)
        ]
        assert sorted(reply.status for reply in replies) == [201, 404]


async def rekeyed(services, sold):
    return await rekey(services, UUID(sold.license_id), actor="agent:test", reason="lost")


async def told(services, sold):
    """Return the codes of a license's decisions in the order in which they were made."""
    audit = tables.audit_event.c
    async with services.db.reading() as tx:
        rows = await tx.execute(select(audit.code).where(audit.license_id == UUID(sold.license_id)).order_by(audit.id))
        return list(rows.scalars())


def beat(till):
    held = till.held
    return Heartbeat(held.sub, held.nonce, held.seq, till.fingerprint, "1.0", ClockReading(1, 1000, "boot-1"))
