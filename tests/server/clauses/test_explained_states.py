"""X-13 through the API: what an explanation tells of accounts, orders, subscriptions, warranties and releases."""

from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.support.callers import Callers
from tests.support.help_desk import CARE, MARKET
from tests.support.house import AGENT, House
from tests.support.renewing import OWNER, renew, sell
from tillkey_server.usecases.activations import list_activations
from tillkey_server.usecases.customer import add_customer
from tillkey_server.usecases.forced_deactivation import force_deactivate
from tillkey_server.usecases.termination import end_due_accounts
from tillkey_server.usecases.transfer import transfer

CORE, TERMINAL = "pos-core", "netposa-terminal"


@pytest.fixture
async def http(callers: Callers) -> httpx.AsyncClient:
    return await callers.client()


async def answer(http: httpx.AsyncClient, license_id: str, action: str) -> dict[str, Any]:
    """Return the one answer of an explanation about something that could be done."""
    told = await http.get(f"/v1/licenses/{license_id}/explain")
    assert told.status_code == 200, told.text
    [found] = [one["answer"] for one in told.json()["possible"] if one["action"] == action]
    return dict(found)


async def sent(http: httpx.AsyncClient, path: str, status: int = 200, **body: Any) -> dict[str, Any]:
    """Post a body and return the answer."""
    done = await http.post(path, json=body)
    assert done.status_code == status, done.text
    return dict(done.json())


async def owner(house: House) -> str:
    return str((await add_customer(house.services, OWNER)).shown["id"])


@pytest.mark.clause("X-13", "NX-37", "NX-42")
async def test_an_account_that_is_suspended_or_about_to_end_is_told_as_it_stands_on_record(house: House, http) -> None:
    sold = await sell(http, MARKET)
    path = f"/v1/customers/{await owner(house)}"
    assert (await answer(http, sold, "account"))["code"] == "account_in_order"
    scheduled = await sent(http, f"{path}/termination", verified=True)
    ending = await answer(http, sold, "account")
    assert (ending["code"], ending["decision"]) == ("account_ending", "pend")
    assert ending["facts"] == {"due_at": scheduled["facts"]["due_at"], "by": "customer"}
    done = await sent(http, f"{path}/suspend", behavior="pb_key_sharing", evidence="the key on a forum, ticket 7")
    suspended = await answer(http, sold, "account")
    assert (suspended["code"], suspended["decision"]) == ("account_suspended", "deny")
    assert {name: suspended["facts"][name] for name in ("stops_at", "until")} == {
        name: done["facts"][name] for name in ("stops_at", "until")
    }
    assert "ticket 7" not in (await http.get(f"/v1/licenses/{sold}/explain")).text


@pytest.mark.clause("X-13", "NX-38")
async def test_an_account_that_is_over_is_told_as_over_and_never_as_in_order(house: House, http) -> None:
    sold = await sell(http, MARKET)
    path = f"/v1/customers/{await owner(house)}"
    await sent(http, f"{path}/termination", verified=True)
    house.clock.turn(days=365)
    assert await end_due_accounts(house.services) == 1
    over = await answer(http, sold, "account")
    assert (over["code"], over["decision"]) == ("account_terminated", "deny")
    assert "NX-38" in over["clauses"]


@pytest.mark.clause("X-13", "BC-37")
async def test_an_order_under_review_is_told(house: House, http) -> None:
    sold = await sell(http, CARE)
    assert (await answer(http, sold, "order_review"))["code"] == "order_not_under_review"
    order = (await http.get(f"/v1/licenses/{sold}")).json()["order_id"]
    await sent(http, f"/v1/orders/{order}/hold", reason="a stolen card?")
    held = await answer(http, sold, "order_review")
    assert (held["code"], held["clauses"]) == ("order_under_review", ["BC-37"])
    house.clock.turn(days=365)
    assert (await answer(http, sold, "order_review"))["code"] == "order_refund_proposed"


