"""BC-02 to BC-18, BC-28 to BC-30 and BC-36 through the API: a partner's duties while care runs."""

from typing import Any
from uuid import UUID

import pytest

from tests.support.callers import Callers
from tests.support.help_desk import ADDON, CARE, HelpDesk, help_desk
from tests.support.house import House
from tillkey_server.usecases.issue_facts import issue_facts

PAGE = {"platform": {"from": "1.7", "to": "8.1"}, "features": ["collect"]}
CLOSURE = {
    "policy": "prestashop-care",
    "notified_at": "2026-03-01T00:00:00Z",
    "starts_at": "2026-03-03T00:00:00Z",
    "ends_at": "2026-03-06T23:00:00Z",
    "reason": "a fair",
}


@pytest.mark.clause("BC-02")
@pytest.mark.parametrize("task", ["install", "configure", "technical_issue"])
async def test_help_to_install_and_configure_is_part_of_care(house: House, callers: Callers, task: str) -> None:
    told = await (await help_desk(house, callers, CARE)).preview(task=task)
    assert (told["code"], "BC-02" in told["clauses"], told["facts"]["charge"]) == ("support_task_ok", True, "free")


@pytest.mark.clause("BC-03", "BC-29", "V-11", "K-04")
async def test_a_request_is_taken_or_refused_within_one_working_day_whatever_the_holidays(
    house: House, callers: Callers
) -> None:
    desk = await help_desk(house, callers, CARE)
    friday = "2026-01-02T10:00:00Z"
    told = await desk.open(received_at=friday)
    assert {"BC-03", "BC-29"} <= set(told["clauses"])
    assert (await desk.clock("ack"))["due_at"] == "2026-01-05T23:00:00Z"
    await desk.event("human_reply", at="2026-01-05T10:00:00Z")
    assert (await desk.clock("ack"))["code"] == "sla_ack_breached"
    await desk.event("accepted", at="2026-01-05T11:00:00Z")
    assert (await desk.clock("ack"))["code"] == "sla_ack_met"
    epiphany = "2026-01-05T10:00:00Z"
    await desk.open(received_at=epiphany)
    refused = await desk.event("refused", at="2026-01-06T22:00:00Z", code="nosup_hands_on", evidence="asked to come")
    assert (refused["code"], (await desk.clock("ack"))["due_at"]) == ("request_refused", "2026-01-06T23:00:00Z")
    assert (await desk.clock("ack"))["code"] == "sla_ack_met"
    addon = await help_desk(house, callers, ADDON)
    await addon.open(received_at=epiphany)
    assert (await addon.clock("reply"))["due_at"] == "2026-01-07T15:00:00Z"


@pytest.mark.clause("BC-04", "K-01")
async def test_a_closure_that_was_told_in_time_pauses_the_confirmation_and_nothing_else(
    house: House, callers: Callers
) -> None:
    desk = await help_desk(house, callers, CARE)
    supervisor = await callers.client("supervisor")
    await desk.open()
    before = await desk.shown()
    late = {**CLOSURE, "starts_at": "2026-02-28T00:00:00Z"}
    refused = await supervisor.post("/v1/vendor-closures", json=late)
    assert (refused.status_code, refused.json()["code"]) == (409, "closure_notice_late")
    added = await supervisor.post("/v1/vendor-closures", json=CLOSURE)
    assert (added.status_code, added.json()["clauses"]) == (201, ["BC-04"])
    after = {one["clock"]: one for one in (await desk.shown())["clocks"]}
    assert after["ack"]["due_at"] == "2026-03-09T23:00:00Z"
    assert "BC-04" in after["ack"]["clauses"]
    assert after["fix"] == next(one for one in before["clocks"] if one["clock"] == "fix")
    house.clock.turn(days=2)
    assert (await desk.clock("ack"))["code"] == "sla_paused_vacation"
    assert len((await supervisor.get("/v1/vendor-closures")).json()["items"]) == 1


@pytest.mark.clause("BC-04")
async def test_a_closure_that_is_taken_back_pauses_to_that_instant_and_no_longer(
    house: House, callers: Callers
) -> None:
    desk = await help_desk(house, callers, CARE)
    supervisor = await callers.client("supervisor")
    added = await supervisor.post("/v1/vendor-closures", json=CLOSURE)
    await desk.open()
    before = await desk.clock("ack")
    house.clock.turn(days=2)
    path = f"/v1/vendor-closures/{added.json()['closure']['id']}/withdraw"
    told = {"policy": "prestashop-care", "reason": "we are back"}
    for _ in range(2):
        back = await supervisor.post(path, json=told)
        assert (back.status_code, back.json()["code"], back.json()["clauses"]) == (200, "closure_withdrawn", ["BC-04"])
        assert back.json()["closure"]["withdrawn_at"] == "2026-03-04T09:00:00Z"
    after = await desk.clock("ack")
    assert (before["due_at"], after["due_at"], after["code"]) == (
        "2026-03-09T23:00:00Z",
        "2026-03-04T23:00:00Z",
        "sla_ack_due",
    )
    # One that is over is not taken back: what it paused stays paused.
    gone = await supervisor.post("/v1/vendor-closures", json={**CLOSURE, "ends_at": "2026-03-04T00:00:00Z"})
    over = await supervisor.post(f"/v1/vendor-closures/{gone.json()['closure']['id']}/withdraw", json=told)
    assert (over.status_code, over.json()["code"], over.json()["clauses"]) == (409, "closure_over", ["BC-04"])


