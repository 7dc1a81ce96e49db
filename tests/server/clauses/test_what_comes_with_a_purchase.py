"""NX-01, NX-05, NX-13, NX-19, NX-21, NX-44 and X-11, through the API."""

import asyncio
from dataclasses import replace
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.server.clauses.test_purchases import CORE, EXTENSION, OWNER, catalogue, order, told
from tests.support.callers import Callers
from tests.support.house import AGENT, House
from tillkey_server.ids import new_id
from tillkey_server.rules.decision import Decision
from tillkey_server.store import licenses, orders, terms
from tillkey_server.store.terms import TermRow
from tillkey_server.usecases import prerequisite
from tillkey_server.usecases.license import change_standing
from tillkey_server.usecases.terms import bought_by, recompute, take_out


@pytest.mark.clause("NX-01")
async def test_each_piece_has_a_license_of_its_own_however_often_the_payment_is_told(
    house: House, callers: Callers
) -> None:
    client = await callers.client()
    body = {
        "number": "A-1",
        "customer": OWNER,
        "lines": [{"product": EXTENSION, "quantity": 3, "price": "0.00 USD"}],
    }
    answers = await asyncio.gather(*[client.post("/v1/orders", json=body) for _ in range(3)])
    assert sorted(answer.status_code for answer in answers) == [200, 200, 201]
    given = [sorted(one["license_id"] for one in answer.json()["licenses"]) for answer in answers]
    assert (given[0], len(set(given[0]))) == (given[1], 3)
    assert given[1] == given[2]
    keys = {one["license_key"] for answer in answers for one in answer.json()["licenses"]} - {None}
    assert len(keys) == 3
    first = next(answer.json() for answer in answers if answer.status_code == 201)
    assert (first["decision"]["code"], first["decision"]["clauses"]) == ("sale_allowed", ["NX-01"])


@pytest.mark.clause("NX-05")
async def test_several_licenses_of_one_product_add_up_and_one_that_is_refunded_takes_nothing_of_another(
    house: House, callers: Callers
) -> None:
    client = await callers.client()
    sold = [await house.license(EXTENSION) for _ in range(3)]
    tills = [house.till(product=EXTENSION) for _ in range(2)]
    for till, one in zip(tills, sold, strict=False):
        assert (await till.activate(one.license_key, project="Corner Shop")).status == 201
    projects = (await client.get("/v1/projects")).json()["items"]
    path = f"/v1/projects/{projects[0]['id']}/entitlements"
    both = (await client.get(path)).json()
    assert (both["code"], both["clauses"]) == ("project_entitled", ["NX-05"])
    assert both["facts"]["seats"] == {EXTENSION: 2}
    assert both["facts"]["use_next"] == {EXTENSION: str(sold[2].license_id)}
    await change_standing(house.services, sold[0].license_id, event="revoke", actor=AGENT, reason="paid back")
    one = (await client.get(path)).json()
    assert (one["decision"], one["facts"]["seats"], "sell" in one["facts"]["entitlements"]) == (
        "allow",
        {EXTENSION: 1},
        True,
    )
    await change_standing(house.services, sold[1].license_id, event="revoke", actor=AGENT, reason="paid back")
    assert (await client.get(path)).json()["code"] == "project_not_entitled"


async def depending(client: httpx.AsyncClient, house: House) -> tuple[list[str], str]:
    """Two cores and an extension of theirs, which a till uses."""
    await catalogue(client)
    placed = await order(client, CORE, CORE, EXTENSION)
    ids = [one["license_id"] for one in placed["licenses"]]
    return ids[:2], ids[2]


@pytest.mark.clause("NX-13")
async def test_who_lost_the_last_core_keeps_the_extension_and_is_told(house: House, callers: Callers) -> None:
    client = await callers.client()
    cores, extension = await depending(client, house)
    query = {"code": "prereq_lost"}
    for core in cores:
        assert (await client.get("/v1/audit", params=query)).json()["items"] == []
        await change_standing(house.services, UUID(core), event="revoke", actor=AGENT, reason="paid back")
    lost = (await client.get("/v1/audit", params=query)).json()["items"]
    assert [(one["license_id"], one["clauses"], one["facts"]["suspends"]) for one in lost] == [
        (extension, ["NX-13"], False)
    ]
    assert (await client.get(f"/v1/licenses/{extension}")).json()["status"] == "active"


