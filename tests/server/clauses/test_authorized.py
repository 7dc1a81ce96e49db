"""Who is authorized to serve, to repair and to sell, by the terms of the sale and by today's, through the API."""

from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.support.callers import Callers
from tests.support.claiming import OWNER, Claim
from tests.support.house import House
from tests.support.refunding import own_terms
from tillkey_server.money import Money
from tillkey_server.usecases.catalogue import add_product
from tillkey_server.usecases.order import Line, place_order
from tillkey_server.usecases.services import open_services

OURS = "ours"
PARTNERS = """
[[warranty.partners]]
id = "south-1"
since = 2020-01-01
regions = ["south"]

[[warranty.partners]]
id = "by-contract"
since = 2020-01-01
"""
SOUTH_IS_GONE = PARTNERS.replace("since = 2020-01-01\nregions", "since = 2020-01-01\nuntil = 2026-03-01\nregions")


def listed(kind: str, name: str, until: str | None = None) -> str:
    """Return one more entry of a list."""
    end = "" if until is None else f"until = {until}\n"
    return f'\n[[warranty.{kind}]]\nid = "{name}"\nsince = 2026-01-01\n{end}'


@asynccontextmanager
async def terms(house: House, version: int, more: str, *, first: bool = False):
    """Open the same server with the vendor's terms as they are now; `first` adds their product."""
    text = own_terms(OURS, "netposa", ("version = 3", f"version = {version}")) + more
    (house.services.settings.policies_dir / f"{OURS}.toml").write_text(text, "utf-8")
    services = await open_services(house.services.settings, house.clock)
    try:
        if first:
            price = Money(10000, "CNY")
            await add_product(services, code=OURS, name=OURS, key_prefix="OUR", policy=OURS, price=price)
        async with Callers(services) as callers:
            yield House(services, house.clock, house.http), await callers.client()
    finally:
        await services.close()


class Bought:
    """A license that an order bought."""

    def __init__(self, license_id: str) -> None:
        self.license_id = license_id


async def bought(house: House, channel: str, paid_at: datetime) -> Bought:
    """Sell the device through a channel."""
    told: Any = await place_order(
        house.services,
        number=f"{channel}-{paid_at:%d%H}",
        channel=channel,
        customer_email=OWNER,
        lines=[Line(OURS)],
        actor="cli:test",
        paid_at=paid_at,
    )
    return Bought(told.shown["licenses"][0]["license_id"])


async def routed(claim: Claim, **more: Any) -> Any:
    """Open a claim and return its code, its clauses and who looks after it."""
    opened = await claim.open(**more)
    return opened["code"], opened["clauses"], opened["facts"]["route"]


@pytest.mark.clause("NP-11")
@pytest.mark.parametrize(
    "contract,told,route",
    [
        ({"partner": "by-contract", "region": "south"}, {}, "by-contract"),
        ({"region": "south"}, {}, "south-1"),
        ({"region": "north"}, {"region": "south"}, "south-1"),
    ],
)
async def test_a_claim_is_led_to_the_partner_of_the_contract_or_of_the_region(house, contract, told, route):
    async with terms(house, 3, PARTNERS, first=True) as (theirs, http):
        claim = Claim(http, theirs, await theirs.license(OURS))
        await claim.contract(**contract)
        assert await routed(claim, **told) == ("claim_routed_to_partner", ["NP-12", "NP-11"], route)
        assert (await claim.show())["route"] == route
        [row] = (await http.get("/v1/warranty-claims")).json()["items"]
        assert row["route"] == route


@pytest.mark.clause("NP-11")
async def test_a_partner_of_before_is_gone_by_todays_terms_for_claims_of_then_and_of_now(house):
    async with terms(house, 3, PARTNERS, first=True) as (theirs, http):
        claim = Claim(http, theirs, await theirs.license(OURS))
        await claim.contract(region="south")
        await claim.open()
        other = Claim(http, theirs, claim.sold)
        await other.open(region="nowhere")
    async with terms(house, 4, SOUTH_IS_GONE) as (theirs, http):
        for one in (claim, other):
            one.http = http
            assert (await one.show())["route"] == "vendor"
        items = (await http.get("/v1/warranty-claims")).json()["items"]
        assert [row["route"] for row in items] == ["vendor", "vendor"]
        later = Claim(http, theirs, claim.sold)
        assert await routed(later) == ("claim_opened", ["NP-12", "NP-11"], "vendor")


@pytest.mark.clause("NP-09", "K-09")
@pytest.mark.parametrize(
    "who,day,signed",
    [
        ("workshop", "2026-01-31", "free"),
        ("workshop", "2026-02-01", "chargeable"),
        ("newcomer", "2026-02-01", "free"),
        ("nobody", "2026-01-31", "chargeable"),
    ],
)
async def test_an_installer_of_then_or_of_todays_terms_who_was_one_on_the_day_of_his_work_is_fine(
    house, who, day, signed
):
    async with terms(house, 3, listed("installers", "workshop", "2026-01-31"), first=True) as (theirs, http):
        sold = await theirs.license(OURS)
    async with terms(house, 4, listed("installers", "newcomer")) as (theirs, http):
        claim = Claim(http, theirs, sold)
        await claim.contract("2026-01-05")
        await claim.open()
        await claim.find("unauthorized_service", worked_by=who, worked_on=day)
        done = await claim.do("decide", signed=signed)
        cited = ["NP-14", "NP-02", "NP-01"] if signed == "free" else ["NP-14", "NP-09", "NP-03"]
        assert (done["code"], done["clauses"]) == (f"service_{signed}", cited)


@pytest.mark.clause("NP-10", "K-01", "K-09")
@pytest.mark.parametrize(
    "channel,paid_at,code",
    [
        ("reseller", datetime(2026, 1, 31, 15, 59, tzinfo=UTC), "warranty_active"),
        ("reseller", datetime(2026, 1, 31, 16, tzinfo=UTC), "warranty_void_unofficial_channel"),
        ("newcomer", datetime(2026, 1, 31, 16, tzinfo=UTC), "warranty_active"),
    ],
)
async def test_a_channel_of_then_or_of_todays_terms_that_was_one_on_the_day_of_the_sale_is_official(
    house, channel, paid_at, code
):
    """The day is the vendor's, eight hours ahead of UTC."""
    async with terms(house, 3, listed("channels", "reseller", "2026-01-31"), first=True) as (theirs, http):
        sold = await bought(theirs, channel, paid_at)
    async with terms(house, 4, listed("channels", "newcomer")) as (theirs, http):
        claim = Claim(http, theirs, sold)
        await claim.contract("2026-02-01")
        cover = await claim.preview()
        assert (cover["code"], cover["clauses"]) == (code, ["NP-01" if code == "warranty_active" else "NP-10"])
