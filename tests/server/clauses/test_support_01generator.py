"""ZG-06 to ZG-17 through the API: an add-on seller's technical support."""

from datetime import UTC, datetime

import pytest

from tests.support.callers import Callers
from tests.support.help_desk import ADDON, CARE, help_desk
from tests.support.house import House
from tillkey_server.store import policies

PAGE = {"platform": {"from": "1.7", "to": "8.1"}}


@pytest.mark.clause("ZG-06", "K-04")
async def test_a_question_is_answered_by_the_close_of_the_next_working_day(house: House, callers: Callers) -> None:
    desk = await help_desk(house, callers, ADDON)
    told = await desk.open(received_at="2026-01-02T21:59:00Z")
    assert "ZG-06" in told["clauses"]
    due = await desk.clock("reply")
    assert (due["due_at"], due["timezone"], due["calendar"]) == (
        "2026-01-05T15:00:00Z",
        "Europe/Athens",
        "01generator 3",
    )


@pytest.mark.clause("ZG-07", "V-12", "V-10", "K-01")
async def test_an_anomaly_is_corrected_within_thirty_working_days_of_its_first_report(
    house: House, callers: Callers
) -> None:
    desk = await help_desk(house, callers, ADDON)
    told = await desk.open(received_at="2026-01-02T10:00:00Z")
    assert "ZG-07" in told["clauses"]
    assert (await desk.clock("fix"))["due_at"] == "2026-02-16T15:00:00Z"
    first = desk.request_id
    again = await desk.open(received_at="2026-01-20T10:00:00Z", duplicate_of=first)
    middle = desk.request_id
    assert [one["due_at"] for one in again["facts"]["clocks"] if one["clock"] == "fix"] == ["2026-02-16T15:00:00Z"]
    assert again["facts"]["clocks"] == again["request"]["clocks"]
    assert (await desk.clock("fix"))["due_at"] == "2026-02-16T15:00:00Z"
    await desk.open(duplicate_of=middle)
    assert (await desk.shown())["duplicate_of"] == first
    assert (await desk.clock("fix"))["code"] == "sla_fix_breached"


@pytest.mark.clause("K-01", "ZG-07")
async def test_a_deadline_by_a_newer_calendar_names_it_wherever_it_is_told(house: House, callers: Callers) -> None:
    desk = await help_desk(house, callers, ADDON)
    async with house.services.db.writing() as tx:
        known = await policies.newest(tx, "01generator")
        assert known is not None
        version = known.version + 1
        source = known.source.replace(f"\nversion = {known.version}\n", f"\nversion = {version}\n")
        source = source.replace("extra_working_days = []", "extra_working_days = [2026-01-10]")
        at = datetime(2026, 1, 2, tzinfo=UTC)
        await policies.record(tx, policies.PolicyVersionRow("01generator", version, "digest", source, at))
    told = await desk.open(received_at="2026-01-02T10:00:00Z")
    clocks = {one["clock"]: (one["due_at"], one["calendar"]) for one in told["facts"]["clocks"]}
    assert clocks["fix"] == ("2026-02-13T15:00:00Z", f"01generator {version}")
    assert clocks["reply"] == ("2026-01-05T15:00:00Z", f"01generator {known.version}")
    assert told["facts"]["clocks"] == told["request"]["clocks"]


@pytest.mark.clause("ZG-07", "ZG-13")
async def test_advice_is_answered_and_only_a_fault_that_somebody_found_in_it_is_corrected(
    house: House, callers: Callers
) -> None:
    desk = await help_desk(house, callers, ADDON)
    told = await desk.open(task="usage", received_at="2026-01-02T10:00:00Z")
    assert [one["clock"] for one in told["request"]["clocks"]] == ["reply"]
    found = await desk.event("finding", finding="malfunction", evidence="the log", at="2026-02-02T10:00:00Z")
    assert [one["clock"] for one in found["request"]["clocks"]] == ["reply", "fix"]
    assert (await desk.clock("fix"))["due_at"] == "2026-03-17T15:00:00Z"


