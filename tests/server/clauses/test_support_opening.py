"""BC-08, BC-09, BC-17 and BC-36 through the API: what counts is how it stood when the request was opened, or bought."""

from datetime import timedelta

import pytest

from tests.support.callers import Callers
from tests.support.help_desk import CARE, HelpDesk, help_desk
from tests.support.house import House
from tests.support.refunding import own_terms
from tests.support.renewing import care, renew
from tillkey_server.store import products
from tillkey_server.usecases.catalogue import change_product
from tillkey_server.usecases.services import open_services

PAGE = {"platform": {"from": "1.7", "to": "8.1"}, "features": ["collect"]}


async def lapsed_and_reactivated(house: House, callers: Callers) -> tuple[HelpDesk, str]:
    """Care that ended on day 365 and was bought again on day 380; a desk, and an instant of the gap."""
    desk = await help_desk(house, callers, CARE)
    gap = (house.clock.now() + timedelta(days=370)).isoformat()
    house.clock.turn(days=380)
    renewed = await renew(await callers.client(), str(desk.sold.license_id))
    assert renewed.status_code == 201, renewed.text
    return desk, gap


@pytest.mark.clause("BC-17", "BC-01")
async def test_what_came_in_a_gap_of_care_came_without_care(house: House, callers: Callers) -> None:
    """The status at the opening decides, whatever was paid since; and what came before the gap had it."""
    desk, gap = await lapsed_and_reactivated(house, callers)
    told = await desk.open(received_at=gap)
    inactive = await care(await callers.client(), str(desk.sold.license_id), at=gap)
    assert (told["code"], "BC-01" in told["clauses"], inactive["code"]) == (
        "nosup_support_expired",
        True,
        "care_inactive",
    )
    assert told["facts"]["support_until"] == "2027-03-02T23:00:00Z"
    before = (house.clock.now() - timedelta(days=30)).isoformat()
    assert (await desk.preview(received_at=before))["code"] == "support_task_ok"
    assert (await desk.preview())["code"] == "support_task_ok"


@pytest.mark.clause("BC-17", "BC-34")
async def test_who_asks_without_care_is_shown_that_and_what_its_reactivation_costs(
    house: House, callers: Callers
) -> None:
    desk = await help_desk(house, callers, CARE)
    till = house.till(product=CARE)
    assert (await till.activate(desk.sold.license_key, site="https://shop.example")).status == 201
    opened = (await desk.open())["request"]["care_banner"]
    assert (opened["active"], opened["product"], opened["site"]) == (True, CARE, "https://shop.example")
    house.clock.turn(days=366)
    refused = await desk.open()
    assert (refused["code"], {"BC-17", "BC-34"} <= set(refused["clauses"])) == ("nosup_support_expired", True)
    status = refused["facts"]["care"]
    assert (status["code"], status["active"], status["product"], status["site"]) == (
        "care_inactive",
        False,
        CARE,
        "https://shop.example",
    )
    assert (status["quote"]["code"], status["quote"]["price"]) == ("reactivation_quote", "175.49 EUR")


@pytest.mark.clause("BC-18")
async def test_no_answer_about_a_request_is_kept_by_a_cache(house: House, callers: Callers) -> None:
    """Whoever shows the banner asks again: it is never older than the answer."""
    desk = await help_desk(house, callers, CARE)
    await desk.open()
    place = f"/v1/support-requests/{desk.request_id}"
    answers = [
        await desk.http.post("/v1/support-requests/preview", json=desk.question()),
        await desk.http.post("/v1/support-requests", json=desk.question()),
        await desk.http.get("/v1/support-requests"),
        await desk.http.get(place),
        await desk.http.post(f"{place}/events", json={"kind": "accepted"}),
    ]
    assert [one.headers.get("cache-control") for one in answers] == ["no-store"] * len(answers)


@pytest.mark.clause("BC-09")
@pytest.mark.parametrize(("counts", "same"), [("true ", True), ("false", False)])
async def test_whether_the_staging_of_a_shop_is_the_shop_is_the_terms_to_say(
    house: House, counts: str, same: bool
) -> None:
    text = own_terms("own-site", "prestashop-care", ("staging_is_site = true ", f"staging_is_site = {counts}"))
    (house.services.settings.policies_dir / "own-site.toml").write_text(text, "utf-8")
    services = await open_services(house.services.settings, house.clock)
    try:
        await change_product(services, CARE, policy="own-site", actor="cli:test")
        async with Callers(services) as callers:
            desk = await help_desk(House(services, house.clock, house.http), callers, CARE)
            till = house.till(product=CARE)
            await till.activate(desk.sold.license_key, environment="staging", site="https://staging.shop.example")
            told = await desk.preview(site="staging.shop.example")
            assert (told["decision"] == "allow", "nosup_other_site" in told["code"]) == (same, not same)
    finally:
        await services.close()


