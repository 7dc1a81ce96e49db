"""CJ-16 through the API: support is a line of its own, and what is paid for is what is told, whoever is asked."""

from datetime import timedelta
from typing import Any

import pytest

from tests.support.refunding import CJ, Desk, Sold, an_add_on, desk  # noqa: F401 - fixture
from tillkey_server.rules.order_line import LineKind

SUPPORT = an_add_on(LineKind.SUPPORT)


async def told_of(desk: Desk, sold: Sold) -> tuple[Any, ...]:  # noqa: F811
    """Return what care, the explanation and the support desk say, and the clauses of the first and last."""
    held = f"/v1/licenses/{sold.license_id}"
    care = (await desk.agent.get(f"{held}/care")).json()
    clock = (await desk.agent.get(f"{held}/explain")).json()["clocks"]["support"]
    body = {"license_id": str(sold.license_id), "task": "technical_issue", "described": ["problem", "store_access"]}
    asked = (await desk.agent.post("/v1/support-requests/preview", json=body)).json()
    assert asked["code"] == "support_task_ok"
    assert "CJ-16" in care["clauses"]
    warned = asked["facts"].get("may_refuse")
    assert ("CJ-16" in asked["clauses"]) == (warned is not None)
    return care["code"], clock["running"], clock["last_day"], warned


@pytest.mark.clause("CJ-16")
async def test_a_paid_support_line_gives_support_for_its_time(desk: Desk) -> None:  # noqa: F811
    one = await desk.sell(CJ, beside=[SUPPORT])
    two = await desk.sell(CJ, beside=[SUPPORT, SUPPORT])
    assert await told_of(desk, one) == ("care_active", True, "2027-03-02", None)
    desk.house.clock.turn(days=370)
    assert await told_of(desk, one) == ("care_inactive", False, "2027-03-02", ["nosup_support_expired"])
    assert await told_of(desk, two) == ("care_active", True, "2028-03-02", None)


@pytest.mark.clause("CJ-12", "CJ-16")
async def test_without_one_a_fault_is_looked_at_in_the_thirty_days_and_then_as_the_agent_decides(desk: Desk) -> None:  # noqa: F811
    sold = await desk.sell(CJ)
    assert await told_of(desk, sold) == ("care_inactive", False, "2026-03-02", None)
    desk.house.clock.instant += timedelta(days=31)
    assert await told_of(desk, sold) == ("care_inactive", False, "2026-03-02", ["nosup_support_expired"])


@pytest.mark.clause("CJ-12", "CJ-16")
async def test_what_was_reported_in_the_thirty_days_is_not_refused_for_want_of_a_support_line(desk: Desk) -> None:  # noqa: F811
    early, late = await desk.sell(CJ), await desk.sell(CJ, paid_at=desk.now - timedelta(days=40))
    codes = []
    for sold in (early, late):
        request = await desk.issue(sold)
        body = {"kind": "refused", "code": "nosup_support_expired", "evidence": "no support line"}
        codes.append((await desk.agent.post(f"/v1/support-requests/{request}/events", json=body)).json()["code"])
    assert codes == ["refusal_not_permitted", "request_refused"]
