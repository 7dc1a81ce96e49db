"""What the database lost is adopted by the vendor's own clauses, and not past the project that a license is tied to."""

from uuid import UUID

import pytest

from tests.support.house import House
from tests.support.till import RawTill
from tillkey_server.store import tables


async def lose(house: House, till: RawTill) -> None:
    """Take an activation out of the database, as a restore of an older backup does."""
    lost = UUID(till.held.sub)
    async with house.services.db.writing() as tx:
        await tx.execute(tables.lease.delete().where(tables.lease.c.activation_id == lost))
        await tx.execute(tables.chain.delete().where(tables.chain.c.activation_id == lost))
        await tx.execute(tables.activation.delete().where(tables.activation.c.id == lost))


@pytest.mark.clause("NX-03", "K-12")
@pytest.mark.parametrize(
    "product,clauses", [("nexopos-multistore", ["NX-03", "K-12"]), ("crmjetty-customer-portal", ["K-12"])]
)
async def test_an_activation_that_the_database_lost_is_adopted_by_the_vendors_clauses(
    house: House, product: str, clauses: list[str]
) -> None:
    sold = await house.license(product)
    till = house.till(product=product)
    await till.activate(sold.license_key)
    await lose(house, till)
    assert (await till.activate()).granted.seq == 2
    decision = await house.last_decision(sold)
    assert (decision["code"], decision["clauses"]) == ("activation_adopted", clauses)


@pytest.mark.clause("NX-06")
async def test_a_lost_lease_brings_no_license_to_another_project_than_it_is_tied_to(house: House) -> None:
    key = await house.key()
    lost, first = house.till(), house.till()
    await lost.activate(key, project="Harbor Shop", environment="staging")
    await lose(house, lost)
    await first.activate(key, project="Corner Shop")
    await first.deactivate()
    told = await lost.activate(project="Harbor Shop", environment="staging")
    assert (told.status, told.code, told.statement is not None) == (409, "bound_to_other_project", True)
    assert (await house.till().activate(key, project="Corner Shop")).status == 201
