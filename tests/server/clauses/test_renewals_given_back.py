"""BC-23: what was charged after the product's retirement goes back, exactly that, and nobody has to ask for it."""

import pytest
from sqlalchemy import select

from tests.support.callers import Callers
from tests.support.house import House
from tests.support.renewing import last_days, renew, sell, withdraw
from tillkey_server.store import tables

COLLECT = "prestashop-click-collect"


async def told(house: House, kind: str) -> list[dict]:
    statement = select(tables.outbox.c.payload).where(tables.outbox.c.kind == kind)
    async with house.services.db.reading() as tx:
        return [*(await tx.execute(statement)).scalars()]


@pytest.mark.clause("BC-23")
async def test_a_renewal_that_was_charged_after_the_retirement_goes_back_with_its_tax(
    house: House, callers: Callers
) -> None:
    http = await callers.client("admin")
    sold = await sell(http, COLLECT)
    house.clock.turn(days=1)
    await withdraw(house, COLLECT)
    house.clock.turn(days=1)
    told_once = {"channel": "shop", "number": "R-1", "amount": "52.00 EUR", "tax": "10.40 EUR"}
    late = (await renew(http, sold, **told_once)).json()
    assert (late["code"], late["clauses"], late["options"]) == ("renewal_after_retirement", ["BC-23"], [])
    assert (await renew(http, sold, **told_once)).json()["code"] == "renewal_already_recorded"
    [payout] = await told(house, "refund.payout")
    assert (payout["amount_minor"], payout["currency"], payout["license_id"]) == (6240, "EUR", sold)
    back = (await http.get(f"/v1/refunds/{late['facts']['refund_id']}")).json()
    assert (back["status"], back["code"], back["clauses"]) == ("granted", "ref_granted_renewal_full", ["BC-23"])
    assert (back["granted"]["amount"], back["granted"]["tax"], back["granted"]["ends"]) == (
        "62.40 EUR",
        "10.40 EUR",
        "renewal",
    )
    assert (await last_days(http, sold))["support"] == "2027-03-02"
    paid = await http.post(f"/v1/refunds/{back['id']}/payout", json={"provider_refund_id": "re_1"})
    assert (paid.status_code, paid.json()["status"]) == (200, "paid_out")
    assert (await http.get(f"/v1/licenses/{sold}")).json()["status"] == "active"


@pytest.mark.clause("BC-23")
async def test_what_was_paid_before_the_retirement_stays_however_late_it_is_told(
    house: House, callers: Callers
) -> None:
    http = await callers.client("admin")
    sold = await sell(http, COLLECT)
    before = house.clock.now()
    house.clock.turn(days=1)
    await withdraw(house, COLLECT)
    assert (await renew(http, sold, paid_at=before.isoformat())).json()["code"] == "renewed_appended"
    assert await told(house, "refund.payout") == []