@pytest.mark.clause("BC-04")
async def test_a_closure_that_was_told_after_the_request_came_does_not_count(house: House, callers: Callers) -> None:
    desk = await help_desk(house, callers, CARE)
    await desk.open(received_at="2026-02-27T12:00:00Z")
    supervisor = await callers.client("supervisor")
    added = await supervisor.post("/v1/vendor-closures", json={**CLOSURE, "starts_at": "2026-03-01T00:00:00Z"})
    assert (added.status_code, added.json()["clauses"]) == (201, ["BC-04"])
    assert (await desk.clock("ack"))["due_at"] == "2026-03-02T23:00:00Z"


@pytest.mark.clause("BC-04", "BC-28")
async def test_a_closure_that_is_recorded_after_the_breach_does_not_undo_it(house: House, callers: Callers) -> None:
    """Whatever its notice is said to have been."""
    desk = await help_desk(house, callers, CARE)
    await desk.open()
    house.clock.turn(days=3)
    before = await desk.clock("ack")
    supervisor = await callers.client("supervisor")
    added = await supervisor.post("/v1/vendor-closures", json=CLOSURE)
    assert added.status_code == 201, added.text
    after = await desk.clock("ack")
    assert (before["code"], after["code"]) == ("sla_ack_breached", "sla_ack_breached")
    assert after["due_at"] == before["due_at"]


@pytest.mark.clause("BC-05", "BC-28")
async def test_neither_an_automatic_answer_nor_a_private_mail_counts(house: House, callers: Callers) -> None:
    desk = await help_desk(house, callers, CARE)
    await desk.open()
    automatic = await desk.event("automatic_reply")
    assert (automatic["code"], "BC-05" in automatic["clauses"]) == ("ack_invalid_automatic", True)
    mailed = await desk.event("accepted", in_tool=False)
    assert (mailed["code"], "BC-28" in mailed["clauses"]) == ("reply_outside_tool", True)
    assert (await desk.clock("ack"))["stopped_at"] is None
    async with house.services.db.reading() as tx:
        facts = await issue_facts(tx, UUID(desk.request_id), house.clock.now())
    assert facts is not None
    assert facts.first_human_reply_at is None
    house.clock.turn(days=3)
    assert (await desk.clock("ack"))["code"] == "sla_ack_breached"


@pytest.mark.clause("BC-05")
@pytest.mark.parametrize("kind", ["accepted", "refused"])
async def test_an_automatic_confirmation_is_none_and_a_draft_that_a_person_approved_is_one(
    house: House, callers: Callers, kind: str
) -> None:
    desk = await help_desk(house, callers, CARE)
    opened = await desk.open()
    ground = {"code": "nosup_hands_on", "evidence": "asked to come"} if kind == "refused" else {}
    automatic = await desk.event(kind, author="automatic", **ground)
    assert (automatic["code"], "BC-05" in automatic["clauses"]) == ("ack_invalid_automatic", True)
    assert (automatic["facts"]["stops_clock"], automatic["request"]["state"]) == (False, "open")
    assert automatic["request"]["clocks"] == opened["request"]["clocks"]
    approved = await desk.event(kind, author="approved_draft", **ground)
    assert approved["code"] in {"support_event_recorded", "request_refused"}
    assert (await desk.clock("ack"))["code"] == "sla_ack_met"
    await desk.event(kind, **ground)
    shown = [one["details"]["author"] for one in (await desk.shown())["events"]]
    assert shown == ["automatic", "approved_draft", "human"]
    place = f"/v1/support-requests/{desk.request_id}/events"
    wrong = await desk.http.post(place, json={"kind": kind, "author": "a robot", **ground})
    assert (wrong.status_code, wrong.json()["code"]) == (400, "malformed")


@pytest.mark.clause("BC-06", "V-12", "BC-29")
async def test_corrections_come_within_thirty_working_days_and_the_alarm_rings_before(
    house: House, callers: Callers
) -> None:
    desk = await help_desk(house, callers, CARE)
    told = await desk.open(received_at="2026-01-02T10:00:00Z")
    assert "BC-06" in told["clauses"]
    fix = await desk.clock("fix")
    assert (fix["due_at"], fix["alarm_at"]) == ("2026-02-13T23:00:00Z", "2026-02-01T23:00:00Z")
    assert fix["code"] == "sla_fix_breached"


