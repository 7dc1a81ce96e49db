"""CJ-23, BC-23, BC-24, BC-25 and V-22 through the API: automatic renewals fall due once, and end with the period."""

import asyncio
from uuid import UUID

import pytest

from tests.support.callers import Callers
from tests.support.house import AGENT, House
from tests.support.renewing import care, last_days, local, only_retired, renew, sell, withdraw
from tests.support.statements import counted, locks
from tillkey_server.usecases.explain import explain
from tillkey_server.usecases.license import change_standing
from tillkey_server.usecases.renewals_due import create_due
from tillkey_server.usecases.retirement import cancel_of_retired

COLLECT, PORTAL = "prestashop-click-collect", "crmjetty-customer-portal"
PARIS = "Europe/Paris"


@pytest.fixture
async def http(callers: Callers):
    return await callers.client()


async def subscribe(http, license_id: str, **more):
    body = {"months": 12, "channel": "shop", **more}
    return await http.post(f"/v1/licenses/{license_id}/subscription", json=body)


async def change(http, license_id: str, verb: str):
    return await http.post(f"/v1/licenses/{license_id}/subscription/{verb}", json={})


async def shown(http, license_id: str):
    return (await http.get(f"/v1/licenses/{license_id}/subscription")).json()


async def decisions(house: House, license_id: str) -> list[dict]:
    return list((await explain(house.services, UUID(license_id)))["decisions"])


@pytest.mark.clause("CJ-23", "K-06")
async def test_a_renewal_falls_due_once_for_each_period_whoever_looks_first(house: House, http) -> None:
    house.clock.instant = local("2026-01-31", "Asia/Kolkata")
    sold = await sell(http, PORTAL, months=1)
    started = await subscribe(http, sold, months=1, price="99.00 USD")
    assert (started.status_code, started.json()["clauses"]) == (201, ["CJ-23"])
    assert (await subscribe(http, sold, months=1)).json()["code"] == "subscription_already_started"
    assert await create_due(house.services) == {"created": 0, "blocked": 0}
    house.clock.instant = local("2026-02-28", "Asia/Kolkata")
    made = await asyncio.gather(*(create_due(house.services) for _ in range(3)))
    assert sum(one["created"] for one in made) == 1
    told = (await decisions(house, sold))[-1]
    assert (told["code"], told["clauses"], told["facts"]["price"]) == ("renewal_created", ["CJ-23"], "99.00 USD")
    house.clock.instant = local("2026-04-02", "Asia/Kolkata")
    assert await create_due(house.services) == {"created": 0, "blocked": 0}, "the first one is not paid"
    await renew(http, sold, months=1, amount="99.00 USD", paid_at="2026-02-28T12:00:00Z")
    assert (await last_days(http, sold))["use"] == "2026-03-31"
    assert (await create_due(house.services))["created"] == 1
    state = await shown(http, sold)
    assert [(one["period"], one["paid"]) for one in state["renewals"]] == [(1, True), (2, False)]
    assert state["renewals"][1]["due_at"] == "2026-03-30T18:30:00Z"


@pytest.mark.clause("BC-25")
async def test_it_is_cancelled_without_notice_and_what_is_paid_for_goes_on_until_its_end(house: House, http) -> None:
    house.clock.instant = local("2024-02-29", PARIS)
    sold = await sell(http, COLLECT)
    assert (await subscribe(http, sold)).json()["facts"]["price"] == "52.00 EUR"
    assert (await shown(http, sold))["subscription"]["next_due_at"] == "2025-02-27T23:00:00Z"
    told = (await change(http, sold, "cancel")).json()
    assert (told["code"], told["clauses"]) == ("renewal_cancelled", ["BC-25"])
    assert told["facts"] == {"ends_at": "2025-02-27T23:00:00Z", "access_until": "2025-02-28T23:00:00Z"}
    assert (await change(http, sold, "cancel")).json()["facts"] == told["facts"]
    assert (await change(http, sold, "resume")).json()["code"] == "renewal_resumed"
    refused = await change(http, sold, "resume")
    assert (refused.status_code, refused.json()["code"]) == (409, "renewal_not_cancelled")
    await change(http, sold, "cancel")
    house.clock.instant = local("2025-03-10", PARIS)
    assert await create_due(house.services) == {"created": 0, "blocked": 0}
    assert (await change(http, sold, "resume")).json()["code"] == "subscription_none"
    assert (await change(http, sold, "cancel")).json()["code"] == "subscription_none"
    assert (await subscribe(http, sold)).status_code == 201
    assert (await shown(http, sold))["subscription"]["next_due_at"] == "2025-03-10T11:00:00Z"


