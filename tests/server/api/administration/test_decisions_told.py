"""Every answer of a rule tells what was decided, by which version of the terms, and when (K-08)."""

import pytest

from tests.support.callers import Callers
from tests.support.house import House
from tests.support.renewing import renew, sell

RULED = {"decision", "code", "clauses", "policy", "evaluated_at", "facts"}


@pytest.mark.clause("K-08")
async def test_a_no_tells_it_beside_its_code(house: House, callers: Callers) -> None:
    http = await callers.client()
    refused = (await renew(http, await sell(http, "netposa-terminal"))).json()
    assert (refused["code"], refused["decision"]) == ("renewal_not_offered", "deny")
    assert refused["policy"] == {"name": "netposa", "version": 3}
    assert refused["evaluated_at"] == "2026-03-02T09:00:00Z"


@pytest.mark.clause("K-08")
async def test_what_was_done_tells_it_too(house: House, callers: Callers) -> None:
    http = await callers.client()
    body = {"number": "A-1", "customer": "owner@shop.example", "lines": [{"product": "pos-core"}]}
    placed = (await http.post("/v1/orders", json=body)).json()
    license_id = placed["licenses"][0]["license_id"]
    suspended = (await http.post(f"/v1/licenses/{license_id}/suspend", json={"reason": "a test"})).json()
    told = [placed["decision"], {name: value for name, value in suspended.items() if name != "license_id"}]
    assert [(set(one), one["decision"], one["evaluated_at"]) for one in told] == [
        (RULED, "allow", "2026-03-02T09:00:00Z")
    ] * 2


@pytest.mark.clause("K-08")
async def test_what_no_rule_decided_tells_no_decision(house: House, callers: Callers) -> None:
    http = await callers.client()
    missing = (await http.get("/v1/licenses/018f0000-0000-7000-8000-000000000000")).json()
    assert set(missing) == {"type", "title", "status", "detail", "code", "clauses"}


@pytest.mark.clause("K-08")
async def test_a_tills_refusal_is_what_the_protocol_says_and_no_more(house: House) -> None:
    key = await house.key()
    await house.till().activate(key)
    refused = (await house.till().activate(key)).body
    assert refused["code"] == "license_in_use"
    assert not {"decision", "policy", "evaluated_at"} & set(refused)
