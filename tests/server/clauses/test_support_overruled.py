"""NX-06, NX-17, NX-20, NX-29 through the API: what a person overrules, and what turns out to be another task."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.support.callers import Callers
from tests.support.help_desk import MARKET, HelpDesk, help_desk, with_terms
from tests.support.house import House
from tillkey_server.usecases.project import add_project


async def reviewed(desk: HelpDesk, http: httpx.AsyncClient, **more: Any) -> httpx.Response:
    """Ask to take a request although it is refused."""
    body = {**desk.question(**more), "reason": "the fault is ours after all"}
    return await http.post("/v1/support-requests/reviewed", json=body)


@pytest.mark.clause("NX-20")
async def test_what_turns_out_to_be_a_task_that_is_not_covered_is_recorded_so_and_stands_refused(
    house: House, callers: Callers
) -> None:
    desk = await help_desk(house, callers, MARKET)
    await desk.open()
    told = await desk.event("recategorized", task="paint_the_shop")
    assert (told["code"], told["facts"]["refused_as"]) == ("request_recategorized", "support_task_not_covered")
    assert "NX-20" in told["clauses"]
    assert (told["request"]["state"], told["request"]["task"]) == ("refused", "paint_the_shop")
    assert (await desk.event("recategorized", task="fix_issue"))["code"] == "event_out_of_place"
    await desk.event("reopened")
    back = await desk.event("recategorized", task="fix_issue")
    assert (back["facts"]["judged"], back["request"]["state"]) == ("support_task_ok", "open")


@pytest.mark.clause("NX-20")
async def test_a_request_is_judged_as_another_task_by_the_support_that_ran_when_it_was_opened(
    house: House, callers: Callers
) -> None:
    desk = await help_desk(house, callers, MARKET)
    await desk.open()
    house.clock.turn(days=800)
    assert (await desk.preview())["code"] == "nosup_support_expired"
    told = await desk.event("recategorized", task="update_module")
    assert (told["facts"]["judged"], told["facts"]["was"], told["request"]["state"]) == (
        "support_task_ok",
        "fix_issue",
        "open",
    )


@pytest.mark.clause("NX-19", "NX-20")
async def test_nothing_becomes_a_free_installation_or_stops_being_one(house: House, callers: Callers) -> None:
    desk = await help_desk(house, callers, MARKET, kind="core")
    await desk.open()
    told = await desk.event("recategorized", task="install_service")
    assert (told["code"], told["facts"]["because"]) == ("event_out_of_place", "installation_is_opened_as_one")
    await desk.open(task="install_service")
    assert (await desk.event("recategorized", task="fix_issue"))["code"] == "event_out_of_place"


@pytest.mark.clause("NX-25")
async def test_what_turns_out_to_be_work_on_the_customers_machine_needs_his_consent_from_then_on(
    house: House, callers: Callers
) -> None:
    desk = await help_desk(house, callers, MARKET)
    await desk.open()
    await desk.event("recategorized", task="hands_on")
    noted = {"cause": "a full disk", "prevention": "watch the disk"}
    refused = await desk.event("intervention", **noted)
    assert (refused["code"], refused["clauses"]) == ("remote_access_not_authorized", ["NX-25"])
    await desk.event("finding", finding="not_reproducible", evidence="on a fresh installation")
    await desk.post("grants", granted_by=desk.customer_id, scope="the till", until="2026-03-03T00:00:00Z")
    assert (await desk.event("intervention", **noted))["code"] == "support_event_recorded"
    await desk.event("recategorized", task="fix_issue")
    house.clock.turn(days=9)
    assert (await desk.event("intervention", **noted))["code"] == "support_event_recorded", "as what it is now"


@pytest.mark.clause("NX-29")
async def test_a_supervisor_takes_after_a_review_what_was_refused_as_the_customers_own_doing(
    house: House, callers: Callers
) -> None:
    desk = await help_desk(house, callers, MARKET)
    for _ in range(2):
        await desk.open(matter="M-1")
        await desk.event("closed", cause="customer_action", no_intervention_reason="told by mail")
    refused = await desk.open(matter="M-1")
    assert (refused["code"], refused["options"]) == ("support_repeat_self_inflicted", ["review"])
    assert (await reviewed(desk, desk.http, matter="M-1")).status_code == 403
    supervisor = await callers.client("supervisor")
    taken = await reviewed(desk, supervisor, matter="M-1")
    told = taken.json()
    assert (taken.status_code, told["code"], "NX-29" in told["clauses"]) == (201, "support_taken_on_review", True)
    assert told["facts"]["overruled"] == "support_repeat_self_inflicted"
    noted = (await supervisor.get("/v1/audit", params={"sort": "-id", "limit": 1})).json()["items"][0]
    assert (noted["action"], noted["facts"]["reason"]) == ("support_take", "the fault is ours after all")


@pytest.mark.clause("NX-22", "NX-23")
async def test_a_review_overrules_a_ground_and_not_whose_the_support_is(house: House, callers: Callers) -> None:
    desk = await help_desk(house, callers, MARKET)
    supervisor = await callers.client("supervisor")
    house.clock.turn(days=800)
    told = (await reviewed(desk, supervisor)).json()
    assert (told["code"], told["facts"]["overruled"]) == ("support_taken_on_review", "nosup_support_expired")
    assert "NX-23" in told["clauses"]
    foreign = await reviewed(desk, supervisor, asked_by="00000000-0000-7000-8000-000000000000")
    assert foreign.json()["code"] == "support_other_user"
    house.clock.turn(days=-800)
    assert (await reviewed(desk, supervisor)).json()["code"] == "support_task_ok"


@pytest.mark.clause("NX-06", "NX-17")
async def test_a_bound_license_is_moved_by_a_person_and_leaves_its_support_at_its_project(
    house: House, callers: Callers
) -> None:
    desk = await help_desk(house, callers, MARKET)
    first = (await house.till(product=MARKET).activate(desk.sold.license_key, project="Harbor Shop")).granted
    place = f"/v1/licenses/{desk.sold.license_id}/project"
    body = {"project_id": desk.project_id, "reason": "it went live under the wrong name"}
    supervisor = await callers.client("supervisor")
    assert (await desk.http.post(place, json=body)).status_code == 403
    moved = await supervisor.post(place, json=body)
    told = moved.json()
    assert (moved.status_code, told["code"]) == (200, "license_project_changed"), moved.text
    assert {"NX-06", "NX-17"} <= set(told["clauses"])
    assert told["facts"]["support_project"] == str(first.project)
    left = await desk.preview(project_id=desk.project_id)
    assert (left["code"], left["facts"]["supported_project_id"]) == ("support_other_project", str(first.project))
    assert (await desk.preview(project_id=str(first.project)))["code"] == "support_task_ok"
    assert (await supervisor.post(place, json=body)).json()["code"] == "nothing_to_move"


@pytest.mark.clause("NX-06")
async def test_a_license_that_was_moved_is_used_in_its_new_project_and_no_more_in_the_old_one(
    house: House, callers: Callers
) -> None:
    desk = await help_desk(house, callers, MARKET)
    till = house.till(product=MARKET)
    await till.activate(desk.sold.license_key, project="Harbor Shop")
    refused = await house.till(product=MARKET).activate(desk.sold.license_key, project="Corner Shop")
    assert (refused.code, "ask_support" in refused.body["options"]) == ("bound_to_other_project", True)
    supervisor = await callers.client("supervisor")
    body = {"project_id": desk.project_id, "reason": "it went live under the wrong name"}
    await supervisor.post(f"/v1/licenses/{desk.sold.license_id}/project", json=body)
    old = await house.till(product=MARKET).activate(desk.sold.license_key, project="Harbor Shop")
    new = await house.till(product=MARKET).activate(desk.sold.license_key, project="Corner Shop")
    assert (old.code, new.code) == ("bound_to_other_project", "license_in_use")


@pytest.mark.clause("NX-17")
async def test_support_moves_with_the_license_where_the_terms_say_so(house: House, callers: Callers) -> None:
    desk = await help_desk(house, callers, MARKET)
    terms = house.services.policies.offered("nexopos").support
    assert terms is not None
    with_terms(house, "nexopos", support=replace(terms, moves_with_license=True))
    await house.till(product=MARKET).activate(desk.sold.license_key, project="Harbor Shop")
    supervisor = await callers.client("supervisor")
    body = {"project_id": desk.project_id, "reason": "it went live under the wrong name"}
    await supervisor.post(f"/v1/licenses/{desk.sold.license_id}/project", json=body)
    assert (await desk.preview(project_id=desk.project_id))["code"] == "support_task_ok"


@pytest.mark.clause("NX-06")
async def test_a_license_is_not_moved_to_another_customers_project(house: House, callers: Callers) -> None:
    desk = await help_desk(house, callers, MARKET)
    await house.till(product=MARKET).activate(desk.sold.license_key, project="Harbor Shop")
    await house.license(MARKET, "stranger@else.example")
    found = await desk.http.post("/v1/customers/search", json={"email": "stranger@else.example"})
    other = await add_project(house.services, UUID(found.json()["items"][0]["id"]), name="Stranger's Shop")
    supervisor = await callers.client("supervisor")
    body = {"project_id": other.shown["id"], "reason": "mistyped"}
    answer = await supervisor.post(f"/v1/licenses/{desk.sold.license_id}/project", json=body)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