@pytest.mark.clause("BC-25", "K-05", "K-06")
async def test_what_is_paid_for_when_it_begins_is_never_charged_again(house: House, http) -> None:
    house.clock.instant = local("2025-03-10", PARIS)
    ahead, back = [await sell(http, COLLECT) for _ in range(2)]
    await renew(http, ahead)
    assert (await subscribe(http, ahead)).json()["facts"]["next_due_at"] == "2027-03-09T23:00:00Z"
    house.clock.instant = local("2026-06-10", PARIS)
    assert (await renew(http, back)).json()["code"] == "renewed_from_now"
    begun = (await subscribe(http, back)).json()
    assert (begun["facts"]["next_due_at"], begun["facts"]["price"]) == ("2027-06-09T22:00:00Z", "52.00 EUR")
    house.clock.instant = local("2027-06-09", PARIS)
    assert (await create_due(house.services))["created"] == 1, "the one that was paid ahead, and not the other one"
    assert (await change(http, back, "cancel")).json()["facts"]["ends_at"] == "2027-06-09T22:00:00Z"


@pytest.mark.clause("BC-25", "K-05")
async def test_what_is_paid_meanwhile_moves_the_next_renewal_and_its_anchor(house: House, http) -> None:
    house.clock.instant = local("2025-03-10", PARIS)
    late, by_hand = [await sell(http, COLLECT) for _ in range(2)]
    for one in (late, by_hand):
        await subscribe(http, one)
    await renew(http, by_hand, channel="market")
    house.clock.instant = local("2026-03-10", PARIS)
    assert (await create_due(house.services))["created"] == 1
    house.clock.instant = local("2026-06-10", PARIS)
    assert (await renew(http, late)).json()["code"] == "renewed_from_now"
    due = [(await shown(http, one))["subscription"]["next_due_at"] for one in (late, by_hand)]
    assert due == ["2027-06-09T22:00:00Z", "2027-03-09T23:00:00Z"]
    assert (await change(http, by_hand, "cancel")).json()["facts"]["ends_at"] == due[1]
    house.clock.instant = local("2027-03-10", PARIS)
    assert await create_due(house.services) == {"created": 0, "blocked": 0}
    assert (await change(http, by_hand, "resume")).json()["code"] == "subscription_none"
    house.clock.instant = local("2027-06-10", PARIS)
    assert (await create_due(house.services))["created"] == 1
    assert (await shown(http, late))["subscription"]["next_due_at"] == "2028-06-09T22:00:00Z"


@pytest.mark.clause("BC-25", "K-05")
async def test_where_it_has_lapsed_the_reactivation_is_due_at_once(house: House, http) -> None:
    house.clock.instant = local("2025-03-10", PARIS)
    sold = await sell(http, COLLECT)
    house.clock.instant = local("2026-06-10", PARIS)
    begun = (await subscribe(http, sold)).json()["facts"]
    assert (begun["next_due_at"], begun["price"]) == ("2026-06-10T10:00:00Z", "175.49 EUR")
    assert (await create_due(house.services))["created"] == 1
    assert (await shown(http, sold))["subscription"]["next_due_at"] == "2027-06-09T22:00:00Z"


@pytest.mark.clause("CJ-23", "BC-25")
async def test_a_cancellation_before_the_charge_drops_what_fell_due(house: House, http) -> None:
    house.clock.instant = local("2025-03-10", PARIS)
    sold = await sell(http, COLLECT)
    await subscribe(http, sold)
    house.clock.instant = local("2026-03-10", PARIS)
    assert (await create_due(house.services))["created"] == 1
    await change(http, sold, "cancel")
    [due] = (await shown(http, sold))["renewals"]
    assert (due["paid"], due["dropped_at"]) == (False, "2026-03-10T11:00:00Z")


@pytest.mark.clause("CJ-23", "K-13")
async def test_a_stronger_state_keeps_the_charge_back_until_it_is_lifted(house: House, http) -> None:
    house.clock.instant = local("2025-03-10", PARIS)
    sold = await sell(http, COLLECT)
    await subscribe(http, sold)
    await change_standing(house.services, UUID(sold), event="suspend", actor=AGENT, reason="a test")
    house.clock.instant = local("2026-03-10", PARIS)
    assert await create_due(house.services) == {"created": 0, "blocked": 1}
    await change_standing(house.services, UUID(sold), event="resume", actor=AGENT, reason="a test")
    assert await create_due(house.services) == {"created": 1, "blocked": 0}


