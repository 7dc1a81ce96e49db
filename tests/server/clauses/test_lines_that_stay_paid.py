"""CJ-16 through the API: support that is bought later stays paid, and what was bought for a product ends with it."""

from typing import Any

import pytest

from tests.server.clauses.test_refund_plans import reopened
from tests.support.house import House
from tests.support.refunding import CJ, OFFICIAL, Desk, Sold, an_add_on, desk, license_of, own_terms  # noqa: F401
from tests.support.renewing import last_days, renew
from tillkey_server.money import Money
from tillkey_server.rules.order_line import LineKind
from tillkey_server.store import tables
from tillkey_server.usecases.catalogue import add_product

DONE = {"decision": "grant", "reason": "a good customer"}
SUPPORT_ALONE = ('extends = ["use"]', 'extends = ["support"]')
LOST = ('on_prereq_loss = "keep"  ', 'on_prereq_loss = "suspend_dependents"  ')


async def supported_later(desk: Desk) -> tuple[Sold, str]:  # noqa: F811
    """Sell a license, and a year of support by a later order."""
    sold = await desk.sell("apart")
    desk.house.clock.turn(hours=1)
    paid = await renew(desk.integration, str(sold.license_id), amount="40.00 EUR", months=12)
    assert paid.status_code == 201, paid.text
    assert (await last_days(desk.agent, str(sold.license_id)))["support"] == "2027-03-02"
    return sold, str(paid.json()["renewal_id"])


def write(house: House, *changes: tuple[str, str]) -> None:
    """Put terms into place that keep what was paid for support."""
    place = house.services.settings.policies_dir / "apart.toml"
    place.write_text(own_terms("apart", "crmjetty", *changes), "utf-8")


@pytest.mark.clause("CJ-16")
async def test_support_of_a_later_order_stays_paid_and_ends_with_the_product_that_is_refunded(house: House) -> None:
    write(house, SUPPORT_ALONE)
    async with reopened(house, "apart") as open_desk:
        sold, _ = await supported_later(open_desk)
        pending = await open_desk.ask(sold, "third_party", **OFFICIAL)
        done = await open_desk.act(pending, "decide", **DONE)
        assert (done["granted"]["amount"], done["granted"]["ends"]) == ("100.00 EUR", "license")
        shown = await license_of(open_desk, sold)
        assert shown["status"] == "refunded"
        care = (await open_desk.agent.get(f"/v1/licenses/{sold.license_id}/care")).json()
        assert (care["code"], "CJ-16" in care["clauses"]) == ("care_inactive", True)


@pytest.mark.clause("CJ-16")
async def test_who_asks_for_the_support_of_a_later_order_alone_gets_nothing_of_it(house: House) -> None:
    """Before the product is refunded, and after."""
    write(house, SUPPORT_ALONE)
    async with reopened(house, "apart") as open_desk:
        sold, renewal = await supported_later(open_desk)
        told: list[dict[str, Any]] = [await open_desk.ask(sold, renewal=renewal, **OFFICIAL)]
        await open_desk.act(await open_desk.ask(sold, "third_party", **OFFICIAL), "decide", **DONE)
        told.append(await open_desk.ask(sold, renewal=renewal, **OFFICIAL))
        told.append(await open_desk.ask(sold, item="support", **OFFICIAL))
        for one in told:
            assert (one["http"], one["code"], one["clauses"]) == (409, "ref_line_not_refundable_support", ["CJ-16"])
        assert len((await open_desk.agent.get("/v1/refunds")).json()["items"]) == 4


@pytest.mark.clause("CJ-16")
@pytest.mark.parametrize("kind", [LineKind.SUPPORT, LineKind.EXTRA_DOMAIN])
async def test_an_add_on_alone_is_denied_in_full_before_and_after_its_product_went_back(
    desk: Desk,  # noqa: F811
    kind: LineKind,
) -> None:
    sold = await desk.sell(CJ, beside=[an_add_on(kind)])
    early = await desk.ask(sold, "defect", item=kind.value, **OFFICIAL)
    done = await desk.act(await desk.ask(sold, "third_party", **OFFICIAL), "decide", **DONE)
    assert done["granted"]["amount"] == "100.00 EUR"
    late = await desk.ask(sold, "defect", item=kind.value, **OFFICIAL)
    for told in (early, late):
        wanted = (409, f"ref_line_not_refundable_{kind.value}", ["CJ-16"])
        assert (told["http"], told["code"], told["clauses"]) == wanted


@pytest.mark.clause("CJ-16", "NX-13")
async def test_the_license_of_a_further_domain_dies_with_the_last_one_of_the_main_product(house: House) -> None:
    """Sold as a product with a license, which names the main one among what it requires."""
    write(house, LOST)
    async with reopened(house, "apart") as open_desk:
        services = open_desk.house.services
        await add_product(
            services,
            code="apart-domain",
            name="A further domain",
            key_prefix="DOM",
            policy="apart",
            price=Money(2000, "EUR"),
        )
        async with services.db.writing() as tx:
            statement = tables.product.update().where(tables.product.c.code == "apart-domain")
            await tx.execute(statement.values(requires=["apart"]))
        main = await open_desk.sell("apart")
        domain = await open_desk.sell("apart-domain", "20.00 EUR")
        till = open_desk.house.till(product="apart-domain")
        assert (await till.activate(domain.license_key, project="Corner Shop")).status == 201
        done = await open_desk.act(await open_desk.ask(main, "third_party", **OFFICIAL), "decide", **DONE)
        assert done["granted"]["amount"] == "100.00 EUR"
        assert (await license_of(open_desk, domain))["status"] == "suspended"
        assert (await till.heartbeat()).code == "license_suspended"
