"""BC-37: what an order under review gives nobody, and how its review ends."""

from dataclasses import replace

import pytest

from tests.server.clauses.test_purchases import order, told
from tests.support.callers import Callers
from tests.support.house import House
from tillkey_server.rules.sale_policy import ReviewClock

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
