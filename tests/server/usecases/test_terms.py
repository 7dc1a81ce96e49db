"""The stored ends of a license are the fold of what was paid for it, on both databases."""

import random
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from tests.support.house import House
from tillkey_server.errors import BrokenInvariant
from tillkey_server.ids import new_id
from tillkey_server.rules.access import EVERYTHING
from tillkey_server.rules.term import Clock
from tillkey_server.store import chains, licenses, orders
from tillkey_server.store import terms as store
from tillkey_server.store.orders import OrderRow
from tillkey_server.store.terms import TermRow
from tillkey_server.usecases import terms
from tillkey_server.usecases.catalogue import change_product
from tillkey_server.usecases.seen import license_of
from tillkey_server.usecases.trial import start_trial

PRODUCT = "01generator-price-import"


async def _renewed(house: House, tx, row, *, months: int = 3, number: str = "1") -> TermRow:
    """Record a paid renewal of a license, as its rows."""
    bought = await terms.bought_by(tx, row)
    now = house.clock.now()
    order = OrderRow(new_id(), "shop", number, row.customer_id, now, now)
    await orders.insert(tx, order)
    line = replace(bought.line, id=new_id(), order_id=order.id, kind="renewal", term_months=months)
    await orders.insert_line(tx, line)
    term = TermRow(new_id(), row.id, line.id, months, now, ["updates", "support"], now)
    await store.insert(tx, term)
    return term


@pytest.mark.clause("X-01", "ZG-04", "I7")
async def test_a_renewal_moves_the_ends_that_it_names_and_its_refund_moves_them_back(house: House) -> None:
    sold = await house.license(PRODUCT)
    till = house.till(product=PRODUCT)
    await till.activate(sold.license_key)
    house.clock.turn(days=10)
    async with house.services.db.writing() as tx:
        row = await license_of(tx, sold.license_id, EVERYTHING, lock=True)
        policy = await house.services.policies.of(tx, row.policy_ref)
        assert (await terms.recompute(tx, row, policy, house.clock.now())).license == row
        term = await _renewed(house, tx, row)
        after = await terms.recompute(tx, row, policy, house.clock.now())
        assert (after.license.use_until, after.ended) == (None, ())
        assert after.license.support_until == after.license.updates_until
        assert after.license.support_until - row.support_until > timedelta(days=89)
        assert await licenses.by_id(tx, row.id) == after.license
    lease = (await till.heartbeat()).granted
    assert lease.support_until == int(after.license.support_until.timestamp())
    async with house.services.db.writing() as tx:
        row = await license_of(tx, sold.license_id, EVERYTHING, lock=True)
        now = house.clock.now()
        back = await terms.take_out(tx, row, policy, line_id=term.order_line_id, refunded_at=now, now=now)
        again = await terms.put_back(tx, back.license, policy, line_id=term.order_line_id, now=now)
    assert replace(back.license, updates_until=row.updates_until, support_until=row.support_until) == row
    assert again.license == after.license


@pytest.mark.clause("ZG-03", "I3")
async def test_an_early_ending_ends_care_and_no_use_and_the_chains_hear_of_it(house: House) -> None:
    sold = await house.license(PRODUCT)
    activation = (await house.till(product=PRODUCT).activate(sold.license_key)).granted.sub
    house.clock.turn(days=10)
    now = house.clock.now()
    async with house.services.db.writing() as tx:
        row = await license_of(tx, sold.license_id, EVERYTHING, lock=True)
        policy = await house.services.policies.of(tx, row.policy_ref)
        before = await chains.get(tx, UUID(activation))
        ended = await terms.end_early(tx, row, policy, at=now, reason="agent", now=now)
        assert sorted(ended.ended) == ["support_until", "updates_until"]
        assert (ended.license.support_until, ended.license.use_until) == (now, None)
        assert (await chains.get(tx, UUID(activation))).revision == before.revision + 1
        [ending] = await store.endings_of(tx, row.id)
        await store.withdraw_ending(tx, ending.id, now)
        assert (await terms.recompute(tx, ended.license, policy, now)).license == row