@pytest.mark.clause("CJ-02", "K-13", "CJ-23")
async def test_a_legal_hold_on_anything_of_the_customers_keeps_the_charge_back(house: House, http) -> None:
    house.clock.instant = local("2025-03-10", PARIS)
    sold, other = [await sell(http, COLLECT) for _ in range(2)]
    await subscribe(http, sold)
    await change_standing(house.services, UUID(other), event="hold", actor=AGENT, reason="a complaint")
    house.clock.instant = local("2026-03-10", PARIS)
    assert await create_due(house.services) == {"created": 0, "blocked": 1}
    await change_standing(house.services, UUID(other), event="release_hold", actor=AGENT, reason="cleared")
    assert await create_due(house.services) == {"created": 1, "blocked": 0}


@pytest.mark.clause("BC-23", "V-22")
async def test_the_retirement_of_a_product_cancels_its_renewals_and_nothing_is_charged_after_it(
    house: House, http
) -> None:
    house.clock.instant = local("2025-03-10", PARIS)
    charged, waiting = [await sell(http, COLLECT) for _ in range(2)]
    for one in (charged, waiting):
        await subscribe(http, one)
    house.clock.instant = local("2026-03-10", PARIS)
    assert (await create_due(house.services))["created"] == 2
    assert (await renew(http, charged)).json()["decision"] == "allow"
    house.clock.turn(hours=1)
    retired = await http.post(f"/v1/products/{COLLECT}/retire", json={})
    assert (retired.status_code, retired.json()["code"]) == (200, "product_retired")
    for one in (charged, waiting):
        told = (await decisions(house, one))[-1]
        assert (told["code"], told["clauses"]) == ("renewal_cancelled_product_retired", ["BC-23"])
    assert [one["dropped_at"] is None for one in (await shown(http, charged))["renewals"]] == [True]
    assert [one["dropped_at"] is None for one in (await shown(http, waiting))["renewals"]] == [False]
    assert [(await last_days(http, one))["support"] for one in (charged, waiting)] == ["2027-03-10", "2026-03-10"]
    assert (await change(http, charged, "resume")).json()["code"] == "renewal_product_retired"
    assert (await subscribe(http, waiting)).json()["code"] == "renewal_product_retired"
    again = await http.post(f"/v1/products/{COLLECT}/retire", json={})
    assert (again.status_code, again.json()["code"]) == (409, "product_retired")
    # What was paid for lasts to its end, and nothing falls due after it.
    for day, active in (("2027-03-10", True), ("2027-03-11", False)):
        house.clock.instant = local(day, PARIS)
        assert (await care(http, charged))["facts"]["active"] is active
        assert await create_due(house.services) == {"created": 0, "blocked": 0}
    assert len((await shown(http, charged))["renewals"]) == 1


@pytest.mark.clause("BC-23", "CJ-23")
async def test_from_the_retirement_on_nothing_falls_due_though_nothing_is_cancelled_yet(house: House, http) -> None:
    house.clock.instant = local("2025-03-10", PARIS)
    sold = await sell(http, COLLECT)
    await subscribe(http, sold)
    await only_retired(house, COLLECT)
    house.clock.instant = local("2026-03-10", PARIS)
    assert await create_due(house.services) == {"created": 0, "blocked": 0}
    assert (await shown(http, sold))["renewals"] == []


@pytest.mark.clause("BC-23")
@pytest.mark.parametrize("by", ["the next call", "the next sweep"])
async def test_a_retirement_that_was_cut_off_goes_on_where_it_stopped(house: House, http, by: str) -> None:
    sold = [await sell(http, COLLECT) for _ in range(3)]
    for one in sold:
        await subscribe(http, one)
    await only_retired(house, COLLECT)
    if by == "the next call":
        assert (await http.post(f"/v1/products/{COLLECT}/retire", json={})).json()["code"] == "product_retired"
    else:
        assert await cancel_of_retired(house.services, batch=2) == 3
    reasons = [(await shown(http, one))["subscription"]["cancel_reason"] for one in sold]
    assert reasons == ["product_retired"] * 3
    assert await cancel_of_retired(house.services) == 0


@pytest.mark.clause("BC-33")
async def test_a_subscription_begins_at_the_price_that_the_terms_will_charge_or_not_at_all(house: House, http) -> None:
    house.clock.instant = local("2025-03-10", PARIS)
    sold = await sell(http, COLLECT)
    refused = await subscribe(http, sold, price="10.00 EUR")
    assert (refused.status_code, refused.json()["code"]) == (400, "malformed")
    assert "52.00 EUR" in refused.json()["detail"]
    assert (await subscribe(http, sold, price="52.00 EUR")).status_code == 201


