"""NX-16 to NX-30 and NX-34 through the API: the marketplace's support."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.support.callers import Callers
from tests.support.help_desk import MARKET, HelpDesk, help_desk
from tests.support.house import House
from tillkey_server.usecases.issue_facts import issue_facts
from tillkey_server.usecases.project import add_project

NOTED = {"cause": "a full disk", "prevention": "watch the disk"}


@pytest.mark.clause("NX-16", "NX-17", "NX-18")
async def test_support_is_for_the_project_and_the_user_that_it_was_bought_for(house: House, callers: Callers) -> None:
    desk = await help_desk(house, callers, MARKET)
    alone = await desk.open()
    assert (alone["request"]["project_id"], alone["code"]) == (desk.project_id, "support_task_ok")
    other = await add_project(house.services, UUID(desk.customer_id), name="Second Shop")
    moved = await desk.preview(project_id=other.shown["id"])
    assert (moved["code"], moved["clauses"]) == ("support_other_project", ["NX-16", "NX-17"])
    unnamed = await desk.preview()
    assert (unnamed["code"], "NX-16" in unnamed["clauses"]) == ("ticket_project_required", True)
    foreign = await desk.preview(project_id=desk.project_id, asked_by="00000000-0000-7000-8000-000000000000")
    assert (foreign["code"], foreign["clauses"]) == ("support_other_user", ["NX-18"])


@pytest.mark.clause("NX-18")
async def test_a_license_that_changes_hands_leaves_its_support_behind(house: House, callers: Callers) -> None:
    desk = await help_desk(house, callers, MARKET)
    await house.license(MARKET, "buyer@else.example")
    supervisor = await callers.client("supervisor")
    body = {"customer": "buyer@else.example", "reason": "the shop was sold"}
    given = await supervisor.post(f"/v1/licenses/{desk.sold.license_id}/transfer", json=body)
    assert given.status_code == 200, given.text
    project = await add_project(house.services, UUID(given.json()["customer_id"]), name="Corner Shop")
    told = await desk.preview(project_id=project.shown["id"])
    assert (told["code"], told["clauses"]) == ("support_lost_on_transfer", ["NX-18"])


@pytest.mark.clause("NX-19", "NX-20", "NX-21")
async def test_the_free_installation_comes_once_and_extended_support_does_not_hang_on_it(
    house: House, callers: Callers
) -> None:
    desk = await help_desk(house, callers, MARKET, kind="core")
    before = await desk.preview()
    assert (before["code"], before["facts"]["charge"]) == ("support_task_ok", "free")
    assert {"NX-20", "NX-21"} <= set(before["clauses"])
    first, second = await desk.open(task="install_service"), await desk.open(task="install_service")
    assert (first["code"], "NX-19" in first["clauses"]) == ("install_credit_used", True)
    assert (second["code"], second["options"]) == ("install_credit_none", ["install_module"])
    assert (await desk.preview(task="install_module"))["code"] == "support_task_ok"
    assert (await desk.preview(task="paint_the_shop"))["code"] == "support_task_not_covered"
    again = await help_desk(house, callers, MARKET)
    assert (await again.preview(task="install_service"))["code"] == "install_credit_used"
    module = await help_desk(house, callers, MARKET, kind="module")
    assert (await module.preview(task="install_service"))["code"] == "install_credit_none"


@pytest.mark.clause("NX-19")
async def test_a_request_that_ends_without_an_installation_gives_the_free_one_back(
    house: House, callers: Callers
) -> None:
    desk = await help_desk(house, callers, MARKET, kind="core")
    path = f"/v1/customers/{desk.customer_id}/install-credits"

    async def state() -> str:
        found: str = (await desk.http.get(path)).json()["items"][0]["state"]
        return found

    await desk.open(task="install_service")
    assert await state() == "used"
    await desk.event("refused", code="nosup_unsupported_env", evidence="PHP 5")
    assert await state() == "open"
    house.clock.turn(minutes=1)
    again = await desk.open(task="install_service")
    assert (again["code"], "NX-19" in again["clauses"], await state()) == ("install_credit_used", True, "used")
    await desk.event("closed", no_intervention_reason="the shop does not open after all")
    assert await state() == "open"
    house.clock.turn(minutes=1)
    await desk.open(task="install_service")
    await desk.event("intervention", **NOTED)
    await desk.event("closed")
    assert await state() == "used"


@pytest.mark.clause("NX-19")
async def test_a_request_that_is_taken_up_again_uses_the_free_installation_unless_another_did(
    house: House, callers: Callers
) -> None:
    desk = await help_desk(house, callers, MARKET, kind="core")
    await desk.open(task="install_service")
    first = desk.request_id
    refused = {"code": "nosup_unsupported_env", "evidence": "PHP 5"}
    await desk.event("refused", **refused)
    house.clock.turn(minutes=1)
    assert (await desk.event("reopened"))["code"] == "support_event_recorded"
    assert (await desk.preview(task="install_service"))["code"] == "install_credit_none"
    await desk.event("refused", **refused)
    house.clock.turn(minutes=1)
    await desk.open(task="install_service")
    second, desk.request_id = desk.request_id, first
    gone = await desk.event("reopened")
    assert (gone["code"], "NX-19" in gone["clauses"]) == ("install_credit_none", True)
    desk.request_id = second
    await desk.event("refused", **refused)
    desk.request_id = first
    assert (await desk.event("accepted"))["code"] == "support_event_recorded"
    assert (await desk.preview(task="install_service"))["code"] == "install_credit_none"


@pytest.mark.clause("NX-42")
async def test_the_days_of_grace_of_a_suspended_account_are_for_its_till_alone(house: House, callers: Callers) -> None:
    desk = await help_desk(house, callers, MARKET)
    admin = await callers.client()
    till = house.till(product=MARKET)
    await till.activate(desk.sold.license_key)
    body = {"kind": "corrective", "sha256": "ab" * 32, "size": 1, "url": "https://files.example/x", "version": "1.0"}
    assert (await admin.post(f"/v1/products/{MARKET}/releases", json=body)).status_code == 201
    place = f"/v1/licenses/{desk.sold.license_id}/downloads"
    assert (await admin.post(place, json={"version": "1.0"})).status_code == 201
    done = {"behavior": "pb_key_sharing", "evidence": "a forum"}
    assert (await admin.post(f"/v1/customers/{desk.customer_id}/suspend", json=done)).status_code == 200
    asked = await desk.open(project_id=str(till.held.project))
    assert (asked["code"], asked["clauses"]) == ("account_suspended", ["NX-42"])
    refused = (await admin.post(place, json={"version": "1.0"})).json()
    assert (refused["code"], refused["clauses"]) == ("account_suspended", ["NX-42"])
    assert (await till.heartbeat()).status == 200


@pytest.mark.clause("NX-22", "NX-23", "NX-20")
async def test_a_refusal_names_every_ground_and_is_of_the_list(house: House, callers: Callers) -> None:
    desk = await help_desk(house, callers, MARKET)
    warned = await desk.open(found={"nosup_third_party_module": "a theme of others"})
    assert (warned["decision"], warned["facts"]["may_refuse"]) == ("allow", ["nosup_third_party_module"])
    refused = await desk.event("refused", code="nosup_hands_on", evidence="asked us to come")
    assert (refused["code"], refused["clauses"]) == ("refusal_not_permitted", ["NX-22", "NX-23"])
    house.clock.turn(days=366)
    found = {"nosup_abusive": "insults"}
    late = await desk.preview(found=found)
    assert (late["code"], late["facts"]["grounds"]) == ("nosup_support_expired", ["nosup_support_expired", *found])
    assert {"NX-23", "NX-14"} <= set(late["clauses"])
    opened_in_time = await desk.event("refused", code="nosup_support_expired", evidence="expired by now")
    assert opened_in_time["facts"]["because"] == "support_ran_at_receipt"


@pytest.mark.clause("NX-24", "NX-25")
async def test_what_cannot_be_reproduced_is_asked_for_and_then_looked_at_with_the_owners_consent(
    house: House, callers: Callers
) -> None:
    desk = await help_desk(house, callers, MARKET)
    asked = await desk.open(described=["steps"])
    assert (asked["decision"], asked["code"], "NX-24" in asked["clauses"]) == ("pend", "ticket_needs_repro", True)
    assert asked["request"]["state"] == "waiting_for_customer"
    assert (await desk.clock("reply"))["due_at"] is None
    await desk.event("info_complete")
    assert (await desk.clock("reply"))["due_at"] == "2026-03-09T16:00:00Z"
    consent = {"granted_by": desk.customer_id, "scope": "the till's log", "until": "2026-03-02T10:00:00Z"}
    early = await desk.post("grants", **consent)
    assert (early["code"], early["clauses"]) == ("remote_access_not_justified", ["NX-25"])
    await desk.event("finding", finding="not_reproducible", evidence="on a fresh installation")
    assert (await desk.event("intervention", remote=True, **NOTED))["code"] == "remote_access_not_authorized"
    granted = await desk.post("grants", **consent)
    assert (granted["code"], granted["clauses"]) == ("remote_access_granted", ["NX-25"])
    assert (await desk.event("intervention", remote=True, **NOTED))["code"] == "support_event_recorded"
    house.clock.turn(hours=1)
    ended = await desk.event("intervention", remote=True, **NOTED)
    assert (ended["code"], (await desk.shown())["grants"][0]["running"]) == ("remote_access_not_authorized", False)


@pytest.mark.clause("NX-25")
async def test_work_by_our_own_hand_is_covered_by_the_owners_consent_after_the_finding(
    house: House, callers: Callers
) -> None:
    desk = await help_desk(house, callers, MARKET)
    taken = await desk.open(task="hands_on")
    assert (taken["decision"], taken["code"], "NX-25" in taken["clauses"]) == ("allow", "support_task_ok", True)
    assert taken["facts"]["remote_access"] == {"needed": True, "after_finding": True}
    too_soon = await desk.event("intervention", **NOTED)
    assert (too_soon["code"], too_soon["clauses"]) == ("remote_access_not_authorized", ["NX-25"])
    await desk.event("finding", finding="not_reproducible", evidence="on a fresh installation")
    await desk.post("grants", granted_by=desk.customer_id, scope="the till", until="2026-03-03T00:00:00Z")
    assert (await desk.event("intervention", **NOTED))["code"] == "support_event_recorded"


@pytest.mark.clause("NX-25")
async def test_a_consent_of_somebody_else_is_none(house: House, callers: Callers) -> None:
    desk = await help_desk(house, callers, MARKET)
    await house.license(MARKET, "stranger@else.example")
    found = await desk.http.post("/v1/customers/search", json={"email": "stranger@else.example"})
    await desk.open()
    await desk.event("finding", finding="not_reproducible", evidence="on a fresh installation")
    stranger = found.json()["items"][0]["id"]
    told = await desk.post("grants", granted_by=stranger, scope="all", until="2026-03-03T00:00:00Z")
    assert (told["code"], told["clauses"]) == ("remote_access_not_authorized", ["NX-25"])


@pytest.mark.clause("NX-26")
async def test_a_request_is_fixed_by_the_release_that_it_names(house: House, callers: Callers) -> None:
    desk = await help_desk(house, callers, MARKET)
    await desk.open()
    fixed = await desk.event("resolved", fixed_in_release="2.1.0")
    assert (fixed["code"], fixed["clauses"]) == ("request_fixed", ["NX-26"])
    assert fixed["request"]["fixed_in_release"] == "2.1.0"


@pytest.mark.clause("NX-26")
async def test_the_version_that_a_solution_named_is_a_fix_when_it_is_published_and_when_it_is_out_already(
    house: House, callers: Callers
) -> None:
    desk = await help_desk(house, callers, MARKET)
    admin = await callers.client()
    site = {"site": "https://shop.example"}
    await house.till(product=MARKET).activate(desk.sold.license_key, **site)
    await desk.open()
    await desk.event("resolved", fixed_in_release="2.1.0")
    await desk.open()
    house.clock.turn(days=400)
    releases, place = f"/v1/products/{MARKET}/releases", f"/v1/licenses/{desk.sold.license_id}/updates/preview"
    body = {"kind": "corrective", "sha256": "ab" * 32, "size": 1, "url": "https://files.example/x"}
    plain = await admin.post(releases, json={**body, "version": "2.2"})
    assert (plain.json()["code"], plain.json()["owners"]) == ("release_published", 0)
    fixed = await admin.post(releases, json={**body, "version": "2.1"})
    assert (fixed.json()["code"], fixed.json()["clauses"]) == ("fix_released", ["NX-26"])
    assert fixed.json()["owners"] == 1
    assert (await admin.post(place, json={"version": "2.1", **site})).json()["code"] == "update_available"
    assert (await admin.post(place, json={"version": "2.2", **site})).json()["code"] == "update_support_expired"
    await desk.event("resolved", fixed_in_release="2.2.0")
    assert (await admin.post(place, json={"version": "2.2", **site})).json()["code"] == "update_available"


@pytest.mark.clause("NX-29")
async def test_a_matter_is_the_customers_on_whichever_license_and_none_of_anothers(
    house: House, callers: Callers
) -> None:
    desk = await help_desk(house, callers, MARKET)
    for _ in range(2):
        await desk.open(matter="printer")
        await desk.event("closed", cause="customer_action", no_intervention_reason="the cable was out")
    own = await house.license(MARKET, "owner@shop.example")
    second = {"license_id": str(own.license_id), "project_id": desk.project_id}
    third = await desk.preview(matter="printer", **second)
    assert (third["code"], third["clauses"]) == ("support_repeat_self_inflicted", ["NX-29"])
    foreign = await house.license(MARKET, "stranger@else.example")
    found = await desk.http.post("/v1/customers/search", json={"email": "stranger@else.example"})
    shop = await add_project(house.services, UUID(found.json()["items"][0]["id"]), name="Stranger's Shop")
    asked = {"license_id": str(foreign.license_id), "project_id": shop.shown["id"]}
    assert (await desk.preview(matter="printer", **asked))["code"] == "support_task_ok"


@pytest.mark.clause("NX-25")
async def test_a_consent_that_has_not_begun_lets_nobody_in(house: House, callers: Callers) -> None:
    desk = await help_desk(house, callers, MARKET)
    await desk.open()
    await desk.event("finding", finding="not_reproducible", evidence="on a fresh installation")
    hours = {"starts_at": "2026-03-02T10:00:00Z", "until": "2026-03-02T11:00:00Z"}
    granted = await desk.post("grants", granted_by=desk.customer_id, scope="the till's log", **hours)
    assert granted["code"] == "remote_access_granted"
    early = await desk.event("intervention", remote=True, **NOTED)
    assert (early["code"], early["clauses"]) == ("remote_access_not_authorized", ["NX-25"])
    house.clock.turn(hours=1)
    assert (await desk.event("intervention", remote=True, **NOTED))["code"] == "support_event_recorded"


@pytest.mark.clause("NX-27")
async def test_a_hotfix_is_for_severe_faults_and_no_modification_afterwards(house: House, callers: Callers) -> None:
    desk = await help_desk(house, callers, MARKET)
    await desk.open()
    files = {"src/till.php": "1" * 64}
    plain = await desk.post("hotfixes", severity="minor", files=files)
    severe = await desk.post("hotfixes", severity="data_integrity", files=files)
    assert [one["code"] for one in (plain, severe)] == ["hotfix_unjustified", "hotfix_recorded"]
    assert severe["clauses"] == ["NX-27"]
    assert "may_refuse" not in (await desk.preview(files=files))["facts"]
    foreign = {**files, "src/own.php": "2" * 64}
    assert (await desk.preview(files=foreign))["facts"]["may_refuse"] == ["nosup_code_modified"]
    refused = await desk.event("refused", code="nosup_code_modified", evidence="changed", files=files)
    assert (refused["code"], "NX-27" in refused["clauses"]) == ("refusal_not_permitted", True)


@pytest.mark.clause("NX-27")
async def test_a_hotfix_that_was_downloaded_is_no_modification_afterwards(house: House, callers: Callers) -> None:
    desk = await help_desk(house, callers, MARKET)
    owner = await callers.client()
    body = {"sha256": "3" * 64, "size": 1, "url": "https://files.example/till.php"}
    for version, more in (("1.0", {"kind": "feature"}), ("1.0.1", {"kind": "hotfix", "severity": "severe"})):
        made = await owner.post(f"/v1/products/{MARKET}/releases", json={**body, **more, "version": version})
        assert made.status_code == 201, made.text
    files = {"src/till.php": "3" * 64}
    assert (await desk.preview(files=files))["facts"]["may_refuse"] == ["nosup_code_modified"]
    till = house.till(product=MARKET)
    await till.activate(desk.sold.license_key, site="https://shop.example")
    place = f"/v1/licenses/{desk.sold.license_id}/downloads"
    granted = await owner.post(place, json={"version": "1.0.1", "site": "https://shop.example"})
    assert granted.status_code == 201, granted.text
    assert (await owner.post("/v1/downloads/redeem", json={"grant": granted.json()["grant"]})).status_code == 200
    assert "may_refuse" not in (await desk.preview(files=files))["facts"]


@pytest.mark.clause("NX-28")
async def test_an_intervention_and_a_closing_leave_a_note(house: House, callers: Callers) -> None:
    desk = await help_desk(house, callers, MARKET)
    await desk.open()
    bare = [await desk.event("intervention", cause="a full disk"), await desk.event("closed")]
    assert [(one["code"], one["clauses"]) for one in bare] == [("intervention_note_required", ["NX-28"])] * 2
    await desk.event("intervention", **NOTED)
    assert (await desk.event("closed"))["request"]["state"] == "closed"


@pytest.mark.clause("NX-29")
async def test_a_matter_of_the_customers_own_doing_is_not_taken_a_third_time(house: House, callers: Callers) -> None:
    desk = await help_desk(house, callers, MARKET)
    for _ in range(2):
        await desk.open(matter="printer")
        await desk.event("closed", cause="customer_action", no_intervention_reason="the cable was out")
    third = await desk.open(matter="printer")
    assert (third["code"], third["clauses"]) == ("support_repeat_self_inflicted", ["NX-29"])
    assert (await desk.preview(matter="scanner"))["decision"] == "allow"
    house.clock.turn(days=180)
    await desk.open(matter="printer")
    await desk.event("closed", cause="vendor", no_intervention_reason="our update broke it again")
    assert (await desk.preview(matter="printer"))["decision"] == "allow"


@pytest.mark.clause("NX-30", "K-04")
async def test_outside_working_hours_a_request_is_taken_and_its_clock_counts_working_days(
    house: House, callers: Callers
) -> None:
    desk = await help_desk(house, callers, MARKET)
    house.clock.turn(days=4, hours=13)
    told = await desk.open()
    assert (told["decision"], told["code"], "NX-30" in told["clauses"]) == ("allow", "outside_working_hours", True)
    assert told["facts"]["next_open_at"] == "2026-03-09T08:00:00Z"
    assert (await desk.clock("reply"))["due_at"] == "2026-03-13T16:00:00Z"


@pytest.mark.clause("NX-34", "NX-16", "K-01")
async def test_an_answer_that_came_too_late_is_a_breach_that_money_can_read(house: House, callers: Callers) -> None:
    desk = await help_desk(house, callers, MARKET)
    opened = await desk.open()
    assert "NX-34" in opened["clauses"]
    house.clock.turn(days=1)
    await desk.event("automatic_reply")
    due = await desk.clock("reply")
    assert (due["code"], due["due_at"], due["timezone"]) == (
        "sla_first_reply_due",
        "2026-03-09T16:00:00Z",
        "Africa/Douala",
    )
    house.clock.turn(days=7)
    assert (await desk.clock("reply"))["code"] == "sla_first_reply_breached"
    await desk.event("human_reply")
    late = await desk.clock("reply")
    assert (late["code"], "NX-34" in late["clauses"]) == ("sla_first_reply_breached", True)
    async with house.services.db.reading() as tx:
        facts = await issue_facts(tx, UUID(desk.request_id), house.clock.now())
    assert facts is not None
    assert facts.reply_due is not None
    assert facts.first_human_reply_at == facts.reply_due + timedelta(hours=17)


async def test_an_event_is_told_with_its_own_members_and_not_before_the_request(house: House, callers: Callers) -> None:
    desk = await help_desk(house, callers, MARKET)
    await desk.open()
    place = f"/v1/support-requests/{desk.request_id}/events"
    wrong = [
        {"kind": "human_reply", "finding": "corrupt"},
        {"kind": "refused"},
        {"kind": "human_reply", "at": "2026-03-02T08:59:59Z"},
        {"kind": "human_reply", "at": "2026-03-02T09:00:01Z"},
    ]
    answers = [await desk.http.post(place, json=body) for body in wrong]
    assert [(one.status_code, one.json()["detail"].partition(":")[0]) for one in answers] == [
        (400, "finding"),
        (400, "code"),
        (400, "at"),
        (400, "at"),
    ]


async def reviewed(desk: HelpDesk, http: httpx.AsyncClient, **more: Any) -> httpx.Response:
    """Ask to take a request although it is refused."""
    body = {**desk.question(**more), "reason": "the fault is ours after all"}
    return await http.post("/v1/support-requests/reviewed", json=body)
