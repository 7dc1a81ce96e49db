"""CJ-12 through the API: a solution that the customer has not tested yet."""

from typing import Any

import pytest

from tests.support.house import AGENT
from tests.support.refunding import CJ, DAY, MORNING, OFFICIAL, ZG, Desk, desk  # noqa: F401 - fixture
from tillkey_server.usecases.catalogue import change_product
from tillkey_server.usecases.product_facts import Told


async def told(desk: Desk, product: str, reason: str, solved_days_ago: int) -> dict[str, Any]:  # noqa: F811
    """Ask what the terms say of a defect whose time is over and that was solved so many days ago."""
    sold = await desk.sell(product, paid_at=MORNING - 60 * DAY)
    solved = MORNING - solved_days_ago * DAY
    request = await desk.issue(sold, MORNING - 50 * DAY, finding="malfunction", resolved=solved)
    return await desk.preview(sold, reason, support_request=request, **OFFICIAL)


@pytest.mark.clause("CJ-12")
async def test_a_solution_denies_no_refund_while_the_customer_may_object_to_it(desk: Desk) -> None:  # noqa: F811
    """Solved on Friday 27 February: five working days end with Friday 6 March."""
    answer = await told(desk, CJ, "defect", 3)
    assert (answer["decision"], answer["code"], "CJ-12" in answer["clauses"]) == ("pend", "ref_pending_objection", True)
    assert answer["retry_at"] == "2026-03-06T18:30:00Z"


@pytest.mark.clause("CJ-12")
async def test_a_solution_that_nobody_objected_to_in_time_denies_it(desk: Desk) -> None:  # noqa: F811
    answer = await told(desk, CJ, "defect", 10)
    assert (answer["decision"], answer["code"]) == ("deny", "ref_denied_solved")


@pytest.mark.clause("CJ-12", "ZG-09")
async def test_where_the_terms_give_no_days_to_object_a_solution_is_one_at_once(desk: Desk) -> None:  # noqa: F811
    assert (await told(desk, ZG, "sla_breach", 3))["code"] == "ref_denied_solved"


@pytest.mark.clause("CJ-12")
async def test_an_order_shows_what_the_page_promised_at_the_sale_whatever_it_promises_today(
    desk: Desk,  # noqa: F811
) -> None:
    """So that somebody can find that it is not as described."""
    services, page = desk.house.services, {"features": ["export"], "version": "4.2"}
    await change_product(services, CJ, told=Told(advertised=page), actor=AGENT)
    sold = await desk.sell(CJ)
    await change_product(services, CJ, told=Told(advertised={"features": []}), actor=AGENT)
    order = (await desk.agent.get(f"/v1/licenses/{sold.license_id}")).json()["order_id"]
    [line] = (await desk.agent.get(f"/v1/orders/{order}")).json()["lines"]
    assert line["advertised"] == page
