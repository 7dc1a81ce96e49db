"""NX-37 to NX-43 and CJ-02: suspending and ending accounts, through the API."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from tests.server.usecases.test_issue_facts import FRIDAY, happened, put
from tests.support.callers import Callers
from tests.support.house import AGENT, House
from tillkey_server.clock import to_epoch
from tillkey_server.rules.decision import instant
from tillkey_server.store import tables
from tillkey_server.usecases import termination
from tillkey_server.usecases.audit import verify_audit
from tillkey_server.usecases.customer import add_customer
from tillkey_server.usecases.license import change_standing
from tillkey_server.usecases.sealing import seal

OWNER = "owner@shop.example"
PRODUCT = "nexopos-multistore"
DONE = {"behavior": "pb_key_sharing", "evidence": "the key on a forum, ticket 7"}
FRAUD = {"behavior": "pb_chargeback_fraud", "evidence": "three chargebacks"}


async def told(client: httpx.AsyncClient, method: str, path: str, body: dict[str, Any], status: int = 200) -> Any:
    answer = await client.request(method, path, json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def account(house: House) -> str:
    """The path of the owner's account."""
    added = await add_customer(house.services, OWNER)
    return f"/v1/customers/{added.shown['id']}"


@pytest.mark.clause("NX-42", "NX-43")
async def test_a_suspended_account_gives_a_running_till_its_grace_and_a_new_one_nothing(
    house: House, callers: Callers
) -> None:
    client = await callers.client("supervisor")
    key, other = await house.key(PRODUCT), await house.key(PRODUCT)
    till = house.till(product=PRODUCT)
    activation = (await till.activate(key)).granted.sub
    path = await account(house)
    done = await told(client, "POST", f"{path}/suspend", DONE)
    assert (done["code"], done["decision"]) == ("account_suspension_set", "allow")
    assert {"NX-42", "NX-43"} <= set(done["clauses"])
    assert (done["facts"]["stops_at"], done["facts"]["until"]) == ("2026-03-09T09:00:00Z", "2026-04-01T09:00:00Z")
    new = await house.till(product=PRODUCT).activate(other)
    assert (new.status, new.code, new.body["clauses"]) == (403, "account_suspended", ["NX-42"])
    assert new.statement is not None
    house.clock.turn(days=6)
    # The lease ends with the grace, so that nothing outlives it.
    assert (await till.heartbeat()).granted.exp == to_epoch(house.clock.now()) + 86400
    house.clock.turn(days=1)
    stopped = await till.heartbeat()
    assert (stopped.code, stopped.body["clauses"]) == ("account_suspended", ["NX-42"])
    assert stopped.body["retry_at"] == to_epoch(house.clock.now()) + 23 * 86400
    assert (await client.get(f"{path}/account")).json()["suspended"] is True
    # It lifts itself, and the same activation goes on.
    house.clock.turn(days=23)
    assert (await till.heartbeat()).granted.sub == activation
    assert (await house.till(product=PRODUCT).activate(other)).status == 201


@pytest.mark.clause("NX-42")
async def test_fraud_gets_no_grace_and_a_lift_lifts_nothing_stronger(house: House, callers: Callers) -> None:
    client = await callers.client("supervisor")
    revoked, kept = await house.license(PRODUCT), await house.license(PRODUCT)
    tills = [house.till(product=PRODUCT) for _ in range(2)]
    for till, sold in zip(tills, (revoked, kept), strict=True):
        await till.activate(sold.license_key)
    path = await account(house)
    done = await told(client, "POST", f"{path}/suspend", FRAUD)
    assert (done["facts"]["until"], "NX-42" in done["clauses"]) == (None, True)
    assert [(await till.heartbeat()).code for till in tills] == ["account_suspended"] * 2
    # What is bought meanwhile waits, and a resumption of the license lifts no suspension of the account.
    asked = {"customer": OWNER, "lines": [{"product": PRODUCT}]}
    assert (await told(client, "POST", "/v1/orders/preview", asked))["code"] == "account_suspended"
    resumed = await change_standing(house.services, kept.license_id, event="resume", actor=AGENT, reason="a try")
    assert (resumed.allowed, resumed.code) == (False, "account_suspended")
    await change_standing(house.services, revoked.license_id, event="revoke", actor=AGENT, reason="a test")
    lifted = await told(client, "POST", f"{path}/lift-suspension", {"reason": "it was another shop"})
    assert (lifted["code"], lifted["clauses"]) == ("account_suspension_lifted", ["NX-42"])
    assert [(await till.heartbeat()).code for till in tills] == ["license_revoked", None]
    again = await told(client, "POST", f"{path}/lift-suspension", {"reason": "again"}, 409)
    assert again["code"] == "account_not_suspended"


