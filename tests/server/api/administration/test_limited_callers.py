"""What a caller with limits could learn or change by asking cleverly, and does not (I13)."""

import pytest

from tests.support.administration import Shelf
from tests.support.administration.catalogue import ordered

OTHER = "prestashop-click-collect"


@pytest.mark.clause("I13")
async def test_a_caller_with_limits_changes_no_address_and_learns_of_none(house, callers):
    held = await ordered(Shelf(house))
    await ordered(Shelf(house, customer="known@else.example", product=OTHER))
    limited = await callers.client("admin", products=["pos-core"])
    address = f"/v1/customers/{held['customer_id']}"
    answers = [
        await limited.patch(address, json={"email": email}) for email in ("known@else.example", "free@else.example")
    ]
    assert [answer.json()["code"] for answer in answers] == ["permission_denied"] * 2
    assert answers[0].json() == answers[1].json()


@pytest.mark.clause("I13")
async def test_the_number_of_a_hidden_order_is_taken_and_no_more_is_told(house, callers):
    admin = await callers.client()
    order = {"number": "N-1", "customer": "known@else.example", "lines": [{"product": OTHER, "quantity": 3}]}
    assert (await admin.post("/v1/orders", json=order)).status_code == 201
    limited = await callers.client("integration", products=["pos-core"])
    mine = {"number": "N-1", "customer": "mine@shop.example", "lines": [{"product": "pos-core"}]}
    told = (await limited.post("/v1/orders", json=mine)).json()
    assert told["code"] == "order_differs"
    assert "customer" not in told["detail"]
    seen = (await admin.post("/v1/orders", json=mine)).json()
    assert "another customer" in seen["detail"]
