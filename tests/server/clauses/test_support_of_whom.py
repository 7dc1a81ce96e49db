"""NX-16 to NX-18 through the API: whose support it is, and for which project."""

from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.support.callers import Callers
from tests.support.help_desk import MARKET, HelpDesk, help_desk, with_terms
from tests.support.house import House
from tillkey_server.store import terms
from tillkey_server.usecases.project import add_project


async def sold_on(desk: HelpDesk, callers: Callers) -> tuple[httpx.AsyncClient, str]:
    """Give the desk's license to another customer, and return a supervisor with the project that it is asked for."""
    await desk.house.license(MARKET, "buyer@else.example")
    supervisor = await callers.client("supervisor")
    body = {"customer": "buyer@else.example", "reason": "the shop was sold"}
    given = await supervisor.post(f"/v1/licenses/{desk.sold.license_id}/transfer", json=body)
    assert given.status_code == 200, given.text
    project = await add_project(desk.house.services, UUID(given.json()["customer_id"]), name="Harbor Shop")
    return supervisor, str(project.shown["id"])


@pytest.mark.clause("NX-18", "NX-17")
async def test_support_that_the_new_owner_pays_for_is_his_whatever_the_old_one_asked_for(
    house: House, callers: Callers
) -> None:
    desk = await help_desk(house, callers, MARKET)
    await desk.open()
    supervisor, project = await sold_on(desk, callers)
    lost = await desk.preview(project_id=project)
    assert (lost["code"], lost["options"], lost["clauses"]) == ("support_lost_on_transfer", ["renew"], ["NX-18"])
    house.clock.turn(days=1)
    paid = {"channel": "manual", "number": "R-1", "amount": "30.00 USD", "months": 12}
    place = f"/v1/licenses/{desk.sold.license_id}/renewals"
    assert (await supervisor.post(place, json=paid)).status_code == 201
    assert (await desk.preview(project_id=project))["code"] == "support_task_ok"
    early = await desk.preview(project_id=project, received_at="2026-03-02T09:00:00Z")
    assert early["code"] == "support_lost_on_transfer"


@pytest.mark.clause("BC-18", "BC-17", "NX-18")
async def test_the_banner_of_a_license_that_changed_hands_shows_what_is_owed_and_to_whom(
    house: House, callers: Callers
) -> None:
    desk = await help_desk(house, callers, MARKET)
    first = (await desk.open())["request"]
    assert (first["care_banner"]["active"], first["care_banner"]["until"]) == (True, "2027-03-02T23:00:00Z")
    supervisor, project = await sold_on(desk, callers)
    place = f"/v1/licenses/{desk.sold.license_id}"

    async def banners() -> list[tuple[bool, str | None]]:
        """Return the banner of a new question, of the care, and of what the former owner asked."""
        asked = (await desk.preview(project_id=project))["facts"]["care_banner"]
        care = (await supervisor.get(f"{place}/care")).json()["facts"]
        [former] = [one for one in await listed() if one["id"] == first["id"]]
        return [(one["active"], one["until"]) for one in (asked, care, former["care_banner"])]

    async def listed() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await desk.http.get("/v1/support-requests")).json()["items"]
        return found

    nothing = (False, None)
    assert await banners() == [nothing] * 3
    house.clock.turn(days=1)
    paid = {"channel": "manual", "number": "R-1", "amount": "30.00 USD", "months": 12}
    assert (await supervisor.post(f"{place}/renewals", json=paid)).status_code == 201
    until = (True, (await supervisor.get(place)).json()["support_until"])
    # What the new owner pays for is no business of the former one's.
    assert await banners() == [until, until, nothing]
    own = (await desk.open(project_id=project))["request"]
    assert own["care_banner"]["until"] == until[1]
    async with house.services.db.writing() as tx:
        [term] = await terms.of_license(tx, desk.sold.license_id)
        await terms.set_refunded(tx, term.order_line_id, house.clock.now())
    [left] = [one["care_banner"] for one in await listed() if one["id"] == own["id"]]
    assert (left["active"], left["until"]) == nothing
    event = await desk.event("accepted")
    assert event["request"]["care_banner"] == left


@pytest.mark.clause("NX-18")
async def test_nobody_is_sent_to_renew_what_the_terms_do_not_renew(house: House, callers: Callers) -> None:
    desk = await help_desk(house, callers, MARKET)
    _, project = await sold_on(desk, callers)
    with_terms(house, "nexopos", renewal=None)
    lost = await desk.preview(project_id=project)
    assert (lost["code"], lost["options"]) == ("support_lost_on_transfer", ["buy_license"])


@pytest.mark.clause("NX-17")
async def test_the_project_that_a_license_is_bound_to_stands_above_the_one_that_was_asked_for_first(
    house: House, callers: Callers
) -> None:
    desk = await help_desk(house, callers, MARKET)
    await desk.open()
    bound = (await house.till(product=MARKET).activate(desk.sold.license_key, project="Harbor Shop")).granted
    assert (await desk.preview(project_id=str(bound.project)))["code"] == "support_task_ok"
    asked_first = await desk.preview(project_id=desk.project_id)
    assert (asked_first["code"], asked_first["clauses"]) == ("support_other_project", ["NX-16", "NX-17"])
    assert asked_first["facts"]["supported_project_id"] == str(bound.project)


@pytest.mark.clause("NX-17")
async def test_a_request_that_stands_refused_ties_support_to_no_project(house: House, callers: Callers) -> None:
    desk = await help_desk(house, callers, MARKET)
    other = await add_project(house.services, UUID(desk.customer_id), name="Second Shop")
    await desk.open(project_id=other.shown["id"])
    assert (await desk.preview(project_id=desk.project_id))["code"] == "support_other_project"
    await desk.event("refused", code="nosup_unsupported_env", evidence="PHP 5")
    assert (await desk.preview(project_id=desk.project_id))["code"] == "support_task_ok"


@pytest.mark.clause("NX-16")
async def test_of_several_projects_the_one_that_the_license_is_bound_to_is_preselected(
    house: House, callers: Callers
) -> None:
    desk = await help_desk(house, callers, MARKET)
    bound = (await house.till(product=MARKET).activate(desk.sold.license_key, project="Harbor Shop")).granted
    opened = await desk.open()
    assert (opened["code"], opened["request"]["project_id"]) == ("support_task_ok", str(bound.project))
    assert "NX-16" in (await desk.preview(project_id=desk.project_id))["clauses"]


@pytest.mark.clause("NX-18")
async def test_a_project_of_another_customer_gets_none_of_the_owners_support(house: House, callers: Callers) -> None:
    desk = await help_desk(house, callers, MARKET)
    await house.license(MARKET, "stranger@else.example")
    found = await desk.http.post("/v1/customers/search", json={"email": "stranger@else.example"})
    stranger = await add_project(house.services, UUID(found.json()["items"][0]["id"]), name="Stranger's Shop")
    told = await desk.preview(project_id=stranger.shown["id"])
    assert (told["code"], told["clauses"]) == ("support_other_user", ["NX-18"])