@pytest.mark.clause("BC-17", "BC-15", "BC-36")
async def test_a_question_that_is_converted_while_care_has_lapsed_may_be_refused_for_that(
    house: House, callers: Callers
) -> None:
    desk = await help_desk(house, callers, CARE)
    body = {"task": "does_it_ship", "presale": True, "product": CARE, "customer_id": desk.customer_id}
    asked = await desk.http.post("/v1/support-requests", json=body)
    desk.request_id = asked.json()["request"]["id"]
    house.clock.turn(days=370)
    converted = await desk.event("converted", license_id=str(desk.sold.license_id))
    assert (converted["code"], converted["request"]["care_banner"]["active"]) == ("ticket_converted", False)
    house.clock.turn(days=10)
    await renew(await callers.client(), str(desk.sold.license_id))
    refused = await desk.event("refused", code="nosup_support_expired", evidence="care had lapsed")
    assert refused["code"] == "request_refused"


@pytest.mark.clause("BC-15", "BC-17")
async def test_what_was_opened_while_care_ran_is_not_refused_because_it_lapsed(house: House, callers: Callers) -> None:
    desk = await help_desk(house, callers, CARE)
    await desk.open()
    house.clock.turn(days=380)
    refused = await desk.event("refused", code="nosup_support_expired", evidence="lapsed")
    assert (refused["code"], refused["facts"]["because"]) == ("refusal_not_permitted", "support_ran_at_receipt")


@pytest.mark.clause("BC-36", "BC-03", "BC-06")
async def test_what_is_about_a_license_that_was_paid_for_is_not_before_the_purchase(
    house: House, callers: Callers
) -> None:
    """Whatever the desk called it: its clocks run, and it needs care."""
    desk = await help_desk(house, callers, CARE)
    told = await desk.open(presale=True)
    assert (told["code"], told["facts"]["presale"], told["request"]["presale"]) == ("support_task_ok", False, False)
    assert {one["clock"] for one in told["request"]["clocks"]} == {"ack", "fix"}
    before = (house.clock.now() - timedelta(seconds=1)).isoformat()
    assert (await desk.open(presale=True, received_at=before))["code"] == "ticket_presale"
    house.clock.turn(days=366)
    assert (await desk.open(presale=True))["code"] == "nosup_support_expired"


@pytest.mark.clause("BC-08")
async def test_a_feature_counts_as_the_page_promised_it_at_the_purchase(house: House, callers: Callers) -> None:
    desk = await help_desk(house, callers, CARE, advertised=PAGE)
    async with house.services.db.writing() as tx:
        row = await products.by_code(tx, CARE)
        assert row is not None
        await products.change(tx, row.id, {"advertised": {**PAGE, "features": ["delivery"]}})
    kept = await desk.preview(platform_version="8.1", feature="collect")
    new = await desk.preview(platform_version="8.1", feature="delivery")
    assert "may_refuse" not in kept["facts"]
    assert new["facts"]["may_refuse"] == ["nosup_not_advertised_feature"]


@pytest.mark.clause("BC-08")
async def test_what_one_language_of_the_page_announced_was_promised_to_every_buyer(
    house: House, callers: Callers
) -> None:
    """Features are words without a language: the page's French text announces `gift_wrap`, its English one does not."""
    desk = await help_desk(house, callers, CARE)
    admin = await callers.client()
    english, french = ["collect"], ["collect", "gift_wrap"]

    async def announced(*features: str) -> None:
        body = {"advertised": {**PAGE, "features": sorted({*features})}}
        assert (await admin.patch(f"/v1/products/{CARE}", json=body)).status_code == 200

    await announced(*english, *french)
    order = {"number": "R-1", "customer": "owner@shop.example", "customer_type": "professional"}
    sold = await admin.post("/v1/orders", json={**order, "lines": [{"product": CARE}]})
    assert sold.status_code == 201, sold.text
    await announced(*english)
    about = {"license_id": sold.json()["licenses"][0]["license_id"], "platform_version": "8.1"}
    codes = {}
    for feature in ("collect", "gift_wrap", "delivery"):
        told = await desk.preview(feature=feature, **about)
        codes[feature] = told["facts"].get("may_refuse")
        assert ("BC-08" in told["clauses"]) == (feature == "delivery")
    assert codes == {"collect": None, "gift_wrap": None, "delivery": ["nosup_not_advertised_feature"]}