@pytest.mark.clause("BC-08", "BC-09", "BC-10", "BC-11", "BC-12", "BC-13", "BC-14", "BC-15")
@pytest.mark.parametrize(
    ("told", "ground", "clause"),
    [
        ({"feature": "delivery"}, "nosup_not_advertised_feature", "BC-08"),
        ({"causes": ["product", "theme"]}, "nosup_not_exclusive_to_product", "BC-08"),
        ({"site": "https://other.example"}, "nosup_other_site", "BC-09"),
        ({"task": "hands_on"}, "nosup_hands_on", "BC-10"),
        ({"found": {"nosup_third_party_service": "the bank is down"}}, "nosup_third_party_service", "BC-11"),
        ({"platform_version": "8.2"}, "nosup_version_not_advertised", "BC-12"),
        ({"found": {"nosup_incompatible_dev": "a cart of their own"}}, "nosup_incompatible_dev", "BC-13"),
        ({"files": {"cart.php": "1" * 64}}, "nosup_code_modified", "BC-14"),
    ],
)
async def test_each_ground_of_the_list_is_told_and_no_other_refuses(
    house: House, callers: Callers, told: dict[str, Any], ground: str, clause: str
) -> None:
    desk = await help_desk(house, callers, CARE, advertised=PAGE)
    found = await desk.preview(**{"platform_version": "8.1", **told})
    refusing = found["code"] if found["decision"] == "deny" else found["facts"]["may_refuse"][0]
    assert (refusing, clause in found["clauses"]) == (ground, True)
    await desk.open(platform_version="8.1")
    free = await desk.event("refused", code="nosup_custom_development", evidence="we do not like it")
    assert (free["code"], free["clauses"]) == ("refusal_not_permitted", ["BC-15"])
    refused = await desk.event("refused", code=ground, evidence="see the log")
    assert (refused["code"], refused["clauses"]) == ("request_refused", [clause, "BC-15"])


@pytest.mark.clause("BC-14")
async def test_what_the_platform_lets_a_shop_override_is_no_modification(house: House, callers: Callers) -> None:
    desk = await help_desk(house, callers, CARE, advertised=PAGE)
    codes = []
    for path in ("override/classes/cart.php", "classes/override/cart.php"):
        told = await desk.preview(platform_version="8.1", files={path: "1" * 64})
        codes.append(told["facts"].get("may_refuse"))
    assert codes == [None, ["nosup_code_modified"]]


@pytest.mark.clause("BC-09")
async def test_the_site_of_the_purchase_is_meant_however_it_is_written(house: House, callers: Callers) -> None:
    desk = await help_desk(house, callers, CARE)
    for site in ("http://www.shop.example/", "SHOP.example:8080"):
        assert (await desk.preview(site=site))["decision"] == "allow"
    till = house.till(product=CARE)
    await till.activate(desk.sold.license_key, environment="staging", site="https://staging.shop.example")
    assert (await desk.preview(site="staging.shop.example"))["decision"] == "allow"


@pytest.mark.clause("BC-16")
async def test_an_update_may_be_offered_free_or_paid_and_the_clock_runs_on(house: House, callers: Callers) -> None:
    desk = await help_desk(house, callers, CARE)
    await desk.open()
    offers = [await desk.event("update_offered", version="2.0", paid=paid) for paid in (False, True)]
    assert [(one["code"], one["clauses"]) for one in offers] == [
        ("update_free", ["BC-16"]),
        ("update_paid", ["BC-16"]),
    ]
    declined = await desk.event("attempt_declined")
    assert declined["code"] == "support_event_recorded"
    assert (await desk.clock("fix"))["stopped_at"] is None


@pytest.mark.clause("BC-16")
async def test_that_an_update_is_to_be_paid_for_is_disputed_and_a_person_decides(
    house: House, callers: Callers
) -> None:
    desk = await help_desk(house, callers, CARE)
    opened = await desk.open()
    assert (await desk.event("update_disputed"))["code"] == "event_out_of_place"
    await desk.event("update_offered", version="2.0", paid=True)
    disputed = await desk.event("update_disputed", evidence="it only mends what was broken")
    assert (disputed["code"], disputed["clauses"]) == ("update_disputed", ["BC-16"])
    assert (disputed["facts"]["decided_by"], disputed["request"]["clocks"]) == ("person", opened["request"]["clocks"])
    waiting = {"version": "2.0", "disputed_at": "2026-03-02T09:00:00Z", "decided_at": None, "paid": None}
    assert disputed["request"]["update_dispute"] == waiting
    found = await desk.event("update_classified", paid=False, evidence="the log of changes names no new function")
    assert (found["code"], found["clauses"], found["facts"]["paid"]) == ("update_classified", ["BC-16"], False)
    assert found["request"]["update_dispute"] == {**waiting, "decided_at": "2026-03-02T09:00:00Z", "paid": False}
    again = await desk.event("update_offered", version="2.0", paid=True)
    assert (again["code"], again["facts"]["because"]) == ("offer_not_permitted", "found_free")
    assert (await desk.event("update_offered", version="2.0", paid=False))["code"] == "update_free"
    assert (await desk.clock("fix"))["stopped_at"] is None


