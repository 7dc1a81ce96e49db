import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from tests.support.records import DAY, NOW, activate, open_shop, step
from tillkey_server.errors import Unavailable
from tillkey_server.ids import new_id, new_token
from tillkey_server.store import activations, chains, heartbeat, installations, leases, licenses, tables
from tillkey_server.store.activations import Holder
from tillkey_server.store.chains import ChainRow


async def test_an_activation_comes_back_as_it_was_written(database):
    async with database.writing() as conn:
        shop = await open_shop(conn)
        row, _, _ = await activate(
            conn, shop, platform_version="5.4", site="shop.example", fingerprint={"a": "b", "c": "é"}
        )
    async with database.reading() as conn:
        assert await activations.by_id(conn, row.id) == row
        assert await activations.by_id(conn, new_id()) is None
    assert row.active


async def test_the_holders_of_a_license_are_its_active_activations(database):
    async with database.writing() as conn:
        shop = await open_shop(conn)
        await activate(conn, shop, ended_at=NOW, end_reason="released")
        row, _, _ = await activate(conn, shop)
        assert await activations.active_of_license(conn, shop.license.id) == (row,)
        assert await activations.holders(conn, shop.license.id) == (Holder(row, NOW),)
        assert await activations.active_of_key(conn, row.jkt, shop.product.id) == row
        assert await activations.active_of_key(conn, row.jkt, new_id()) is None
        assert await activations.active_of_license(conn, new_id()) == ()


async def test_ending_ends_only_what_is_active_and_says_what_that_was(database):
    async with database.writing() as conn:
        shop = await open_shop(conn)
        old, _, _ = await activate(conn, shop, ended_at=NOW, end_reason="released")
        row, chain, _ = await activate(conn, shop)
        ended = await activations.end(conn, [old.id, row.id], at=NOW + DAY, reason="forced")
        assert ended == {row.id}
        assert await activations.by_id(conn, old.id) == old
        assert await activations.by_id(conn, row.id) == replace(row, ended_at=NOW + DAY, end_reason="forced")
        assert await activations.end(conn, [row.id], at=NOW, reason="released") == frozenset()
        assert await activations.end(conn, [], at=NOW, reason="released") == frozenset()
        # Once for each asking: an end that changes nothing may cost a heartbeat a second look, and no more.
        assert await chains.get(conn, row.id) == replace(chain, revision=2)


@pytest.mark.clause("I3")
async def test_a_step_judged_before_an_end_is_not_taken_after_it(database):
    async with database.writing() as conn:
        row, _, _ = await activate(conn, await open_shop(conn))
        held = await chains.get(conn, row.id)
    async with database.writing() as conn:
        await activations.end(conn, [row.id], at=NOW, reason="released")
    async with database.writing() as conn:
        assert held is not None
        assert not await chains.advance(conn, held, seq=2, nonce=new_token(), rid=new_token(), last_seen_at=NOW)


async def test_a_key_that_held_the_license_before_is_remembered(database):
    async with database.writing() as conn:
        shop = await open_shop(conn, licenses_bought=2)
        row, _, _ = await activate(conn, shop)
        assert not await activations.held_before(conn, row.jkt, shop.license.id)
        await activations.end(conn, [row.id], at=NOW, reason="reinstalled")
        assert await activations.held_before(conn, row.jkt, shop.license.id)
        assert not await activations.held_before(conn, row.jkt, shop.licenses[1].id)


async def test_takeovers_are_the_ends_by_reinstalling(database):
    async with database.writing() as conn:
        shop = await open_shop(conn)
        for reason, day in (("reinstalled", 3), ("released", 2), ("reinstalled", 1)):
            await activate(conn, shop, ended_at=NOW + day * DAY, end_reason=reason)
        assert await activations.takeovers(conn, shop.license.id) == (NOW + DAY, NOW + 3 * DAY)


async def test_pages_give_every_activation_once_in_order(database):
    async with database.writing() as conn:
        shop = await open_shop(conn)
        made = [(await activate(conn, shop, ended_at=NOW, end_reason="released"))[0] for _ in range(4)]
        made.append((await activate(conn, shop))[0])
        first = await activations.page(conn, limit=2)
        rest = await activations.page(conn, after=first[-1].id, limit=10)
        assert [*first, *rest] == made
        assert await activations.page(conn, license_id=shop.license.id, only_active=True) == (made[-1],)
        assert await activations.page(conn, license_id=new_id()) == ()


async def test_a_heartbeat_sees_chain_activation_and_license_in_one_view(database):
    async with database.writing() as conn:
        shop = await open_shop(conn)
        row, chain, _ = await activate(conn, shop)
        await licenses.set_moments(conn, shop.license.id, {"suspended_at": NOW})
        await installations.set_blocked(conn, row.jkt, NOW + DAY)
        for lock in (False, True):
            view = await heartbeat.heartbeat_view(conn, row.id, lock=lock)
            assert view is not None
            assert view.chain == replace(chain, revision=1)
            assert view.activation == row
            assert view.license == replace(shop.license, suspended_at=NOW)
            assert view.product_code == shop.product.code
            assert view.installation_blocked_at == NOW + DAY
        assert await heartbeat.heartbeat_view(conn, new_id()) is None


