"""NX-10 to NX-13, ZG-21, CJ-02, BC-19 to BC-22 and BC-37: what may be sold, through the API."""

from typing import Any

import httpx
import pytest
from sqlalchemy import select

from tests.support.callers import Callers
from tests.support.house import AGENT, House
from tillkey_server.ids import new_token
from tillkey_server.store import tables
from tillkey_server.usecases.license import change_standing
from tillkey_server.usecases.review import propose_refunds

CORE, EXTENSION = "nexopos-core", "nexopos-multistore"
OWNER = "owner@shop.example"


async def told(client: httpx.AsyncClient, method: str, path: str, body: dict[str, Any], status: int = 200) -> Any:
    answer = await client.request(method, path, json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def catalogue(client: httpx.AsyncClient) -> None:
    """A core, and an extension that requires it."""
    await told(
        client,
        "POST",
        "/v1/products",
        {"code": CORE, "name": "Core", "key_prefix": "NXC", "price": "99.00 USD", "policy": "nexopos"},
        201,
    )
    await told(client, "PATCH", f"/v1/products/{CORE}", {"kind": "core"})
    await told(client, "PATCH", f"/v1/products/{EXTENSION}", {"kind": "module", "requires": [CORE]})


async def preview(client: httpx.AsyncClient, *products: str, **more: Any) -> dict[str, Any]:
    body = {"customer": OWNER, "lines": [{"product": one} for one in products], **more}
    found: dict[str, Any] = await told(client, "POST", "/v1/orders/preview", body)
    return found


async def order(client: httpx.AsyncClient, *products: str, **more: Any) -> dict[str, Any]:
    body = {"number": new_token(), "customer": OWNER, "lines": [{"product": one} for one in products], **more}
    found: dict[str, Any] = await told(client, "POST", "/v1/orders", body, 201)
    return found


@pytest.mark.clause("NX-10", "NX-11")
async def test_an_extension_is_sold_to_who_holds_the_core_or_buys_it_with_it(house: House, callers: Callers) -> None:
    client = await callers.client()
    await catalogue(client)
    alone = await preview(client, EXTENSION)
    assert (alone["decision"], alone["code"]) == ("deny", "prereq_core_license_missing")
    assert {"NX-10", "NX-11"} <= set(alone["clauses"])
    assert "license of that is needed first" in alone["words"]
    together = await preview(client, CORE, EXTENSION)
    assert (together["decision"], together["code"]) == ("allow", "sale_allowed")
    assert {"NX-10", "NX-11", "NX-12"} <= set((await preview(client, EXTENSION, CORE))["clauses"])
    placed = await order(client, CORE, EXTENSION)
    assert (placed["under_review"], len(placed["licenses"])) == (False, 2)
    assert (await preview(client, EXTENSION))["code"] == "sale_allowed"
    # Somebody else's core is nobody's prerequisite.
    other = {"customer": "other@shop.example", "lines": [{"product": EXTENSION}]}
    assert (await told(client, "POST", "/v1/orders/preview", other))["code"] == "prereq_core_license_missing"


@pytest.mark.clause("NX-10", "NX-11")
@pytest.mark.parametrize("kind", ["support", "service", "customization"])
async def test_what_is_bought_for_a_core_is_no_core_for_an_extension_in_the_same_cart(
    house: House, callers: Callers, kind: str
) -> None:
    client = await callers.client()
    await catalogue(client)
    lines = [{"product": EXTENSION}, {"product": CORE, "kind": kind, "beside": 0, "price": "9.00 USD"}]
    found = await told(client, "POST", "/v1/orders/preview", {"customer": OWNER, "lines": lines})
    assert (found["decision"], found["code"]) == ("deny", "prereq_core_license_missing")
    assert {"NX-10", "NX-11"} <= set(found["clauses"])


@pytest.mark.clause("NX-10")
async def test_an_extension_of_another_extension_asks_for_that_one(house: House, callers: Callers) -> None:
    client = await callers.client()
    await told(client, "PATCH", "/v1/products/pos-loyalty", {"requires": ["pos-core"]})
    missing = await preview(client, "pos-loyalty")
    assert (missing["code"], missing["clauses"], missing["facts"]["requires"]) == (
        "prereq_missing",
        ["NX-10"],
        "pos-core",
    )
    await house.license()
    assert (await preview(client, "pos-loyalty"))["code"] == "sale_allowed"


@pytest.mark.clause("NX-11")
async def test_a_trial_of_the_core_and_a_revoked_core_do_not_count(house: House, callers: Callers) -> None:
    client = await callers.client()
    await told(client, "PATCH", "/v1/products/pos-loyalty", {"requires": ["pos-core"]})
    await told(client, "PATCH", "/v1/products/pos-core", {"kind": "core", "policy": "trying"})
    await told(client, "POST", "/v1/licenses/trial", {"product": "pos-core", "customer": OWNER}, 201)
    found = await preview(client, "pos-loyalty")
    assert (found["code"], "NX-11" in found["clauses"]) == ("prereq_core_license_missing", True)
    bought = await house.license()
    assert (await preview(client, "pos-loyalty"))["decision"] == "allow"
    await change_standing(house.services, bought.license_id, event="revoke", actor=AGENT, reason="a test")
    assert (await preview(client, "pos-loyalty"))["code"] == "prereq_core_license_missing"


@pytest.mark.clause("NX-12")
async def test_support_for_the_core_must_run_at_the_payment_or_be_renewed_with_it(
    house: House, callers: Callers
) -> None:
    client = await callers.client()
    await catalogue(client)
    core = (await order(client, CORE))["licenses"][0]["license_id"]
    house.clock.turn(days=400)
    late = await preview(client, EXTENSION)
    assert (late["code"], "NX-12" in late["clauses"], late["options"]) == (
        "prereq_core_support_expired",
        True,
        ["renew_prerequisite"],
    )
    assert late["facts"]["support_until"] == "2027-03-02T23:00:00Z"
    assert (await preview(client, EXTENSION, renews=[core]))["code"] == "sale_allowed"
    # The payment's instant decides, to the last second of the last day.
    assert (await preview(client, EXTENSION, paid_at="2027-03-02T22:59:59Z"))["code"] == "sale_allowed"
    assert (await preview(client, EXTENSION, paid_at="2027-03-02T23:00:00Z"))["decision"] == "deny"
    # Money that came for it is not lost: the order is on record, without a key.
    held = await order(client, EXTENSION)
    assert (held["under_review"], held["licenses"], held["decision"]["code"]) == (True, [], "order_under_review")
    assert held["decision"]["facts"]["reason"] == "prereq_core_support_expired"
    assert "NX-12" in held["decision"]["clauses"]
    released = await told(client, "POST", f"/v1/orders/{held['id']}/release", {"reason": "renewed by phone"})
    assert [bool(one["license_key"]) for one in released["licenses"]] == [True]


@pytest.mark.clause("NX-10", "NX-12")
async def test_where_the_terms_say_so_the_opening_of_the_checkout_decides(house: House, callers: Callers) -> None:
    """Reading 2, by the other value of `prerequisite_instant`: paid after the core's support, opened before its end."""
    client = await callers.client()
    await catalogue(client)
    await house.new_terms("nexopos", ('prerequisite_instant = "payment"', 'prerequisite_instant = "cart"'))
    await order(client, CORE)
    house.clock.turn(days=366)
    opened = ("2027-03-02T22:59:59Z", "2027-03-02T23:00:00Z")
    placed = [await order(client, EXTENSION, cart_at=at) for at in opened]
    assert [one["under_review"] for one in placed] == [False, True]
    assert "NX-12" in placed[1]["decision"]["clauses"]


@pytest.mark.clause("NX-10")
async def test_an_order_that_waits_gives_no_key_when_it_is_told_again(house: House, callers: Callers) -> None:
    client = await callers.client()
    await catalogue(client)
    body = {"number": "A-1", "customer": OWNER, "lines": [{"product": EXTENSION}]}
    first = await told(client, "POST", "/v1/orders", body, 201)
    again = await told(client, "POST", "/v1/orders", body, 200)
    assert (first["id"], first["licenses"], again["licenses"]) == (again["id"], [], [])
    assert "NX-10" in first["decision"]["clauses"]
    released = await told(client, "POST", f"/v1/orders/{first['id']}/release", {"reason": "a gift"})
    after = await told(client, "POST", "/v1/orders", body, 200)
    assert [one["license_id"] for one in after["licenses"]] == [one["license_id"] for one in released["licenses"]]
    refused = await told(client, "POST", f"/v1/orders/{first['id']}/release", {"reason": "again"}, 409)
    assert refused["code"] == "order_not_under_review"


@pytest.mark.clause("NX-10", "BC-21")
@pytest.mark.parametrize("link", ["requires", "parts"])
async def test_what_would_lead_back_to_itself_is_refused(house: House, callers: Callers, link: str) -> None:
    client = await callers.client()
    await told(client, "PATCH", "/v1/products/pos-loyalty", {link: ["pos-core"]})
    answer = await told(client, "PATCH", "/v1/products/pos-core", {link: ["pos-loyalty"]}, 400)
    assert "leads back to itself" in answer["detail"]
    await told(client, "PATCH", "/v1/products/pos-core", {link: ["pos-core"]}, 400)
    await told(client, "PATCH", "/v1/products/pos-core", {link: ["nothing"]}, 400)


@pytest.mark.clause("ZG-21")
async def test_only_who_attests_to_be_a_professional_buys_and_the_prevailing_text_is_named(
    house: House, callers: Callers
) -> None:
    client = await callers.client()
    product = "01generator-price-import"
    for customer_type in (None, "consumer"):
        found = await preview(client, product, customer_type=customer_type)
        assert (found["code"], found["clauses"]) == ("buyer_not_professional", ["ZG-21"])
    sold = await order(client, product, customer_type="professional")
    assert (sold["decision"]["code"], "ZG-21" in sold["decision"]["clauses"]) == ("sale_allowed", True)
    assert sold["decision"]["facts"]["authoritative_language"] == "el"
    assert sold["decision"]["facts"]["effective_from"] == "2022-08-24"
    assert sold["decision"]["facts"]["authoritative_statement"].startswith("The Greek text")
    kept = (await client.get(f"/v1/orders/{sold['id']}")).json()
    version = house.services.policies.offered("01generator").version
    assert (kept["customer_type"], kept["lines"][0]["policy"]) == (
        "professional",
        {"name": "01generator", "version": version},
    )
    license_id = sold["licenses"][0]["license_id"]
    disputed = await client.post(f"/v1/licenses/{license_id}/refunds/preview", json={"reasons": ["not_as_described"]})
    explained = (await client.get(f"/v1/licenses/{license_id}/explain")).json()["license"]["policy"]
    for told in (disputed.json()["facts"], explained):
        assert (told["authoritative_language"], told["effective_from"]) == ("el", "2022-08-24")
        assert told["authoritative_statement"].startswith("The Greek text")


@pytest.mark.clause("CJ-02")
async def test_a_legal_hold_on_anything_of_the_buyers_blocks_every_order(house: House, callers: Callers) -> None:
    client = await callers.client()
    sold = await house.license("crmjetty-customer-portal")
    await change_standing(house.services, sold.license_id, event="hold", actor=AGENT, reason="a complaint")
    found = await preview(client, "crmjetty-customer-portal")
    assert (found["decision"], found["code"], "CJ-02" in found["clauses"]) == ("deny", "legal_hold", True)
    placed = await order(client, "crmjetty-customer-portal")
    assert (placed["under_review"], placed["decision"]["facts"]["reason"]) == (True, "legal_hold")
    refused = await told(client, "POST", f"/v1/orders/{placed['id']}/release", {"reason": "please"}, 403)
    assert (refused["code"], "CJ-02" in refused["clauses"]) == ("legal_hold", True)
    await change_standing(house.services, sold.license_id, event="release_hold", actor=AGENT, reason="cleared")
    released = await told(client, "POST", f"/v1/orders/{placed['id']}/release", {"reason": "cleared"})
    assert len(released["licenses"]) == 1


@pytest.mark.clause("BC-19", "BC-20")
async def test_what_is_offline_is_not_sold_and_every_till_of_it_goes_on(house: House, callers: Callers) -> None:
    client, product = await callers.client(), "prestashop-click-collect"
    key = await house.key(product)
    till, second = house.till(product=product), house.till(product=product)
    await till.activate(key)
    done = await told(client, "POST", f"/v1/products/{product}/offline", {})
    assert done["code"] == "product_offline_service_continues"
    assert {"BC-19", "BC-20"} <= set(done["clauses"])
    found = await preview(client, product)
    assert (found["code"], found["clauses"]) == ("product_not_on_sale", ["BC-19"])
    refused = await told(client, "POST", "/v1/licenses", {"product": product, "customer": OWNER}, 409)
    assert (refused["code"], refused["clauses"]) == ("product_not_on_sale", ["BC-19"])
    checked = await house.http.post("/v1/licenses/check", json={"license_key": key, "product": product})
    assert checked.json()["usable"] is True
    assert (await till.heartbeat()).status == 200
    ticket = (await till.move("production")).body["ticket"]
    assert (await second.activate(key, move_ticket=ticket)).status == 201
    assert (await second.deactivate()).status == 200
    # A new activation of what was bought works, as when a server moves.
    assert (await house.till(product=product).activate(key)).status == 201
    back = await told(client, "POST", f"/v1/products/{product}/online", {})
    assert (back["code"], (await preview(client, product))["code"]) == ("product_online", "sale_allowed")


@pytest.mark.clause("BC-21")
async def test_a_bundle_is_on_sale_while_all_of_its_parts_are_at_any_depth(house: House, callers: Callers) -> None:
    client, part = await callers.client(), "prestashop-click-collect"
    for code, parts in (("inner", [part]), ("outer", ["inner", "01generator-price-import"])):
        body = {"code": code, "name": code, "key_prefix": "BUN", "price": "100.00 EUR", "policy": "prestashop-care"}
        await told(client, "POST", "/v1/products", body, 201)
        await told(client, "PATCH", f"/v1/products/{code}", {"parts": parts})
    assert (await preview(client, "outer"))["code"] == "sale_allowed"
    await told(client, "POST", "/v1/licenses", {"product": "outer", "customer": OWNER}, 400)
    done = await told(client, "POST", f"/v1/products/{part}/offline", {})
    assert done["facts"]["bundles"] == ["inner", "outer"]
    found = await preview(client, "outer")
    assert (found["code"], found["clauses"], found["facts"]["part"]) == ("bundle_not_on_sale", ["BC-21"], "inner")
    await told(client, "POST", f"/v1/products/{part}/online", {})
    sold = await order(client, "outer", "pos-core")
    assert [(line["product"], line["bundle"], len(line["license_ids"])) for line in sold["lines"]] == [
        (part, "outer", 1),
        ("01generator-price-import", "outer", 1),
        ("pos-core", None, 1),
    ]
    # Shares of 100.00 by list prices of 129.99 and 59.99, which add up to it.
    assert [line["price"] for line in sold["lines"][:2]] == ["68.42 EUR", "31.58 EUR"]
    number = {"number": sold["number"], "customer": OWNER, "lines": [{"product": "outer"}, {"product": "pos-core"}]}
    await told(client, "PATCH", "/v1/products/outer", {"parts": [part]})
    again = await told(client, "POST", "/v1/orders", number, 200)
    assert len(again["licenses"]) == 3
    await told(client, "POST", f"/v1/products/{part}/retire", {})
    assert (await preview(client, "outer"))["code"] == "bundle_not_on_sale"


@pytest.mark.clause("BC-22")
async def test_what_is_retired_is_sold_no_more_and_never_again(house: House, callers: Callers) -> None:
    client, product = await callers.client(), "prestashop-click-collect"
    key = await house.key(product)
    done = await told(client, "POST", f"/v1/products/{product}/retire", {})
    assert (done["code"], done["clauses"]) == ("product_retired", ["BC-22"])
    assert (await preview(client, product))["code"] == "product_retired"
    for verb in ("online", "offline", "retire"):
        refused = await told(client, "POST", f"/v1/products/{product}/{verb}", {}, 409)
        assert (refused["code"], refused["clauses"]) == ("product_retired", ["BC-22"])
    assert (await house.till(product=product).activate(key)).status == 201


@pytest.mark.clause("BC-37")
async def test_no_key_before_the_check_is_over_and_the_clocks_start_then(house: House, callers: Callers) -> None:
    client, product = await callers.client(), "prestashop-click-collect"
    placed = await order(client, product, under_review=True, channel="manual", number="A-1")
    assert (placed["licenses"], placed["decision"]["code"]) == ([], "order_under_review")
    # Nor by the other way on which a key is given.
    by_agent = {"product": product, "customer": OWNER, "order": "A-1"}
    refused = await told(client, "POST", "/v1/licenses", by_agent, 409)
    assert (refused["code"], refused["clauses"]) == ("order_under_review", ["BC-37"])
    assert "BC-37" in placed["decision"]["clauses"]
    house.clock.turn(days=10)
    released = await told(client, "POST", f"/v1/orders/{placed['id']}/release", {"reason": "all is well"})
    assert (released["decision"]["code"], released["decision"]["clauses"]) == ("order_released", ["BC-37"])
    steps = (await client.get(f"/v1/orders/{placed['id']}")).json()["reviews"]
    assert [(one["kind"], one["reason"]) for one in steps] == [
        ("held", "the shop's check"),
        ("released", "all is well"),
    ]
    shown = (await client.get(f"/v1/licenses/{released['licenses'][0]['license_id']}/explain")).json()
    assert shown["clocks"]["support"]["last_day"] == "2027-03-12"


@pytest.mark.clause("BC-37")
async def test_a_hold_refuses_a_new_till_and_lowers_none_that_runs(house: House, callers: Callers) -> None:
    client, product = await callers.client(), "prestashop-click-collect"
    placed = await order(client, product)
    key = placed["licenses"][0]["license_key"]
    till = house.till(product=product)
    await till.activate(key)
    held = await told(client, "POST", f"/v1/orders/{placed['id']}/hold", {"reason": "a stolen card?"})
    assert (held["code"], held["clauses"]) == ("order_under_review", ["BC-37"])
    assert (await till.heartbeat()).status == 200
    assert (await till.deactivate()).status == 200
    new = await house.till(product=product).activate(key)
    assert (new.status, new.code, new.body["clauses"]) == (409, "order_under_review", ["BC-37"])
    await told(client, "POST", f"/v1/orders/{placed['id']}/release", {"reason": "all is well"})
    assert (await house.till(product=product).activate(key)).status == 201


@pytest.mark.clause("BC-37")
async def test_a_check_that_takes_too_long_proposes_a_refund_once(house: House, callers: Callers) -> None:
    client = await callers.client()
    placed = await order(client, "prestashop-click-collect", under_review=True)
    house.clock.turn(days=29, hours=23)
    assert await propose_refunds(house.services) == 0
    house.clock.turn(hours=1)
    assert [await propose_refunds(house.services) for _ in range(2)] == [1, 0]
    async with house.services.db.reading() as tx:
        told = await tx.execute(select(tables.outbox.c.subject).where(tables.outbox.c.kind == "order_refund_proposed"))
        assert [*told.scalars()] == [placed["id"]]
    listed = (await client.get("/v1/audit", params={"code": "order_refund_proposed"})).json()["items"]
    assert [(one["outcome"], one["clauses"], one["facts"]["order"]) for one in listed] == [
        ("pend", ["BC-37"], placed["id"])
    ]


@pytest.mark.clause("BC-37")
async def test_a_released_order_tells_from_when_until_when_it_was_held(house: House, callers: Callers) -> None:
    client = await callers.client()
    placed = await order(client, "prestashop-click-collect")
    house.clock.turn(days=1)
    await told(client, "POST", f"/v1/orders/{placed['id']}/hold", {"reason": "a stolen card?"})
    house.clock.turn(days=2)
    released = await told(client, "POST", f"/v1/orders/{placed['id']}/release", {"reason": "all is well"})
    shown = (await client.get(f"/v1/orders/{placed['id']}")).json()
    for one in (released, shown):
        assert (one["under_review"], one["held_at"], one["released_at"]) == (
            False,
            "2026-03-03T09:00:00Z",
            "2026-03-05T09:00:00Z",
        )


@pytest.mark.clause("BC-37")
async def test_a_check_that_takes_too_long_is_found_behind_any_number_that_no_terms_end(
    house: House, callers: Callers
) -> None:
    client = await callers.client()
    for _ in range(3):
        await order(client, "netposa-terminal", under_review=True)
    house.clock.turn(minutes=1)
    placed = await order(client, "prestashop-click-collect", under_review=True)
    house.clock.turn(days=30)
    assert await propose_refunds(house.services, batch=2) == 1
    steps = (await client.get(f"/v1/orders/{placed['id']}")).json()["reviews"]
    assert [one["kind"] for one in steps] == ["held", "refund_proposed"]


@pytest.mark.clause("NX-12", "NX-18")
async def test_support_that_was_lost_on_a_transfer_counts_for_no_extension_until_the_new_owner_pays_for_some(
    house: House, callers: Callers
) -> None:
    client = await callers.client()
    await catalogue(client)
    core = (await order(client, CORE))["licenses"][0]["license_id"]
    buyer = "b@shop.example"
    await house.license("pos-core", buyer)
    await told(client, "POST", f"/v1/licenses/{core}/transfer", {"customer": buyer, "reason": "sold"})
    body = {"customer": buyer, "lines": [{"product": EXTENSION}]}
    refused = await told(client, "POST", "/v1/orders/preview", body)
    assert (refused["code"], "NX-12" in refused["clauses"]) == ("prereq_core_support_expired", True)
    paid = {"channel": "manual", "number": "R-1", "amount": "30.00 USD", "months": 12}
    await told(client, "POST", f"/v1/licenses/{core}/renewals", paid, 201)
    assert (await told(client, "POST", "/v1/orders/preview", body))["code"] == "sale_allowed"
