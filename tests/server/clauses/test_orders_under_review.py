"""BC-37: what an order under review gives nobody, and how its review ends."""

from dataclasses import replace
from uuid import UUID

import pytest
from sqlalchemy import select

from tests.server.clauses.test_purchases import order, told
from tests.support.callers import Callers
from tests.support.house import AGENT, House
from tillkey_server.rules.sale_policy import ReviewClock
from tillkey_server.store import tables
from tillkey_server.usecases.license import change_standing
from tillkey_server.usecases.review import propose_refunds

SOLD = "prestashop-click-collect"
RELEASE = {"version": "1.0", "kind": "feature", "sha256": "ab" * 32, "size": 1, "url": "https://files.example/x"}
WHY = {"reason": "a stolen card?"}


@pytest.mark.clause("BC-37")
async def test_while_an_order_is_held_nothing_of_it_is_downloaded_and_no_other_key_is_shown(
    house: House, callers: Callers
) -> None:
    client = await callers.client()
    await told(client, "POST", f"/v1/products/{SOLD}/releases", RELEASE, 201)
    placed = await order(client, SOLD)
    sold = f"/v1/licenses/{placed['licenses'][0]['license_id']}"
    grant = (await told(client, "POST", f"{sold}/downloads", {"version": "1.0"}, 201))["grant"]
    await told(client, "POST", f"/v1/orders/{placed['id']}/hold", WHY)
    refused = [
        await told(client, "POST", f"{sold}/downloads", {"version": "1.0"}, 409),
        await told(client, "POST", "/v1/downloads/redeem", {"grant": grant}, 409),
        await told(client, "POST", f"{sold}/rekey", {"reason": "lost"}, 409),
    ]
    assert [(one["code"], one["clauses"]) for one in refused] == [("order_under_review", ["BC-37"])] * 3
    seen = await told(client, "POST", f"{sold}/updates/preview", {})
    assert (seen["decision"], seen["code"]) == ("deny", "order_under_review")
    await told(client, "POST", f"/v1/orders/{placed['id']}/release", {"reason": "all is well"})
    await told(client, "POST", "/v1/downloads/redeem", {"grant": grant})
    await told(client, "POST", f"{sold}/rekey", {"reason": "lost"})


@pytest.mark.clause("BC-37")
@pytest.mark.parametrize(("clock", "last"), [(ReviewClock.RELEASE, "2027-03-12"), (ReviewClock.PAYMENT, "2027-03-02")])
async def test_the_terms_say_whether_support_begins_with_the_release_or_the_payment(
    house: House, callers: Callers, clock: ReviewClock, last: str
) -> None:
    policies = house.services.policies
    policy = policies.offered("prestashop-care")
    policies._known[policy.ref] = replace(policy, sale=replace(policy.sale, review_clock=clock))
    client = await callers.client()
    placed = await order(client, SOLD, under_review=True)
    house.clock.turn(days=10)
    released = await told(client, "POST", f"/v1/orders/{placed['id']}/release", {"reason": "all is well"})
    shown = (await client.get(f"/v1/licenses/{released['licenses'][0]['license_id']}/explain")).json()
    assert shown["clocks"]["support"]["last_day"] == last


async def paid_back(house: House) -> list[tuple[str, dict]]:
    row = tables.outbox.c
    async with house.services.db.reading() as tx:
        return [
            tuple(one) for one in await tx.execute(select(row.subject, row.payload).where(row.kind == "order_refunded"))
        ]


@pytest.mark.clause("BC-37")
async def test_an_order_that_was_held_from_the_start_is_paid_back_once_and_gives_no_key_ever(
    house: House, callers: Callers
) -> None:
    client = await callers.client("admin")
    line = {"product": SOLD, "price": "100.00 EUR", "tax": "20.00 EUR", "coupon": "30.00 EUR"}
    body = {"number": "A-1", "customer": "owner@shop.example", "lines": [line], "under_review": True}
    placed = await told(client, "POST", "/v1/orders", body, 201)
    refund = f"/v1/orders/{placed['id']}/refund"
    done = await told(client, "POST", refund, WHY)
    assert (done["decision"], done["code"], done["clauses"]) == ("allow", "order_refunded", ["BC-37"])
    house.clock.turn(days=31)
    again = await told(client, "POST", refund, WHY)
    assert again["facts"] == done["facts"]
    amounts = [{"currency": "EUR", "amount_minor": 12000, "tax_minor": 2000, "coupon_minor": 3000}]
    assert await paid_back(house) == [(placed["id"], {"customer_id": placed["customer_id"], "amounts": amounts})]
    assert (await told(client, "POST", f"/v1/orders/{placed['id']}/release", WHY, 409))[
        "code"
    ] == "order_not_under_review"
    await told(client, "POST", f"/v1/orders/{placed['id']}/hold", WHY)
    assert await propose_refunds(house.services) == 0
    shown = await told(client, "POST", "/v1/orders", body)
    assert (shown["licenses"], shown["under_review"], shown["refunded_at"]) == ([], False, "2026-03-02T09:00:00Z")
    by_hand = {"product": SOLD, "customer": "owner@shop.example", "order": "A-1"}
    assert (await told(client, "POST", "/v1/licenses", by_hand, 409))["code"] == "order_under_review"


@pytest.mark.clause("BC-37")
async def test_what_gave_licenses_or_waits_for_nobody_is_not_paid_back_as_a_whole(
    house: House, callers: Callers
) -> None:
    client = await callers.client("admin")
    placed = await order(client, SOLD)
    refund = f"/v1/orders/{placed['id']}/refund"
    assert (await told(client, "POST", refund, WHY, 409))["code"] == "order_not_under_review"
    await told(client, "POST", f"/v1/orders/{placed['id']}/hold", WHY)
    refused = await told(client, "POST", refund, WHY, 409)
    assert (refused["code"], refused["clauses"]) == ("order_has_licenses", ["BC-37"])
    assert await paid_back(house) == []


@pytest.mark.clause("CJ-02", "K-13")
async def test_a_legal_hold_keeps_the_money_of_an_order_back_until_it_is_lifted(house: House, callers: Callers) -> None:
    client = await callers.client("admin")
    other = UUID(
        (await order(client, "crmjetty-customer-portal", customer_type="professional"))["licenses"][0]["license_id"]
    )
    placed = await order(client, "crmjetty-customer-portal", under_review=True, customer_type="professional")
    await change_standing(house.services, other, event="hold", actor=AGENT, reason="a complaint")
    refused = await told(client, "POST", f"/v1/orders/{placed['id']}/refund", WHY, 403)
    assert (refused["code"], "CJ-02" in refused["clauses"]) == ("legal_hold", True)
    await change_standing(house.services, other, event="release_hold", actor=AGENT, reason="cleared")
    await told(client, "POST", f"/v1/orders/{placed['id']}/refund", WHY)