@pytest.mark.clause("I7", "I8")
@pytest.mark.parametrize("seed", range(3))
async def test_whatever_is_told_the_stored_ends_are_the_fold_of_the_facts(house: House, seed: int) -> None:
    """A walk of renewals, refunds, refunds that did not come to pass, early endings and their withdrawal."""
    chance = random.Random(seed)
    sold = await house.license(PRODUCT)
    for step in range(24):
        house.clock.turn(days=chance.randrange(40))
        async with house.services.db.writing() as tx:
            row = await license_of(tx, sold.license_id, EVERYTHING, lock=True)
            policy = await house.services.policies.of(tx, row.policy_ref)
            await _any_fact(house, tx, row, policy, chance, step)
        async with house.services.db.reading() as tx:
            row = await license_of(tx, sold.license_id, EVERYTHING)
            folded = (await terms.terms_of(tx, row, policy)).ends
        assert {name: getattr(row, name) for name in folded} == folded, step
        assert row.use_until is None


async def _any_fact(house: House, tx, row, policy, chance: random.Random, step: int) -> None:
    now = house.clock.now()
    renewals, endings = await store.of_license(tx, row.id), await store.endings_of(tx, row.id)
    what = chance.choice(["renew", "renew", "refund", "put back", "end", "withdraw"])
    if what in {"refund", "put back"} and renewals:
        line = chance.choice(renewals).order_line_id
        if what == "refund":
            await terms.take_out(tx, row, policy, line_id=line, refunded_at=now, now=now)
        else:
            await terms.put_back(tx, row, policy, line_id=line, now=now)
    elif what == "end":
        at = now - timedelta(days=chance.randrange(30))
        await terms.end_early(tx, row, policy, at=at, reason="agent", now=now)
    elif what == "withdraw" and endings:
        await store.withdraw_ending(tx, chance.choice(endings).id, now)
        await terms.recompute(tx, row, policy, now)
    else:
        await _renewed(house, tx, row, months=chance.randint(1, 12), number=str(step))
        await terms.recompute(tx, row, policy, now)


async def test_a_stored_end_that_is_not_what_was_paid_for_is_found(house: House) -> None:
    sold = await house.license(PRODUCT)
    async with house.services.db.writing() as tx:
        row = await license_of(tx, sold.license_id, EVERYTHING, lock=True)
        await _renewed(house, tx, row)
        policy = await house.services.policies.of(tx, row.policy_ref)
        assert await terms.unlike_their_fold(tx, house.services.policies, 10) == (row.id,), "it was not recomputed"
        await terms.recompute(tx, row, policy, house.clock.now())
        assert await terms.unlike_their_fold(tx, house.services.policies, 10) == ()


async def test_what_no_renewal_paid_for_cannot_be_taken_out(house: House) -> None:
    sold = await house.license(PRODUCT)
    async with house.services.db.writing() as tx:
        row = await license_of(tx, sold.license_id, EVERYTHING, lock=True)
        with pytest.raises(BrokenInvariant):
            await store.set_refunded(tx, row.order_line_id, house.clock.now())
        assert await store.of_line(tx, row.order_line_id) is None
        lost = replace(row, order_line_id=new_id())
        with pytest.raises(BrokenInvariant):
            await terms.bought_by(tx, lost)


async def test_the_fold_looks_at_each_clock_for_a_trial_too(house: House) -> None:
    await change_product(house.services, PRODUCT, policy="trying", actor="cli:test")
    started = await start_trial(house.services, product=PRODUCT, customer_email="a@b.example", actor="cli:test")
    async with house.services.db.writing() as tx:
        row = await license_of(tx, started.license.license_id, EVERYTHING, lock=True)
        policy = await house.services.policies.of(tx, row.policy_ref)
        folded = await terms.terms_of(tx, row, policy)
        assert {folded.of(clock).until for clock in Clock} == {started.use_until}