@pytest.mark.clause("X-13", "BC-25", "BC-33")
async def test_the_next_renewal_of_a_subscription_is_told_with_its_day_and_price(house: House, http) -> None:
    sold = await sell(http, CARE)
    begun = await sent(http, f"/v1/licenses/{sold}/subscription", 201, months=12, channel="shop")
    following = await answer(http, sold, "subscription")
    told = {"due_at": begun["facts"]["next_due_at"], "price": begun["facts"]["price"]}
    assert (following["code"], "BC-25" in following["clauses"]) == ("renewal_expected", True)
    assert {name: following["facts"][name] for name in told} == told
    await sent(http, f"/v1/licenses/{sold}/subscription/cancel")
    assert (await answer(http, sold, "subscription"))["code"] == "renewal_cancelled"


@pytest.mark.clause("X-13", "NP-01", "NP-04")
async def test_a_warranty_that_runs_and_one_that_is_over_are_told(house: House, http) -> None:
    sold = str((await house.license(TERMINAL)).license_id)
    contract = {"number": "C-1", "serial": "NTP-0001", "starts_on": "2026-03-02", "start_basis": "delivery"}
    await sent(http, f"/v1/licenses/{sold}/warranty-contract", **contract)
    running = await answer(http, sold, "warranty")
    assert (running["decision"], "NP-01" in running["clauses"]) == ("allow", True)
    house.clock.turn(days=3000)
    over = await answer(http, sold, "warranty")
    assert (over["decision"], "NP-04" in over["clauses"]) == ("deny", True)


@pytest.mark.clause("X-13", "NX-15")
async def test_the_best_release_of_now_is_named(house: House, http) -> None:
    sold = await sell(http, CORE)
    release = {"version": "1.4.0", "kind": "feature", "sha256": "ab" * 32, "size": 1, "url": "https://files.example/x"}
    await sent(http, f"/v1/products/{CORE}/releases", 201, **release)
    best = await answer(http, sold, "update")
    assert (best["decision"], best["facts"]["version"]) == ("allow", "1.4.0")


@pytest.mark.clause("X-13", "NX-09")
async def test_how_many_forced_deactivations_are_left_is_told_and_no_act_is_claimed(house: House, http) -> None:
    sold = await house.license(MARKET)
    asked = {"actor": AGENT, "reason": "the disk burned", "confirm": True}
    for left in (3, 2):
        told = await answer(http, str(sold.license_id), "force_deactivate")
        assert (told["code"], told["facts"]["remaining"]) == ("forced_deactivation_possible", left)
        assert "freed" not in told["words"]
        await house.till(product=MARKET).activate(sold.license_key)
        held = await list_activations(house.services, license_id=sold.license_id, status="active")
        await force_deactivate(house.services, UUID(str(held.items[0]["id"])), **asked)
        house.clock.turn(days=2)


@pytest.mark.clause("X-13", "I13")
async def test_whoever_does_not_see_the_first_customer_sees_no_payment_of_his(
    house: House, callers: Callers, http
) -> None:
    sold = await sell(http, CARE)
    assert (await renew(http, sold, number="R-OF-THE-FIRST")).status_code == 201
    buyer = (await add_customer(house.services, "buyer@else.example")).shown["id"]
    await transfer(house.services, UUID(sold), customer="buyer@else.example", actor=AGENT, reason="sold")
    limited = await callers.client("agent", customers=[UUID(str(buyer))])
    told = (await limited.get(f"/v1/licenses/{sold}/explain")).json()
    assert [one["payment"] for one in told["clocks"]["support"]["segments"]] == [None, None]
    everything = (await http.get(f"/v1/licenses/{sold}/explain")).json()
    assert everything["clocks"]["support"]["segments"][1]["payment"]["number"] == "R-OF-THE-FIRST"
    stranger = await callers.client("agent", customers=[UUID(await owner(house))])
    assert (await stranger.get(f"/v1/licenses/{sold}/explain")).status_code == 404


@pytest.mark.clause("X-13", "I16")
async def test_an_explanation_names_no_person(house: House, http) -> None:
    sold = await sell(http, CARE)
    told = (await http.get(f"/v1/licenses/{sold}/explain")).text
    assert OWNER not in told
    assert await owner(house) not in told