@pytest.mark.clause("NX-42")
async def test_a_license_that_comes_later_is_suspended_too_and_one_that_leaves_is_not(
    house: House, callers: Callers
) -> None:
    client = await callers.client("admin")
    sold = await house.license(PRODUCT)
    path = await account(house)
    done = await told(client, "POST", f"{path}/suspend", FRAUD)
    assert "NX-42" in done["clauses"]
    later = await house.key(PRODUCT)
    assert (await house.till(product=PRODUCT).activate(later)).code == "account_suspended"
    await house.license(PRODUCT, "other@shop.example")
    given = {"customer": "other@shop.example", "reason": "the shop was sold"}
    await told(client, "POST", f"/v1/licenses/{sold.license_id}/transfer", given)
    assert (await house.till(product=PRODUCT).activate(sold.license_key)).status == 201
    listed = (await client.get("/v1/licenses", params={"status": "suspended"})).json()["items"]
    assert len(listed) == 1


@pytest.mark.clause("NX-43", "NX-40")
async def test_only_a_listed_behavior_with_evidence_counts_and_only_for_a_supervisor(
    house: House, callers: Callers
) -> None:
    client, agent = await callers.client("supervisor"), await callers.client("agent")
    await house.license(PRODUCT)
    path = await account(house)
    for verb in ("suspend", "terminate"):
        await told(agent, "POST", f"{path}/{verb}", DONE, 403)
        unlisted = await told(client, "POST", f"{path}/{verb}", {**DONE, "behavior": "pb_singing"}, 409)
        assert (unlisted["code"], unlisted["clauses"]) == ("behavior_not_listed", ["NX-43"])
        unproven = await told(client, "POST", f"{path}/{verb}", {**DONE, "evidence": " "}, 409)
        assert (unproven["code"], unproven["clauses"]) == ("evidence_required", ["NX-43"])
    automatic = await told(client, "POST", f"{path}/terminate", {**DONE, "automatic": True}, 201)
    assert (automatic["decision"], automatic["code"]) == ("pend", "termination_needs_person")
    done = await told(client, "POST", f"{path}/terminate", DONE)
    assert (done["code"], {"NX-40", "NX-43"} <= set(done["clauses"])) == ("account_terminated_by_vendor", True)


@pytest.mark.clause("NX-37", "NX-39")
async def test_the_end_is_told_with_a_word_before_it_and_may_be_taken_back(house: House, callers: Callers) -> None:
    client = await callers.client("agent")
    till = house.till(product=PRODUCT)
    await till.activate(await house.key(PRODUCT))
    path = await account(house)
    asked = await told(client, "POST", f"{path}/termination/preview", {})
    assert (asked["code"], asked["facts"]["running"]) == ("termination_scheduled", 1)
    assert {"NX-37", "NX-39"} <= set(asked["clauses"])
    assert "write to us before you leave" in asked["words"]
    assert "write to us before you leave" in (await client.get(f"{path}/account")).json()["contact"]
    unproven = await told(client, "POST", f"{path}/termination", {"verified": False}, 201)
    assert (unproven["decision"], unproven["code"]) == ("pend", "termination_requester_unverified")
    done = await told(client, "POST", f"{path}/termination", {"verified": True})
    assert (done["facts"]["due_at"], "NX-37" in done["clauses"]) == ("2026-03-16T09:00:00Z", True)
    house.clock.turn(days=13, hours=23)
    assert await termination.end_due_accounts(house.services) == 0
    back = await told(client, "POST", f"{path}/termination/cancel", {})
    assert (back["code"], back["clauses"]) == ("termination_canceled", ["NX-37"])
    house.clock.turn(days=30)
    assert await termination.end_due_accounts(house.services) == 0
    assert (await till.heartbeat()).status == 200
    assert (await told(client, "POST", f"{path}/termination/cancel", {}, 409))["code"] == "termination_not_open"


