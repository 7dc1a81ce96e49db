"""CJ-13, CJ-14, CJ-30 and X-10 through the API: what a payout waits for, when it is late, and where the money goes."""

from dataclasses import replace

import pytest

from tests.server.clauses.test_refund_effects import kinds
from tests.server.clauses.test_refund_plans import renew
from tests.support.house import AGENT
from tests.support.refunding import CJ, DAY, MORNING, OFFICIAL, YEARLY, Desk, Sold, desk  # noqa: F401 - fixture
from tillkey_server.rules.refund_policy import TaxRefund
from tillkey_server.usecases.late_payouts import tell_late_payouts
from tillkey_server.usecases.license import change_standing

DONE = {"decision": "grant", "reason": "a good customer"}
WORD = {"statement": "all copies are destroyed"}


async def granted(desk: Desk, sold: Sold, **more: str) -> dict[str, object]:  # noqa: F811
    """Let a supervisor grant a refund, or a part of one."""
    return await desk.act(await desk.ask(sold, "third_party", **OFFICIAL), "decide", **DONE, **more)


async def codes(desk: Desk, sold: Sold) -> list[str]:  # noqa: F811
    """Return the codes of the decisions about a license."""
    told = (await desk.agent.get(f"/v1/licenses/{sold.license_id}/explain")).json()
    return [one["code"] for one in told["decisions"]]


async def listed(desk: Desk, payout: str) -> list[object]:  # noqa: F811
    """Return the ids of the refunds in a list that is narrowed by their payout."""
    told = await desk.agent.get("/v1/refunds", params={"payout": payout})
    return [one["id"] for one in told.json()["items"]]


@pytest.mark.clause("CJ-13")
async def test_goodwill_that_leaves_the_license_in_use_waits_for_no_copy_and_no_word(desk: Desk) -> None:  # noqa: F811
    sold = await desk.sell(CJ)
    await desk.house.till(product=CJ).activate(sold.license_key)
    refund = await granted(desk, sold, amount="5.00 EUR")
    assert (refund["granted"]["ends"], refund["granted"]["live"]) == ("nothing", 0)
    assert (await desk.act(refund, "payout"))["status"] == "paid_out"


@pytest.mark.clause("CJ-13", "CJ-26")
async def test_the_last_renewal_goes_back_while_the_license_is_in_use(desk: Desk) -> None:  # noqa: F811
    sold = await desk.sell(YEARLY, paid_at=MORNING - 100 * DAY)
    await desk.house.till(product=YEARLY).activate(sold.license_key)
    await renew(desk, sold, 12, MORNING - DAY, 700)
    refund = await desk.ask(sold, "cancel_renewal", **OFFICIAL)
    assert refund["granted"]["ends"] == "renewal"
    assert (await desk.act(refund, "payout"))["status"] == "paid_out"


@pytest.mark.clause("CJ-13", "CJ-30")
async def test_a_till_that_gives_the_license_back_after_the_grant_opens_the_payout(desk: Desk) -> None:  # noqa: F811
    sold = await desk.sell(CJ)
    till = desk.house.till(product=CJ)
    await till.activate(sold.license_key)
    refund = await granted(desk, sold)
    await desk.act(refund, "attest", **WORD)
    assert (await desk.act(refund, "payout"))["code"] == "ref_pending_deactivation"
    assert (await till.deactivate()).status == 200
    shown = (await desk.show(refund))["granted"]
    assert (shown["live"], shown["payout_due"]) == (0, "2026-03-09T18:30:00Z")
    assert (await desk.act(refund, "payout"))["status"] == "paid_out"
    assert (await codes(desk, sold))[-2:] == ["activation_released", "ref_paid_out"]


@pytest.mark.clause("CJ-13", "I14")
async def test_a_license_that_is_given_back_once_more_after_its_refund_is_noted_once(desk: Desk) -> None:  # noqa: F811
    sold = await desk.sell(CJ)
    till = desk.house.till(product=CJ)
    await till.activate(sold.license_key)
    await granted(desk, sold)
    for _ in range(2):
        assert (await till.deactivate()).status == 200
    assert (await codes(desk, sold)).count("activation_released") == 1


@pytest.mark.clause("CJ-13")
async def test_one_of_two_tills_that_gives_the_license_back_is_not_enough(desk: Desk) -> None:  # noqa: F811
    sold = await desk.sell(CJ)
    first, second = desk.house.till("one", product=CJ), desk.house.till("two", product=CJ)
    await first.activate(sold.license_key)
    await second.activate(sold.license_key, environment="staging")
    refund = await granted(desk, sold)
    await desk.act(refund, "attest", **WORD)
    await first.deactivate()
    assert (await desk.show(refund))["granted"]["live"] == 1
    assert (await desk.act(refund, "payout"))["code"] == "ref_pending_deactivation"
    await second.deactivate()
    assert (await desk.act(refund, "payout"))["status"] == "paid_out"


