"""What tests of terms do again and again over HTTP: sell, renew, ask."""

from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from tests.support.house import House
from tillkey_server.ids import new_token
from tillkey_server.rules.product import ProductState
from tillkey_server.store import products
from tillkey_server.usecases.product_facts import set_state

OWNER = "owner@shop.example"


def local(day: str, zone: str, at: time = time(12)) -> datetime:
    """Return an instant of a local date, noon unless the test says when."""
    return datetime.combine(date.fromisoformat(day), at, ZoneInfo(zone)).astimezone(UTC)


async def sell(http: httpx.AsyncClient, product: str, *, channel: str = "shop", **line: Any) -> str:
    """Sell one license at the house's time and return its id."""
    body = {
        "number": new_token(),
        "channel": channel,
        "customer": OWNER,
        "customer_type": "professional",
        "lines": [{"product": product, **line}],
    }
    answer = await http.post("/v1/orders", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["licenses"][0]["license_id"])


async def renew(http: httpx.AsyncClient, license_id: str, **more: Any) -> httpx.Response:
    """Tell a paid renewal."""
    body = {"channel": "shop", "number": new_token(), "amount": "1.00 EUR", **more}
    return await http.post(f"/v1/licenses/{license_id}/renewals", json=body)


async def quote(http: httpx.AsyncClient, license_id: str, **more: Any) -> dict[str, Any]:
    """Ask what a renewal would be."""
    answer = await http.post(f"/v1/licenses/{license_id}/renewals/preview", json=more)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def terms(http: httpx.AsyncClient, license_id: str) -> dict[str, Any]:
    """Return a license's terms."""
    return dict((await http.get(f"/v1/licenses/{license_id}/terms")).json())


async def last_days(http: httpx.AsyncClient, license_id: str) -> dict[str, str | None]:
    """Return the last day of each clock."""
    return {name: clock["last_day"] for name, clock in (await terms(http, license_id))["clocks"].items()}


async def care(http: httpx.AsyncClient, license_id: str, **query: str) -> dict[str, Any]:
    """Ask whether care is active."""
    answer = await http.get(f"/v1/licenses/{license_id}/care", params=query)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def withdraw(house: House, product: str, *, offline: bool = False) -> None:
    """Take a product off sale for a time, or retire it."""
    state = ProductState.OFFLINE if offline else ProductState.RETIRE
    await set_state(house.services, product, state, actor="cli:test")


async def only_retired(house: House, product: str) -> None:
    """Leave a product as a server that was killed during its retirement does: retired, with nothing cancelled yet."""
    async with house.services.db.writing() as tx:
        row = await products.by_code(tx, product)
        assert row is not None
        await products.change(tx, row.id, {"retired_at": house.clock.now()})