@pytest.mark.clause("NX-37")
async def test_who_asks_again_is_told_when_the_end_is_due_as_it_was_scheduled(house: House, callers: Callers) -> None:
    client = await callers.client("agent")
    await house.license(PRODUCT)
    path = await account(house)
    await told(client, "POST", f"{path}/termination", {"verified": True})
    house.clock.turn(days=3)
    again = await told(client, "POST", f"{path}/termination", {"verified": True})
    asked = await told(client, "POST", f"{path}/termination/preview", {})
    shown = (await client.get(f"{path}/account")).json()["termination"]["due_at"]
    assert [again["facts"]["due_at"], asked["facts"]["due_at"], shown] == ["2026-03-16T09:00:00Z"] * 3


async def two_agree(house: House, callers: Callers) -> tuple[str, httpx.AsyncClient, httpx.AsyncClient]:
    """An account whose terms ask for two people, and two supervisors."""
    policies = house.services.policies
    policy = policies.offered("nexopos")
    assert policy.account is not None
    policies._known[policy.ref] = replace(policy, account=replace(policy.account, two_person_rule=True))
    await house.license(PRODUCT)
    return await account(house), await callers.client("supervisor"), await callers.client("supervisor")


@pytest.mark.clause("NX-37", "NX-40")
async def test_what_the_vendor_only_proposes_changes_nothing_about_the_customers_own_end(
    house: House, callers: Callers
) -> None:
    path, one, _ = await two_agree(house, callers)
    await told(one, "POST", f"{path}/termination", {"verified": True})
    proposed = await told(one, "POST", f"{path}/terminate", DONE, 201)
    assert (proposed["code"], proposed["decision"]) == ("account_awaits_second", "pend")
    shown = (await one.get(f"{path}/account")).json()["termination"]
    assert (shown["by"], shown["due_at"]) == ("customer", "2026-03-16T09:00:00Z")
    house.clock.turn(days=14)
    assert await termination.end_due_accounts(house.services) == 1


@pytest.mark.clause("NX-37", "NX-40")
@pytest.mark.parametrize("first", ["proposal", "request"])
@pytest.mark.parametrize("taken_back", [False, True])
async def test_a_second_person_agrees_to_a_proposal_whatever_the_customer_asked_meanwhile(
    house: House, callers: Callers, first: str, taken_back: bool
) -> None:
    path, one, other = await two_agree(house, callers)
    for verb in ("proposal", "request") if first == "proposal" else ("request", "proposal"):
        if verb == "proposal":
            await told(one, "POST", f"{path}/terminate", DONE, 201)
        else:
            asked = await told(one, "POST", f"{path}/termination", {"verified": True})
            shown = (await one.get(f"{path}/account")).json()["termination"]
            assert (shown["by"], shown["due_at"]) == ("customer", asked["facts"]["due_at"])
    if taken_back:
        await told(one, "POST", f"{path}/termination/cancel", {})
    assert (await told(one, "POST", f"{path}/terminate", DONE, 201))["code"] == "account_awaits_second"
    done = await told(other, "POST", f"{path}/terminate", DONE)
    assert done["code"] == "account_terminated_by_vendor"
    assert await termination.end_due_accounts(house.services) == 1


@pytest.mark.clause("NX-40")
async def test_an_end_that_two_agreed_to_stays_when_somebody_proposes_another(house: House, callers: Callers) -> None:
    path, one, other = await two_agree(house, callers)
    await told(one, "POST", f"{path}/terminate", DONE, 201)
    await told(other, "POST", f"{path}/terminate", DONE)
    house.clock.turn(hours=1)
    again = await told(one, "POST", f"{path}/terminate", FRAUD)
    assert (again["code"], again["facts"]["due_at"]) == ("account_terminated_by_vendor", "2026-03-02T09:00:00Z")
    assert await termination.end_due_accounts(house.services) == 1


