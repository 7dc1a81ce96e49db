"""ZG-09, BC-07, CJ-12 and NX-34: what came too late proposes a refund to the vendor, once, and forces none."""

import pytest

from tests.support.refunding import BC, CJ, DAY, MORNING, NX, ZG, Desk, desk  # noqa: F401 - fixture
from tillkey_server.store import outbox
from tillkey_server.usecases.refund_proposal import propose_for_breaches


async def proposed(desk: Desk, wanted: str = "true") -> list[str]:  # noqa: F811
    """Return the requests that propose a refund, or those that do not, as the list shows them."""
    answer = await desk.agent.get("/v1/support-requests", params={"refund_proposed": wanted})
    assert answer.status_code == 200, answer.text
    return [one["id"] for one in answer.json()["items"]]


async def tell(desk: Desk, request: str, kind: str, **more: object) -> None:  # noqa: F811
    told = await desk.agent.post(f"/v1/support-requests/{request}/events", json={"kind": kind, **more})
    assert told.status_code == 201, told.text


@pytest.mark.clause("ZG-09", "BC-07", "CJ-12", "NX-34")
@pytest.mark.parametrize(
    ("product", "finding", "clause"),
    [
        (ZG, None, "ZG-09"),
        (BC, "malfunction", "BC-07"),
        (CJ, "malfunction", "CJ-12"),
        (NX, None, "NX-34"),
    ],
)
async def test_a_breach_that_opens_a_refund_proposes_it_once_and_changes_nothing(
    desk: Desk,  # noqa: F811
    product: str,
    finding: str | None,
    clause: str,
) -> None:
    sold = await desk.sell(product, paid_at=MORNING - 80 * DAY)
    request = await desk.issue(sold, MORNING - 60 * DAY, **({} if finding is None else {"finding": finding}))
    in_time = await desk.issue(sold, MORNING)
    assert [await propose_for_breaches(desk.house.services) for _ in range(2)] == [1, 0]
    assert (await proposed(desk), await proposed(desk, "false")) == ([request], [in_time])
    shown = (await desk.agent.get(f"/v1/support-requests/{request}")).json()
    assert shown["refund_proposed_at"] == "2026-03-02T09:00:00Z"
    audited = (await desk.agent.get(f"/v1/licenses/{sold.license_id}/explain")).json()["decisions"]
    [noted] = [one for one in audited if one["code"] == "sla_refund_proposed"]
    assert (noted["outcome"], clause in noted["clauses"]) == ("pend", True)
    assert (noted["facts"]["request_id"], noted["facts"]["amount"]) == (request, "100.00 EUR")
    async with desk.house.services.db.reading() as tx:
        [told] = await outbox.of_subject(tx, request)
    assert (told.kind, told.payload["amount_minor"], told.payload["license_id"]) == (
        "refund_proposed",
        10000,
        str(sold.license_id),
    )
    assert (await desk.agent.get(f"/v1/licenses/{sold.license_id}")).json()["status"] == "active"
    assert (await desk.agent.get("/v1/refunds")).json()["items"] == []


@pytest.mark.clause("NX-34", "X-13")
async def test_what_support_proposes_is_explained_as_it_would_be_granted(desk: Desk) -> None:  # noqa: F811
    sold = await desk.sell(NX, paid_at=MORNING - 80 * DAY)
    explain, preview = f"/v1/licenses/{sold.license_id}/explain", f"/v1/licenses/{sold.license_id}/refunds/preview"

    async def refunds() -> list[tuple[dict[str, object], dict[str, object]]]:
        told = (await desk.agent.get(explain)).json()["possible"]
        return [(one["asked"], one["answer"]) for one in told if one["action"] == "refund"]

    assert all("support_request" not in asked for asked, _ in await refunds())
    await desk.issue(sold, MORNING - 70 * DAY)
    late = await desk.issue(sold, MORNING - 60 * DAY)
    in_time = await desk.issue(sold, MORNING)
    assert await propose_for_breaches(desk.house.services) == 2
    assert {asked["support_request"] for asked, _ in await refunds()} == {late}, in_time
    for asked, answer in await refunds():
        assert (await desk.agent.post(preview, json=asked)).json() == answer
    [granted] = [answer for asked, answer in await refunds() if asked["reasons"] == ["no_support"]]
    assert (granted["decision"], granted["code"]) == ("allow", "ref_granted_no_support")
    assert "NX-34" in granted["clauses"]


@pytest.mark.clause("ZG-09")
async def test_what_becomes_late_is_proposed_when_it_does_and_what_was_corrected_never(desk: Desk) -> None:  # noqa: F811
    """Two that run, looked at on the day; the one that was corrected the day before proposes nothing."""
    sold = await desk.sell(ZG, paid_at=MORNING - 40 * DAY)
    late, corrected = [await desk.issue(sold, MORNING - 39 * DAY) for _ in range(2)]
    codes = []
    for _ in range(8):
        codes.append(await propose_for_breaches(desk.house.services, batch=1))
        desk.house.clock.turn(days=1)
        if len(codes) == 2:
            await tell(desk, corrected, "resolved")
    assert sum(codes) == 1
    assert await proposed(desk) == [late]
    [fix] = [one for one in (await shown(desk, late))["clocks"] if one["clock"] == "fix"]
    assert fix["due_at"] <= (await shown(desk, late))["refund_proposed_at"]


async def shown(desk: Desk, request: str) -> dict:  # noqa: F811
    return (await desk.agent.get(f"/v1/support-requests/{request}")).json()


@pytest.mark.clause("ZG-09", "ZG-13")
async def test_a_fault_that_is_found_late_is_seen_though_the_request_had_ended(desk: Desk) -> None:  # noqa: F811
    """Closed as answered it is looked at once a month; whoever tells of it has it looked at again."""
    sold = await desk.sell(ZG, paid_at=MORNING - 80 * DAY)
    request = await desk.issue(sold, MORNING - 75 * DAY, human_reply=MORNING - 74 * DAY, closed=MORNING - 73 * DAY)
    assert await propose_for_breaches(desk.house.services) == 0
    desk.house.clock.turn(days=1)
    await tell(desk, request, "reopened")
    await tell(desk, request, "finding", finding="malfunction", evidence="the log")
    assert await propose_for_breaches(desk.house.services) == 1


@pytest.mark.clause("ZG-09")
async def test_what_was_refunded_or_bought_by_nobody_proposes_nothing(desk: Desk) -> None:  # noqa: F811
    sold = await desk.sell(ZG, paid_at=MORNING - 80 * DAY)
    request = await desk.issue(sold, MORNING - 60 * DAY, finding="malfunction")
    assert (await desk.ask(sold, "sla_breach", support_request=request))["code"] == "ref_granted_sla_breach"
    assert await propose_for_breaches(desk.house.services) == 0
    assert await proposed(desk) == []
