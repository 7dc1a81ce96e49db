"""NX-44 through the API: a marketplace's list of codes beside what is on record, and what is applied of it."""

import asyncio
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.server.clauses.test_purchases import EXTENSION, OWNER, told
from tests.support.callers import Callers
from tests.support.house import House
from tests.support.picture import picture

LONGER = "2027-01-31T10:00:00Z"


async def brought(client: httpx.AsyncClient, code: str, customer: str = OWNER) -> dict[str, Any]:
    """Bring a code, with six months of support from 31 January 2026."""
    body = {
        "channel": "envato",
        "code": code,
        "product": EXTENSION,
        "customer": customer,
        "support_months": 6,
        "purchased_at": "2026-01-31T10:00:00Z",
    }
    made: dict[str, Any] = await told(client, "POST", "/v1/licenses/import", body, 201)
    return made


def line(code: str, state: str = "active", until: str | None = None) -> dict[str, Any]:
    """What the marketplace says of a code."""
    return {"code": code, "state": state, **({} if until is None else {"supported_until": until})}


async def listed(client: httpx.AsyncClient, *lines: dict[str, Any], status: int = 200, **more: Any) -> dict[str, Any]:
    """Tell a list."""
    body = {"channel": "envato", "codes": list(lines), **more}
    found: dict[str, Any] = await told(client, "POST", "/v1/licenses/reconcile", body, status)
    return found


def outcomes(found: dict[str, Any]) -> list[tuple[int, str, str | None]]:
    return [(one["line"], one["outcome"], one["license_id"]) for one in found["items"]]


@pytest.mark.clause("NX-44")
async def test_a_list_ends_what_was_refunded_prolongs_what_is_later_and_tells_the_rest(
    house: House, callers: Callers
) -> None:
    client = await callers.client("integration")
    ids = {}
    for name in ("refunded", "longer", "same", "lacking"):
        made = await brought(client, f"code-{name}")
        ids[name] = made["license_id"]
        if name == "refunded":
            till = house.till(product=EXTENSION)
            assert (await till.activate(made["license_key"])).status == 201
    lines = [
        line(" CODE-Refunded ", "refunded"),
        line("code-longer", until=LONGER),
        line("code-same", until="2026-03-31T10:00:00Z"),
        line("code-never-came", "refunded"),
    ]
    first = await listed(client, *lines)
    assert outcomes(first) == [
        (1, "ended", ids["refunded"]),
        (2, "prolonged", ids["longer"]),
        (3, "unchanged", ids["same"]),
        (4, "unknown", None),
    ]
    assert all("NX-44" in one["clauses"] for one in first["items"])
    assert (first["lacking"], first["lacking_count"]) == ([ids["lacking"]], 1)
    shown = {name: (await client.get(f"/v1/licenses/{one}")).json() for name, one in ids.items()}
    assert [shown[name]["status"] for name in ids] == ["revoked", "active", "active", "active"]
    assert (await till.heartbeat()).code == "license_revoked"
    for name, end in (("longer", "2027-01-31"), ("same", "2026-07-31"), ("lacking", "2026-07-31")):
        clocks = (await client.get(f"/v1/licenses/{ids[name]}/terms")).json()["clocks"]
        assert (clocks["support"]["last_day"], clocks["updates"]["last_day"]) == (end, end)


@pytest.mark.clause("NX-44")
async def test_a_list_that_is_told_again_does_nothing_more(house: House, callers: Callers) -> None:
    """A part of a list says nothing about what it lacks."""
    client = await callers.client("integration")
    ids = [(await brought(client, f"code-number-{n}"))["license_id"] for n in range(3)]
    lines = [line("code-number-0", "refunded"), line("code-number-1", until=LONGER)]
    assert [one["outcome"] for one in (await listed(client, *lines))["items"]] == ["ended", "prolonged"]
    before = await picture(house)
    again = await listed(client, *lines, whole=False)
    assert [one["outcome"] for one in again["items"]] == ["ended_before", "unchanged"]
    assert (again["lacking"], again["lacking_count"], again["items"][1]["support_until"]) == ([], 0, LONGER)
    assert await picture(house) == before
    # What ended here alone is told: a person decides whether that was right.
    [alone] = (await listed(client, line("code-number-0", until=LONGER)))["items"]
    assert (alone["outcome"], alone["license_id"]) == ("ended_here_alone", ids[0])


@pytest.mark.clause("NX-44")
@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        (line("code-one"), "codes, line 3, code: stands on line 1 too"),
        (line("no code"), "codes, line 3, code"),
        (line("code-two", "lost"), "codes.2.state"),
        (line("code-two", until="soon"), "codes.2.supported_until"),
        (line("code-two", until="9999-12-31T23:59:59Z"), "codes.2.supported_until"),
    ],
)
async def test_one_line_that_is_wrong_is_named_and_nothing_of_the_list_is_applied(
    house: House, callers: Callers, wrong: dict[str, Any], named: str
) -> None:
    client = await callers.client("integration")
    made = await brought(client, "code-one")
    before = await picture(house)
    refused = await listed(client, line("code-one", "refunded"), line("code-other"), wrong, status=400)
    assert (refused["code"], named in refused["detail"]) == ("malformed", True), refused["detail"]
    assert await picture(house) == before
    assert (await client.get(f"/v1/licenses/{made['license_id']}")).json()["status"] == "active"


@pytest.mark.clause("NX-44", "I13")
async def test_a_caller_with_limits_ends_and_learns_of_the_codes_of_nobody_else(house: House, callers: Callers) -> None:
    client = await callers.client("integration")
    mine, theirs = await brought(client, "code-mine"), await brought(client, "code-theirs", "b@shop.example")
    customer = (await client.get(f"/v1/licenses/{mine['license_id']}")).json()["customer_id"]
    limited = await callers.client("integration", customers=[UUID(customer)])
    found = await listed(limited, line("code-theirs", "refunded"))
    assert outcomes(found) == [(1, "unknown", None)]
    assert found["lacking"] == [mine["license_id"]]
    assert (await client.get(f"/v1/licenses/{theirs['license_id']}")).json()["status"] == "active"


@pytest.mark.clause("NX-44")
async def test_two_lists_at_once_end_a_license_once(house: House, callers: Callers) -> None:
    client = await callers.client("integration")
    made = await brought(client, "code-one")
    body = {"channel": "envato", "codes": [line("code-one", "refunded")]}
    answers = await asyncio.gather(*[client.post("/v1/licenses/reconcile", json=body) for _ in range(3)])
    told_of = sorted(answer.json()["items"][0]["outcome"] for answer in answers)
    assert told_of == ["ended", "ended_before", "ended_before"]
    assert (await client.get(f"/v1/licenses/{made['license_id']}")).json()["status"] == "revoked"
