"""What two callers at once, a question and a foreign request leave behind."""

import asyncio

import pytest

from tests.support.callers import Callers
from tests.support.help_desk import MARKET, help_desk
from tests.support.house import House
from tests.support.picture import picture
from tests.support.statements import counted
from tillkey_server.usecases.support import list_support_requests


@pytest.mark.clause("NX-19")
async def test_two_who_use_the_last_free_installation_at_once_get_it_once(house: House, callers: Callers) -> None:
    desk = await help_desk(house, callers, MARKET, kind="core")
    answers = await asyncio.gather(*(desk.open(task="install_service") for _ in range(6)))
    assert sorted(one["code"] for one in answers) == ["install_credit_none"] * 5 + ["install_credit_used"]


async def test_a_page_of_requests_asks_the_database_no_more_than_one_request_does(
    house: House, callers: Callers
) -> None:
    desk = await help_desk(house, callers, MARKET)
    first = (await desk.open())["request"]["id"]

    async def asked() -> int:
        with counted(house.services.db) as sent:
            await list_support_requests(house.services)
        return len(sent)

    once = await asked()
    for _ in range(3):
        await desk.open(duplicate_of=first)
        await desk.event("human_reply")
    # What the requests are duplicates of is one question more, whatever their number.
    assert await asked() == once + 1
    listed = (await list_support_requests(house.services)).items
    assert [one["duplicate_of"] for one in listed] == [None, first, first, first]


@pytest.mark.clause("K-08")
async def test_a_question_leaves_no_trace_and_a_refused_request_its_line_in_the_log(
    house: House, callers: Callers
) -> None:
    desk = await help_desk(house, callers, MARKET)
    before = await picture(house)
    await desk.preview()
    await desk.preview(task="paint_the_shop")
    assert await picture(house) == before
    refused = await desk.open(task="paint_the_shop")
    after = await picture(house)
    assert refused["code"] == "support_task_not_covered"
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"audit_event"}
    assert "support_task_not_covered" in after["audit_event"][-1]


async def test_a_duplicate_is_of_the_same_customers_request(house: House, callers: Callers) -> None:
    desk = await help_desk(house, callers, MARKET)
    missing = desk.question(duplicate_of="00000000-0000-7000-8000-000000000000")
    answer = await desk.http.post("/v1/support-requests", json=missing)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
