"""Activations over HTTP: listed, given back on the customer's word, freed by agents within their limit."""

import pytest

REASON = {"reason": "the machine burned down"}


async def used(house, environment="production"):
    sold = await house.license()
    till = house.till()
    await till.activate(sold.license_key, environment=environment)
    return sold, till


def ids(answer):
    assert answer.status_code == 200, answer.text
    return [one["id"] for one in answer.json()["items"]]


async def test_a_list_is_narrowed_by_each_filter(house, callers):
    admin = await callers.client()
    sold, till = await used(house)
    _, other = await used(house, "staging")
    moved, _ = await other.move("production"), await other.deactivate()
    assert moved.status == 200
    shown = (await admin.get(f"/v1/activations/{till.held.sub}")).json()
    narrowed = {
        "license": str(sold.license_id),
        "environment": "production",
        "status": "active",
        "machine": till.jkt,
    }
    for name, value in narrowed.items():
        assert ids(await admin.get("/v1/activations", params={name: value})) == [till.held.sub], name
    both = [till.held.sub, other.held.sub]
    for name in ("customer_id", "project_id", "product"):
        found = await admin.get("/v1/activations", params={name.removesuffix("_id"): shown[name]})
        assert ids(found) == both, name
    assert ids(await admin.get("/v1/activations", params={"status": "released"})) == both[1:]
    assert ids(await admin.get("/v1/activations", params={"status": "superseded"})) == []
    assert ids(await admin.get("/v1/activations", params={"sort": "-started_at"})) == both[::-1]


@pytest.mark.clause("NX-07", "NX-09")
async def test_a_release_on_the_customers_word_frees_the_seat_and_counts_nothing(house, callers):
    supervisor = await callers.client("supervisor")
    sold, till = await used(house)
    done = await supervisor.post(f"/v1/activations/{till.held.sub}/release", json=REASON)
    assert (done.status_code, done.json()["code"]) == (200, "activation_released")
    assert done.json()["clauses"] == ["NX-07"]
    assert done.json()["lease_ends_at"] == "2026-03-12T09:00:00Z"
    assert (await till.heartbeat()).code == "activation_released"
    assert (await house.till().activate(sold.license_key)).status == 201
    told = (await supervisor.get(f"/v1/licenses/{sold.license_id}/explain")).json()
    assert told["forced_deactivations"]["used"] == 0
    words = {one["code"]: one["words"] for one in told["decisions"]}
    assert words["activation_released"].endswith("on the customer's word (reason: the machine burned down).")
    again = await supervisor.post(f"/v1/activations/{till.held.sub}/release", json=REASON)
    assert (again.status_code, again.json()["code"]) == (409, "not_active")
    assert again.json()["facts"] == {"ended_at": "2026-03-02T09:00:00Z", "end_reason": "released"}


@pytest.mark.clause("NX-08", "NX-09")
async def test_an_agent_frees_a_license_within_its_limit_and_is_told_what_is_left(house, callers):
    agent = await callers.client("agent")
    sold, till = await used(house)
    place = f"/v1/activations/{till.held.sub}/force-deactivate"
    asked = await agent.post(place, json=REASON)
    assert (asked.status_code, asked.json()["code"]) == (409, "confirmation_required")
    done = await agent.post(place, json={**REASON, "confirm": True})
    assert (done.status_code, done.json()["remaining"]) == (200, 2)
    second = house.till()
    await second.activate(sold.license_key)
    soon = await agent.post(f"/v1/activations/{second.held.sub}/force-deactivate", json={**REASON, "confirm": True})
    assert (soon.status_code, soon.json()["code"]) == (409, "forced_deactivation_too_soon")
    assert soon.headers.get("retry-after") or soon.json()["retry_at"]
    [listed] = (await agent.get("/v1/forced-deactivations")).json()["items"]
    assert (listed["activation_id"], listed["counted"], listed["reason"]) == (till.held.sub, True, REASON["reason"])
    assert listed["actor"].startswith("api_key:")


@pytest.mark.clause("NX-09", "I15")
async def test_only_who_may_override_passes_the_limit(house, callers):
    agent, supervisor = await callers.client("agent"), await callers.client("supervisor")
    sold, till = await used(house)
    await agent.post(f"/v1/activations/{till.held.sub}/force-deactivate", json={**REASON, "confirm": True})
    second = house.till()
    await second.activate(sold.license_key, environment="staging")
    override = {**REASON, "override_reason": "a fire in the whole street"}
    free = f"/v1/activations/{second.held.sub}/force-deactivate"
    ticket = f"/v1/licenses/{sold.license_id}/move-tickets"
    refused = [
        await agent.post(free, json={**override, "confirm": True}),
        await agent.post(ticket, json=override),
    ]
    assert [(one.status_code, one.json()["code"]) for one in refused] == [(403, "permission_denied")] * 2
    assert (await second.heartbeat()).status == 200
    done = await supervisor.post(ticket, json=override)
    assert (done.status_code, done.json()["facts"]["override"]) == (201, True)
    counted = [one["counted"] for one in (await supervisor.get("/v1/forced-deactivations")).json()["items"]]
    assert counted == [True, False]


@pytest.mark.clause("NX-04", "I16")
async def test_a_ticket_is_shown_once_and_listed_without_what_makes_it_work(house, callers):
    agent = await callers.client("agent")
    sold, _till = await used(house, "staging")
    made = await agent.post(f"/v1/licenses/{sold.license_id}/move-tickets", json=REASON)
    assert made.status_code == 201
    listed = await agent.get("/v1/move-tickets", params={"license": str(sold.license_id), "status": "open"})
    assert made.json()["ticket"] not in listed.text
    [ticket] = listed.json()["items"]
    assert (ticket["environment"], ticket["activation_id"], ticket["used_at"]) == ("production", None, None)
    new = house.till()
    moved = await new.activate(sold.license_key, move_ticket=made.json()["ticket"])
    assert moved.status == 201
    [used_up] = (await agent.get("/v1/move-tickets", params={"status": "used"})).json()["items"]
    assert (used_up["id"], used_up["used_by"]) == (ticket["id"], moved.granted.sub)
    assert ids(await agent.get("/v1/move-tickets", params={"status": "open"})) == []


async def test_a_ticket_that_nobody_used_is_told_as_expired(house, callers):
    agent = await callers.client("agent")
    sold, _ = await used(house, "staging")
    await agent.post(f"/v1/licenses/{sold.license_id}/move-tickets", json=REASON)
    house.clock.turn(hours=24)
    [ticket] = (await agent.get("/v1/move-tickets", params={"status": "expired"})).json()["items"]
    assert ticket["status"] == "expired"


@pytest.mark.clause("I13")
async def test_a_limited_caller_lists_nothing_of_others(house, callers):
    agent = await callers.client("agent", products=["pos-loyalty"])
    admin = await callers.client()
    sold, _till = await used(house, "staging")
    await admin.post(f"/v1/licenses/{sold.license_id}/move-tickets", json=REASON)
    for place in ("/v1/activations", "/v1/move-tickets", "/v1/forced-deactivations"):
        assert len(ids(await admin.get(place))) == 1
        assert ids(await agent.get(place)) == []
