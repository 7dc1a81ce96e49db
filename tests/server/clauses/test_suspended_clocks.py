"""NX-42 through the API: what a suspension does to the clocks of support and refund."""

from dataclasses import replace
from typing import Any

import httpx
import pytest

from tests.server.clauses.test_accounts import DONE, account, told
from tests.support.callers import Callers
from tests.support.house import House
from tests.support.renewing import renew
from tillkey_server.clock import to_epoch
from tillkey_server.rules.account_policy import SuspensionClocks
from tillkey_server.rules.decision import instant
from tillkey_server.store.licenses import by_id
from tillkey_server.usecases.customer import add_customer
from tillkey_server.usecases.terms import unlike_their_fold

PRODUCT = "pos-core"
CLOCKS = ("support", "refund", "updates")
SOLD = {"support": "2027-03-02", "refund": "2026-04-01", "updates": "2027-03-02"}
TEN = {"until": "2026-03-12T09:00:00Z"}


def pausing(house: House) -> None:
    """Let the terms pause the clocks of a suspended account."""
    policies = house.services.policies
    policy = policies.offered("default")
    assert policy.account is not None
    account_terms = replace(policy.account, suspension_clocks=SuspensionClocks.PAUSE)
    policies._known[policy.ref] = replace(policy, account=account_terms)


async def clocks(client: httpx.AsyncClient, license_id: object) -> dict[str, Any]:
    """The last days of the clocks, as an explanation tells them."""
    found = (await client.get(f"/v1/licenses/{license_id}/explain")).json()["clocks"]
    return {name: found[name]["last_day"] for name in CLOCKS}


@pytest.mark.clause("NX-42", "X-13")
async def test_a_suspension_pauses_support_and_refund_where_the_terms_say_so(house: House, callers: Callers) -> None:
    pausing(house)
    client = await callers.client("supervisor")
    sold = await house.license(PRODUCT)
    till = house.till(product=PRODUCT)
    await till.activate(sold.license_key, site="https://shop.example")
    path = await account(house)
    assert await clocks(client, sold.license_id) == SOLD
    await told(client, "POST", f"{path}/suspend", {**DONE, **TEN})
    assert await clocks(client, sold.license_id) == {**SOLD, "support": "2027-03-12", "refund": "2026-04-11"}
    house.clock.turn(days=3, hours=1)
    await told(client, "POST", f"{path}/lift-suspension", {"reason": "a misunderstanding"})
    assert await clocks(client, sold.license_id) == {**SOLD, "support": "2027-03-06", "refund": "2026-04-05"}
    found = (await client.get(f"/v1/licenses/{sold.license_id}/explain")).json()["clocks"]
    paused = [{"starts_at": "2026-03-02T09:00:00Z", "ends_at": "2026-03-05T10:00:00Z"}]
    for name in ("support", "refund", "updates"):
        meant = name != "updates"
        assert (found[name]["pauses"], "NX-42" in found[name]["clauses"]) == (paused if meant else [], meant)
    async with house.services.db.reading() as tx:
        row = await by_id(tx, sold.license_id)
        assert await unlike_their_fold(tx, house.services.policies, 10) == ()
    assert row is not None
    assert row.support_until is not None
    assert instant(row.refund_until) == found["refund"]["until"]
    assert (await till.heartbeat()).granted.support_until == to_epoch(row.support_until)


@pytest.mark.clause("NX-42")
async def test_by_the_published_terms_the_clocks_run_on(house: House, callers: Callers) -> None:
    client = await callers.client("supervisor")
    sold = await house.license(PRODUCT)
    await told(client, "POST", f"{await account(house)}/suspend", {**DONE, **TEN})
    assert await clocks(client, sold.license_id) == SOLD
    found = (await client.get(f"/v1/licenses/{sold.license_id}/explain")).json()["clocks"]
    assert (found["support"]["pauses"], "NX-42" in found["support"]["clauses"]) == ([], False)


@pytest.mark.clause("NX-42")
async def test_no_suspension_moves_a_clock_beyond_what_a_calendar_holds(house: House, callers: Callers) -> None:
    pausing(house)
    client = await callers.client("supervisor")
    sold = await house.license(PRODUCT)
    path = f"{await account(house)}/suspend"
    never = await client.post(path, json={**DONE, "until": "9999-12-31T23:59:59Z"})
    assert (never.status_code, "until" in never.json()["detail"]) == (400, True), never.text
    await told(client, "POST", path, {**DONE, "until": "2999-12-31T23:59:59Z"})
    assert (await clocks(client, sold.license_id))["support"].startswith("3001-")


@pytest.mark.clause("NX-42", "ZG-04")
async def test_a_renewal_after_a_suspension_that_ended_by_itself_loses_no_day(house: House, callers: Callers) -> None:
    pausing(house)
    client = await callers.client()
    sold = await house.license(PRODUCT)
    await told(client, "POST", f"{await account(house)}/suspend", {**DONE, **TEN})
    house.clock.turn(days=370)
    assert (await renew(client, str(sold.license_id))).status_code in {200, 201}
    assert (await clocks(client, sold.license_id))["support"] == "2028-03-12"
    again = await told(client, "POST", f"{await account(house)}/suspend", {**DONE, "until": "2027-03-09T09:00:00Z"})
    assert again["code"] == "account_suspension_set"
    assert (await clocks(client, sold.license_id))["support"] == "2028-03-14"
    longer = {"behavior": "pb_chargeback_fraud", "evidence": "three chargebacks"}
    await told(client, "POST", f"{await account(house)}/suspend", longer)
    assert (await clocks(client, sold.license_id))["support"] == "2028-03-12"
    house.clock.turn(days=1)
    await told(client, "POST", f"{await account(house)}/lift-suspension", {"reason": "paid"})
    assert (await clocks(client, sold.license_id))["support"] == "2028-03-13"
    async with house.services.db.reading() as tx:
        assert await unlike_their_fold(tx, house.services.policies, 10) == ()


@pytest.mark.clause("NX-42", "NX-18")
async def test_a_license_that_changes_hands_keeps_its_pause_and_pauses_no_more(house: House, callers: Callers) -> None:
    pausing(house)
    client = await callers.client()
    sold = await house.license(PRODUCT)
    buyer = (await add_customer(house.services, "buyer@else.example")).shown["id"]
    await told(client, "POST", f"{await account(house)}/suspend", {**DONE, **TEN})
    house.clock.turn(days=2)
    body = {"customer": "buyer@else.example", "reason": "the shop was sold"}
    answer = await client.post(f"/v1/licenses/{sold.license_id}/transfer", json=body)
    assert answer.status_code == 200, answer.text
    assert (await clocks(client, sold.license_id))["refund"] == "2026-04-03"
    suspended = await told(client, "POST", f"/v1/customers/{buyer}/suspend", {**DONE, "until": "2026-03-05T09:00:00Z"})
    assert suspended["code"] == "account_suspension_set"
    assert (await clocks(client, sold.license_id))["refund"] == "2026-04-04"
