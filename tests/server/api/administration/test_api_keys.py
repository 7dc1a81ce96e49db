"""API keys: shown once, stored hashed, expiring, telling their last use, dead at once when revoked."""

import pytest
from sqlalchemy import select

from tillkey_server.store.access_tables import api_key

AGENT = {"name": "Help desk", "role": "agent"}


async def test_a_key_is_shown_once_and_only_a_hash_of_it_is_stored(house, callers):
    admin = await callers.client()
    made = (await admin.post("/v1/api-keys", json=AGENT)).json()
    secret = made["api_key"]
    listed = await admin.get("/v1/api-keys")
    async with house.services.db.reading() as tx:
        stored = (await tx.execute(select(api_key))).all()
    assert secret.startswith("tks_")
    assert secret not in listed.text
    assert not [row for row in stored if secret in str(row)]
    assert house.services.pepper.hash_api_key(secret) in {row.key_hash for row in stored}


async def test_a_new_key_works_and_is_dead_at_once_when_revoked(callers):
    admin = await callers.client()
    made = (await admin.post("/v1/api-keys", json={**AGENT, "role": "admin"})).json()
    caller = await callers.with_key(made["api_key"])
    before = await caller.get("/v1/api-keys")
    revoked = await admin.post(f"/v1/api-keys/{made['id']}/revoke", json={})
    after = await caller.get("/v1/api-keys")
    assert (before.status_code, revoked.json()["status"], after.status_code) == (200, "revoked", 401)
    assert after.json()["code"] == "api_key_invalid"
    assert after.headers["www-authenticate"] == "Bearer"


async def test_revoking_twice_changes_nothing(house, callers):
    admin = await callers.client()
    made = (await admin.post("/v1/api-keys", json=AGENT)).json()
    first = await admin.post(f"/v1/api-keys/{made['id']}/revoke", json={})
    house.clock.turn(hours=1)
    assert (await admin.post(f"/v1/api-keys/{made['id']}/revoke", json={})).json() == first.json()


async def test_a_key_ends_when_it_was_said_to(house, callers):
    admin = await callers.client()
    ends = {**AGENT, "role": "admin", "expires_at": "2026-03-02T10:00:00+01:00"}
    refused = await admin.post("/v1/api-keys", json=ends)
    made = (await admin.post("/v1/api-keys", json={**ends, "expires_at": "2026-03-02T11:00:00+01:00"})).json()
    caller = await callers.with_key(made["api_key"])
    before = await caller.get("/v1/api-keys")
    house.clock.turn(hours=1)
    after = await caller.get("/v1/api-keys")
    assert (refused.status_code, before.status_code, after.status_code) == (400, 200, 401)
    assert "2026-03-02T10:00:00Z" in after.json()["detail"]


async def test_the_last_use_is_told_and_noted_once_a_minute(house, callers):
    admin = await callers.client()
    own = (await admin.get("/v1/api-keys")).json()["items"][0]
    house.clock.turn(seconds=59)
    again = (await admin.get(f"/v1/api-keys/{own['id']}")).json()
    house.clock.turn(seconds=1)
    later = (await admin.get(f"/v1/api-keys/{own['id']}")).json()
    assert own["last_used_at"] == again["last_used_at"] == "2026-03-02T09:00:00Z"
    assert later["last_used_at"] == "2026-03-02T09:01:00Z"


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "Bearer tks_" + "A" * 43, "Bearer tks_" + "é" * 43, "tks_x"],
)
async def test_without_a_valid_key_nothing_is_answered(callers, authorization):
    nobody = await callers.with_key(None)
    header = authorization.encode("utf-8")
    answer = await nobody.get("/v1/api-keys", headers={"Authorization": header} if header else {})
    assert (answer.status_code, answer.json()["code"]) == (401, "api_key_invalid")


async def test_a_limited_admin_makes_no_keys(callers):
    limited = await callers.client("admin", products=["pos-core"])
    refused = await limited.post("/v1/api-keys", json={"name": "more", "role": "admin"})
    assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")


async def test_a_key_for_what_is_not_there_is_refused_by_name(callers):
    admin = await callers.client()
    missing = "00000000-0000-7000-8000-000000000000"
    product = await admin.post("/v1/api-keys", json={**AGENT, "products": ["nothing"]})
    customer = await admin.post("/v1/api-keys", json={**AGENT, "customers": [missing]})
    assert (product.status_code, customer.status_code) == (404, 404)
    assert "product nothing" in product.json()["detail"]
    assert missing in customer.json()["detail"]


async def test_a_caller_learns_what_it_may_do_and_what_it_is_limited_to(callers):
    agent = await callers.client("agent", products=["pos-core"])
    told = (await agent.get("/v1/me")).json()
    assert (told["role"], told["customers"], len(told["products"])) == ("agent", None, 1)
    assert "activation.force" in told["permissions"]
    assert not {"force.override", "api_key.read", "product.write"} & set(told["permissions"])