@pytest.mark.clause("NX-13")
async def test_terms_may_suspend_what_depends_on_a_lost_core(
    house: House, callers: Callers, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await callers.client()
    cores, extension = await depending(client, house)
    decide = prerequisite.decide_loss

    def suspending(*args: Any) -> Decision:
        found = decide(*args)
        return replace(found, facts={**found.facts, "suspends": True})

    monkeypatch.setattr(prerequisite, "decide_loss", suspending)
    for core in cores:
        await change_standing(house.services, UUID(core), event="revoke", actor=AGENT, reason="paid back")
    lost = (await client.get("/v1/audit", params={"code": "prereq_lost"})).json()["items"]
    assert [one["clauses"] for one in lost] == [["NX-13"]]
    assert (await client.get(f"/v1/licenses/{extension}")).json()["status"] == "suspended"


@pytest.mark.clause("NX-19", "NX-21")
async def test_each_core_brings_one_free_installation_which_is_used_once_and_void_when_paid_back(
    house: House, callers: Callers
) -> None:
    client = await callers.client()
    await catalogue(client)
    first = await order(client, CORE, EXTENSION)
    second = await order(client, CORE)
    path = f"/v1/customers/{first['customer_id']}/install-credits"
    assert [one["state"] for one in (await client.get(path)).json()["items"]] == ["open", "open"]
    used = await told(client, "POST", f"{path}/use", {})
    assert (used["code"], used["clauses"], used["facts"]["left"]) == ("install_credit_used", ["NX-19", "NX-21"], 1)
    # Unused, it goes with its license; used, it stays used.
    for placed in (first, second):
        core = placed["licenses"][0]["license_id"]
        await change_standing(house.services, UUID(core), event="revoke", actor=AGENT, reason="paid back")
    assert [one["state"] for one in (await client.get(path)).json()["items"]] == ["used", "void"]
    none = await told(client, "POST", f"{path}/use", {}, 409)
    assert (none["code"], none["clauses"]) == ("install_credit_none", ["NX-19", "NX-21"])
    assert "extended support" in none["detail"]


@pytest.mark.clause("NX-19")
async def test_two_who_use_the_last_free_installation_at_once_use_it_once(house: House, callers: Callers) -> None:
    client = await callers.client()
    await catalogue(client)
    placed = await order(client, CORE)
    path = f"/v1/customers/{placed['customer_id']}/install-credits/use"
    answers = await asyncio.gather(*[client.post(path, json={}) for _ in range(2)])
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert all("NX-19" in answer.json()["clauses"] for answer in answers)


@pytest.mark.clause("NX-19")
async def test_a_request_for_the_installation_and_who_did_one_count_the_same_free_installations(
    house: House, callers: Callers
) -> None:
    client = await callers.client()
    await catalogue(client)
    placed = [await order(client, CORE) for _ in range(2)]
    customer = placed[0]["customer_id"]
    project = await told(client, "POST", "/v1/projects", {"customer_id": customer, "name": "Corner Shop"}, 201)
    path = f"/v1/customers/{customer}/install-credits"

    def asked(position: int) -> dict[str, Any]:
        license_id = placed[position]["licenses"][0]["license_id"]
        return {"task": "install_service", "license_id": license_id, "project_id": project["id"]}

    opened = await told(client, "POST", "/v1/support-requests", asked(0), 201)
    held = (await client.get(path)).json()["items"]
    assert [(one["id"] == opened["facts"]["credit"], one["state"]) for one in held] == [(True, "used"), (False, "open")]
    named = await told(client, "POST", f"{path}/use", {"credit_id": held[0]["id"]}, 409)
    assert (named["code"], "NX-19" in named["clauses"]) == ("install_credit_none", True)
    assert (await told(client, "POST", f"{path}/use", {"credit_id": held[1]["id"]}))["code"] == "install_credit_used"
    refused = await told(client, "POST", "/v1/support-requests", asked(1), 409)
    assert (refused["code"], "NX-19" in refused["clauses"]) == ("install_credit_none", True)
    await told(client, "POST", f"{path}/use", {"credit_id": placed[0]["id"]}, 404)


@pytest.mark.clause("NX-19")
async def test_two_licenses_of_one_line_that_ask_for_its_installation_at_once_use_it_once(
    house: House, callers: Callers
) -> None:
    client = await callers.client()
    await catalogue(client)
    lines = [{"product": CORE, "quantity": 2, "price": "0.00 USD"}]
    sold = await told(client, "POST", "/v1/orders", {"number": "A-1", "customer": OWNER, "lines": lines}, 201)
    of = {"customer_id": sold["customer_id"], "name": "Corner Shop"}
    project = await told(client, "POST", "/v1/projects", of, 201)
    bodies = [
        {"task": "install_service", "license_id": one["license_id"], "project_id": project["id"]}
        for one in sold["licenses"]
    ]
    answers = await asyncio.gather(*[client.post("/v1/support-requests", json=body) for body in bodies])
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    assert {one.json()["code"] for one in answers} == {"install_credit_used", "install_credit_none"}


CODE = "86781236-23D0-4b3c-7dfa-c1c147e0dece"


def brought(customer: str, **more: Any) -> dict[str, Any]:
    return {
        "channel": "envato",
        "code": CODE,
        "product": EXTENSION,
        "customer": customer,
        "support_months": 6,
        "purchased_at": "2026-01-31T10:00:00Z",
        **more,
    }


@pytest.mark.clause("NX-44")
async def test_a_purchase_code_becomes_one_license_of_whoever_brings_it_first(house: House, callers: Callers) -> None:
    client = await callers.client()
    made = await told(client, "POST", "/v1/licenses/import", brought(OWNER), 201)
    assert (made["code"], made["clauses"]) == ("license_imported", ["NX-44"])
    clocks = (await client.get(f"/v1/licenses/{made['license_id']}/explain")).json()["clocks"]
    assert (clocks["support"]["last_day"], clocks["use"]["last_day"]) == ("2026-07-31", None)
    again = await told(client, "POST", "/v1/licenses/import", brought(OWNER, code=f" {CODE.lower()} "))
    assert (again["license_id"], again["license_key"], again["code"]) == (
        made["license_id"],
        None,
        "license_imported_before",
    )
    other = await told(client, "POST", "/v1/licenses/import", brought("other@shop.example"), 409)
    assert (other["code"], other["clauses"]) == ("purchase_code_already_claimed", ["NX-44"])
    assert (await house.till(product=EXTENSION).activate(made["license_key"])).status == 201
    later = brought(OWNER, code=CODE[::-1], support_months=12, supported_until="2026-12-24T10:00:00Z")
    told_end = await told(client, "POST", "/v1/licenses/import", later, 201)
    assert told_end["facts"]["support_until"] == "2026-12-24T10:00:00Z"
    for odd in ({"support_months": 7}, {"channel": "elsewhere"}):
        refused = await told(client, "POST", "/v1/licenses/import", brought(OWNER, code="0" * 12, **odd), 409)
        assert (refused["code"], refused["clauses"]) == ("purchase_code_not_taken", ["NX-44"])


@pytest.mark.clause("NX-44")
@pytest.mark.parametrize(
    ("until", "first", "renewed"),
    [("2026-12-24T10:00:00Z", "2026-12-24", "2027-03-24"), (None, "2026-07-31", "2026-10-31")],
)
async def test_the_marketplaces_end_of_support_is_master_whatever_is_folded_later(
    house: House, callers: Callers, until: str | None, first: str, renewed: str
) -> None:
    client = await callers.client()
    made = await told(client, "POST", "/v1/licenses/import", brought(OWNER, supported_until=until), 201)
    license_id = UUID(made["license_id"])

    async def ends() -> tuple[str, str]:
        clocks = (await client.get(f"/v1/licenses/{license_id}/terms")).json()["clocks"]
        return clocks["support"]["last_day"], clocks["updates"]["last_day"]

    async def extend() -> TermRow:
        """What a renewal writes: three months of both, paid now."""
        async with house.services.db.writing() as tx:
            row = await licenses.by_id(tx, license_id, lock=True)
            assert row is not None
            bought = await bought_by(tx, row)
            line = replace(bought.line, id=new_id(), position=1, kind="renewal")
            await orders.insert_line(tx, line)
            now = house.clock.now()
            term = TermRow(new_id(), row.id, line.id, 3, now, ["updates", "support"], now)
            await terms.insert(tx, term)
            await recompute(tx, row, await house.services.policies.of(tx, row.policy_ref), now)
            return term

    assert await ends() == (first, first)
    term = await extend()
    assert await ends() == (renewed, renewed)
    async with house.services.db.writing() as tx:
        row = await licenses.by_id(tx, license_id, lock=True)
        assert row is not None
        policy = await house.services.policies.of(tx, row.policy_ref)
        now = house.clock.now()
        back = await take_out(tx, row, policy, line_id=term.order_line_id, refunded_at=now, now=now)
    assert await ends() == (first, first)
    assert back.license.support_until == back.license.updates_until


async def kept_ends(house: House, license_id: str) -> set[str | None]:
    """Return the days at which support and updates end as they are kept, which leases and updates go by."""
    async with house.services.db.reading() as tx:
        row = await licenses.by_id(tx, UUID(license_id))
    assert row is not None
    return {None if one is None else one.date().isoformat() for one in (row.support_until, row.updates_until)}


@pytest.mark.clause("NX-44")
async def test_a_later_end_that_the_marketplace_tells_counts_and_an_earlier_one_takes_nothing(
    house: House, callers: Callers
) -> None:
    client = await callers.client()
    made = await told(client, "POST", "/v1/licenses/import", brought(OWNER), 201)
    assert await kept_ends(house, made["license_id"]) == {"2026-07-31"}
    for until, end in (
        ("2026-06-30T10:00:00Z", "2026-07-31"),
        ("2027-01-31T10:00:00Z", "2027-01-31"),
        ("2026-12-31T10:00:00Z", "2027-01-31"),
        (None, "2027-01-31"),
    ):
        again = await told(client, "POST", "/v1/licenses/import", brought(OWNER, supported_until=until))
        assert (again["code"], again["clauses"]) == ("license_imported_before", ["NX-44"])
        assert again["facts"]["support_until"][:10] == end
        assert await kept_ends(house, made["license_id"]) == {end}


@pytest.mark.clause("NX-44")
async def test_a_purchase_code_is_of_whoever_has_its_license_now(house: House, callers: Callers) -> None:
    client = await callers.client()
    made = await told(client, "POST", "/v1/licenses/import", brought(OWNER), 201)
    buyer = "b@shop.example"
    await house.license(EXTENSION, buyer)
    given = {"customer": buyer, "reason": "sold"}
    await told(client, "POST", f"/v1/licenses/{made['license_id']}/transfer", given)
    theirs = await told(client, "POST", "/v1/licenses/import", brought(buyer))
    assert (theirs["code"], theirs["license_id"]) == ("license_imported_before", made["license_id"])
    mine = await told(client, "POST", "/v1/licenses/import", brought(OWNER), 409)
    assert (mine["code"], mine["clauses"]) == ("purchase_code_already_claimed", ["NX-44"])
    assert made["license_id"] not in str(mine)


@pytest.mark.clause("NX-44")
async def test_two_accounts_that_bring_a_code_at_once_do_not_both_get_it(house: House, callers: Callers) -> None:
    client = await callers.client()
    bodies = [brought(f"{name}@shop.example") for name in ("one", "two")]
    answers = await asyncio.gather(*[client.post("/v1/licenses/import", json=body) for body in bodies])
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    assert all("NX-44" in answer.json()["clauses"] for answer in answers)


@pytest.mark.clause("X-11")
async def test_whoever_has_a_key_learns_nothing_of_its_owner(house: House) -> None:
    key = await house.key()
    await house.till().activate(key, project="Hannah's Corner Shop")
    for license_key in (key, key.lower()):
        body = {"license_key": license_key, "product": "pos-core"}
        answer = await house.http.post("/v1/licenses/check", json=body)
        assert set(answer.json()) == {"code", "known", "usable"}
    refused = await house.till().activate(key)
    assert [word for word in ("owner@shop.example", "Hannah") if word in str(refused.body)] == []
