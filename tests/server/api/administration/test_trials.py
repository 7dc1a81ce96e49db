"""Trials over HTTP: status, code and clauses."""

from tillkey_server.usecases.catalogue import change_product

ASKED = {"product": "pos-core", "customer": "owner@shop.example"}


async def test_a_trial_is_given_once_with_its_key_and_its_clauses(house, callers):
    integration = await callers.client("integration")
    before = await integration.post("/v1/licenses/trial", json=ASKED)
    await change_product(house.services, "pos-core", policy="trying", actor="cli:test")
    given = await integration.post("/v1/licenses/trial", json=ASKED)
    again = await integration.post("/v1/licenses/trial", json=ASKED)
    assert (before.status_code, before.json()["code"], before.json()["clauses"]) == (409, "trial_not_offered", ["X-01"])
    assert (given.status_code, given.json()["code"], given.json()["clauses"]) == (201, "trial_issued", ["X-01", "K-03"])
    assert given.json()["license_key"].startswith("POS-")
    assert (again.status_code, again.json()["code"]) == (409, "trial_used")
    assert again.json()["facts"]["license_id"] == given.json()["license_id"]
    assert ASKED["customer"] not in again.text