async def test_a_chain_steps_once_from_where_it_was_read(database):
    async with database.writing() as conn:
        row, held, _ = await activate(conn, await open_shop(conn))
        nonce, rid = new_token(), new_token()
        assert await chains.advance(conn, held, seq=2, nonce=nonce, rid=rid, last_seen_at=NOW + DAY)
        assert not await chains.advance(conn, held, seq=2, nonce=new_token(), rid=rid, last_seen_at=NOW)
        assert await chains.get(conn, row.id) == ChainRow(row.id, 2, nonce, rid, NOW + DAY, 0)
        for stale in (replace(held, seq=2), replace(held, nonce=nonce), replace(held, seq=2, nonce=nonce, revision=1)):
            assert not await chains.advance(conn, stale, seq=3, nonce=new_token(), rid=rid, last_seen_at=NOW)
        assert await chains.get(conn, new_id()) is None
        await chains.bump_revision(conn, [])


async def test_of_many_steps_at_once_exactly_one_is_taken(database):
    async with database.writing() as conn:
        _, held, _ = await activate(conn, await open_shop(conn))

    async def beat():
        async with database.writing() as conn:
            return await chains.advance(conn, held, seq=2, nonce=new_token(), rid=new_token(), last_seen_at=NOW)

    assert sum(await asyncio.gather(*(beat() for _ in range(8)))) == 1


async def test_a_locked_license_makes_the_next_decision_wait_but_not_a_heartbeat(postgresql_database):
    async with postgresql_database.writing() as conn:
        shop = await open_shop(conn)
        row, held, _ = await activate(conn, shop)

    async def decide():
        async with postgresql_database.writing() as conn:
            await licenses.by_id(conn, shop.license.id, lock=True)

    async with postgresql_database.writing() as deciding:
        await licenses.by_id(deciding, shop.license.id, lock=True)
        waiting = asyncio.create_task(decide())
        async with postgresql_database.writing() as beating:
            assert await chains.advance(beating, held, seq=2, nonce=new_token(), rid=new_token(), last_seen_at=NOW)
            # The reference to the license is checked too: a plain FOR UPDATE above would make this wait for ever.
            await beating.execute(
                activations.tables.chain_event.insert().values(
                    id=new_id(), activation_id=row.id, license_id=shop.license.id, kind="fork", at=NOW, seq=2, detail=""
                )
            )
        assert not waiting.done()
    await waiting


async def test_who_will_not_wait_for_a_locked_license_is_refused_at_once(postgresql_database):
    async with postgresql_database.writing() as conn:
        shop = await open_shop(conn)
    row = tables.license_.c.id == shop.license.id
    impatient = select(tables.license_.c.id).where(row).with_for_update(key_share=True, nowait=True)
    async with postgresql_database.writing() as deciding:
        await licenses.by_id(deciding, shop.license.id, lock=True)
        with pytest.raises((DBAPIError, Unavailable)):
            async with postgresql_database.writing() as conn:
                await conn.execute(impatient)


async def test_the_latest_end_of_a_licenses_leases_is_known(database):
    async with database.writing() as conn:
        shop = await open_shop(conn)
        assert await leases.latest_exp_of_license(conn, shop.license.id) is None
        await activate(conn, shop, ended_at=NOW, end_reason="released")
        await activate(conn, shop)
        assert await leases.latest_exp_of_license(conn, shop.license.id) == NOW + 30 * DAY


async def test_the_last_leases_of_those_that_hold_a_license_are_known(database):
    async with database.writing() as conn:
        shop = await open_shop(conn)
        await activate(conn, shop, ended_at=NOW, end_reason="released")
        row, held, _ = await activate(conn, shop)
        nonce, rid = new_token(), new_token()
        assert await chains.advance(conn, held, seq=2, nonce=nonce, rid=rid, last_seen_at=NOW)
        await leases.insert(conn, step(row, replace(held, seq=2, nonce=nonce, rid=rid), exp=NOW + DAY))
        assert await leases.ends_of_license(conn, shop.license.id) == {row.id: NOW + DAY}
        assert await leases.ends_of_license(conn, new_id()) == {}


async def test_being_heard_of_is_no_step(database):
    async with database.writing() as conn:
        row, held, _ = await activate(conn, await open_shop(conn))
        await chains.heard_of(conn, row.id, NOW + DAY)
        assert await chains.get(conn, row.id) == replace(held, last_seen_at=NOW + DAY)
        assert await chains.advance(conn, held, seq=2, nonce=new_token(), rid=new_token(), last_seen_at=NOW)
