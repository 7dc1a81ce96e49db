"""What becomes of extensions where several things end at once (NX-13)."""

import asyncio
from dataclasses import replace
from uuid import UUID

import pytest

from tests.support.house import AGENT, House
from tillkey_server.rules.sale_policy import PrerequisiteLoss
from tillkey_server.store import licenses, outbox, tables
from tillkey_server.usecases.license import change_standing
from tillkey_server.usecases.suspension import suspend_account

CORE, EXTENSION = "nexopos-multistore", "prestashop-click-collect"
FRAUD = {"behavior": "pb_chargeback_fraud", "evidence": "three chargebacks"}
ROUNDS = 3


@pytest.fixture
async def strict(house: House) -> House:
    """A house in which an extension is suspended with what it requires."""
    services = house.services
    async with services.db.writing() as tx:
        statement = tables.product.update().where(tables.product.c.code == EXTENSION)
        await tx.execute(statement.values(requires=[CORE]))
    policy = services.policies.offered("prestashop-care")
    assert policy.sale is not None
    suspends = replace(policy.sale, on_prereq_loss=PrerequisiteLoss.SUSPEND_DEPENDENTS)
    services.policies._known[policy.ref] = replace(policy, sale=suspends)
    return house


async def sold(house: House, product: str, customer: str) -> UUID:
    return (await house.license(product, customer)).license_id


async def end(house: House, license_id: UUID) -> None:
    await change_standing(house.services, license_id, event="revoke", actor=AGENT, reason="a test")


@pytest.mark.clause("NX-13")
async def test_of_two_who_end_the_last_two_prerequisites_at_once_one_tells_the_extension(strict: House) -> None:
    for n in range(ROUNDS):
        owner = f"owner{n}@shop.example"
        first, held, second = [await sold(strict, one, owner) for one in (CORE, EXTENSION, CORE)]
        await asyncio.gather(end(strict, first), end(strict, second))
        async with strict.services.db.reading() as tx:
            row = await licenses.by_id(tx, held)
            told = await outbox.of_subject(tx, str(held))
        assert row is not None
        assert (row.suspended_at is not None, [one.kind for one in told]) == (True, ["prereq_lost"])


@pytest.mark.clause("NX-13", "NX-42")
async def test_whoever_ends_a_prerequisite_waits_for_an_older_extension_with_empty_hands(strict: House) -> None:
    """Somebody holds the extension, which is older, and takes the prerequisite next, as whoever locks by id does."""
    owner = "owner@shop.example"
    first, held, last = [await sold(strict, one, owner) for one in (CORE, EXTENSION, CORE)]
    await end(strict, first)
    async with strict.services.db.writing() as tx:
        await licenses.by_id(tx, held, lock=True)
        ending = asyncio.create_task(end(strict, last))
        await asyncio.wait({ending}, timeout=0.3)
        await licenses.by_id(tx, last, lock=True)
    await ending
    async with strict.services.db.reading() as tx:
        row = await licenses.by_id(tx, held)
    assert row is not None
    assert row.suspended_at is not None


@pytest.mark.clause("NX-13", "NX-42")
async def test_an_account_is_suspended_beside_the_end_of_a_prerequisite(strict: House) -> None:
    for n in range(ROUNDS):
        owner = f"owner{n}@shop.example"
        first, held, last = [await sold(strict, one, owner) for one in (CORE, EXTENSION, CORE)]
        await end(strict, first)
        async with strict.services.db.reading() as tx:
            row = await licenses.by_id(tx, held)
        assert row is not None
        await asyncio.gather(end(strict, last), suspend_account(strict.services, row.customer_id, actor=AGENT, **FRAUD))
        async with strict.services.db.reading() as tx:
            row = await licenses.by_id(tx, held)
        assert row is not None
        assert None not in (row.suspended_at, row.account_suspended_at)
