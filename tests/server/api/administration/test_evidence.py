"""NX-08 over HTTP: what shows that a machine is gone is kept with what was freed, and goes nowhere else."""

from uuid import UUID

import pytest

from tests.support.callers import Callers
from tests.support.house import House

SHOWN = "Photo 7 of the burned shop, by its owner"
BODY = {"reason": "server lost", "confirm": True, "evidence": f" {SHOWN} "}


@pytest.mark.clause("NX-08")
async def test_evidence_stays_with_what_was_freed_and_no_till_sees_it(house: House, callers: Callers) -> None:
    agent, admin = await callers.client("agent"), await callers.client("admin")
    sold = await house.license()
    till = house.till()
    await till.activate(sold.license_key)
    done = await agent.post(f"/v1/activations/{till.held.sub}/force-deactivate", json=BODY)
    assert (done.status_code, done.json()["facts"]["has_evidence"]) == (200, True)
    assert "NX-08" in done.json()["clauses"]
    [listed] = (await agent.get("/v1/forced-deactivations")).json()["items"]
    assert (listed["evidence"], listed["reason"]) == (SHOWN, "server lost")
    beat = await till.heartbeat()
    assert (beat.code, "burned" in str(beat.body)) == ("activation_superseded", False)
    [noted] = (await admin.get("/v1/audit", params={"action": "force_deactivate"})).json()["items"]
    assert (noted["facts"]["has_evidence"], SHOWN in str(noted)) == (True, False)
    assert SHOWN not in (await agent.get(f"/v1/licenses/{sold.license_id}/explain")).text


@pytest.mark.clause("NX-08")
async def test_evidence_has_a_length_and_who_gives_none_has_none(house: House, callers: Callers) -> None:
    agent = await callers.client("agent")
    till = house.till()
    await till.activate((await house.license()).license_key)
    place = f"/v1/activations/{till.held.sub}/force-deactivate"
    long = await agent.post(place, json={**BODY, "evidence": "x" * 2001})
    assert (long.status_code, "evidence" in long.text) == (400, True)
    done = await agent.post(place, json={**BODY, "evidence": "  "})
    assert (done.status_code, "has_evidence" in done.json()["facts"]) == (200, False)
    [listed] = (await agent.get("/v1/forced-deactivations")).json()["items"]
    assert listed["evidence"] is None


@pytest.mark.clause("NX-08", "NX-38")
async def test_evidence_is_erased_with_the_account(house: House, callers: Callers) -> None:
    admin = await callers.client("admin")
    till = house.till()
    sold = await house.license()
    await till.activate(sold.license_key)
    assert (await admin.post(f"/v1/activations/{till.held.sub}/force-deactivate", json=BODY)).status_code == 200
    owner = (await admin.get(f"/v1/licenses/{sold.license_id}")).json()["customer_id"]
    gone = await admin.post("/v1/accounts/erase-again", json={"customers": [owner]})
    assert gone.json()["erased"] == [owner]
    [listed] = (await admin.get("/v1/forced-deactivations")).json()["items"]
    assert (listed["evidence"], listed["reason"]) == ("", "")


@pytest.mark.clause("NX-08", "I13")
async def test_evidence_about_a_former_owner_s_machine_is_not_for_whoever_has_the_license_now(
    house: House, callers: Callers
) -> None:
    admin = await callers.client("admin")
    till = house.till()
    sold = await house.license()
    await till.activate(sold.license_key)
    buyer = (await admin.post("/v1/customers", json={"email": "buyer@else.example"})).json()["id"]
    owner = (await admin.get(f"/v1/licenses/{sold.license_id}")).json()["customer_id"]
    await admin.post(f"/v1/activations/{till.held.sub}/force-deactivate", json=BODY)
    body = {"customer": buyer, "reason": "the shop was sold"}
    assert (await admin.post(f"/v1/licenses/{sold.license_id}/transfer", json=body)).status_code == 200
    both = [UUID(owner), UUID(buyer)]
    for customers, seen in ((both[1:], None), (both, SHOWN), (None, SHOWN)):
        limited = await callers.client("agent", customers=customers)
        [listed] = (await limited.get("/v1/forced-deactivations")).json()["items"]
        assert (listed["evidence"], listed["reason"]) == (seen, "server lost")
