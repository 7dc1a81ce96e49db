"""A help desk: it asks, opens and tells events over HTTP, as an agent."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import httpx

from tests.support.callers import Callers
from tests.support.house import House
from tillkey_server.ids import new_token
from tillkey_server.rules.access import Scope
from tillkey_server.rules.order_line import CustomerType
from tillkey_server.store import products
from tillkey_server.store.licenses import by_id
from tillkey_server.usecases.license import IssuedLicense
from tillkey_server.usecases.order import Line, place_order
from tillkey_server.usecases.project import add_project

MARKET, ADDON, CRM, CARE = (
    "nexopos-multistore",
    "01generator-price-import",
    "crmjetty-customer-portal",
    "prestashop-click-collect",
)
WHOLE = ["steps", "expected", "actual", "version", "fresh_install_checked"]
PLAIN: dict[str, dict[str, Any]] = {
    MARKET: {"task": "fix_issue", "described": WHOLE},
    ADDON: {"task": "technical_issue"},
    CRM: {"task": "technical_issue", "described": ["problem", "store_access"]},
    CARE: {"task": "technical_issue"},
}
"""A question about each vendor's product that its terms take."""


class HelpDesk:
    """One license of one product, and the desk that is asked about it."""

    def __init__(self, house: House, http: httpx.AsyncClient, product: str, sold: IssuedLicense) -> None:
        self.house, self.http, self.product, self.sold = house, http, product, sold
        self.request_id = ""
        self.customer_id = ""
        self.project_id = ""

    async def preview(self, **more: Any) -> dict[str, Any]:
        """Ask whether a request would be served."""
        answer = await self.http.post("/v1/support-requests/preview", json=self.question(**more))
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    async def open(self, **more: Any) -> dict[str, Any]:
        """Put a request on record, or be refused."""
        answer = await self.http.post("/v1/support-requests", json=self.question(**more))
        told: dict[str, Any] = answer.json()
        if answer.status_code == 201:
            self.request_id = told["request"]["id"]
        else:
            assert answer.status_code in {403, 409}, answer.text
        return told

    async def event(self, kind: str, **more: Any) -> dict[str, Any]:
        """Tell what happened to the request that was opened last."""
        return await self.post("events", kind=kind, **more)

    async def post(self, what: str, **body: Any) -> dict[str, Any]:
        """Tell something else of it: a grant, a hotfix."""
        answer = await self.http.post(f"/v1/support-requests/{self.request_id}/{what}", json=body)
        assert answer.status_code in {201, 409}, answer.text
        told: dict[str, Any] = answer.json()
        return told

    async def shown(self) -> dict[str, Any]:
        """Look at the request that was opened last."""
        answer = await self.http.get(f"/v1/support-requests/{self.request_id}")
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    async def clock(self, name: str) -> dict[str, Any]:
        """Look at one of its clocks."""
        found: dict[str, Any] = next(one for one in (await self.shown())["clocks"] if one["clock"] == name)
        return found

    def question(self, **more: Any) -> dict[str, Any]:
        """Return a question that the terms take, with what the test changes."""
        return {**PLAIN[self.product], "license_id": str(self.sold.license_id), **more}


async def help_desk(house: House, callers: Callers, product: str, **described: Any) -> HelpDesk:
    """Sell a license of a product, with what its page promises or what kind it is, and open a desk."""
    if described:
        async with house.services.db.writing() as tx:
            row = await products.by_code(tx, product)
            assert row is not None
            await products.change(tx, row.id, described)
    sold = await _sold(house, product)
    desk = HelpDesk(house, await callers.client("agent"), product, sold)
    async with house.services.db.reading() as tx:
        held = await by_id(tx, sold.license_id)
    assert held is not None
    desk.customer_id = str(held.customer_id)
    project = await add_project(house.services, held.customer_id, name="Corner Shop", site="https://shop.example")
    desk.project_id = str(project.shown["id"])
    return desk


async def _sold(house: House, product: str) -> IssuedLicense:
    """Sell a license by an order, which keeps what the product's page promised on the day."""
    placed = await place_order(
        house.services,
        number=new_token(),
        customer_email="owner@shop.example",
        lines=[Line(product)],
        customer_type=CustomerType.PROFESSIONAL,
        actor="cli:test",
        scope=Scope(),
    )
    made = placed.shown["licenses"][0]
    return IssuedLicense(UUID(made["license_id"]), made["license_key"], made["key_hint"])


def with_terms(house: House, name: str, **changed: Any) -> None:
    """Change terms that are in force, for one test."""
    policy = house.services.policies.offered(name)
    house.services.policies._known[policy.ref] = replace(policy, **changed)
