"""CJ-02, CJ-07, CJ-09 and CJ-10 through the API: help by which a refund is decided."""

import pytest

from tests.support.callers import Callers
from tests.support.help_desk import CRM, help_desk
from tests.support.house import House


@pytest.mark.clause("CJ-02")
async def test_while_a_copyright_matter_is_open_there_is_no_support(house: House, callers: Callers) -> None:
    desk = await help_desk(house, callers, CRM)
    admin = await callers.client()
    held = await admin.post(f"/v1/licenses/{desk.sold.license_id}/hold", json={"reason": "a copyright matter"})
    assert held.status_code == 200
    for told in (await desk.preview(), await desk.open()):
        assert (told["code"], "CJ-02" in told["clauses"]) == ("legal_hold", True)


@pytest.mark.clause("CJ-07")
async def test_whoever_asks_is_shown_manuals_videos_and_the_demo(house: House, callers: Callers) -> None:
    told = await (await help_desk(house, callers, CRM)).preview(task="usage")
    assert all(word in told["facts"]["guidance"] for word in ("manuals", "videos", "demo"))
    assert "CJ-07" in told["clauses"]


@pytest.mark.clause("CJ-09", "CJ-10", "V-10")
async def test_four_to_five_working_days_are_counted_without_those_of_waiting(house: House, callers: Callers) -> None:
    desk = await help_desk(house, callers, CRM)
    told = await desk.open(received_at="2026-01-03T06:00:00Z")
    assert {"CJ-10"} <= set(told["clauses"])
    clock = await desk.clock("resolve")
    assert (clock["alarm_at"], clock["due_at"]) == ("2026-01-08T18:30:00Z", "2026-01-09T18:30:00Z")
    waiting = await desk.open(described=["problem"], received_at="2026-02-27T06:00:00Z")
    assert (waiting["code"], waiting["facts"]["missing"]) == ("ticket_needs_info", ["store_access"])
    assert "CJ-09" in waiting["clauses"]
    assert (await desk.clock("resolve"))["code"] == "sla_paused_customer"
    answered = await desk.event("info_complete", at="2026-03-02T06:00:00Z")
    assert answered["clauses"] == ["CJ-09"]
    assert (await desk.clock("resolve"))["due_at"] == "2026-03-06T18:30:00Z"


@pytest.mark.clause("CJ-09")
async def test_who_does_not_answer_in_ten_working_days_is_closed_and_may_come_back(
    house: House, callers: Callers
) -> None:
    desk = await help_desk(house, callers, CRM)
    await desk.open(described=["problem"])
    early = await desk.event("closed", unanswered=True)
    assert (early["code"], early["facts"]["until"]) == ("customer_still_has_time", "2026-03-16T18:30:00Z")
    house.clock.turn(days=15)
    closed = await desk.event("closed", unanswered=True)
    assert (closed["code"], closed["clauses"], closed["request"]["state"]) == (
        "closed_unanswered",
        ["CJ-09"],
        "closed",
    )
    assert (await desk.event("human_reply"))["code"] == "event_out_of_place"
    assert (await desk.event("reopened"))["request"]["state"] == "open"
    clock = await desk.clock("resolve")
    assert (clock["code"], clock["due_at"]) == ("sla_resolve_due", "2026-03-23T18:30:00Z")
    again = await desk.event("closed", unanswered=True)
    assert (again["code"], again["clauses"]) == ("event_out_of_place", ["CJ-09"])


@pytest.mark.clause("CJ-10", "NX-25")
async def test_access_to_the_development_store_is_a_consent_and_never_a_secret(house: House, callers: Callers) -> None:
    desk = await help_desk(house, callers, CRM)
    await desk.open()
    granted = await desk.post("grants", granted_by=desk.customer_id, scope="store", until="2026-03-09T00:00:00Z")
    assert (granted["code"], granted["clauses"]) == ("remote_access_granted", ["CJ-10"])
    answer = await desk.http.post(
        f"/v1/support-requests/{desk.request_id}/grants",
        json={"granted_by": desk.customer_id, "scope": "x", "until": "2026-03-09T00:00:00Z", "password": "s"},
    )
    assert answer.status_code == 400


@pytest.mark.clause("CJ-10")
async def test_work_in_the_development_store_is_covered_while_the_owner_lets_us_in(
    house: House, callers: Callers
) -> None:
    desk = await help_desk(house, callers, CRM)
    taken = await desk.open(task="hands_on")
    assert (taken["decision"], taken["code"], "CJ-10" in taken["clauses"]) == ("allow", "support_task_ok", True)
    assert taken["facts"]["remote_access"] == {"needed": True, "after_finding": False}
    assert (await desk.event("intervention"))["code"] == "remote_access_not_authorized"
    await desk.post("grants", granted_by=desk.customer_id, scope="store", until="2026-03-09T00:00:00Z")
    assert (await desk.event("intervention"))["code"] == "support_event_recorded"


@pytest.mark.clause("CJ-10", "V-09")
@pytest.mark.parametrize(
    ("received", "due"),
    [("2025-12-18T06:00:00Z", "2025-12-25T18:30:00Z"), ("2026-01-03T06:00:00Z", "2026-01-09T18:30:00Z")],
)
async def test_the_worked_examples_come_out(house: House, callers: Callers, received: str, due: str) -> None:
    desk = await help_desk(house, callers, CRM)
    await desk.open(received_at=received)
    assert (await desk.clock("resolve"))["due_at"] == due


@pytest.mark.clause("CJ-12")
async def test_who_tests_a_solution_in_vain_reopens_his_request_within_five_working_days(
    house: House, callers: Callers
) -> None:
    desk = await help_desk(house, callers, CRM)
    await desk.open()
    await desk.event("resolved")
    house.clock.turn(days=3)
    declined = await desk.event("attempt_declined")
    assert (declined["clauses"], declined["request"]["state"]) == (["CJ-12"], "open")
    assert (await desk.event("resolved"))["request"]["state"] == "resolved"
    house.clock.turn(days=8)
    assert (await desk.event("attempt_declined"))["code"] == "event_out_of_place"
