"""NX-38, K-13 and CJ-02 through the API: who is erased is nobody any more, and what a legal hold keeps stays whole."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.server.clauses.test_accounts import DONE, FRAUD, OWNER, PRODUCT, account, told
from tests.server.usecases.test_heartbeat_statements import counted, locks
from tests.support.callers import Callers
from tests.support.help_desk import MARKET, help_desk
from tests.support.house import AGENT, House
from tillkey_server.store import erasure
from tillkey_server.usecases import termination
from tillkey_server.usecases.license import change_standing

ACTS: dict[str, dict[str, Any]] = {
    "PATCH ": {"email": "new@shop.example"},
    "POST /suspend": DONE,
    "POST /lift-suspension": {"reason": "a mistake"},
    "POST /terminate": DONE,
    "POST /termination": {"verified": True},
    "POST /termination/preview": {},
    "POST /termination/cancel": {},
    "POST /termination/take-back": {"reason": "a slip"},
    "POST /termination/appeal": {},
    "POST /termination/appeal/decide": {"granted": True, "reason": "a slip"},
    "POST /termination/waive-balance": {"amount": "1.00 EUR"},
    "POST /balance/spend": {"amount": "1.00 EUR", "reference": "A-1"},
    "POST /install-credits/use": {},
}
"""What is done to a customer."""


@pytest.mark.clause("NX-38")
async def test_nothing_is_done_to_a_customer_that_was_erased(house: House, callers: Callers) -> None:
    client = await callers.client("admin")
    await house.license(PRODUCT)
    path = await account(house)
    await told(client, "POST", "/v1/accounts/erase-again", {"customers": [path.split("/")[-1]]})
    codes = {}
    for act, body in ACTS.items():
        method, _, rest = act.partition(" ")
        codes[act] = (await client.request(method, f"{path}{rest}", json=body)).json().get("code")
    assert codes == dict.fromkeys(ACTS, "not_found")


@pytest.mark.clause("NX-38")
async def test_a_project_of_a_customer_that_was_erased_gets_no_name_and_no_site_any_more(
    house: House, callers: Callers
) -> None:
    desk, admin = await help_desk(house, callers, MARKET), await callers.client()
    await told(admin, "POST", "/v1/accounts/erase-again", {"customers": [desk.customer_id]})
    path = f"/v1/projects/{desk.project_id}"
    before = (await admin.get(path)).json()
    assert (before["name"].replace("-", ""), before["site"]) == (desk.project_id.replace("-", ""), None)
    for method, place, body in (
        ("PATCH", path, {"name": "Hannah's"}),
        ("POST", f"{path}/site", {"site": "https://hannah.example", "reason": "moved"}),
    ):
        assert (await admin.request(method, place, json=body)).json()["code"] == "not_found"
    assert (await admin.get(path)).json() == before


@pytest.mark.clause("NX-38")
async def test_no_project_gets_a_name_and_nobody_becomes_a_member_while_an_account_is_erased(
    house: House, callers: Callers, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, admin = await help_desk(house, callers, MARKET), await callers.client()
    clerk = str((await told(admin, "POST", "/v1/customers", {"email": "clerk@shop.example"}, 201))["id"])
    path, begun, whole = f"/v1/projects/{desk.project_id}", asyncio.Event(), erasure.erase

    async def slow(tx: AsyncConnection, customer_id: UUID) -> None:
        await whole(tx, customer_id)
        begun.set()
        await asyncio.sleep(0.5)

    monkeypatch.setattr(erasure, "erase", slow)
    erased = asyncio.create_task(admin.post("/v1/accounts/erase-again", json={"customers": [desk.customer_id]}))
    await begun.wait()
    answers = await asyncio.gather(
        admin.post("/v1/projects", json={"customer_id": desk.customer_id, "name": "Hannah's"}),
        admin.patch(path, json={"name": "Hannah's"}),
        admin.post(f"{path}/site", json={"site": "https://hannah.example", "reason": "moved"}),
        admin.post(f"{path}/members", json={"customer_id": clerk}),
    )
    assert (await erased).json()["erased"] == [desk.customer_id]
    assert [answer.json()["code"] for answer in answers] == ["not_found"] * 4
    assert "annah" not in (await admin.get("/v1/projects")).text


@pytest.mark.clause("NX-38")
async def test_what_stands_in_place_of_an_erased_address_buys_nothing(house: House, callers: Callers) -> None:
    client = await callers.client("admin")
    await house.license(PRODUCT)
    path = await account(house)
    await told(client, "POST", "/v1/accounts/erase-again", {"customers": [path.split("/")[-1]]})
    left = (await client.get(path)).json()["email"]
    body = {"number": "A-1", "customer": left, "lines": [{"product": PRODUCT}]}
    assert (await told(client, "POST", "/v1/orders", body, 400))["detail"].startswith("customer:")


@pytest.mark.clause("K-13", "CJ-02", "NX-38")
async def test_what_a_legal_hold_keeps_is_not_erased_again_before_it_is_lifted(house: House, callers: Callers) -> None:
    """Nothing of it is: neither the person nor the other license."""
    client = await callers.client("admin")
    held, other = await house.license(PRODUCT), await house.license(PRODUCT)
    path = await account(house)
    gone = path.split("/")[-1]
    await change_standing(house.services, held.license_id, event="hold", actor=AGENT, reason="a complaint")
    kept = await told(client, "POST", "/v1/accounts/erase-again", {"customers": [gone]})
    assert kept == {"erased": [], "already": [], "held": [gone], "unknown": []}
    assert (await client.get(path)).json()["email"] == OWNER
    assert (await house.till(product=PRODUCT).activate(other.license_key)).status == 201
    [noted] = (await client.get("/v1/audit", params={"action": "account_erase_again"})).json()["items"]
    assert (noted["code"], noted["clauses"]) == ("legal_hold", ["K-13", "CJ-02"])
    await change_standing(house.services, held.license_id, event="release_hold", actor=AGENT, reason="cleared")
    assert (await told(client, "POST", "/v1/accounts/erase-again", {"customers": [gone]}))["erased"] == [gone]
    assert (await house.till(product=PRODUCT).activate(held.license_key)).code == "license_terminated"


@pytest.mark.clause("NX-40", "K-13")
async def test_the_sweep_locks_nothing_of_an_account_that_cannot_end_yet(house: House, callers: Callers) -> None:
    client = await callers.client("admin")
    sold = await house.license(PRODUCT)
    path = await account(house)
    await change_standing(house.services, sold.license_id, event="hold", actor=AGENT, reason="a complaint")
    await told(client, "POST", f"{path}/terminate", FRAUD)
    with counted(house.services.db) as sent:
        assert await termination.end_due_accounts(house.services) == 0
    assert locks(sent) == []
    await change_standing(house.services, sold.license_id, event="release_hold", actor=AGENT, reason="cleared")
    assert await termination.end_due_accounts(house.services) == 1


@pytest.mark.clause("NX-38")
async def test_the_audit_log_keeps_no_site_no_file_and_no_evidence_of_a_request_for_support(
    house: House, callers: Callers
) -> None:
    desk, admin = await help_desk(house, callers, MARKET), await callers.client()
    await house.till(product=MARKET).activate(desk.sold.license_key, project="Corner Shop")
    changed = {"files": {"src/hannah.php": "0" * 64, "src/shop.php": "1" * 64}}
    opened = await desk.open(**changed)
    assert opened["facts"]["files"] == {"src/hannah.php": "changed", "src/shop.php": "changed"}
    assert opened["facts"]["care_banner"]["site"] == "https://shop.example"
    refused = await desk.open(found={"nosup_abusive": "Hannah shouted"})
    assert refused["facts"]["evidence"] == "Hannah shouted"
    late = await desk.event("refused", code="nosup_code_modified", evidence="Hannah told so", in_tool=True, **changed)
    assert late["facts"]["files"] == opened["facts"]["files"]
    query = {"license_id": str(desk.sold.license_id), "limit": 200}
    noted = (await admin.get("/v1/audit", params=query)).json()["items"]
    told = [one for one in noted if one["action"].startswith("support_")]
    facts = [(one["code"], one["facts"].get("files"), one["facts"].get("has_evidence")) for one in told]
    assert facts == [
        ("support_task_ok", {"changed": 2}, None),
        ("nosup_abusive", None, True),
        ("request_refused", {"changed": 2}, None),
    ]
    assert [word for word in ("annah", "shop.example", "shop.php") if word in str(told)] == []
