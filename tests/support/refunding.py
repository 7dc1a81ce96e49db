"""What tests of refunds do again and again: sell at a time, note a request for support, ask, decide, look."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.support.callers import Callers
from tests.support.databases import DIALECTS
from tests.support.house import AGENT, MORNING, House, TurnedClock, opened_house
from tillkey_server.ids import new_id, new_token
from tillkey_server.money import Money, parse
from tillkey_server.policies.loader import bundled_policies
from tillkey_server.rules.order_line import CustomerType, LineKind
from tillkey_server.store import outbox, support
from tillkey_server.store.licenses import by_id
from tillkey_server.usecases.answers import RefusalAnswer
from tillkey_server.usecases.catalogue import add_product
from tillkey_server.usecases.order import Line, place_order

NX, ZG, CJ, BC = (
    "nexopos-multistore",
    "01generator-price-import",
    "crmjetty-customer-portal",
    "prestashop-click-collect",
)
YEARLY, MONTHLY = "portal-yearly", "portal-monthly"
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Sold:
    """A license of an order that was paid at a time."""

    license_id: UUID
    license_key: str


@dataclass(frozen=True)
class Desk:
    """A house with a client for each who deals with refunds."""

    house: House
    agent: httpx.AsyncClient
    supervisor: httpx.AsyncClient
    integration: httpx.AsyncClient
    platform: httpx.AsyncClient

    @property
    def now(self) -> datetime:
        """The house's time."""
        return self.house.clock.now()

    async def sell(
        self,
        product: str,
        price: str = "100.00 EUR",
        *,
        tax: str | None = None,
        paid_at: datetime | None = None,
        beside: Sequence[Line] = (),
        customer: str = "owner@shop.example",
        customer_type: CustomerType | None = CustomerType.PROFESSIONAL,
        channel: str = "shop",
        months: int | None = None,
    ) -> Sold:
        """Sell one license at a price."""
        line = Line(product, price=parse(price), tax=None if tax is None else parse(tax), months=months)
        return (
            await self.sell_all(
                line, *beside, paid_at=paid_at, customer=customer, customer_type=customer_type, channel=channel
            )
        )[0]

    async def sell_all(
        self,
        *lines: Line,
        paid_at: datetime | None = None,
        customer: str = "owner@shop.example",
        customer_type: CustomerType | None = CustomerType.PROFESSIONAL,
        channel: str = "shop",
    ) -> list[Sold]:
        """Sell an order's lines; return their licenses."""
        placed = await place_order(
            self.house.services,
            number=new_token(),
            channel=channel,
            customer_email=customer,
            lines=lines,
            actor=AGENT,
            paid_at=paid_at,
            customer_type=customer_type,
        )
        assert not isinstance(placed, RefusalAnswer)
        given: Any = placed.shown["licenses"]
        return [Sold(UUID(one["license_id"]), one["license_key"]) for one in given]

    async def issue(
        self, sold: Sold, received: datetime | None = None, *, platform: str | None = None, **events: Any
    ) -> str:
        """Note a request for support about a license, with events at their times: `finding="malfunction"`, …

        Of several findings: `finding=("malfunction", "corrupt")`.
        """
        at = received or self.now
        async with self.house.services.db.writing() as tx:
            held = await by_id(tx, sold.license_id)
            assert held is not None
            row = support.SupportRequestRow(
                id=new_id(),
                customer_id=held.customer_id,
                product_id=held.product_id,
                license_id=held.id,
                project_id=None,
                policy_name=held.policy_name,
                policy_version=held.policy_version,
                task="technical_issue",
                presale=False,
                reference=None,
                matter=None,
                platform_version=platform,
                duplicate_of=None,
                taken_as="support_task_ok",
                received_at=at,
                created_at=at,
                created_by=AGENT,
            )
            await support.insert(tx, row)
            each = ((kind, one) for kind, told in events.items() for one in (told if type(told) is tuple else (told,)))
            for kind, told in each:
                details = {"finding": told} if kind == "finding" else {}
                when = told if isinstance(told, datetime) else at
                event = support.SupportEventRow(new_id(), row.id, kind, when, details, when, AGENT)
                await support.add_event(tx, event)
        return str(row.id)

    async def preview(self, sold: Sold, *reasons: str, **more: Any) -> dict[str, Any]:
        """Ask what the terms say."""
        body = {"reasons": list(reasons), **more}
        told = await self.agent.post(f"/v1/licenses/{sold.license_id}/refunds/preview", json=body)
        assert told.status_code == 200, told.text
        answer: dict[str, Any] = told.json()
        return answer

    async def ask(self, sold: Sold, *reasons: str, **more: Any) -> dict[str, Any]:
        """Ask for a refund; the answer's status is under `http`."""
        body = {"reasons": list(reasons), **more}
        told = await self.agent.post(f"/v1/licenses/{sold.license_id}/refunds", json=body)
        return {**told.json(), "http": told.status_code}

    async def act(self, refund: dict[str, Any], act: str, **body: Any) -> dict[str, Any]:
        """Do something about a refund, as a supervisor; what the marketplace says itself, as it does."""
        by = self.platform if body.get("as_platform") else self.supervisor
        told = await by.post(f"/v1/refunds/{refund['id']}/{act}", json=body)
        return {**told.json(), "http": told.status_code}

    async def show(self, refund: dict[str, Any]) -> dict[str, Any]:
        """Look at a refund."""
        answer: dict[str, Any] = (await self.agent.get(f"/v1/refunds/{refund['id']}")).json()
        return answer

    async def balance(self, customer_id: str) -> dict[str, Any]:
        """Look at a balance."""
        answer: dict[str, Any] = (await self.agent.get(f"/v1/customers/{customer_id}/balance")).json()
        return answer