@pytest.mark.clause("CJ-30", "CJ-13")
async def test_the_promised_days_stand_still_while_the_customers_word_is_waited_for(desk: Desk) -> None:  # noqa: F811
    refund = await granted(desk, await desk.sell(CJ))
    desk.house.clock.turn(days=9)
    shown = (await desk.show(refund))["granted"]
    assert (shown["payout_due"], shown["payout_code"]) == (None, "ref_pending_attestation")
    said = (await desk.act(refund, "attest", **WORD))["granted"]
    assert (said["payout_due"], said["payout_code"]) == ("2026-03-17T18:30:00Z", "sla_payout_due")
    desk.house.clock.turn(days=2)
    again = (await desk.act(refund, "attest", **WORD))["granted"]
    assert again["payout_due"] == said["payout_due"]


@pytest.mark.clause("CJ-30", "CJ-02")
async def test_the_promised_days_stand_still_during_a_legal_hold_on_anything_of_the_customers(
    desk: Desk,  # noqa: F811
) -> None:
    """Two days of it, and two days later to be paid."""
    other, services = await desk.sell(CJ), desk.house.services
    refund = await granted(desk, await desk.sell(CJ))
    assert (await desk.act(refund, "attest", **WORD))["granted"]["payout_due"] == "2026-03-09T18:30:00Z"
    desk.house.clock.turn(days=1)
    await change_standing(services, other.license_id, event="hold", actor=AGENT, reason="a copyright claim")
    assert (await desk.show(refund))["granted"]["payout_code"] == "legal_hold"
    desk.house.clock.turn(days=2)
    await change_standing(services, other.license_id, event="release_hold", actor=AGENT, reason="cleared")
    shown = (await desk.show(refund))["granted"]
    assert (shown["payout_due"], shown["payout_code"]) == ("2026-03-11T18:30:00Z", "sla_payout_due")


@pytest.mark.clause("CJ-30", "I19")
async def test_a_late_payout_is_told_once_and_found_in_a_list(desk: Desk) -> None:  # noqa: F811
    sold, services = await desk.sell(CJ), desk.house.services
    refund = await granted(desk, sold)
    await desk.act(refund, "attest", **WORD)
    assert (await tell_late_payouts(services), await listed(desk, "late")) == (0, [])
    desk.house.clock.turn(days=9)
    assert await tell_late_payouts(services) == 1
    assert await tell_late_payouts(services) == 0
    assert (await kinds(desk, sold.license_id)).count("refund.payout_late") == 1
    shown = (await desk.show(refund))["granted"]
    assert (shown["payout_code"], shown["late_told_at"]) == ("sla_payout_breached", "2026-03-11T09:00:00Z")
    explained = (await desk.agent.get(f"/v1/licenses/{sold.license_id}/explain")).json()["decisions"][-1]
    assert (explained["code"], explained["clauses"]) == ("sla_payout_breached", ["CJ-30"])
    assert (await listed(desk, "late"), await listed(desk, "open")) == ([refund["id"]], [refund["id"]])
    await desk.act(refund, "payout")
    assert (await listed(desk, "late"), await listed(desk, "open")) == ([], [])


@pytest.mark.clause("CJ-30")
async def test_the_sweep_of_late_payouts_looks_at_all_of_them(desk: Desk) -> None:  # noqa: F811
    for _ in range(3):
        await desk.act(await granted(desk, await desk.sell(CJ)), "attest", **WORD)
    desk.house.clock.turn(days=9)
    assert await tell_late_payouts(desk.house.services, batch=1) == 3


@pytest.mark.clause("CJ-30", "X-10", "NX-36")
async def test_where_the_original_method_is_closed_the_balance_is_credited_and_the_license_stays_refunded(
    desk: Desk,  # noqa: F811
) -> None:
    sold = await desk.sell(CJ)
    refund = await granted(desk, sold)
    waits = await desk.act(refund, "payout", to_balance=True)
    assert waits["code"] == "ref_pending_attestation"
    assert (await desk.balance(str(refund["customer_id"])))["entries"] == []
    await desk.act(refund, "attest", **WORD)
    both = await desk.act(refund, "payout", to_balance=True, provider_refund_id="re_1")
    assert both["http"] == 400
    paid = await desk.act(refund, "payout", to_balance=True)
    assert (paid["status"], paid["granted"]["destination"]) == ("paid_out", "account_balance")
    told = await desk.balance(str(refund["customer_id"]))
    assert [(one["kind"], one["amount"]) for one in told["entries"]] == [("refund", "100.00 EUR")]
    assert (await desk.agent.get(f"/v1/licenses/{sold.license_id}")).json()["status"] == "refunded"
    assert (await desk.act(refund, "payout", to_balance=True))["code"] == "ref_payout_closed"
    await desk.act(refund, "payout-failed", failure="a mistake of ours")
    told = await desk.balance(str(refund["customer_id"]))
    assert told["balances"] == [{"currency": "EUR", "amount": "0.00 EUR"}]