@pytest.mark.clause("ZG-08")
async def test_only_the_add_ons_own_anomalies_count_and_later_evidence_reopens_with_the_first_clock(
    house: House, callers: Callers
) -> None:
    desk = await help_desk(house, callers, ADDON)
    shared = await desk.preview(causes=["product", "theme"])
    assert (shared["code"], "ZG-08" in shared["clauses"]) == ("nosup_not_exclusive_to_product", True)
    assert (await desk.open(causes=["product"]))["decision"] == "allow"
    given = await desk.clock("fix")
    evidence = "the theme does the same"
    refused = await desk.event("refused", code="nosup_not_exclusive_to_product", evidence=evidence)
    assert (refused["request"]["state"], "ZG-08" in refused["clauses"]) == ("refused", True)
    assert [one["clock"] for one in refused["request"]["clocks"]] == ["reply"]
    house.clock.turn(days=3)
    reopened = await desk.event("reopened", evidence="it happens without the theme")
    assert reopened["request"]["state"] == "open"
    assert await desk.clock("fix") == given


@pytest.mark.clause("ZG-10", "ZG-11", "ZG-12")
async def test_the_shop_is_as_it_was_advertised_and_as_it_was_delivered(house: House, callers: Callers) -> None:
    desk = await help_desk(house, callers, ADDON, advertised=PAGE)
    asked = await desk.preview()
    assert (asked["code"], asked["facts"]["missing"]) == ("ticket_needs_info", ["platform_version"])
    unreadable = await desk.preview(platform_version="latest")
    assert (unreadable["code"], unreadable["clauses"][0]) == ("ticket_needs_info", "ZG-10")
    newer = await desk.preview(platform_version="8.2")
    assert (newer["code"], "ZG-10" in newer["clauses"]) == ("nosup_version_not_advertised", True)
    widened = await help_desk(house, callers, ADDON, advertised={"platform": {"from": "1.7", "to": "9"}})
    assert (await widened.preview(platform_version="8.2"))["decision"] == "allow"
    assert (await desk.preview(platform_version="8.2"))["decision"] == "deny"
    named = {"nosup_incompatible_dev": "a checkout of their own"}
    foreign = await desk.preview(platform_version="1.7.8.11", found=named)
    assert (foreign["code"], foreign["facts"]["evidence"]) == ("nosup_incompatible_dev", "a checkout of their own")
    assert "ZG-11" in foreign["clauses"]
    blank = await desk.http.post(
        "/v1/support-requests", json=desk.question(platform_version="8.1", found={"nosup_incompatible_dev": " "})
    )
    assert (blank.status_code, blank.json()["code"]) == (400, "malformed")
    changed = await desk.open(platform_version="1.7.8.11", files={"import.php": "1" * 64})
    assert (changed["decision"], changed["facts"]["may_refuse"]) == ("allow", ["nosup_code_modified"])
    assert "ZG-12" in changed["clauses"]
    files = {"import.php": "1" * 64}
    settings = {"config/shop.php": "2" * 64, "translations/it.php": "3" * 64}
    own = await desk.preview(platform_version="1.7.8.11", files=settings)
    assert (own["code"], own["facts"].get("may_refuse")) == ("support_task_ok", None)
    no_ground = await desk.event("refused", code="nosup_code_modified", evidence="line 7", files=settings)
    assert (no_ground["code"], no_ground["facts"]["because"], no_ground["clauses"][0]) == (
        "refusal_not_permitted",
        "files_do_not_count",
        "ZG-12",
    )
    files |= settings
    refused = await desk.event("refused", code="nosup_code_modified", evidence="line 7", files=files)
    assert (refused["code"], refused["clauses"][0], refused["facts"]["files"]) == (
        "request_refused",
        "ZG-12",
        {"import.php": "changed", "config/shop.php": "excepted", "translations/it.php": "excepted"},
    )


@pytest.mark.clause("ZG-12")
async def test_a_file_added_beside_the_product_is_no_modification_and_a_removed_one_is(
    house: House, callers: Callers
) -> None:
    desk = await help_desk(house, callers, ADDON)
    manifest = {"import.php": "1" * 64, "export.php": "2" * 64, "config/shop.php": "3" * 64}
    beside = {**manifest, "config/shop.php": "5" * 64, "own.php": "4" * 64}
    harmless = {"own.php": "added", "config/shop.php": "excepted"}
    fine = await desk.open(files=beside, manifest=manifest)
    assert (fine["facts"].get("may_refuse"), fine["facts"]["files"]) == (None, harmless)
    ground = {"code": "nosup_code_modified", "evidence": "a file of their own"}
    refused = await desk.event("refused", **ground, files=beside, manifest=manifest)
    assert (refused["code"], refused["facts"]["because"]) == ("refusal_not_permitted", "files_do_not_count")
    assert (refused["facts"]["files"], refused["clauses"][0]) == (harmless, "ZG-12")
    gone = {"import.php": "9" * 64, "own.php": "4" * 64}
    seen = {"import.php": "changed", "export.php": "removed", **harmless}
    warned = await desk.preview(files=gone, manifest=manifest)
    assert (warned["facts"]["may_refuse"], warned["facts"]["files"]) == (["nosup_code_modified"], seen)
    assert "ZG-12" in warned["clauses"]
    refused = await desk.event("refused", **ground, files=gone, manifest=manifest)
    assert (refused["code"], refused["clauses"][0], refused["facts"]["files"]) == ("request_refused", "ZG-12", seen)


