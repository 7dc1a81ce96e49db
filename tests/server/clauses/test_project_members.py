"""NX-18 through the API: a project's support is asked for by its owner, by its members, and by nobody else."""

from uuid import UUID

import httpx
import pytest

from tests.support.callers import Callers
from tests.support.help_desk import MARKET, HelpDesk, help_desk
from tests.support.house import House
from tillkey_server.store import project_members
from tillkey_server.usecases.customer import add_customer
from tillkey_server.usecases.project import add_project


async def staff(house: House, name: str = "clerk") -> str:
    """Return a customer who bought nothing."""
    return str((await add_customer(house.services, f"{name}@shop.example")).shown["id"])


async def asked(desk: HelpDesk, who: str, **more: object) -> str:
    """Return the code that somebody is answered."""
    told = await desk.preview(asked_by=who, **more)
    assert "NX-18" in told["clauses"] or told["code"] == "support_task_ok"
    return str(told["code"])


async def members(admin: httpx.AsyncClient, desk: HelpDesk, verb: str, who: str) -> httpx.Response:
    """Add a member to the desk's project, or remove one."""
    path = f"/v1/projects/{desk.project_id}/members{verb}"
    return await admin.post(path, json={"customer_id": who})


@pytest.mark.clause("NX-18")
async def test_a_member_is_served_as_the_owner_from_his_admission_to_his_removal(
    house: House, callers: Callers
) -> None:
    desk, admin = await help_desk(house, callers, MARKET), await callers.client()
    clerk, stranger = await staff(house), await staff(house, "stranger")
    assert await asked(desk, clerk) == "support_other_user"
    house.clock.turn(days=1)
    added, again = await members(admin, desk, "", clerk), await members(admin, desk, "", clerk)
    assert (added.status_code, again.status_code, again.json()) == (201, 200, added.json())
    assert (added.json()["role"], added.json()["added_at"]) == ("support", "2026-03-03T09:00:00Z")
    assert [await asked(desk, who) for who in (clerk, stranger)] == ["support_task_ok", "support_other_user"]
    opened = await desk.open(asked_by=clerk)
    assert (opened["code"], opened["request"]["customer_id"]) == ("support_task_ok", desk.customer_id)
    # What came in before he was a member he did not ask as one.
    assert await asked(desk, clerk, received_at="2026-03-02T09:00:00Z") == "support_other_user"
    removed = await members(admin, desk, "/remove", clerk)
    assert (removed.status_code, removed.json()["removed_at"]) == (200, "2026-03-03T09:00:00Z")
    assert await asked(desk, clerk) == "support_other_user"
    assert (await members(admin, desk, "/remove", clerk)).status_code == 404
    assert (await members(admin, desk, "", clerk)).status_code == 201
    listed = (await admin.get(f"/v1/projects/{desk.project_id}/members")).json()["items"]
    assert [(one["customer_id"], one["removed_at"] is None) for one in listed] == [(clerk, False), (clerk, True)]
    noted = (await admin.get("/v1/audit", params={"action": "project_member_remove"})).json()["items"]
    assert [(one["code"], one["clauses"]) for one in noted] == [("project_member_removed", ["NX-18"])]


@pytest.mark.clause("NX-18")
async def test_a_member_of_one_project_asks_for_no_other_ones_support(house: House, callers: Callers) -> None:
    desk, admin = await help_desk(house, callers, MARKET), await callers.client()
    clerk = await staff(house)
    other = await add_project(house.services, UUID(desk.customer_id), name="Second Shop")
    assert (await members(admin, desk, "", clerk)).status_code == 201
    told = [await asked(desk, clerk, project_id=one) for one in (desk.project_id, other.shown["id"])]
    assert told == ["support_task_ok", "support_other_user"]


@pytest.mark.clause("NX-18")
async def test_the_members_of_a_former_owner_ask_for_nothing_after_the_transfer(house: House, callers: Callers) -> None:
    desk, admin = await help_desk(house, callers, MARKET), await callers.client()
    clerk = await staff(house)
    till = house.till(product=MARKET)
    await till.activate(desk.sold.license_key, project="Corner Shop")
    await members(admin, desk, "", clerk)
    assert await asked(desk, clerk) == "support_task_ok"
    buyer = await house.license(MARKET, "buyer@else.example")
    body = {"customer": "buyer@else.example", "reason": "the shop was sold"}
    place = f"/v1/licenses/{desk.sold.license_id}"
    assert (await admin.post(f"{place}/transfer", json=body)).status_code == 200
    paid = {"channel": "manual", "number": "R-1", "amount": "30.00 USD", "months": 12}
    assert (await admin.post(f"{place}/renewals", json=paid)).status_code == 201
    owner = (await admin.get(f"/v1/licenses/{buyer.license_id}")).json()["customer_id"]
    assert await asked(desk, owner) == "support_task_ok"
    assert await asked(desk, clerk) == "support_other_user"
    former = await desk.preview(asked_by=clerk, project_id=desk.project_id)
    assert (former["code"], former["clauses"]) == ("support_other_project", ["NX-16", "NX-17"])


@pytest.mark.clause("NX-18", "NX-38")
async def test_a_membership_ends_with_the_account_of_the_member_or_of_the_owner(house: House, callers: Callers) -> None:
    desk, admin = await help_desk(house, callers, MARKET), await callers.client()
    first, second = await staff(house), await staff(house, "cook")
    for who in (first, second):
        assert (await members(admin, desk, "", who)).status_code == 201
    for gone, left in ((first, 1), (desk.customer_id, 0)):
        erased = await admin.post("/v1/accounts/erase-again", json={"customers": [gone]})
        assert erased.json()["erased"] == [gone]
        async with house.services.db.reading() as tx:
            assert len(await project_members.of_project(tx, UUID(desk.project_id))) == left
    assert (await members(admin, desk, "", first)).status_code == 404


@pytest.mark.clause("NX-18")
async def test_the_owner_is_no_member_of_his_own_project(house: House, callers: Callers) -> None:
    desk, admin = await help_desk(house, callers, MARKET), await callers.client()
    refused = await members(admin, desk, "", desk.customer_id)
    assert (refused.status_code, refused.json()["detail"].partition(":")[0]) == (400, "customer_id")
