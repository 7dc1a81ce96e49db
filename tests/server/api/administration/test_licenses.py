"""Licenses over HTTP: found by what people have in hand, rekeyed, transferred with the till that runs."""

from uuid import UUID

import pytest

from tillkey.wire.errors import WireError
from tillkey.wire.license_key import normalize
from tillkey_server.usecases.license import issue

BUYER = "buyer@else.example"
REASON = {"reason": "the owner called"}


def ids(answer):
    assert answer.status_code == 200, answer.text
    return [one["id"] for one in answer.json()["items"]]


async def customer_of(client, license_id):
    return UUID((await client.get(f"/v1/licenses/{license_id}")).json()["customer_id"])


async def test_a_license_is_found_by_whatever_is_in_hand(house, callers):
    admin = await callers.client()
    sold = await house.license()
    await house.license("pos-loyalty", BUYER)
    till = house.till()
    await till.activate(sold.license_key)
    shown = (await admin.get(f"/v1/licenses/{sold.license_id}")).json()
    texts = {
        "e-mail": "Owner@Shop.example",
        "key": sold.license_key.lower(),
        "id": str(sold.license_id),
        "order": shown["order"],
        "order id": shown["order_id"],
        "hint": sold.key_hint,
        "hint, typed": sold.key_hint.replace("…", "...").lower(),
        "machine": till.jkt,
        "machine, masked": f"{till.jkt[:4]}…",
    }
    for what, text in texts.items():
        found = await admin.post("/v1/licenses/search", json={"text": text})
        assert ids(found) == [str(sold.license_id)], what
    for text in ("nobody@shop.example", "POS-AAAA…BBBB", "no such order", "?"):
        assert ids(await admin.post("/v1/licenses/search", json={"text": text})) == [], text


async def test_all_that_is_asked_for_must_match(house, callers):
    admin = await callers.client()
    sold = await house.license()
    email, key = {"email": "owner@shop.example"}, {"license_key": sold.license_key}
    both = await admin.post("/v1/licenses/search", json={**email, **key, "status": "active", "product": "pos-core"})
    none = await admin.post("/v1/licenses/search", json={**email, **key, "status": "revoked"})
    assert (ids(both), ids(none)) == ([str(sold.license_id)], [])


async def test_a_license_is_found_by_an_id_that_could_as_well_be_a_license_key(house, callers):
    admin = await callers.client()
    alike: list[str] = []
    while not alike:
        sold = await issue(house.services, product="pos-core", customer_email=BUYER, quantity=50, actor="cli:test")
        alike = [str(one.license_id) for one in sold.licenses if reads_as_key(str(one.license_id))]
    found = await admin.post("/v1/licenses/search", json={"text": alike[0]})
    assert ids(found) == [alike[0]]