@pytest.mark.clause("NX-38")
async def test_the_end_erases_everything_about_a_person_and_keeps_the_keys_dead(house: House, callers: Callers) -> None:
    client = await callers.client("admin")
    sold = await house.license(PRODUCT)
    till = house.till(product=PRODUCT)
    await till.activate(sold.license_key, project="Hannah's Corner Shop")
    path = await account(house)
    request = await put(house)
    await happened(house, request, "finding", FRIDAY, finding="malfunction", note="Hannah rang")
    await told(client, "POST", f"{path}/termination", {"verified": True, "reason": "Hannah retires"})
    house.clock.turn(days=14)
    assert await termination.end_due_accounts(house.services) == 1
    beat = await till.heartbeat()
    assert (beat.code, beat.statement is not None, "NX-38" in beat.body["clauses"]) == (
        "license_terminated",
        True,
        True,
    )
    assert (await house.till(product=PRODUCT).activate(sold.license_key)).code == "license_terminated"
    seen = await everything(house)
    assert [word for word in (OWNER, "Hannah", "hannah", "fingerprint': {'") if word in seen] == []
    refused = await client.post(f"/v1/licenses/{sold.license_id}/rekey", json={"reason": "please"})
    assert refused.json()["code"] == "license_terminated"
    listed = (await client.get("/v1/audit", params={"code": "account_terminated"})).json()["items"]
    assert [("NX-38" in one["clauses"], one["facts"]["customer"]) for one in listed] == [(True, path.split("/")[-1])]
    await seal(house.services, holder="test", thorough=True)
    assert (await verify_audit(house.services))["ok"] is True
    # The same address again is another customer.
    assert await account(house) != path
    stones = (await client.get("/v1/accounts/erased")).json()["items"]
    assert [one["customer_id"] for one in stones] == [path.split("/")[-1]]


@pytest.mark.clause("K-12", "NX-38")
async def test_the_end_records_until_when_a_till_out_of_reach_works_on(house: House, callers: Callers) -> None:
    client = await callers.client("admin")
    sold = await house.license(PRODUCT)
    exp = (await house.till(product=PRODUCT).activate(sold.license_key)).granted.exp
    await told(client, "POST", f"{await account(house)}/termination", {"verified": True, "reason": "the shop closes"})
    house.clock.turn(days=14)
    await termination.end_due_accounts(house.services)
    listed = (await client.get("/v1/audit", params={"code": "license_terminated"})).json()["items"]
    assert [one["facts"]["lease_ends_at"] for one in listed] == [instant(datetime.fromtimestamp(exp, UTC))]


async def everything(house: House) -> str:
    """All that the tables hold, as one text."""
    found = []
    async with house.services.db.reading() as tx:
        for table in tables.metadata.sorted_tables:
            if table is not tables.policy_version:
                rows = await tx.execute(select(table))
                found += [str(row._asdict()) for row in rows]
    return "\n".join(found)


@pytest.mark.clause("NX-38")
async def test_whom_a_backup_brings_back_is_erased_again(house: House, callers: Callers) -> None:
    client = await callers.client("admin")
    sold = await house.license(PRODUCT)
    path = await account(house)
    gone, nobody = path.split("/")[-1], "00000000-0000-7000-8000-000000000000"
    done = await told(client, "POST", "/v1/accounts/erase-again", {"customers": [gone, nobody]})
    assert done == {"erased": [gone], "already": [], "held": [], "unknown": [nobody]}
    assert (await house.till(product=PRODUCT).activate(sold.license_key)).code == "license_terminated"
    again = await told(client, "POST", "/v1/accounts/erase-again", {"customers": [gone]})
    assert again == {"erased": [], "already": [gone], "held": [], "unknown": []}
    listed = (await client.get("/v1/audit", params={"action": "account_erase_again"})).json()["items"]
    assert [one["clauses"] for one in listed] == [["NX-38"]]


