"""ZG-02 to ZG-05, NX-47, BC-24, BC-33, BC-34, K-09, K-13 and V-01 to V-07, V-13, V-16, V-24 through the API."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from uuid import UUID

import pytest

from tests.support.callers import Callers
from tests.support.house import AGENT, House
from tests.support.renewing import care, last_days, local, quote, renew, sell, terms, withdraw
from tillkey_server.rules.access import EVERYTHING
from tillkey_server.store import licenses
from tillkey_server.store import terms as store
from tillkey_server.usecases.catalogue import change_product
from tillkey_server.usecases.license import change_standing
from tillkey_server.usecases.seen import license_of
from tillkey_server.usecases.terms import end_early, take_out, terms_of
from tillkey_server.usecases.trial import start_trial

ATHENS, DOUALA, PARIS = "Europe/Athens", "Africa/Douala", "Europe/Paris"
IMPORT = "01generator-price-import"
STORES = "nexopos-multistore"
COLLECT = "prestashop-click-collect"
PORTAL = "crmjetty-customer-portal"


@pytest.fixture
async def http(callers: Callers):
    return await callers.client()


@pytest.mark.clause("ZG-02", "ZG-04", "ZG-05", "V-01", "V-02", "V-13", "K-05", "K-07")
async def test_a_renewal_in_time_is_quoted_then_added_to_the_anchor(house: House, http) -> None:
    house.clock.instant = local("2025-11-30", ATHENS)
    sold = await sell(http, IMPORT, price="10.00 EUR", list_price="19.99 EUR")
    assert (await last_days(http, sold))["support"] == "2026-02-28"
    house.clock.instant = local("2026-02-10", ATHENS)
    told = await quote(http, sold)
    assert (told["decision"], told["code"], told["facts"]["price"]) == ("allow", "renewal_quote", "6.00 EUR")
    assert told["clauses"] == ["ZG-03", "K-05", "ZG-05", "K-07", "ZG-04"]
    assert told["facts"]["last_day"] == "2026-05-30"
    assert "2026-05-30" in told["words"]
    done = await renew(http, sold, amount="6.00 EUR")
    assert (done.status_code, done.json()["code"]) == (201, "renewed_appended")
    assert done.json()["clauses"] == ["ZG-03", "K-05", "ZG-04"]
    assert await last_days(http, sold) == {"use": None, "updates": "2026-05-30", "support": "2026-05-30"}
    assert "ZG-02" in (await care(http, sold))["clauses"]


@pytest.mark.clause("ZG-03", "ZG-04", "V-06", "V-07")
async def test_the_instant_of_the_payment_decides_whenever_it_is_told(house: House, http) -> None:
    house.clock.instant = local("2025-11-30", ATHENS)
    late, in_time = [await sell(http, IMPORT) for _ in range(2)]
    bound = local("2026-03-01", ATHENS).replace(hour=22, minute=0) - timedelta(days=1)
    house.clock.instant = bound + timedelta(minutes=5)
    anew = await renew(http, late, paid_at=bound.isoformat())
    appended = await renew(http, in_time, paid_at=(bound - timedelta(seconds=1)).isoformat())
    assert [anew.json()["code"], appended.json()["code"]] == ["renewed_from_now", "renewed_appended"]
    assert anew.json()["clauses"] == ["ZG-03", "K-05"]
    days = [(await last_days(http, one))["support"] for one in (late, in_time)]
    assert days == ["2026-06-01", "2026-05-30"]
    early = await renew(http, late, paid_at="2025-01-01T00:00:00Z")
    ahead = await renew(http, late, paid_at="2026-12-01T00:00:00Z")
    assert [early.json()["code"], ahead.json()["code"]] == ["malformed", "malformed"]


@pytest.mark.clause("I7", "ZG-04", "K-10")
async def test_a_payment_extends_once_however_often_it_is_told_and_two_payments_twice(house: House, http) -> None:
    sold, other = [await sell(http, IMPORT) for _ in range(2)]
    told = {"number": "7", "amount": "17.99 EUR", "paid_at": "2026-03-02T09:00:00Z"}
    first = await renew(http, sold, **told)
    again = await renew(http, sold, **told)
    assert [first.status_code, again.status_code] == [201, 200]
    assert (again.json()["code"], again.json()["renewal_id"]) == (
        "renewal_already_recorded",
        first.json()["renewal_id"],
    )
    for change in ({"amount": "1.00 EUR"}, {"months": 12}, {"paid_at": "2026-03-02T08:59:59Z"}):
        assert (await renew(http, sold, **{**told, **change})).json()["code"] == "order_differs"
    assert (await renew(http, other, **told)).json()["code"] == "order_differs"
    bought = {"number": "8", "channel": "shop", "customer": "owner@shop.example", "lines": [{"product": IMPORT}]}
    await http.post("/v1/orders", json=bought)
    assert (await renew(http, sold, **{**told, "number": "8"})).json()["code"] == "order_differs"
    assert (await last_days(http, sold))["support"] == "2026-09-02"
    await renew(http, sold, **{**told, "number": "9"})
    assert (await last_days(http, sold))["support"] == "2026-12-02"
    assert len((await terms(http, sold))["renewals"]) == 2


@pytest.mark.clause("BC-33", "BC-34", "V-16", "K-07")
async def test_care_costs_a_share_of_todays_price_and_a_surcharge_once_it_has_lapsed(house: House, http) -> None:
    house.clock.instant = local("2025-03-10", PARIS)
    sold = await sell(http, COLLECT)
    await http.patch(f"/v1/products/{COLLECT}", json={"price": "100.00 EUR"})
    house.clock.instant = local("2026-03-10", PARIS)
    running = await quote(http, sold)
    assert (running["code"], running["facts"]["price"]) == ("renewal_quote", "40.00 EUR")
    assert "BC-33" in running["clauses"]
    house.clock.turn(days=1)
    lapsed = await quote(http, sold)
    assert (lapsed["code"], lapsed["facts"]["price"]) == ("reactivation_quote", "135.00 EUR")
    assert {"BC-33", "BC-34"} <= set(lapsed["clauses"])
    assert [line["amount"] for line in lapsed["facts"]["lines"]] == ["40.00 EUR", "95.00 EUR"]
    await http.patch(f"/v1/products/{COLLECT}", json={"price": "1.09 EUR"})
    assert (await quote(http, sold))["facts"]["price"] == "1.48 EUR"
    assert (await renew(http, sold)).json()["clauses"] == ["BC-25", "K-05", "BC-34"]
    assert (await last_days(http, sold))["support"] == "2027-03-11"


@pytest.mark.clause("ZG-05")
async def test_what_was_free_is_renewed_for_nothing(house: House, http) -> None:
    sold = await sell(http, IMPORT, price="0.00 EUR", list_price="0.00 EUR")
    told = await quote(http, sold)
    assert (told["code"], told["facts"]["price"], "ZG-05" in told["clauses"]) == ("renewal_free", "0.00 EUR", True)


@pytest.mark.clause("ZG-05", "BC-21")
async def test_a_bundles_part_is_renewed_for_a_share_of_its_own_list_price(house: House, http) -> None:
    body = {"code": "both", "name": "Both", "key_prefix": "BUN", "price": "100.00 EUR", "policy": "prestashop-care"}
    await http.post("/v1/products", json=body)
    await http.patch("/v1/products/both", json={"parts": [COLLECT, IMPORT]})
    bought = {"number": "B-1", "customer": "owner@shop.example", "lines": [{"product": "both"}]}
    sold = (await http.post("/v1/orders", json=bought)).json()
    of_import = next(line for line in sold["lines"] if line["product"] == IMPORT)
    told = await quote(http, of_import["license_ids"][0])
    assert (of_import["price"], told["facts"]["price"]) == ("31.58 EUR", "18.00 EUR")
    assert "ZG-05" in told["clauses"]


@pytest.mark.clause("K-08", "NX-47")
async def test_a_payment_that_was_refused_leaves_a_line_of_the_audit_log(house: House, http) -> None:
    sold = await sell(http, STORES, channel="codecanyon")
    refused = (await renew(http, sold)).json()
    listed = (await http.get("/v1/audit", params={"code": "renewal_wrong_channel"})).json()["items"]
    assert [(one["action"], one["license_id"], one["clauses"]) for one in listed] == [
        ("license_renew", sold, refused["clauses"])
    ]


@pytest.mark.clause("NX-47")
async def test_what_was_bought_on_a_marketplace_is_renewed_there_unless_it_has_closed_the_item(
    house: House, http
) -> None:
    sold = await sell(http, STORES, channel="codecanyon")
    told = await quote(http, sold, channel="shop", months=6)
    assert (told["decision"], told["code"], told["clauses"]) == ("deny", "renewal_wrong_channel", ["NX-47"])
    refused = await renew(http, sold)
    assert (refused.status_code, refused.json()["code"]) == (409, "renewal_wrong_channel")
    there = await renew(http, sold, channel="codecanyon", months=6)
    assert (there.status_code, "NX-47" in there.json()["clauses"]) == (201, True)
    assert (await last_days(http, sold))["support"] == "2027-09-02"
    odd = await renew(http, sold, channel="codecanyon", months=7)
    assert (odd.json()["code"], odd.json()["facts"]["offered"]) == ("renewal_months_not_offered", [12, 6])
    await withdraw(house, STORES, offline=True)
    assert (await renew(http, sold)).status_code == 201


@pytest.mark.clause("BC-24")
async def test_a_product_that_is_offline_is_renewed_and_the_payer_is_told(house: House, http) -> None:
    sold = await sell(http, COLLECT)
    await withdraw(house, COLLECT, offline=True)
    told = await quote(http, sold)
    assert told["facts"]["notices"] == ["renewal_product_offline_notice"]
    assert "BC-24" in told["clauses"]
    assert (await renew(http, sold)).status_code == 201


@pytest.mark.clause("BC-23")
async def test_what_is_paid_after_the_products_retirement_is_kept_extends_nothing_and_goes_back(
    house: House, http
) -> None:
    sold = await sell(http, COLLECT)
    before = house.clock.now()
    house.clock.turn(days=1)
    await withdraw(house, COLLECT)
    told = await quote(http, sold)
    assert (told["code"], told["clauses"]) == ("renewal_product_retired", ["BC-23"])
    house.clock.turn(days=1)
    late = (await renew(http, sold)).json()
    assert (late["decision"], late["code"], late["clauses"]) == ("pend", "renewal_after_retirement", ["BC-23"])
    assert (await last_days(http, sold))["support"] == "2027-03-02"
    earlier = await renew(http, sold, paid_at=before.isoformat())
    assert earlier.json()["code"] == "renewed_appended"
    assert (await last_days(http, sold))["support"] == "2028-03-02"
    assert len((await terms(http, sold))["renewals"]) == 2


@pytest.mark.clause("K-13", "V-24", "I8")
@pytest.mark.parametrize("event", ["revoke", "hold"])
async def test_a_payment_never_lifts_a_stronger_state_whichever_came_first(house: House, http, event) -> None:
    sold, other = [await sell(http, IMPORT) for _ in range(2)]
    how = {"event": event, "actor": AGENT, "reason": "fraud"}
    paid_at = house.clock.now().isoformat()
    house.clock.turn(hours=1)
    await change_standing(house.services, UUID(sold), **how)
    told = (await renew(http, sold, paid_at=paid_at)).json()
    assert (told["decision"], told["code"], "K-13" in told["clauses"]) == ("pend", "renewal_pending_review", True)
    assert (await quote(http, sold))["decision"] == "deny"
    await renew(http, other, paid_at=paid_at)
    await change_standing(house.services, UUID(other), **how)
    async with house.services.db.reading() as tx:
        first, second = [await licenses.by_id(tx, UUID(one)) for one in (sold, other)]
    assert (first.support_until, first.revoked_at is None) == (second.support_until, second.revoked_at is None)
    assert (first.revoked_at, first.legal_hold_at) != (None, None)
    assert (await care(http, sold))["code"] == "care_inactive"


@pytest.mark.clause("K-13")
async def test_a_suspended_license_is_renewed_and_stays_suspended_and_an_expired_one_lives_again(
    house: House, http
) -> None:
    suspended = await sell(http, IMPORT)
    await change_standing(house.services, UUID(suspended), event="suspend", actor=AGENT, reason="a test")
    assert (await renew(http, suspended)).json()["decision"] == "allow"
    shown = (await http.get(f"/v1/licenses/{suspended}/explain")).json()
    assert shown["standing"]["status"] == "suspended"
    yearly = await sell(http, PORTAL, months=12)
    house.clock.turn(days=400)
    status = [(await http.get(f"/v1/licenses/{yearly}/explain")).json()["standing"]["status"]]
    assert (await renew(http, yearly, months=12, amount="899.00 USD")).json()["code"] == "renewed_from_now"
    status.append((await http.get(f"/v1/licenses/{yearly}/explain")).json()["standing"]["status"])
    assert status == ["expired", "active"]


async def test_what_has_no_end_and_what_no_terms_renew_is_refused(house: House, http) -> None:
    forever = await sell(http, PORTAL)
    assert (await renew(http, forever)).json()["code"] == "nothing_to_renew"
    terminal = await sell(http, "netposa-terminal")
    assert (await quote(http, terminal))["code"] == "renewal_not_offered"
    assert (await renew(http, terminal)).status_code == 409
    await change_product(house.services, "pos-core", policy="trying", actor="cli:test")
    tried = await start_trial(house.services, product="pos-core", customer_email="a@b.example", actor="cli:test")
    assert (await quote(http, str(tried.license.license_id)))["code"] == "nothing_to_renew"
    for channel in ("direct", " "):
        assert (await renew(http, terminal, channel=channel)).json()["code"] == "malformed"


@pytest.mark.clause("K-09")
async def test_a_later_version_decides_only_where_it_is_better_for_the_customer(house: House, http) -> None:
    sold = await sell(http, IMPORT)
    book = house.services.policies._offered
    now = book["01generator"]
    policy = now.policy

    def later(**renewal):
        changed = replace(policy, version=4, renewal=replace(policy.renewal, **renewal))
        book["01generator"] = replace(now, policy=changed)

    asked = []
    for percent in (50, 20):
        later(price_percent=percent)
        asked.append(await quote(http, sold))
    book["01generator"] = now
    assert [(one["facts"]["price"], one["policy"]["version"]) for one in asked] == [
        ("18.00 EUR", 3),
        ("12.00 EUR", 4),
    ]


@pytest.mark.clause("K-09")
@pytest.mark.parametrize(
    ("changes", "version", "support", "updates"),
    [
        ((("price_percent = 30", "price_percent = 20"),), 4, "2026-09-02", "2026-09-02"),
        ((("months = [3] ", "months = [6]"),), 4, "2026-12-02", "2026-12-02"),
        ((("price_percent = 30", "price_percent = 40"),), 3, "2026-09-02", "2026-09-02"),
        (
            (("price_percent = 30", "price_percent = 20"), ("months = [3] ", "months = [1]")),
            3,
            "2026-09-02",
            "2026-09-02",
        ),
        ((("price_percent = 30", ""),), 3, "2026-09-02", "2026-09-02"),
    ],
)
async def test_a_payment_buys_no_less_than_under_the_terms_of_the_sale(
    house: House, http, changes, version, support, updates
) -> None:
    sold = await sell(http, IMPORT)
    house.clock.turn(days=1)
    await house.new_terms("01generator", *changes)
    told = await quote(http, sold)
    done = (await renew(http, sold)).json()
    assert (told["policy"]["version"], done["policy"]["version"]) == (version, version)
    assert ["K-09" in one["clauses"] for one in (told, done)] == [version == 4] * 2
    assert (await last_days(http, sold)) == {"use": None, "support": support, "updates": updates}


@pytest.mark.clause("I8", "ZG-04")
async def test_the_order_repetition_and_delay_of_the_news_change_nothing(house: House, http) -> None:
    """Two renewals, a refund and an early ending, told in every order; what comes too soon is told again."""
    start = local("2025-11-30", ATHENS)
    house.clock.instant = start
    orders = list(permutations(("first", "second", "refund", "ending")))
    sold = [await sell(http, IMPORT) for _ in orders]
    house.clock.instant = local("2026-07-01", ATHENS)
    ends = set()
    for license_id, order in zip(sold, orders, strict=True):
        waiting = list(order)
        while waiting:
            fact = waiting.pop(0)
            if not await _told(house, http, license_id, fact):
                waiting.append(fact)
        await _told(house, http, license_id, order[0])
        async with house.services.db.reading() as tx:
            row = await license_of(tx, UUID(license_id), EVERYTHING)
            policy = await house.services.policies.of(tx, row.policy_ref)
            assert (await terms_of(tx, row, policy)).ends["support_until"] == row.support_until
        ends.add((row.use_until, row.updates_until, row.support_until))
    assert ends == {(None, *[local("2026-08-10", ATHENS).replace(hour=21)] * 2)}


async def _told(house: House, http, license_id: str, fact: str) -> bool:
    """Tell one fact; return whether it could be taken in yet."""
    paid_at = {"first": "2026-02-10T10:00:00Z", "second": "2026-05-10T10:00:00Z"}
    if fact in paid_at:
        number = f"{license_id}-{fact}"
        answer = await renew(http, license_id, number=number, paid_at=paid_at[fact])
        return answer.status_code in {200, 201}
    listed = await terms(http, license_id)
    async with house.services.db.writing() as tx:
        row = await license_of(tx, UUID(license_id), EVERYTHING, lock=True)
        policy = await house.services.policies.of(tx, row.policy_ref)
        now = house.clock.now()
        if fact == "ending":
            if not listed["endings"]:
                await end_early(tx, row, policy, at=local("2026-05-01", ATHENS), reason="agent", now=now)
            return True
        for one in listed["renewals"]:
            if one["number"].endswith("first"):
                line = next(
                    term.order_line_id for term in await store.of_license(tx, row.id) if str(term.id) == one["id"]
                )
                await take_out(tx, row, policy, line_id=line, refunded_at=now, now=now)
                return True
    return False


async def test_an_ending_that_is_recorded_before_an_older_payment_leaves_nothing_of_that(house: House, http) -> None:
    sold = await sell(http, IMPORT)
    paid_at = house.clock.now().isoformat()
    house.clock.turn(days=5)
    async with house.services.db.writing() as tx:
        row = await license_of(tx, UUID(sold), EVERYTHING, lock=True)
        policy = await house.services.policies.of(tx, row.policy_ref)
        await end_early(tx, row, policy, at=house.clock.now(), reason="agent", now=house.clock.now())
    told = (await renew(http, sold, paid_at=paid_at)).json()
    assert (told["code"], told["facts"]["because"]) == ("renewal_pending_review", "ended_early")
    assert (await renew(http, sold)).json()["code"] == "renewed_from_now"


@pytest.mark.clause("I7")
async def test_the_same_payment_at_once_is_one_term_and_two_payments_at_once_are_two(house: House, http) -> None:
    sold = await sell(http, IMPORT)
    same = await asyncio.gather(*(renew(http, sold, number="one") for _ in range(3)))
    assert sorted(one.status_code for one in same) == [200, 200, 201]
    await asyncio.gather(*(renew(http, sold) for _ in range(2)))
    assert (await last_days(http, sold))["support"] == "2027-03-02"


@pytest.mark.clause("ZG-05")
async def test_what_was_sold_in_another_currency_than_it_is_listed_in_is_renewed_at_what_was_paid(
    house: House, http
) -> None:
    listed = await sell(http, "pos-core")
    elsewhere = await sell(http, "pos-core", price="100.00 USD")
    assert [(await quote(http, one))["facts"]["price"] for one in (listed, elsewhere)] == ["59.60 EUR", "40.00 USD"]
