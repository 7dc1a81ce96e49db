"""An adoption cites the vendor's own clauses for the beat that it stands for."""

from uuid import UUID

import pytest

from tests.support.house import House
from tillkey_server.store import tables


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
    lost = UUID(till.held.sub)
    async with house.services.db.writing() as tx:
        await tx.execute(tables.lease.delete().where(tables.lease.c.activation_id == lost))
        await tx.execute(tables.chain.delete().where(tables.chain.c.activation_id == lost))
        await tx.execute(tables.activation.delete().where(tables.activation.c.id == lost))
    assert (await till.activate()).granted.seq == 2
    decision = await house.last_decision(sold)
    assert (decision["code"], decision["clauses"]) == ("activation_adopted", clauses)
