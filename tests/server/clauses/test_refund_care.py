"""BC-11, BC-27, BC-28 and reading 9 through the API: the grounds of a marketplace, and what is none."""

from datetime import timedelta
from typing import Any

import pytest

from tests.support.house import MORNING
from tests.support.refunding import BC, DAY, Desk, desk  # noqa: F401 - a fixture


async def opened(desk: Desk, sold: Any, *events: dict[str, Any]) -> str:  # noqa: F811
    """Open a request in the tool and tell what happened to it; return its id."""
    body = {"task": "technical_issue", "license_id": str(sold.license_id)}
    told = await desk.agent.post("/v1/support-requests", json=body)
    request: str = told.json()["request"]["id"]
    for event in events:
        answer = await desk.agent.post(f"/v1/support-requests/{request}/events", json=event)
        assert answer.status_code == 201, answer.text
    return request


BROKEN = {"kind": "finding", "finding": "malfunction", "evidence": "no payment goes through"}


@pytest.mark.clause("BC-27")
@pytest.mark.parametrize("reasons", [(), ("boredom",)])
async def test_without_a_ground_the_seller_decides_for_six_months(desk: Desk, reasons: tuple[str, ...]) -> None:  # noqa: F811
    """Reading 9."""
    codes = []
    for days in (5, 100, 300):
        sold = await desk.sell(BC, paid_at=MORNING - timedelta(days=days))
        told = await desk.preview(sold, *reasons)
        codes.append(told["code"])
        assert "BC-27" in told["clauses"]
    assert codes == ["ref_pending_seller", "ref_pending_seller", "ref_denied_window_closed"]


@pytest.mark.clause("BC-27")
async def test_a_seller_who_answered_in_time_was_not_asked_in_vain(desk: Desk) -> None:  # noqa: F811
    sold = await desk.sell(BC)
    request = await opened(desk, sold, BROKEN, {"kind": "accepted"})
    told = await desk.preview(sold, "malfunction", support_request=request)
    assert (told["code"], told["clauses"]) == ("ref_pending_resolution", ["BC-27"])
    assert told["retry_at"] == told["facts"]["support_request"]["fix_due_at"]
    silent = await opened(desk, sold, BROKEN)
    desk.house.clock.turn(days=3)
    assert (await desk.preview(sold, "malfunction", support_request=silent))["code"] == "ref_granted_marketplace"


@pytest.mark.clause("BC-11", "BC-27")
async def test_what_was_refused_in_time_as_a_third_partys_gives_nothing_back(desk: Desk) -> None:  # noqa: F811
    sold = await desk.sell(BC)
    refused = {"kind": "refused", "code": "nosup_third_party_service", "evidence": "the bank was down"}
    request = await opened(desk, sold, BROKEN, refused)
    told = await desk.preview(sold, "malfunction", support_request=request)
    [ground] = told["facts"]["grounds"]
    assert (told["code"], ground["code"]) == ("ref_pending_seller", "ref_denied_no_breach")


@pytest.mark.clause("BC-27")
async def test_what_runs_on_a_till_came_by_some_channel(desk: Desk) -> None:  # noqa: F811
    sold = await desk.sell(BC)
    assert (await desk.house.till(product=BC).activate(sold.license_key)).status == 201
    told = await desk.preview(sold, "not_downloaded")
    [ground] = told["facts"]["grounds"]
    assert (told["code"], ground["code"]) == ("ref_pending_seller", "ref_denied_downloaded")


@pytest.mark.clause("BC-28")
async def test_the_platform_does_not_refund_what_was_answered_late_in_its_tool(desk: Desk) -> None:  # noqa: F811
    sold = await desk.sell(BC, paid_at=MORNING - 60 * DAY)
    request = await desk.issue(sold, MORNING - 30 * DAY, accepted=MORNING - 20 * DAY)
    told = await desk.ask(sold, "unanswered", support_request=request)
    [ground] = (await desk.preview(sold, "unanswered", support_request=request))["facts"]["grounds"]
    assert (told["code"], ground["code"]) == ("ref_pending_seller", "ref_denied_no_breach")
