"""Updates through the API, each clause under the terms of its own vendor."""

from datetime import UTC, datetime, timedelta
from itertools import product as product_of
from typing import Any

import pytest
from sqlalchemy import select

from tests.support.callers import Callers
from tests.support.help_desk import help_desk
from tests.support.house import House
from tillkey_server.store import downloads, products, tables
from tillkey_server.usecases import software_release
from tillkey_server.usecases.license import change_standing

KEPT, TIED, SUPPORTED, CARED = "pos-core", "nexopos-multistore", "01generator-price-import", "prestashop-click-collect"
BOUGHT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
async def http(house: House):
    async with Callers(house.services) as callers:
        yield await callers.client()


async def publish(http, product: str, version: str, *, expect: int = 201, **more: Any) -> dict[str, Any]:
    """Publish a release and return the answer."""
    body = {"version": version, "kind": "feature", "sha256": "ab" * 32, "size": 1, "url": "https://files.example/x"}
    answer = await http.post(f"/v1/products/{product}/releases", json=body | more)
    assert answer.status_code == expect, answer.text
    return answer.json()


async def best(http, sold, **asked: Any) -> dict[str, Any]:
    """Ask what a license may have."""
    answer = await http.post(f"/v1/licenses/{sold.license_id}/updates/preview", json=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def download(http, sold, version: str, **asked: Any):
    """Begin a download."""
    return await http.post(f"/v1/licenses/{sold.license_id}/downloads", json={"version": version, **asked})


def told(answer: dict[str, Any]) -> tuple[str, str | None, list[str]]:
    return answer["code"], answer["facts"].get("version"), answer["clauses"]


@pytest.mark.clause("NX-15", "X-01")
async def test_what_came_before_the_updates_end_is_kept_and_what_comes_at_it_is_closed(house, http):
    await publish(http, KEPT, "1.0")
    sold = await house.license(KEPT)
    end = datetime(2027, 3, 3, tzinfo=UTC)
    house.clock.instant = end - timedelta(seconds=1)
    await publish(http, KEPT, "1.1")
    house.clock.instant = end
    await publish(http, KEPT, "1.2")
    assert told(await best(http, sold)) == ("update_available", "1.1", ["NX-15"])
    refused = await best(http, sold, version="1.2")
    assert told(refused) == ("update_support_expired", "1.2", ["NX-15"])
    assert (refused["facts"]["last_entitled_version"], refused["facts"]["clock_ends_at"]) == (
        "1.1",
        "2027-03-03T00:00:00Z",
    )
    denied = await download(http, sold, "1.2")
    assert (denied.status_code, denied.json()["code"]) == (409, "update_support_expired")
    await publish(http, KEPT, "1.3", always_free=True, kind="security")
    assert told(await best(http, sold))[:2] == ("update_available", "1.3")


@pytest.mark.clause("ZG-16", "ZG-20")
async def test_updates_that_are_part_of_support_end_with_it_and_leave_the_version_that_was_bought(house, http):
    await publish(http, SUPPORTED, "1.7.8.2")
    sold = await house.license(SUPPORTED)
    house.clock.turn(days=30)
    await publish(http, SUPPORTED, "1.7.8.11")
    assert told(await best(http, sold)) == ("update_available", "1.7.8.11", ["ZG-16", "ZG-20"])
    house.clock.turn(days=90)
    assert told(await best(http, sold)) == ("update_available", "1.7.8.2", ["ZG-20"])
    assert told(await best(http, sold, version="1.7.8.11"))[0] == "update_support_expired"
    again = await download(http, sold, "1.7.8.2")
    assert (again.status_code, again.json()["code"]) == (201, "download_granted")


@pytest.mark.clause("ZG-19")
async def test_an_old_platform_gets_the_last_release_that_runs_on_it(house, http):
    await publish(http, SUPPORTED, "1.1", platform_min="1.7.0", platform_max="1.7")
    await publish(http, SUPPORTED, "2.0", platform_min="8.0")
    sold = await house.license(SUPPORTED)
    found = told(await best(http, sold, platform_version="1.7.8.11"))
    assert found[:2] == ("update_available", "1.1")
    assert "ZG-19" in found[2]
    none = await best(http, sold, platform_version="1.6.1.24")
    assert told(none) == ("update_none_for_platform", None, ["ZG-19"])
    assert none["words"] == "No version runs on platform 1.6.1.24."


@pytest.mark.clause("ZG-15", "BC-16")
async def test_an_update_is_offered_by_each_vendors_own_words_and_is_no_correction(house, http):
    for product in (SUPPORTED, CARED):
        await publish(http, product, "2.0")
    for product, paid, code, clause in (
        (SUPPORTED, None, "resolution_update_too_new", "ZG-15"),
        (CARED, False, "update_free", "BC-16"),
        (CARED, True, "update_paid", "BC-16"),
    ):
        sold = await house.license(product)
        body = {"version": "2.0", "requested_at": "2026-03-02T08:59:59Z", "paid": paid}
        answer = (await http.post(f"/v1/licenses/{sold.license_id}/update-offers/preview", json=body)).json()
        assert (answer["code"], answer["clauses"]) == (code, [clause])
        assert answer["facts"]["is_correction"] is False
    sold = await house.license(SUPPORTED)
    body = {"version": "2.0", "requested_at": "2026-03-02T09:00:00Z"}
    answer = (await http.post(f"/v1/licenses/{sold.license_id}/update-offers/preview", json=body)).json()
    assert answer["code"] == "resolution_update"


@pytest.mark.clause("ZG-15", "BC-16")
@pytest.mark.parametrize("product", [SUPPORTED, CARED, TIED])
async def test_an_offer_is_recorded_exactly_where_its_preview_allows_it(house, http, callers, product):
    """What whoever records it says of the day of publication counts for nothing beside the release on record."""
    desk = await help_desk(house, callers, product)
    await publish(http, product, "1.0")
    received = (await desk.open())["request"]["received_at"]
    house.clock.turn(days=1)
    await publish(http, product, "2.0")
    place = f"/v1/licenses/{desk.sold.license_id}/update-offers/preview"
    for version, more in product_of(("1.0", "2.0"), ({}, {"paid": False}, {"paid": True})):
        about = {"version": version, **more}
        asked = (await http.post(place, json={**about, "requested_at": received})).json()
        told = await desk.event("update_offered", **about, published_at=received)
        assert (about, told["code"], told["clauses"]) == (about, asked["code"], asked["clauses"])
        assert ("request" in told) is (asked["decision"] == "allow")


@pytest.mark.clause("NX-26")
@pytest.mark.parametrize("size", [1, 2])
async def test_a_fix_is_told_to_every_owner_however_many_there_are(house, http, monkeypatch, size):
    """They are read by batches: of three owners the last is in a batch of its own."""
    monkeypatch.setattr(software_release, "_BATCH", size)
    sold = [await house.license(TIED, f"{name}@shop.example") for name in ("first", "second", "third")]
    reports = [{"license_id": str(sold[0].license_id), "reported_at": house.clock.now().isoformat()}]
    fix = await publish(http, TIED, "1.1", kind="corrective", fixes=reports)
    assert (fix["code"], fix["clauses"], fix["owners"]) == ("fix_released", ["NX-26"], 3)


@pytest.mark.clause("NX-26", "BC-30")
@pytest.mark.parametrize("product,clause", [(TIED, "NX-26"), (CARED, "BC-30")])
async def test_a_fix_concerns_every_entitled_owner_and_whoever_reported_it_in_time(house, http, product, clause):
    late = await house.license(product, "late@shop.example")
    reporter = await house.license(product, "reporter@shop.example")
    await publish(http, product, "1.0")
    house.clock.turn(days=400)
    await house.license(product, "new@shop.example")
    reports = [{"license_id": str(reporter.license_id), "reported_at": "2026-12-01T00:00:00Z"}]
    fix = await publish(http, product, "1.1", kind="corrective", fixes=reports)
    assert (fix["code"], fix["clauses"], fix["owners"]) == ("fix_released", [clause], 2)
    assert (await download(http, late, "1.1")).json()["code"] in {"update_support_expired", "update_site_not_bound"}
    if product == CARED:
        granted = (await download(http, reporter, "1.1")).json()
        assert clause in granted["clauses"]


@pytest.mark.clause("NX-27")
async def test_a_hotfix_is_for_a_severe_flaw_and_for_an_installation_of_its_own_license(house, http):
    await publish(http, TIED, "1.0")
    refused = await publish(http, TIED, "1.0.1", kind="hotfix", severity="minor", expect=409)
    assert (refused["code"], refused["clauses"]) == ("hotfix_not_justified", ["NX-27"])
    sold = await house.license(TIED)
    held = (await house.till(product=TIED).activate(sold.license_key)).granted
    fixed = await publish(http, TIED, "1.0.1", kind="hotfix", severity="data_integrity")
    assert (fixed["code"], fixed["clauses"][0]) == ("hotfix_allowed", "NX-27")
    granted = (await download(http, sold, "1.0.1", activation=held.sub)).json()
    assert granted["code"] == "download_granted"
    assert (await http.post("/v1/downloads/redeem", json={"grant": granted["grant"]})).status_code == 200
    other = await house.license(TIED)
    assert (await download(http, other, "1.0.1", activation=held.sub)).status_code == 400


@pytest.mark.clause("NX-51")
async def test_updates_are_served_to_the_bound_site_alone_and_the_bought_version_before_any(house, http):
    await publish(http, TIED, "1.0")
    sold = await house.license(TIED)
    house.clock.turn(days=1)
    await publish(http, TIED, "1.1")
    assert told(await best(http, sold))[:2] == ("update_available", "1.0")
    assert told(await best(http, sold, version="1.1")) == ("update_site_not_bound", "1.1", ["NX-51"])
    till = house.till(product=TIED)
    assert (await till.activate(sold.license_key, site="https://www.shop.example/")).status == 201
    assert told(await best(http, sold, version="1.1", site="else.example"))[0] == "update_site_not_bound"
    assert told(await best(http, sold, site="http://shop.example"))[:2] == ("update_available", "1.1")
    for _ in range(3):
        assert (await download(http, sold, "1.0")).status_code == 201


@pytest.mark.clause("BC-35", "BC-20")
async def test_a_care_includes_every_kind_of_update_and_goes_on_for_an_offline_product(house, http):
    sold = await house.license(CARED)
    for number, kind in enumerate(("security", "feature", "compatibility", "corrective")):
        await publish(http, CARED, f"1.{number}", kind=kind)
        answer = await best(http, sold)
        assert told(answer)[:2] == ("update_available", f"1.{number}")
    house.clock.turn(days=1)
    await publish(http, CARED, "2.0")
    async with house.services.db.writing() as tx:
        row = await products.by_code(tx, CARED)
        assert row is not None
        await products.change(tx, row.id, {"offline_at": house.clock.now()})
    answer = await best(http, sold)
    assert told(answer)[1] == "2.0"
    assert answer["facts"]["product"] == "offline"
    assert {"BC-35", "BC-20"} <= set(answer["clauses"])


@pytest.mark.clause("ZG-20", "NX-36", "BC-27")
async def test_a_grant_opens_one_release_for_an_hour_and_dies_with_the_license(house, http):
    await publish(http, KEPT, "1.0")
    sold = await house.license(KEPT)

    async def counted() -> int:
        async with house.services.db.reading() as tx:
            return await downloads.downloads_of(tx, sold.license_id)

    granted = (await download(http, sold, "1.0")).json()
    assert (granted["expires_at"], await counted()) == ("2026-03-02T10:00:00Z", 0)
    for _ in range(2):
        opened = await http.post("/v1/downloads/redeem", json={"grant": granted["grant"]})
        assert (opened.status_code, opened.json()["url"], await counted()) == (200, "https://files.example/x", 1)
    unknown = await http.post("/v1/downloads/redeem", json={"grant": granted["grant"] + "x"})
    assert (unknown.status_code, unknown.json()["facts"]) == (409, {"because": "unknown"})
    await change_standing(house.services, sold.license_id, event="revoke", actor="cli:test", reason="a test")
    assert (await http.post("/v1/downloads/redeem", json={"grant": granted["grant"]})).status_code == 403
    other = await house.license(KEPT)
    late = (await download(http, other, "1.0")).json()
    house.clock.turn(hours=1)
    refused = (await http.post("/v1/downloads/redeem", json={"grant": late["grant"]})).json()
    assert (refused["code"], refused["facts"]["because"]) == ("download_grant_invalid", "expired")


@pytest.mark.clause("NX-15")
async def test_a_version_is_published_once_and_a_withdrawn_one_is_downloaded_by_nobody(house, http):
    made = await publish(http, KEPT, "1.0")
    assert (await publish(http, KEPT, "1.0.0", expect=200))["code"] == "release_already_published"
    differing = await publish(http, KEPT, "1.0", expect=409, size=2)
    assert (differing["code"], differing["facts"]["differing"]) == ("release_differs", ["size"])
    sold = await house.license(KEPT)
    granted = (await download(http, sold, "1.0")).json()
    gone = await http.post(f"/v1/releases/{made['release']['id']}/withdraw", json={"reason": "it loses sales"})
    assert (gone.json()["code"], gone.json()["release"]["withdrawn_at"]) == (
        "release_withdrawn",
        "2026-03-02T09:00:00Z",
    )
    assert (await download(http, sold, "1.0")).json()["code"] == "update_withdrawn"
    refused = (await http.post("/v1/downloads/redeem", json={"grant": granted["grant"]})).json()
    assert refused["facts"]["because"] == "withdrawn"
    assert (await best(http, sold))["code"] == "update_none_published"


async def subjects(house: House, kind: str) -> list[str]:
    """Return whom a message of a kind is for, oldest first."""
    outbox = tables.outbox.c
    async with house.services.db.reading() as tx:
        found = await tx.execute(select(outbox.subject).where(outbox.kind == kind).order_by(outbox.id))
    return list(found.scalars())


@pytest.mark.clause("NX-26", "BC-30")
async def test_a_fix_that_was_forgotten_is_told_with_the_same_version_again(house, http):
    sold = [await house.license(TIED, f"{n}@shop.example") for n in range(2)]
    reported_at = house.clock.now().isoformat()
    house.clock.turn(days=400)
    owners = [(await http.get(f"/v1/licenses/{one.license_id}")).json()["customer_id"] for one in sold]
    assert (await publish(http, TIED, "2.1"))["owners"] == 0
    said: list[str] = []
    for n in range(2):
        fixes = [{"license_id": str(one.license_id), "reported_at": reported_at} for one in sold[: n + 1]]
        added = await publish(http, TIED, "2.1", fixes=fixes, expect=200)
        assert (added["code"], added["clauses"], added["owners"]) == ("fix_released", ["NX-26"], 1)
        told_again = await publish(http, TIED, "2.1", fixes=fixes, expect=200)
        assert (told_again["code"], told_again["owners"]) == ("release_already_published", 0)
        said.append(owners[n])
        assert await subjects(house, "fix_released") == said