@pytest.mark.clause("BC-33", "CJ-23")
async def test_a_renewal_that_fell_due_keeps_the_price_that_was_told(house: House, http) -> None:
    house.clock.instant = local("2025-03-10", PARIS)
    sold = await sell(http, COLLECT)
    await subscribe(http, sold)
    house.clock.instant = local("2026-03-10", PARIS)
    await create_due(house.services)
    assert (await http.patch(f"/v1/products/{COLLECT}", json={"price": "200.00 EUR"})).status_code == 200
    state = await shown(http, sold)
    assert (state["renewals"][0]["price"], state["subscription"]["price"]) == ("52.00 EUR", "52.00 EUR")
    possible = (await http.get(f"/v1/licenses/{sold}/explain")).json()["possible"]
    [asked] = [one["answer"] for one in possible if one["action"] == "subscription"]
    assert (asked["code"], asked["facts"]["price"]) == ("renewal_unpaid", "52.00 EUR")
    await renew(http, sold, amount="52.00 EUR")
    assert (await shown(http, sold))["subscription"]["price"] == "80.00 EUR"


@pytest.mark.clause("CJ-23", "K-13")
async def test_a_renewal_that_is_held_back_is_looked_at_without_a_lock(house: House, http) -> None:
    house.clock.instant = local("2025-03-10", PARIS)
    blocked, unpaid = [await sell(http, COLLECT) for _ in range(2)]
    for one in (blocked, unpaid):
        await subscribe(http, one)
    await change_standing(house.services, UUID(blocked), event="revoke", actor=AGENT, reason="a test")
    house.clock.instant = local("2026-03-10", PARIS)
    assert await create_due(house.services, batch=1) == {"created": 1, "blocked": 1}
    with counted(house.services.db) as sent:
        assert await create_due(house.services) == {"created": 0, "blocked": 1}
    assert len({statement for statement in sent if "subscription" in statement}) == 1
    assert locks(sent) == []


@pytest.mark.clause("BC-24")
async def test_a_product_that_is_offline_goes_on_being_renewed_with_a_notice(house: House, http) -> None:
    house.clock.instant = local("2025-03-10", PARIS)
    sold = await sell(http, COLLECT)
    await subscribe(http, sold)
    await withdraw(house, COLLECT, offline=True)
    house.clock.instant = local("2026-03-10", PARIS)
    assert (await create_due(house.services))["created"] == 1
    told = (await decisions(house, sold))[-1]
    assert told["facts"]["notices"] == ["renewal_product_offline_notice"]
    assert "BC-24" in told["clauses"]


@pytest.mark.clause("BC-24")
async def test_whoever_asks_before_it_falls_due_is_told_that_the_product_is_offline(house: House, http) -> None:
    house.clock.instant = local("2025-03-10", PARIS)
    sold = await sell(http, COLLECT)
    await subscribe(http, sold)
    assert (await shown(http, sold))["subscription"]["notices"] == []
    await withdraw(house, COLLECT, offline=True)
    house.clock.instant = local("2026-03-01", PARIS)
    assert (await shown(http, sold))["subscription"]["notices"] == ["renewal_product_offline_notice"]
    possible = (await http.get(f"/v1/licenses/{sold}/explain")).json()["possible"]
    [ahead] = [one["answer"] for one in possible if one["action"] == "subscription"]
    assert ahead["code"] == "renewal_expected"
    assert (ahead["facts"]["notices"], "BC-24" in ahead["clauses"]) == (["renewal_product_offline_notice"], True)


async def test_what_the_terms_do_not_offer_or_price_is_not_begun(house: House, http) -> None:
    sold = await sell(http, "nexopos-multistore")
    assert (await subscribe(http, sold)).json()["code"] == "subscription_not_offered"
    assert (await change(http, sold, "cancel")).json()["code"] == "subscription_none"
    care = await sell(http, COLLECT)
    assert (await subscribe(http, care, months=6)).json()["code"] == "renewal_months_not_offered"
    monthly = await sell(http, PORTAL, months=1)
    assert (await subscribe(http, monthly, months=1)).json()["code"] == "malformed"
    forever = await sell(http, PORTAL)
    assert (await subscribe(http, forever, months=1, price="1.00 USD")).json()["code"] == "nothing_to_renew"
