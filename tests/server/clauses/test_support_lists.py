"""NX-23 and K-09 through the API: which list of grounds refuses help with what was sold under an older version."""

from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.server.clauses.test_refund_plans import reopened
from tests.support.help_desk import WHOLE
from tests.support.house import House
from tests.support.refunding import Desk, Sold, own_terms
from tillkey_server.usecases.project import add_project

ABUSIVE = "nosup_abusive"
GROUND = f'[[support.grounds]]\ncode = "{ABUSIVE}"\nrefusal = "must"\nclauses = ["NX-23"]\n'
NEXT = ("version = 3", "version = 4")


def write(house: House, *changes: tuple[str, str]) -> None:
    """Put the vendor's terms, with changes, into their place."""
    place = house.services.settings.policies_dir / "swap.toml"
    place.write_text(own_terms("swap", "nexopos", *changes), "utf-8")


async def ask(desk: Desk, sold: Sold, path: str = "/preview", **more: Any) -> dict[str, Any]:
    """Ask for help after insults were found."""
    body = {"license_id": str(sold.license_id), "task": "fix_issue", "described": WHOLE, **more}
    answer: httpx.Response = await desk.agent.post(f"/v1/support-requests{path}", json=body)
    told: dict[str, Any] = answer.json()
    return told


async def sell(desk: Desk) -> Sold:
    """Sell to a customer of one project."""
    sold = await desk.sell("swap")
    customer = (await desk.agent.get(f"/v1/licenses/{sold.license_id}")).json()["customer_id"]
    await add_project(desk.house.services, UUID(customer), name="Corner Shop", site="https://shop.example")
    return sold


async def refuse(desk: Desk, request: dict[str, Any]) -> dict[str, Any]:
    """Refuse a request that is on record for insults."""
    body = {"kind": "refused", "code": ABUSIVE, "evidence": "insults"}
    answer = await desk.agent.post(f"/v1/support-requests/{request['request']['id']}/events", json=body)
    told: dict[str, Any] = answer.json()
    return told


@pytest.mark.clause("NX-23", "K-09")
async def test_a_ground_that_a_later_version_adds_refuses_no_order_of_before(house: House) -> None:
    write(house, (GROUND, ""))
    async with reopened(house, "swap") as before:
        old = await sell(before)
    write(house, NEXT)
    async with reopened(house, None) as after:
        new = await after.sell("swap")
        found = {ABUSIVE: "insults"}
        refused = await ask(after, new, found=found)
        assert (refused["code"], "NX-23" in refused["clauses"]) == (ABUSIVE, True)
        taken = await ask(after, old, "", found=found)
        assert (taken["code"], taken["policy"]["version"], "K-09" in taken["clauses"]) == ("support_task_ok", 3, False)
        late = await refuse(after, taken)
        assert (late["code"], late["facts"]["because"]) == ("refusal_not_permitted", "ground_not_listed")
        assert {"NX-22", "NX-23"} <= set(late["clauses"])


@pytest.mark.clause("NX-23", "K-09")
async def test_a_ground_that_a_later_version_drops_refuses_no_order_of_before_either(house: House) -> None:
    write(house)
    async with reopened(house, "swap") as before:
        old = await sell(before)
        refused = await ask(before, old, found={ABUSIVE: "insults"})
        assert (refused["code"], "NX-23" in refused["clauses"]) == (ABUSIVE, True)
        opened = await ask(before, old, "")
    write(house, NEXT, (GROUND, ""))
    async with reopened(house, None) as after:
        taken = await ask(after, old, "", found={ABUSIVE: "insults"})
        assert (taken["code"], taken["policy"]["version"]) == ("support_task_ok", 3)
        assert (taken["facts"]["lifted"], "K-09" in taken["clauses"]) == ([ABUSIVE], True)
        for request in (opened, taken):
            late = await refuse(after, request)
            assert (late["code"], late["facts"]["because"]) == ("refusal_not_permitted", "ground_lifted")
            assert {"NX-23", "K-09"} <= set(late["clauses"])


@pytest.mark.clause("K-09")
async def test_a_later_version_that_does_not_say_so_leaves_older_orders_their_list(house: House) -> None:
    write(house)
    async with reopened(house, "swap") as before:
        old = await sell(before)
    write(house, NEXT, (GROUND, ""), ("apply_if_better = true               # K-09: a ground", "#"))
    async with reopened(house, None) as after:
        assert (await ask(after, old, found={ABUSIVE: "insults"}))["code"] == ABUSIVE
