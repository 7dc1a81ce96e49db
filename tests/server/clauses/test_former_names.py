"""NX-02 and NX-06 through the API: a renamed project is found by its former names too."""

import pytest

from tests.support.callers import Callers
from tests.support.house import House
from tillkey_server.store import tables
from tillkey_server.usecases.license import IssuedLicense


async def rename(house: House, callers: Callers, project: str, name: str) -> None:
    """Give a project another name."""
    admin = await callers.client()
    renamed = await admin.patch(f"/v1/projects/{project}", json={"name": name})
    assert (renamed.status_code, renamed.json()["name"]) == (200, name)


async def bound(house: House, project: str) -> tuple[IssuedLicense, str]:
    """Return a license that is bound to a project and free, with the project's id."""
    sold = await house.license()
    till = house.till()
    found = (await till.activate(sold.license_key, project=project)).granted.project
    await till.deactivate()
    return sold, str(found)


@pytest.mark.clause("NX-02", "NX-06")
async def test_a_till_that_says_a_former_name_is_in_the_same_project(house: House, callers: Callers) -> None:
    admin = await callers.client()
    sold, project = await bound(house, "Corner Shop")
    for name in ("Harbor Shop", "Market Shop"):
        await rename(house, callers, project, name)
    for said in ("corner  shop", "Harbor Shop", "Market Shop"):
        till = house.till()
        reply = await till.activate(sold.license_key, project=said)
        assert (reply.status, str(reply.granted.project)) == (201, project), said
        assert "NX-02" in (await house.last_decision(sold))["clauses"]
        await till.deactivate()
    assert [one["id"] for one in (await admin.get("/v1/projects")).json()["items"]] == [project]
    other = await house.till().activate(sold.license_key, project="Another Shop")
    assert (other.code, other.body["clauses"]) == ("bound_to_other_project", ["NX-06"])


@pytest.mark.clause("NX-02", "NX-06")
async def test_a_name_that_belongs_to_another_project_now_is_that_ones(house: House, callers: Callers) -> None:
    admin = await callers.client()
    sold, first = await bound(house, "Corner Shop")
    await rename(house, callers, first, "Harbor Shop")
    owner = (await admin.get(f"/v1/projects/{first}")).json()["customer_id"]
    second = (await admin.post("/v1/projects", json={"customer_id": owner, "name": "Corner Shop"})).json()["id"]
    assert second != first
    refused = await house.till().activate(sold.license_key, project="Corner Shop")
    assert (refused.code, refused.body["clauses"]) == ("bound_to_other_project", ["NX-06"])
    # Of the two that had it, the second had it last.
    await rename(house, callers, second, "Station Shop")
    assert (await house.till().activate(sold.license_key, project="Corner Shop")).code == "bound_to_other_project"
    another = (await house.till().activate((await house.license()).license_key, project="Corner Shop")).granted
    assert str(another.project) == second
    await rename(house, callers, first, "Corner Shop")
    assert (await house.till().activate(sold.license_key, project="Corner Shop")).status == 201


@pytest.mark.clause("NX-02")
async def test_another_spelling_of_the_same_name_is_no_former_name(house: House, callers: Callers) -> None:
    _, project = await bound(house, "Corner Shop")
    await rename(house, callers, project, "CORNER SHOP")
    async with house.services.db.reading() as tx:
        assert (await tx.execute(tables.former_name.select())).all() == []


@pytest.mark.clause("NX-06", "NX-02")
async def test_former_names_follow_a_license_to_its_new_owner(house: House, callers: Callers) -> None:
    supervisor = await callers.client("supervisor")
    sold, project = await bound(house, "Corner Shop")
    await rename(house, callers, project, "Harbor Shop")
    await house.license(customer="buyer@else.example")
    body = {"customer": "buyer@else.example", "reason": "the shop was sold"}
    given = await supervisor.post(f"/v1/licenses/{sold.license_id}/transfer", json=body)
    assert given.status_code == 200, given.text
    reply = await house.till().activate(sold.license_key, project="Corner Shop")
    assert reply.status == 201
    assert str(reply.granted.project) != project


@pytest.mark.clause("NX-02", "NX-38")
async def test_former_names_are_erased_with_the_account(house: House, callers: Callers) -> None:
    admin = await callers.client()
    _, project = await bound(house, "Corner Shop")
    await rename(house, callers, project, "Harbor Shop")
    owner = (await admin.get(f"/v1/projects/{project}")).json()["customer_id"]
    gone = await admin.post("/v1/accounts/erase-again", json={"customers": [owner]})
    assert gone.json()["erased"] == [owner]
    async with house.services.db.reading() as tx:
        assert (await tx.execute(tables.former_name.select())).all() == []
