"""NX-14, NX-44 to NX-46, ZG-01, ZG-16, BC-01, BC-17, BC-32 through the API: one window, and what its end means."""

from dataclasses import replace
from uuid import UUID

import pytest

from tests.support.callers import Callers
from tests.support.house import House
from tests.support.renewing import care, last_days, local, renew, sell, terms
from tillkey_server.rules.term_policy import AfterExpiry
from tillkey_server.usecases.rekey import rekey

STORES, IMPORT, COLLECT = "nexopos-multistore", "01generator-price-import", "prestashop-click-collect"
DOUALA, ATHENS = "Africa/Douala", "Europe/Athens"


@pytest.fixture
async def http(callers: Callers):
    return await callers.client()


async def key_of(house: House, license_id: str) -> str:
    return (await rekey(house.services, UUID(license_id), actor="cli:test", reason="a test")).license_key


@pytest.mark.clause("NX-14", "NX-44", "V-05", "K-05")
async def test_a_purchase_includes_a_year_of_support_or_the_length_that_was_chosen(house: House, http) -> None:
    house.clock.instant = local("2024-02-29", DOUALA)
    sold = {months: await sell(http, STORES, **({} if months is None else {"months": months})) for months in (None, 6)}
    assert (await last_days(http, sold[None])) == {"use": None, "updates": "2025-02-28", "support": "2025-02-28"}
    assert (await last_days(http, sold[6]))["support"] == "2024-08-29"
    told = await care(http, sold[None])
    assert (told["code"], "NX-14" in told["clauses"]) == ("care_active", True)
    issued = (await http.get(f"/v1/licenses/{sold[6]}/explain")).json()["decisions"][0]
    assert issued["facts"]["support_until"] == "2024-08-29T23:00:00Z"
    assert (issued["facts"]["months"], "NX-44" in issued["clauses"]) == (6, True)


@pytest.mark.clause("NX-44")
@pytest.mark.parametrize(("product", "offered"), [(STORES, [6, 12]), (IMPORT, [])])
async def test_a_length_that_nobody_may_choose_is_refused_at_the_cart_and_its_payment_is_kept(
    house: House, http, product: str, offered: list[int]
) -> None:
    cart = {"customer": "a@b.example", "customer_type": "professional", "lines": [{"product": product, "months": 9}]}
    asked = (await http.post("/v1/orders/preview", json=cart)).json()
    assert (asked["decision"], asked["code"]) == ("deny", "purchase_months_not_offered")
    assert asked["facts"]["offered"] == offered
    paid = await http.post("/v1/orders", json={"number": "x", **cart})
    assert (paid.status_code, paid.json()["licenses"], paid.json()["under_review"]) == (201, [], True)
    assert paid.json()["decision"]["facts"]["reason"] == "purchase_months_not_offered"


@pytest.mark.clause("NX-44")
async def test_an_order_that_is_told_again_with_another_length_differs(house: House, http) -> None:
    told = {"number": "x", "customer": "a@b.example", "lines": [{"product": STORES, "months": 6}]}
    statuses = [(await http.post("/v1/orders", json=told)).status_code for _ in range(2)]
    line = {"product": STORES, "months": 12}
    other = await http.post("/v1/orders", json={**told, "lines": [line]})
    assert (statuses, other.json()["code"]) == ([201, 200], "order_differs")
    assert other.json()["detail"] == "The order is on record with another months."


@pytest.mark.clause("ZG-01", "ZG-16", "BC-01")
@pytest.mark.parametrize(("product", "cited"), [(IMPORT, {"ZG-01", "ZG-16"}), (COLLECT, {"BC-01", "BC-25"})])
async def test_one_window_drives_support_and_updates_through_every_renewal(house: House, http, product, cited) -> None:
    sold = await sell(http, product)
    await renew(http, sold)
    days = await last_days(http, sold)
    assert days["support"] == days["updates"]
    assert cited <= set((await care(http, sold))["clauses"])