OFFICIAL = {"sender_verified": True, "by_email": True}
"""Asked for in writing, from the official address."""


def own_terms(name: str, base: str, *changes: tuple[str, str]) -> str:
    """The text of a vendor's policy under another name, with changes."""
    text = bundled_policies()[base].source
    for old, new in ((f'name = "{base}"', f'name = "{name}"'), *changes):
        assert f"\n{old}" in text, old
        text = text.replace(f"\n{old}", f"\n{new}")
    return text


async def desk_of(house: House, callers: Callers) -> Desk:
    """Give each a key."""
    roles = ("agent", "supervisor", "integration", "admin")
    return Desk(house, *[await callers.client(role) for role in roles])


@pytest.fixture(params=DIALECTS)
async def desk(
    request: pytest.FixtureRequest, fresh_database: Callable[..., str], tmp_path: Path
) -> AsyncIterator[Desk]:
    """A house with yearly and monthly products of the vendor who publishes terms for them, on each engine."""
    folder = tmp_path / "data" / "policies"
    folder.mkdir(parents=True)
    for name, months in ((YEARLY, 12), (MONTHLY, 1)):
        use = ("use_months = 0  ", f"use_months = {months}  ")
        (folder / f"{name}.toml").write_text(own_terms(name, "crmjetty", use), "utf-8")
    async with opened_house(request.param, fresh_database, tmp_path, TurnedClock()) as house:
        for n, name in enumerate((YEARLY, MONTHLY)):
            prefix = ("YRL", "MTH")[n]
            await add_product(
                house.services, code=name, name=name, key_prefix=prefix, policy=name, price=Money(10000, "EUR")
            )
        async with Callers(house.services) as callers:
            yield await desk_of(house, callers)


def an_add_on(kind: LineKind, price: str = "10.00 EUR", product: str = CJ) -> Line:
    """Something bought beside the first line of an order."""
    return Line(product, price=parse(price), kind=kind, beside=0)


async def license_of(desk: Desk, sold: Sold) -> dict[str, object]:
    """Look at a license."""
    shown: dict[str, object] = (await desk.agent.get(f"/v1/licenses/{sold.license_id}")).json()
    return shown


async def kinds(desk: Desk, subject: object) -> list[str]:
    """Return the kinds of effects in the outbox about something."""
    async with desk.house.services.db.reading() as tx:
        return [one.kind for one in await outbox.of_subject(tx, str(subject))]


__all__ = [
    "BC",
    "CJ",
    "DAY",
    "MONTHLY",
    "MORNING",
    "NX",
    "OFFICIAL",
    "YEARLY",
    "ZG",
    "Desk",
    "Sold",
    "an_add_on",
    "desk",
    "kinds",
    "license_of",
]