@pytest.mark.clause("CJ-02", "NX-38")
async def test_a_legal_hold_and_an_order_under_review_block_the_end(house: House, callers: Callers) -> None:
    client = await callers.client("admin")
    sold = await house.license(PRODUCT)
    path = await account(house)
    body = {"number": "A-1", "customer": OWNER, "lines": [{"product": PRODUCT}], "under_review": True}
    waiting = await told(client, "POST", "/v1/orders", body, 201)
    await told(client, "POST", f"{path}/terminate", FRAUD)
    await change_standing(house.services, sold.license_id, event="hold", actor=AGENT, reason="a complaint")
    assert await termination.end_due_accounts(house.services) == 0
    bar = (await client.get(f"{path}/account")).json()["termination"]["blocked"]
    assert (bar["code"], bar["clauses"]) == ("legal_hold", ["K-13"])
    await change_standing(house.services, sold.license_id, event="release_hold", actor=AGENT, reason="cleared")
    bar = (await client.get(f"{path}/account")).json()["termination"]["blocked"]
    assert (bar["code"], bar["clauses"]) == ("termination_blocked_order", ["NX-38"])
    await told(client, "POST", f"/v1/orders/{waiting['id']}/release", {"reason": "paid back"})
    assert await termination.end_due_accounts(house.services) == 1
    assert (await house.till(product=PRODUCT).activate(sold.license_key)).code == "license_terminated"


def appealable(house: House) -> None:
    """Give the terms in force days to appeal, for one test."""
    policy = house.services.policies.offered("nexopos")
    assert policy.account is not None
    changed = replace(policy, account=replace(policy.account, appeal=timedelta(days=7)))
    house.services.policies._known[policy.ref] = changed


@pytest.mark.clause("NX-40")
async def test_the_vendors_end_comes_after_the_days_to_appeal_and_waits_for_an_appeal(
    house: House, callers: Callers
) -> None:
    client, agent = await callers.client("supervisor"), await callers.client("agent")
    await house.license(PRODUCT)
    path = await account(house)
    appealable(house)
    assert (await told(agent, "POST", f"{path}/termination/appeal", {}, 409))["code"] == "termination_not_open"
    ended = await told(client, "POST", f"{path}/terminate", DONE)
    assert ended["facts"]["due_at"] == "2026-03-09T09:00:00Z"
    appealed = await told(agent, "POST", f"{path}/termination/appeal", {})
    assert (appealed["code"], "NX-40" in appealed["clauses"]) == ("termination_appealed", True)
    house.clock.turn(days=30)
    assert await termination.end_due_accounts(house.services) == 0
    decided = {"granted": False, "reason": "the key is still there"}
    await told(agent, "POST", f"{path}/termination/appeal/decide", decided, 403)
    rejected = await told(client, "POST", f"{path}/termination/appeal/decide", decided)
    assert rejected["code"] == "termination_appeal_rejected"
    await told(client, "POST", f"{path}/termination/appeal/decide", decided, 409)
    await told(agent, "POST", f"{path}/termination/appeal", {}, 409)
    assert await termination.end_due_accounts(house.services) == 1


@pytest.mark.clause("NX-40")
async def test_an_appeal_that_is_granted_takes_the_end_back(house: House, callers: Callers) -> None:
    client = await callers.client("supervisor")
    await house.license(PRODUCT)
    path = await account(house)
    await told(client, "POST", f"{path}/terminate", DONE)
    await told(client, "POST", f"{path}/termination/appeal", {})
    decided = {"granted": True, "reason": "it was another customer"}
    granted = await told(client, "POST", f"{path}/termination/appeal/decide", decided)
    assert (granted["code"], "NX-40" in granted["clauses"]) == ("termination_canceled", True)
    assert await termination.end_due_accounts(house.services) == 0


@pytest.mark.clause("NX-40")
async def test_the_vendor_takes_his_own_end_back_while_it_is_not_carried_out(house: House, callers: Callers) -> None:
    client, agent = await callers.client("supervisor"), await callers.client("agent")
    await house.license(PRODUCT)
    path = await account(house)
    await told(client, "POST", f"{path}/terminate", DONE)
    await told(agent, "POST", f"{path}/termination/take-back", {"reason": "a slip"}, 403)
    back = await told(client, "POST", f"{path}/termination/take-back", {"reason": "a slip"})
    assert (back["code"], "NX-40" in back["clauses"]) == ("termination_canceled", True)
    assert await termination.end_due_accounts(house.services) == 0
    await told(client, "POST", f"{path}/termination/take-back", {"reason": "a slip"}, 409)