@pytest.mark.clause("BC-17")
async def test_care_is_judged_live_for_the_instant_at_which_a_request_was_opened(house: House, http) -> None:
    house.clock.instant = local("2025-03-10", "Europe/Paris")
    sold = await sell(http, COLLECT)
    opened = local("2026-03-10", "Europe/Paris").isoformat()
    house.clock.instant = local("2026-04-10", "Europe/Paris")
    told = await care(http, sold, language="it")
    assert (told["decision"], told["code"], "BC-17" in told["clauses"]) == ("deny", "care_inactive", True)
    assert told["facts"]["quote"]["code"] == "reactivation_quote"
    assert told["words"].startswith("Assistenza")
    assert (await care(http, sold, at=opened))["code"] == "care_active"
    await renew(http, sold)
    assert (await care(http, sold))["facts"]["product"] == COLLECT
    gap = await care(http, sold, at=local("2026-03-20", "Europe/Paris").isoformat())
    assert (gap["code"], gap["facts"]["because"]) == ("care_inactive", "ended")


@pytest.mark.clause("NX-45", "X-01")
async def test_what_was_activated_in_time_is_used_on_without_a_word(house: House, http) -> None:
    sold = await sell(http, STORES)
    till = house.till(product=STORES)
    await till.activate(await key_of(house, sold))
    assert (await terms(http, sold))["expiry"] is None
    house.clock.turn(days=400)
    expiry = (await terms(http, sold))["expiry"]
    assert (expiry["code"], expiry["clauses"]) == ("license_expired_use_ok", ["NX-45"])
    assert expiry["facts"]["nag"] is False
    assert (await till.heartbeat()).status == 200


@pytest.mark.clause("NX-46")
async def test_what_was_never_activated_in_time_is_used_too_and_its_owner_is_asked_to_renew(house: House, http) -> None:
    sold = await sell(http, STORES)
    house.clock.turn(days=400)
    assert (await house.till(product=STORES).activate(await key_of(house, sold))).status == 201
    expiry = (await terms(http, sold))["expiry"]
    assert (expiry["code"], expiry["clauses"]) == ("license_expired_renew_prompt", ["NX-46"])
    assert expiry["facts"]["nag"] is True


@pytest.mark.clause("NX-46")
async def test_where_the_terms_refuse_a_first_use_after_the_end_a_move_still_works(house: House, http) -> None:
    book = house.services.policies
    strict = {
        ref: replace(policy, terms=replace(policy.terms, after_expiry=AfterExpiry.DENY))
        for ref, policy in book._known.items()
        if ref.name == "nexopos"
    }
    before = dict(book._known)
    book._known.update(strict)
    try:
        used, unused = [await sell(http, STORES) for _ in range(2)]
        key = await key_of(house, used)
        old = house.till(product=STORES)
        await old.activate(key)
        house.clock.turn(days=400)
        refused = await house.till(product=STORES).activate(await key_of(house, unused))
        assert (refused.code, refused.body["clauses"]) == ("license_expired", ["NX-46"])
        assert (await terms(http, unused))["expiry"]["facts"]["may_activate"] is False
        await old.deactivate()
        assert (await house.till(product=STORES).activate(key)).status == 201
    finally:
        book._known.update(before)


@pytest.mark.clause("BC-32")
async def test_care_is_for_one_store_and_another_store_needs_its_own(house: House, http) -> None:
    sold = await sell(http, COLLECT)
    key = await key_of(house, sold)
    first = house.till(product=COLLECT)
    await first.activate(key, project="First store", site="https://first.example")
    assert (await care(http, sold))["facts"]["site"] == "https://first.example"
    await first.deactivate()
    refused = await house.till(product=COLLECT).activate(key, project="Second store", site="https://second.example")
    assert (refused.code, refused.body["clauses"]) == ("bound_to_other_project", ["BC-32"])
    assert "buy_license" in refused.body["options"]
