"""NX-32 and ZG-18 through the API: what does not work as described is measured by what was advertised at the sale."""

from typing import Any

import pytest

from tests.server.clauses.test_purchases import told
from tests.support.house import AGENT
from tests.support.refunding import NX, Desk, Sold, desk  # noqa: F401 - fixture
from tillkey_server.usecases.catalogue import change_product
from tillkey_server.usecases.product_facts import Told

AT_THE_SALE = {"platform": {"from": "1.7", "to": "8.1"}, "features": ["import", "export"]}
TODAY = {"platform": {"from": "8.0", "to": "9.9"}, "features": []}
REASON = "not_as_described"


async def advertise(desk: Desk, product: str, page: dict[str, object]) -> None:  # noqa: F811
    """Write what a product's page promises."""
    await change_product(desk.house.services, product, told=Told(advertised=page), actor=AGENT)


async def sold_as_described(desk: Desk) -> Sold:  # noqa: F811
    """Sell under one page, and change it since."""
    await advertise(desk, NX, AT_THE_SALE)
    sold = await desk.sell(NX)
    await advertise(desk, NX, TODAY)
    return sold


@pytest.mark.clause("NX-32")
@pytest.mark.parametrize(
    ("version", "code", "covered"),
    [("1.7.8.11", "ref_granted_not_as_described", True), ("9.0", "ref_pending_review", False)],
)
async def test_a_refund_for_what_is_not_as_described_shows_the_page_of_the_sale_and_the_version_that_was_named(
    desk: Desk,  # noqa: F811
    version: str,
    code: str,
    covered: bool,
) -> None:
    sold = await sold_as_described(desk)
    request = await desk.issue(sold, platform=version, finding=REASON)
    answer = await desk.preview(sold, REASON, support_request=request)
    assert (answer["code"], "NX-32" in answer["clauses"]) == (code, True)
    assert answer["facts"]["described"] == {**AT_THE_SALE, "platform_version": version, "covered": covered}


@pytest.mark.clause("NX-32")
async def test_who_weighs_a_finding_on_a_version_that_was_never_advertised_is_shown_both_and_may_grant_it(
    desk: Desk,  # noqa: F811
) -> None:
    sold = await sold_as_described(desk)
    request = await desk.issue(sold, platform="9.0", finding=REASON)
    pending = await desk.ask(sold, REASON, support_request=request)
    assert (pending["status"], pending["facts"]["described"]["covered"]) == ("pending", False)
    done = await desk.act(pending, "decide", decision="grant", reason="the seller said that it would run there")
    assert (done["code"], "NX-32" in done["clauses"]) == ("ref_granted_by_person", True)
    assert done["facts"]["described"] == {**AT_THE_SALE, "platform_version": "9.0", "covered": False}


@pytest.mark.clause("NX-32", "NX-44")
@pytest.mark.parametrize(
    ("path", "product", "more"),
    [
        ("trial", "pos-core", {}),
        (
            "import",
            NX,
            {"channel": "envato", "code": "0a1b2c3d", "support_months": 6, "purchased_at": "2026-01-31T10:00:00Z"},
        ),
    ],
)
async def test_a_trial_and_a_purchase_code_keep_what_the_page_promises_when_they_come(
    desk: Desk,  # noqa: F811
    path: str,
    product: str,
    more: dict[str, Any],
) -> None:
    await change_product(desk.house.services, "pos-core", policy="trying", actor=AGENT)
    await advertise(desk, product, AT_THE_SALE)
    body = {"product": product, "customer": "owner@shop.example", **more}
    made = await told(desk.integration, "POST", f"/v1/licenses/{path}", body, 201)
    await advertise(desk, product, TODAY)
    order = (await desk.agent.get(f"/v1/licenses/{made['license_id']}")).json()["order_id"]
    [line] = (await desk.agent.get(f"/v1/orders/{order}")).json()["lines"]
    assert line["advertised"] == AT_THE_SALE
