"""BC-19, BC-21, BC-22: carts in flight. What was paid before it went off sale is sold, what was paid later waits."""

import pytest

from tests.server.clauses.test_purchases import order, told
from tests.support.callers import Callers
from tests.support.house import House

SOLD = "prestashop-click-collect"
OFF = [("offline", "product_not_on_sale", "BC-19"), ("retire", "product_retired", "BC-22")]


@pytest.mark.clause("BC-19", "BC-22")
@pytest.mark.parametrize(("verb", "reason", "clause"), OFF)
async def test_what_is_paid_while_it_is_off_sale_waits_and_gives_no_key(
    house: House, callers: Callers, verb: str, reason: str, clause: str
) -> None:
    client = await callers.client()
    await told(client, "POST", f"/v1/products/{SOLD}/{verb}", {})
    for paid_at in ({}, {"paid_at": house.clock.now().isoformat()}):
        placed = await order(client, SOLD, **paid_at)
        assert (placed["under_review"], placed["licenses"]) == (True, [])
        decision = placed["decision"]
        assert (decision["code"], decision["facts"]["reason"]) == ("order_under_review", reason)
        assert {clause, "BC-37"} <= set(decision["clauses"])


@pytest.mark.clause("BC-19", "BC-22")
@pytest.mark.parametrize("verb", ["offline", "retire"])
async def test_what_was_paid_before_it_went_off_sale_is_sold_however_late_it_is_told(
    house: House, callers: Callers, verb: str
) -> None:
    client = await callers.client()
    paid_at = house.clock.now().isoformat()
    house.clock.turn(minutes=5)
    await told(client, "POST", f"/v1/products/{SOLD}/{verb}", {})
    house.clock.turn(minutes=5)
    placed = await order(client, SOLD, paid_at=paid_at)
    assert (placed["under_review"], placed["decision"]["code"]) == (False, "sale_allowed")
    assert len(placed["licenses"]) == 1


@pytest.mark.clause("BC-21")
async def test_a_bundle_that_is_paid_while_a_part_is_off_sale_waits(house: House, callers: Callers) -> None:
    client = await callers.client()
    body = {"code": "pack", "name": "Pack", "key_prefix": "BUN", "price": "100.00 EUR", "policy": "prestashop-care"}
    await told(client, "POST", "/v1/products", body, 201)
    await told(client, "PATCH", "/v1/products/pack", {"parts": [SOLD]})
    before = house.clock.now().isoformat()
    house.clock.turn(minutes=5)
    await told(client, "POST", f"/v1/products/{SOLD}/offline", {})
    placed = await order(client, "pack")
    assert (placed["licenses"], placed["decision"]["facts"]["reason"]) == ([], "bundle_not_on_sale")
    assert "BC-21" in placed["decision"]["clauses"]
    assert len((await order(client, "pack", paid_at=before))["licenses"]) == 1