@pytest.mark.clause("CJ-14")
async def test_use_after_a_refund_is_counted_once_an_hour_at_most_and_told_once(desk: Desk) -> None:  # noqa: F811
    sold = await desk.sell(CJ)
    till = desk.house.till(product=CJ)
    await till.activate(sold.license_key)
    refund = await granted(desk, sold)
    desk.house.clock.turn(days=14)
    for minutes in (0, 59, 1, 60):
        desk.house.clock.turn(minutes=minutes)
        await till.heartbeat()
    shown = (await desk.show(refund))["granted"]
    assert (shown["used_after_at"], shown["used_after_times"], shown["used_after_last_at"]) == (
        "2026-03-16T09:00:00Z",
        3,
        "2026-03-16T11:00:00Z",
    )
    assert (await kinds(desk, sold.license_id)).count("use_after_refund") == 1


@pytest.mark.clause("CJ-14", "CJ-13")
async def test_a_copy_that_was_said_to_be_destroyed_is_noticed_in_the_days_of_grace_and_blocks_nothing(
    desk: Desk,  # noqa: F811
) -> None:
    """Before the statement it is a copy that was forgotten; after it, it was never destroyed. A person looks."""
    sold = await desk.sell(CJ)
    till = desk.house.till(product=CJ)
    await till.activate(sold.license_key)
    refund = await granted(desk, sold)
    desk.house.clock.turn(days=1)
    assert (await till.heartbeat()).code == "activation_released"
    assert (await desk.show(refund))["granted"]["used_after_times"] == 0
    await desk.act(refund, "attest", statement="every copy is destroyed", vouched=True)
    desk.house.clock.turn(hours=1)
    assert (await till.activate(sold.license_key)).code == "license_revoked"
    desk.house.clock.turn(hours=1)
    assert (await till.heartbeat()).code == "activation_released"
    shown = (await desk.show(refund))["granted"]
    assert (shown["used_after_at"], shown["used_after_times"]) == ("2026-03-03T10:00:00Z", 2)
    explained = (await desk.agent.get(f"/v1/licenses/{sold.license_id}/explain")).json()
    [noticed] = [one for one in explained["decisions"] if one["code"] == "use_after_refund"]
    assert (noticed["outcome"], noticed["clauses"]) == ("pend", ["CJ-14"])
    assert (await kinds(desk, sold.license_id)).count("use_after_refund") == 1
    # No block: the refund is paid out as it was granted, and the customer may buy and use the product again.
    assert (await desk.act(refund, "payout"))["status"] == "paid_out"
    again = await desk.sell(CJ)
    assert (await desk.house.till(product=CJ).activate(again.license_key)).status == 201


@pytest.mark.clause("CJ-14")
async def test_a_refunded_key_that_somebody_tries_to_activate_is_noticed_as_use(desk: Desk) -> None:  # noqa: F811
    """Nothing else was ever heard of it."""
    sold = await desk.sell(CJ)
    refund = await granted(desk, sold)
    assert (await desk.show(refund))["granted"]["used_after_times"] == 0
    desk.house.clock.turn(days=14)
    assert (await desk.house.till(product=CJ).activate(sold.license_key)).code == "license_revoked"
    shown = (await desk.show(refund))["granted"]
    assert (shown["used_after_at"], shown["used_after_times"]) == ("2026-03-16T09:00:00Z", 1)


@pytest.mark.clause("CJ-08", "CJ-26", "X-10")
@pytest.mark.parametrize(("told", "amount"), [({"tax": "19.00 EUR"}, "119.00 EUR"), ({}, "100.00 EUR")])
async def test_the_tax_of_a_renewal_goes_back_where_the_law_says_so_and_it_was_told(
    desk: Desk,  # noqa: F811
    told: dict[str, str],
    amount: str,
) -> None:
    services = desk.house.services
    policy = services.policies.offered(YEARLY)
    assert policy.refund is not None
    lawful = replace(policy, refund=replace(policy.refund, tax=TaxRefund.PER_LAW))
    services.policies._known[policy.ref] = lawful
    sold = await desk.sell(YEARLY, paid_at=MORNING - 100 * DAY)
    path, body = f"/v1/licenses/{sold.license_id}", {"channel": "shop", "number": "R-1", "amount": "100.00 EUR", **told}
    assert (await desk.supervisor.post(f"{path}/renewals", json=body)).status_code == 201
    other = await desk.supervisor.post(f"{path}/renewals", json={**body, "tax": "20.00 EUR"})
    assert (other.status_code, other.json()["code"]) == (409, "order_differs")
    assert (await desk.supervisor.post(f"{path}/renewals", json=body)).status_code == 200
    [shown] = (await desk.agent.get(f"{path}/terms")).json()["renewals"]
    assert shown["tax"] == told.get("tax")
    refund = await desk.ask(sold, "cancel_renewal", **OFFICIAL)
    assert (refund["code"], refund["granted"]["amount"]) == ("ref_granted_renewal_full", amount)