@pytest.mark.clause("BC-18")
async def test_every_answer_about_a_request_shows_the_banner_of_the_moment(house: House, callers: Callers) -> None:
    desk = await help_desk(house, callers, CARE)
    preview, opened = await desk.preview(), await desk.open()
    event = await desk.event("accepted")
    [listed] = (await desk.http.get("/v1/support-requests")).json()["items"]
    refused = await desk.event("refused", code="nosup_abusive", evidence="rude")
    banners = [
        preview["facts"]["care_banner"],
        opened["request"]["care_banner"],
        event["request"]["care_banner"],
        listed["care_banner"],
        refused["facts"]["care_banner"],
        (await desk.shown())["care_banner"],
    ]
    expected = {
        "active": True,
        "text": "Business Care in progress",
        "until": "2027-03-02T23:00:00Z",
        "product": CARE,
        "site": None,
        "clauses": ["BC-18"],
        "as_of": "2026-03-02T09:00:00Z",
    }
    assert banners == [expected] * 6
    house.clock.turn(days=366)
    ended = (await desk.shown())["care_banner"]
    assert (ended["active"], ended["text"], ended["as_of"]) == (False, None, "2027-03-03T09:00:00Z")
    late = await desk.open()
    assert (late["code"], late["facts"]["care_banner"]["active"]) == ("nosup_support_expired", False)


@pytest.mark.clause("BC-30")
async def test_a_real_bug_is_fixed_by_a_release_for_everybody(house: House, callers: Callers) -> None:
    desk = await help_desk(house, callers, CARE)
    await house.license(CARE, "other@else.example")
    opened = await desk.open()
    fixed = await desk.event("resolved", fixed_in_release="3.0.1")
    assert (fixed["code"], "BC-30" in fixed["clauses"]) == ("request_fixed", True)
    reports = [{"license_id": str(desk.sold.license_id), "reported_at": opened["request"]["received_at"]}]
    body = {"version": "3.0.1", "kind": "corrective", "sha256": "ab" * 32, "size": 1, "url": "https://files.example/x"}
    owner = await callers.client()
    published = await owner.post(f"/v1/products/{CARE}/releases", json={**body, "fixes": reports})
    assert (published.json()["clauses"], published.json()["owners"]) == (["BC-30"], 2)


async def _asked_before(desk: HelpDesk) -> dict[str, Any]:
    body = {"task": "does_it_ship", "presale": True, "product": CARE, "customer_id": desk.customer_id}
    answer = await desk.http.post("/v1/support-requests", json=body)
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.json()
    desk.request_id = told["request"]["id"]
    return told


@pytest.mark.clause("BC-36")
async def test_a_question_before_a_purchase_has_no_clock_until_it_is_converted(house: House, callers: Callers) -> None:
    desk = await help_desk(house, callers, CARE)
    asked = await _asked_before(desk)
    assert (asked["code"], asked["clauses"], asked["request"]["state"]) == ("ticket_presale", ["BC-36"], "presale")
    assert asked["request"]["clocks"] == []
    house.clock.turn(days=30)
    converted = await desk.event("converted", license_id=str(desk.sold.license_id))
    assert (converted["code"], converted["clauses"]) == ("ticket_converted", ["BC-36"])
    assert converted["request"]["license_id"] == str(desk.sold.license_id)
    assert converted["request"]["care_banner"]["active"]
    assert (await desk.clock("ack"))["due_at"] == "2026-04-02T22:00:00Z"


async def test_a_conversion_names_a_license_of_that_customer_and_product(house: House, callers: Callers) -> None:
    desk = await help_desk(house, callers, CARE)
    other = await help_desk(house, callers, ADDON)
    await _asked_before(desk)
    place = f"/v1/support-requests/{desk.request_id}/events"
    wrong = await desk.http.post(place, json={"kind": "converted", "license_id": str(other.sold.license_id)})
    assert (wrong.status_code, wrong.json()["detail"].partition(":")[0]) == (400, "license_id")
    hotfix = await desk.http.post(
        f"/v1/support-requests/{desk.request_id}/hotfixes", json={"severity": "severe", "files": {"a": "0" * 64}}
    )
    assert hotfix.status_code == 400
