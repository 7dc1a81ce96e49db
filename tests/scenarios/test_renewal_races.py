"""Renewals, their repetition and a product's retirement at the same instant, through two processes' services.

`make races` runs each ten thousand times.
"""

import asyncio
from uuid import UUID

import pytest

from tests.support.premises import premises  # noqa: F401 - a fixture
from tests.support.race import BLOCKS, ROUNDS
from tillkey_server.ids import new_token
from tillkey_server.money import Money
from tillkey_server.rules.access import EVERYTHING
from tillkey_server.rules.clocks import last_day
from tillkey_server.rules.product import ProductState
from tillkey_server.store import licenses, subscriptions
from tillkey_server.store import terms as store
from tillkey_server.usecases.catalogue import add_product
from tillkey_server.usecases.license import issue
from tillkey_server.usecases.product_facts import set_state
from tillkey_server.usecases.renewal import Renewed, Told, renew
from tillkey_server.usecases.renewals_due import create_due
from tillkey_server.usecases.seen import license_of
from tillkey_server.usecases.subscription import cancel_subscription, start_subscription
from tillkey_server.usecases.terms import terms_of

CARE = "prestashop-click-collect"
AGENT = "agent:test"


async def sold_by(services, product=CARE) -> UUID:
    issued = await issue(services, product=product, customer_email="owner@shop.example", actor=AGENT)
    return issued.licenses[0].license_id


async def paid(services, license_id, number=None):
    told = Told("shop", number or new_token(), Money(5200, "EUR"))
    return await renew(services, license_id, told, actor=AGENT)


async def state_of(services, license_id):
    """Return a license with its renewals; what is stored is what they come to."""
    async with services.db.reading() as tx:
        row = await license_of(tx, license_id, EVERYTHING)
        policy = await services.policies.of(tx, row.policy_ref)
        folded = await terms_of(tx, row, policy)
        assert {name: getattr(row, name) for name in folded.ends} == folded.ends
        return row, policy, await store.of_license(tx, license_id)


async def retired(services, product):
    """Retire a product as its owner does."""
    await set_state(services, product, ProductState.RETIRE, actor=AGENT)


async def fall_due(tx, held, at) -> None:
    """Let what is paid for be over, so that the next renewal of a subscription is due."""
    await subscriptions.change(tx, held.id, {"next_due_at": at})
    await licenses.set_moments(tx, held.license_id, {"support_until": at})


async def product_of_its_own(services) -> str:
    code = f"care-{new_token().lower().strip('-_')}".replace("_", "-")
    price = Money(12999, "EUR")
    await add_product(services, code=code, name="Care", key_prefix="PSC", policy="prestashop-care", price=price)
    return code


@pytest.mark.clause("ZG-04", "I7")
async def test_of_two_renewals_at_once_both_are_kept(premises):  # noqa: F811
    async with premises.services() as ours, premises.services() as theirs:
        for _ in range(ROUNDS):
            sold = await sold_by(ours)
            before, policy, _ = await state_of(ours, sold)
            done = await asyncio.gather(paid(ours, sold), paid(theirs, sold))
            assert [one.decision.code.value for one in done] == ["renewed_appended"] * 2
            after, _, renewals = await state_of(ours, sold)
            years = [last_day(row.support_until, policy.timezone).year for row in (before, after)]
            assert (years[1] - years[0], len(renewals)) == (2, 2)


@pytest.mark.clause("I7", "K-10")
async def test_of_one_payment_that_is_told_twice_at_once_one_term_comes(premises):  # noqa: F811
    async with premises.services() as ours, premises.services() as theirs:
        for _ in range(ROUNDS):
            sold, number = await sold_by(ours), new_token()
            done = await asyncio.gather(*(paid(one, sold, number) for one in (ours, theirs, ours, theirs)))
            assert sorted(one.is_new for one in done) == [False, False, False, True]
            assert len({one.renewal_id for one in done}) == 1
            assert len((await state_of(ours, sold))[2]) == 1


@pytest.mark.clause("I7")
async def test_of_one_payment_that_is_told_for_two_licenses_at_once_one_is_renewed(premises):  # noqa: F811
    async with premises.services() as ours, premises.services() as theirs:
        for _ in range(ROUNDS):
            number = new_token()
            sold = [await sold_by(ours) for _ in range(2)]
            done = await asyncio.gather(paid(ours, sold[0], number), paid(theirs, sold[1], number))
            assert sorted(isinstance(one, Renewed) for one in done) == [False, True]
            assert sum([len((await state_of(ours, one))[2]) for one in sold]) == 1


@pytest.mark.clause("BC-23", "V-22")
@pytest.mark.parametrize("rounds", BLOCKS)
async def test_a_renewal_comes_before_the_retirement_and_counts_or_after_it_and_goes_back(premises, rounds):  # noqa: F811
    async with premises.services() as ours, premises.services() as theirs:
        for _ in range(rounds):
            product = await product_of_its_own(ours)
            sold = await sold_by(ours, product)
            before, _, _ = await state_of(ours, sold)
            await start_subscription(ours, sold, months=12, channel="shop", actor=AGENT)
            done, _ = await asyncio.gather(paid(ours, sold), retired(theirs, product))
            after, _, [term] = await state_of(ours, sold)
            code = done.decision.code.value
            assert code in {"renewed_appended", "renewal_after_retirement"}
            assert (after.support_until > before.support_until) is (code == "renewed_appended")
            assert bool(term.clocks) is (code == "renewed_appended")
            async with ours.db.reading() as tx:
                held = await subscriptions.open_of(tx, sold)
            assert held.cancel_reason == "product_retired"


@pytest.mark.clause("BC-23", "CJ-23")
@pytest.mark.parametrize("rounds", BLOCKS)
async def test_a_renewal_falls_due_before_the_retirement_and_is_dropped_or_never_does(premises, rounds):  # noqa: F811
    async with premises.services() as ours, premises.services() as theirs:
        for _ in range(rounds):
            product = await product_of_its_own(ours)
            sold = [await sold_by(ours, product) for _ in range(2)]
            begun = []
            for one in sold:
                await start_subscription(ours, one, months=12, channel="shop", actor=AGENT)
                async with ours.db.writing() as tx:
                    begun.append(await subscriptions.open_of(tx, one))
                    await fall_due(tx, begun[-1], ours.clock.now())
            await asyncio.gather(create_due(ours), retired(theirs, product), create_due(theirs))
            assert (await create_due(ours))["created"] == 0
            async with ours.db.reading() as tx:
                for license_id, one in zip(sold, begun, strict=True):
                    held = await subscriptions.open_of(tx, license_id)
                    assert held.cancel_reason == "product_retired"
                    due = await subscriptions.renewals_of(tx, one.id)
                    assert [row.dropped_at is not None for row in due] in ([], [True])


@pytest.mark.clause("CJ-23", "V-22")
async def test_a_renewal_falls_due_once_or_is_cancelled_and_never_both(premises):  # noqa: F811
    async with premises.services() as ours, premises.services() as theirs:
        for _ in range(ROUNDS):
            sold = await sold_by(ours)
            await start_subscription(ours, sold, months=12, channel="shop", actor=AGENT)
            async with ours.db.writing() as tx:
                held = await subscriptions.open_of(tx, sold)
                await fall_due(tx, held, ours.clock.now())
            await asyncio.gather(create_due(ours), create_due(theirs), cancel_subscription(ours, sold, actor=AGENT))
            async with ours.db.reading() as tx:
                due = await subscriptions.renewals_of(tx, held.id)
            assert len(due) <= 1
            assert all(one.dropped_at is not None for one in due)