def reads_as_key(text):
    try:
        normalize(text)
    except WireError:
        return False
    return True


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"license_key": "POS-XXXXX"}, "license_key"),
        ({"email": "owner"}, "email"),
        ({"machine": "abc"}, "machine"),
        ({"machine": "a b c d"}, "machine"),
        ({"key_hint": "AB"}, "key_hint"),
        ({"order": " "}, "order"),
        ({"text": "A-1", "order": "A-1"}, "text"),
        ({"status": "sold"}, "status"),
    ],
)
async def test_a_search_that_means_nothing_is_refused_by_its_field(callers, body, field):
    admin = await callers.client()
    answer = await admin.post("/v1/licenses/search", json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
    assert field in answer.json()["detail"]


@pytest.mark.clause("I16")
async def test_no_address_takes_an_e_mail_address_or_a_license_key(callers):
    admin = await callers.client()
    for name in ("email", "license_key", "text"):
        assert (await admin.get("/v1/licenses", params={name: "x"})).status_code == 400


async def test_a_list_is_narrowed_by_each_filter_and_goes_both_ways(house, callers):
    admin = await callers.client()
    first = await house.license()
    house.clock.turn(hours=1)
    second = await house.license("pos-loyalty", BUYER)
    till = house.till()
    await till.activate(first.license_key)
    shown = (await admin.get(f"/v1/licenses/{first.license_id}")).json()
    assert (shown["in_use"], shown["project"], shown["status"]) == (True, "Corner Shop", "active")
    both = [str(first.license_id), str(second.license_id)]
    assert ids(await admin.get("/v1/licenses", params={"sort": "-issued_at"})) == both[::-1]
    narrowed = {
        "customer": shown["customer_id"],
        "product": "pos-core",
        "project": shown["project_id"],
        "order": shown["order"],
        "key_hint": first.key_hint,
        "machine": till.jkt[:6],
    }
    for name, value in narrowed.items():
        assert ids(await admin.get("/v1/licenses", params={name: value})) == both[:1], name
    await admin.post(f"/v1/licenses/{first.license_id}/suspend", json={**REASON, "until": "2026-03-02T12:00:00Z"})
    assert ids(await admin.get("/v1/licenses", params={"status": "suspended"})) == both[:1]
    house.clock.turn(hours=3)
    assert ids(await admin.get("/v1/licenses", params={"status": "suspended"})) == []


@pytest.mark.clause("I13")
async def test_a_limited_caller_finds_and_counts_nothing_of_others(house, callers):
    admin = await callers.client()
    mine, other = await house.license(), await house.license("pos-loyalty", BUYER)
    customer = await customer_of(admin, mine.license_id)
    limited = await callers.client(customers=[customer])
    by_product = await callers.client(products=["pos-loyalty"])
    assert ids(await limited.get("/v1/licenses")) == [str(mine.license_id)]
    assert ids(await by_product.get("/v1/licenses")) == [str(other.license_id)]
    for text in (BUYER, other.license_key, str(other.license_id)):
        assert ids(await limited.post("/v1/licenses/search", json={"text": text})) == []


async def test_the_check_of_a_key_is_no_license_and_takes_no_other_method(callers):
    admin = await callers.client()
    checked = await admin.post("/v1/licenses/check", json={"license_key": "x", "product": "pos-core"})
    assert (checked.status_code, checked.json()["known"]) == (200, False)
    assert (await admin.get("/v1/licenses/check")).status_code == 405
    assert (await admin.get("/v1/licenses/search")).status_code == 405


@pytest.mark.clause("K-13")
async def test_a_legal_hold_stands_above_a_suspension_and_uncovers_it(house, callers):
    admin = await callers.client()
    sold = await house.license()
    till = house.till()
    await till.activate(sold.license_key)
    place = f"/v1/licenses/{sold.license_id}"
    done = [
        (await admin.post(f"{place}/{verb}", json=REASON)).json()["facts"]["to"]
        for verb in ("suspend", "hold", "release-hold", "resume")
    ]
    assert done == ["suspended", "legal_hold", "suspended", "active"]
    again = await admin.post(f"{place}/release-hold", json=REASON)
    assert (again.status_code, again.json()["code"], again.json()["clauses"]) == (409, "not_on_hold", ["K-13"])
    await admin.post(f"{place}/hold", json=REASON)
    assert (await till.heartbeat()).code == "legal_hold"


async def test_a_revoked_license_is_refused_a_second_revocation_with_its_clauses(house, callers):
    admin = await callers.client()
    sold = await house.license()
    first, second = [await admin.post(f"/v1/licenses/{sold.license_id}/revoke", json=REASON) for _ in range(2)]
    assert (first.status_code, first.json()["code"]) == (200, "license_revoked")
    assert first.json()["policy"] == {"name": "default", "version": 3}
    assert (second.status_code, second.json()["code"]) == (403, "license_revoked")
    assert second.json()["clauses"] == ["K-13", "X-04"]


async def test_an_explanation_has_its_promised_shape_with_everything_in_it(house, callers):
    admin = await callers.client()
    sold = await house.license()
    staging = house.till()
    await staging.activate(sold.license_key, environment="staging")
    await staging.activate(sold.license_key, environment="staging")
    told = (await admin.get(f"/v1/licenses/{sold.license_id}/explain")).json()
    assert told["chain"]["forks"] == 1
    assert [one["code"] for one in told["decisions"]] == ["license_issued", "activation_granted", "activation_held"]
    assert told["next_steps"] == ["move_ticket", "deactivate", "force_deactivate"]


@pytest.mark.clause("K-14", "I16")
async def test_a_new_key_is_shown_once_and_the_old_one_is_unknown_at_once(house, callers):
    agent = await callers.client("agent")
    sold = await house.license()
    till = house.till()
    await till.activate(sold.license_key)
    done = await agent.post(f"/v1/licenses/{sold.license_id}/rekey", json=REASON)
    new_key = done.json()["license_key"]
    assert done.status_code == 200
    assert done.json()["facts"]["relearn"] == [till.held.sub]
    assert (await till.heartbeat()).status == 200
    assert (await till.activate()).status == 200
    assert (await house.till().activate(sold.license_key)).code == "license_invalid"
    assert (await till.activate(new_key)).status == 200
    told = (await agent.get(f"/v1/licenses/{sold.license_id}/explain")).text
    assert new_key not in told
    assert sold.license_key not in told
    assert sold.key_hint in told
    found = await agent.post("/v1/licenses/search", json={"license_key": new_key})
    assert ids(found) == [str(sold.license_id)]
