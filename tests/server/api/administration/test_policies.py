"""Policies over HTTP: listed, shown with every version on record, judged before they are used, and compared."""

import pytest

from tillkey_server.policies.loader import bundled_policies

DEFAULT = bundled_policies()["default"].source


async def test_the_policies_that_come_with_the_server_and_the_vendors_own_are_listed(callers):
    reader = await callers.client("read_only")
    listed = (await reader.get("/v1/policies")).json()
    assert [item["name"] for item in listed["items"]] == sorted({*bundled_policies(), "trying"})
    assert listed["next"] is None


@pytest.mark.clause("K-09")
async def test_a_policy_is_shown_with_its_text_and_the_versions_on_record(callers):
    agent = await callers.client("agent")
    shown = (await agent.get("/v1/policies/default")).json()
    assert shown["source"] == DEFAULT
    assert [(one["version"], one["digest"]) for one in shown["versions"]] == [(shown["version"], shown["digest"])]


async def test_a_text_that_could_be_used_is_valid(callers):
    agent = await callers.client("agent")
    for one in bundled_policies().values():
        judged = (await agent.post("/v1/policies/check", json={"source": one.source})).json()
        assert (judged["valid"], judged["policy"]["digest"], judged["faults"]) == (True, one.digest, [])


async def test_every_fault_of_a_text_is_told_by_key_and_reason(callers):
    agent = await callers.client("agent")
    wrong = DEFAULT.replace("ticket_hours = 24", "ticket_hours = 0").replace("limit = 3", 'limit = "many"', 1)
    judged = (await agent.post("/v1/policies/check", json={"source": wrong})).json()
    assert judged["valid"] is False
    assert {fault["key"] for fault in judged["faults"]} == {"move.ticket_hours", "forced_deactivation.limit"}
    assert all(fault["reason"] for fault in judged["faults"])


@pytest.mark.clause("K-09")
async def test_another_text_under_a_version_on_record_is_a_fault(callers):
    agent = await callers.client("agent")
    judged = (await agent.post("/v1/policies/check", json={"source": f"{DEFAULT}\n# more\n"})).json()
    assert [fault["key"] for fault in judged["faults"]] == ["version"]
    assert "take the next one" in judged["faults"][0]["reason"]


@pytest.mark.parametrize("source", ["[" * 9000, f"name = {'9' * 6000}", "name = ", "a = 1\na = 2", "\x00"])
async def test_a_text_that_is_no_policy_is_judged_and_breaks_nothing(callers, source):
    agent = await callers.client("agent")
    answer = await agent.post("/v1/policies/check", json={"source": source})
    assert answer.status_code in {200, 400}
    assert answer.status_code == 400 or answer.json()["valid"] is False


async def test_two_policies_are_compared_key_by_key(callers):
    agent = await callers.client("agent")
    later = DEFAULT.replace("version = 3", "version = 4").replace("refund_days = 30", "refund_months = 2")
    compared = (await agent.post("/v1/policies/default/diff", json={"source": later})).json()
    assert compared["changes"] == [
        {"key": "version", "before": 3, "after": 4},
        {"key": "clocks.refund_days", "before": 30, "after": None},
        {"key": "clocks.refund_months", "before": None, "after": 2},
    ]
    same = (await agent.post("/v1/policies/default/diff", json={"other": "default"})).json()
    assert same["changes"] == []


@pytest.mark.parametrize("body", [{}, {"other": "nexopos", "source": DEFAULT}, {"source": "name = 1"}])
async def test_a_comparison_with_nothing_or_with_what_is_no_policy_is_refused(callers, body):
    agent = await callers.client("agent")
    refused = await agent.post("/v1/policies/default/diff", json=body)
    assert (refused.status_code, refused.json()["code"]) == (400, "malformed")