@pytest.mark.clause("ZG-13", "ZG-14", "ZG-17")
async def test_advice_is_given_and_neither_work_in_the_shop_nor_a_development(house: House, callers: Callers) -> None:
    desk = await help_desk(house, callers, ADDON)
    for task in ("install_advice", "configuration", "usage"):
        advice = await desk.preview(task=task)
        assert (advice["code"], "ZG-13" in advice["clauses"]) == ("support_task_ok", True)
    hands_on = await desk.preview(task="hands_on")
    assert (hands_on["code"], hands_on["clauses"], hands_on["options"]) == (
        "nosup_hands_on",
        ["ZG-14"],
        ["paid_offer"],
    )
    custom = await desk.preview(task="custom_development")
    assert (custom["code"], custom["clauses"]) == ("nosup_custom_development", ["ZG-17"])
    care = await help_desk(house, callers, CARE)
    assert (await care.preview(task="hands_on"))["facts"]["may_refuse"] == ["nosup_hands_on"]


@pytest.mark.clause("ZG-14", "NX-25")
async def test_no_consent_makes_remote_access_part_of_it(house: House, callers: Callers) -> None:
    desk = await help_desk(house, callers, ADDON)
    await desk.open()
    await desk.event("finding", finding="not_reproducible", evidence="tried")
    told = await desk.post("grants", granted_by=desk.customer_id, scope="all", until="2026-03-03T00:00:00Z")
    assert (told["code"], told["clauses"]) == ("remote_access_not_justified", ["ZG-14"])


@pytest.mark.clause("ZG-15")
async def test_an_update_that_there_was_at_the_request_may_be_offered_instead(house: House, callers: Callers) -> None:
    desk = await help_desk(house, callers, ADDON)
    await desk.open()
    house.clock.turn(days=1)
    there = await desk.event("update_offered", version="2.0", published_at="2026-03-02T09:00:00Z")
    assert (there["code"], there["clauses"]) == ("resolution_update", ["ZG-15"])
    newer = await desk.event("update_offered", version="2.1", published_at="2026-03-02T09:00:01Z")
    paid = await desk.event("update_offered", version="2.0", paid=True, published_at="2026-03-02T09:00:00Z")
    assert [(one["code"], one["facts"].get("because")) for one in (newer, paid)] == [
        ("resolution_update_too_new", None),
        ("offer_not_permitted", "may_not_be_paid"),
    ]
    assert (await desk.clock("fix"))["stopped_at"] is None


@pytest.mark.clause("ZG-10")
async def test_an_issued_license_keeps_what_the_page_promised_on_the_day_and_its_price(
    house: House, callers: Callers
) -> None:
    client = await callers.client()

    async def page(low: str, high: str) -> None:
        told = {"advertised": {"platform": {"from": low, "to": high}}}
        assert (await client.patch(f"/v1/products/{ADDON}", json=told)).status_code == 200

    await page("1.7", "8.1")
    made = await client.post("/v1/licenses", json={"product": ADDON, "customer": "owner@shop.example"})
    assert made.status_code == 201, made.text
    await page("9", "9.1")
    question = {"task": "usage", "license_id": made.json()["licenses"][0]["license_id"]}
    for version, code in (("8.1", "support_task_ok"), ("8.2", "nosup_version_not_advertised")):
        told = await client.post("/v1/support-requests/preview", json={**question, "platform_version": version})
        assert told.json()["code"] == code
    [line] = (await client.get(f"/v1/orders/{made.json()['order_id']}")).json()["lines"]
    assert line["list_price"] == line["price"] is not None
