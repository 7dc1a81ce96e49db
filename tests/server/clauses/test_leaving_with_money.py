"""NX-37, NX-41 and K-13 through the API: what a customer who leaves still has here, and what keeps money back."""

import asyncio
from dataclasses import replace
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.support.house import AGENT
from tests.support.refunding import MORNING, NX, ZG, Desk, desk  # noqa: F401 - fixture
from tillkey_server.errors import BrokenInvariant
from tillkey_server.ids import new_id, new_token
from tillkey_server.store import balances, tables
from tillkey_server.store.balances import EntryRow
from tillkey_server.usecases import termination
from tillkey_server.usecases.customer import add_customer
from tillkey_server.usecases.license import change_standing
from tillkey_server.usecases.services import Services

OWNER = "owner@shop.example"


async def owner(desk: Desk) -> str:  # noqa: F811
    """The id of the one who leaves."""
    return str((await add_customer(desk.house.services, OWNER)).shown["id"])


async def credit(desk: Desk, customer: str, minor: int, currency: str = "EUR") -> None:  # noqa: F811
    """Add an entry to the ledger."""
    async with desk.house.services.db.writing() as tx:
        entry = EntryRow(new_id(), UUID(customer), currency, minor, "adjusted", new_token(), desk.now, AGENT)
        await balances.add(tx, entry)


async def leave(desk: Desk, customer: str) -> dict[str, object]:  # noqa: F811
    """Ask for the end, and let the cooling-off pass."""
    told = await desk.agent.post(f"/v1/customers/{customer}/termination", json={"verified": True})
    assert told.status_code == 200, told.text
    desk.house.clock.turn(days=14)
    return dict(told.json())


async def paid_out(desk: Desk, customer: str, amount: str, reference: str) -> tuple[int, str | None]:  # noqa: F811
    """Tell that an amount of the balance was paid out."""
    body = {"amount": amount, "reference": reference}
    told = await desk.supervisor.post(f"/v1/customers/{customer}/balance/pay-out", json=body)
    return told.status_code, told.json().get("code")


async def blocked(desk: Desk, customer: str) -> dict[str, object] | None:  # noqa: F811
    """What blocks the end now."""
    found = (await desk.agent.get(f"/v1/customers/{customer}/account")).json()["termination"]["blocked"]
    return None if found is None else dict(found)


@pytest.mark.clause("NX-41", "NX-36")
async def test_what_a_refund_left_blocks_the_end_until_it_is_paid_out_or_waived(desk: Desk) -> None:  # noqa: F811
    await desk.ask(await desk.sell(NX), "mistake")
    customer = await owner(desk)
    await credit(desk, customer, 300, "USD")
    # A debt blocks nothing, and settles nothing of another currency.
    await credit(desk, customer, -90000, "CNY")
    asked = await leave(desk, customer)
    assert asked["facts"]["unsettled"] == {"EUR": 10000, "USD": 300}  # type: ignore[index]
    assert await termination.end_due_accounts(desk.house.services) == 0
    bar = await blocked(desk, customer)
    assert bar is not None
    assert (bar["code"], bar["decision"], bar["clauses"]) == ("termination_blocked_balance", "pend", ["NX-41"])
    answers = [
        await paid_out(desk, customer, amount, "bank 7") for amount in ("100.01 EUR", "100.00 EUR", "100.00 EUR")
    ]
    assert answers == [(409, "balance_too_low"), (200, None), (200, None)]
    assert await termination.end_due_accounts(desk.house.services) == 0
    waived = await desk.agent.post(
        f"/v1/customers/{customer}/termination/waive-balance", json={"amount": "3.00 USD", "verified": True}
    )
    assert (waived.json()["code"], waived.json()["clauses"]) == ("balance_waived", ["NX-41"])
    # What is credited meanwhile was not waived.
    await credit(desk, customer, 1, "USD")
    assert await termination.end_due_accounts(desk.house.services) == 0
    await credit(desk, customer, -1, "USD")
    assert await termination.end_due_accounts(desk.house.services) == 1
    # What was waived is owed to nobody any more; the debt stays in the books.
    left = {one["currency"]: one["amount"] for one in (await desk.balance(customer))["balances"]}
    assert left == {"EUR": "0.00 EUR", "USD": "0.00 USD", "CNY": "-900.00 CNY"}


@pytest.mark.clause("NX-41")
async def test_no_balance_is_too_small_to_be_paid_out_or_waived_before_the_end(desk: Desk) -> None:  # noqa: F811
    """The least that there is of each currency: of two decimal places, of none and of three."""
    await desk.sell(NX)
    customer = await owner(desk)
    for currency in ("EUR", "JPY", "KWD"):
        await credit(desk, customer, 1, currency)
    assert (await leave(desk, customer))["facts"]["unsettled"] == {"EUR": 1, "JPY": 1, "KWD": 1}  # type: ignore[index]

    async def still_there() -> dict[str, int]:
        assert await termination.end_due_accounts(desk.house.services) == 0
        bar = await blocked(desk, customer)
        assert bar is not None
        assert (bar["code"], bar["clauses"]) == ("termination_blocked_balance", ["NX-41"])
        return dict(bar["facts"]["unsettled"])  # type: ignore[index]

    assert await still_there() == {"EUR": 1, "JPY": 1, "KWD": 1}
    assert await paid_out(desk, customer, "0.01 EUR", "bank 7") == (200, None)
    assert await still_there() == {"JPY": 1, "KWD": 1}
    assert await paid_out(desk, customer, "1 JPY", "bank 8") == (200, None)
    assert await still_there() == {"KWD": 1}
    waived = await desk.agent.post(
        f"/v1/customers/{customer}/termination/waive-balance", json={"amount": "0.001 KWD", "verified": True}
    )
    assert (waived.json()["code"], waived.json()["clauses"]) == ("balance_waived", ["NX-41"])
    assert await termination.end_due_accounts(desk.house.services) == 1


@pytest.mark.clause("NX-41")
async def test_what_was_waived_while_the_vendor_only_proposed_the_end_counts_for_the_customers_own(desk: Desk) -> None:  # noqa: F811
    await desk.sell(NX)
    policies = desk.house.services.policies
    policy = policies.offered("nexopos")
    assert policy.account is not None
    policies._known[policy.ref] = replace(policy, account=replace(policy.account, two_person_rule=True))
    customer = await owner(desk)
    await credit(desk, customer, 1)
    body = {"behavior": "pb_key_sharing", "evidence": "two names of one shop"}
    assert (await desk.supervisor.post(f"/v1/customers/{customer}/terminate", json=body)).json()["decision"] == "pend"
    waived = await desk.agent.post(
        f"/v1/customers/{customer}/termination/waive-balance", json={"amount": "0.01 EUR", "verified": True}
    )
    assert waived.json()["code"] == "balance_waived"
    await leave(desk, customer)
    assert await termination.end_due_accounts(desk.house.services) == 1


@pytest.mark.clause("NX-41")
async def test_nobody_waives_for_the_customer_what_the_vendors_own_end_leaves(desk: Desk) -> None:  # noqa: F811
    await desk.sell(NX)
    customer = await owner(desk)
    await credit(desk, customer, 100)
    body = {"behavior": "pb_key_sharing", "evidence": "two names of one shop"}
    assert (await desk.supervisor.post(f"/v1/customers/{customer}/terminate", json=body)).status_code == 200
    place = f"/v1/customers/{customer}/termination/waive-balance"
    waived = await desk.agent.post(place, json={"amount": "1.00 EUR"})
    assert (waived.status_code, waived.json()["code"]) == (201, "termination_requester_unverified")
    assert (waived.json()["clauses"], waived.json()["options"]) == (["NX-41"], ["verify_requester"])
    assert await termination.end_due_accounts(desk.house.services) == 0


@pytest.mark.clause("NX-41", "NX-38")
async def test_an_end_that_fails_keeps_no_other_waiting_and_is_tried_again(
    desk: Desk,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every end is told to those who keep something about the customer elsewhere."""
    customers = []
    for n in range(3):
        sold = await desk.sell(NX, customer=f"{n}{OWNER}")
        customers.append(str((await desk.agent.get(f"/v1/licenses/{sold.license_id}")).json()["customer_id"]))
    for one in customers:
        told = await desk.agent.post(f"/v1/customers/{one}/termination", json={"verified": True})
        assert told.status_code == 200
    desk.house.clock.turn(days=14)
    erase = termination.erase_customer

    async def failing(services: Services, tx: AsyncConnection, customer_id: UUID, *, actor: str) -> None:
        await erase(services, tx, customer_id, actor=actor)
        if str(customer_id) == customers[0]:
            raise BrokenInvariant("somebody put something strange there")

    with monkeypatch.context() as patched:
        patched.setattr(termination, "erase_customer", failing)
        assert await termination.end_due_accounts(desk.house.services) == 2
    assert await termination.end_due_accounts(desk.house.services) == 1
    async with desk.house.services.db.reading() as tx:
        rows = await tx.execute(select(tables.outbox.c.subject).where(tables.outbox.c.kind == "account_terminated"))
        assert sorted(rows.scalars()) == sorted(customers)


@pytest.mark.clause("NX-41")
async def test_a_refund_at_the_very_moment_of_the_end_is_not_lost_with_the_account(desk: Desk) -> None:  # noqa: F811
    """Either it is granted first and blocks the end, or the account is gone and nothing is credited to it."""
    for n in range(4):
        sold = await desk.sell(NX, customer=f"{n}{OWNER}")
        customer = str((await desk.agent.get(f"/v1/licenses/{sold.license_id}")).json()["customer_id"])
        await leave(desk, customer)
        _, told = await asyncio.gather(termination.end_due_accounts(desk.house.services), desk.ask(sold, "mistake"))
        # Of this account, since the sweep also ends the one before that was paid out meanwhile.
        gone = (await desk.agent.get(f"/v1/customers/{customer}/account")).json()["erased_at"] is not None
        credited = bool((await desk.balance(customer))["balances"])
        assert gone != credited, told
        await paid_out(desk, customer, "100.00 EUR", "bank")


@pytest.mark.clause("NX-37")
async def test_whoever_asks_for_the_end_is_told_what_is_still_open(desk: Desk) -> None:  # noqa: F811
    sold, other, third = await desk.sell(NX), await desk.sell(NX), await desk.sell(ZG)
    customer = await owner(desk)

    async def told() -> tuple[int, int]:
        answer = (await desk.agent.post(f"/v1/customers/{customer}/termination/preview", json={})).json()
        assert (answer["code"], "NX-37" in answer["clauses"]) == ("termination_scheduled", True)
        facts = answer["facts"]
        assert f"not settled: {facts['refunds']}; open requests for support: {facts['requests']}" in answer["words"]
        return facts["refunds"], facts["requests"]

    assert await told() == (0, 0)
    pending = await desk.ask(sold, "my_own_word")
    assert pending["status"] == "pending"
    await desk.issue(other, MORNING)
    await desk.issue(other, MORNING, closed=MORNING)
    await desk.issue(other, MORNING, resolved=MORNING)
    assert await told() == (1, 1)
    # Granted is not settled while the money is still to go; what went to the balance is the balance's.
    await desk.act(pending, "decide", decision="grant", reason="a good customer")
    assert await told() == (0, 1)
    owed = await desk.ask(third, "my_own_word")
    granted = await desk.act(owed, "decide", decision="grant", reason="a good customer")
    assert granted["status"] == "granted"
    assert await told() == (1, 1)
    await desk.act(granted, "attest", statement="all gone", vouched=True)
    assert (await desk.act(granted, "payout"))["status"] == "paid_out"
    assert await told() == (0, 1)


@pytest.mark.clause("NX-37", "NX-41")
async def test_a_refund_that_is_not_decided_or_not_paid_out_keeps_the_account_from_ending(desk: Desk) -> None:  # noqa: F811
    """A vendor who takes his time would keep the money: the license would be terminated first."""
    pending = await desk.ask(await desk.sell(ZG), "my_own_word")
    await desk.sell(NX)
    customer = await owner(desk)
    await credit(desk, customer, 100)
    await leave(desk, customer)

    async def waits() -> bool:
        assert await termination.end_due_accounts(desk.house.services) == 0
        bar = await blocked(desk, customer)
        assert bar is not None
        assert (bar["decision"], bar["clauses"]) == ("pend", ["NX-37"])
        assert (bar["facts"], bar["options"]) == (
            {"refunds": 1, "waiting": [pending["id"]]},
            ["decide_refund", "pay_out"],
        )
        return bar["code"] == "termination_blocked_refund"

    assert await waits()
    granted = await desk.act(pending, "decide", decision="grant", reason="a good customer")
    assert (granted["http"], granted["status"], await waits()) == (200, "granted", True)
    await desk.act(granted, "attest", statement="all gone", vouched=True)
    assert (await desk.act(granted, "payout"))["status"] == "paid_out"
    await paid_out(desk, customer, "1.00 EUR", "bank 7")
    assert await termination.end_due_accounts(desk.house.services) == 1


@pytest.mark.clause("NX-37")
async def test_a_refund_that_is_denied_keeps_no_account_from_ending(desk: Desk) -> None:  # noqa: F811
    pending = await desk.ask(await desk.sell(NX), "my_own_word")
    customer = await owner(desk)
    await leave(desk, customer)
    assert await termination.end_due_accounts(desk.house.services) == 0
    await desk.act(pending, "decide", decision="deny", reason="it was used for a year")
    assert await termination.end_due_accounts(desk.house.services) == 1


@pytest.mark.clause("NX-37")
async def test_whoever_asks_for_the_end_is_told_which_licenses_tills_run_on(desk: Desk) -> None:  # noqa: F811
    first, second, _unused = await desk.sell(NX), await desk.sell(ZG), await desk.sell(NX)
    others = await desk.sell(NX, customer="b@shop.example")
    till, live = desk.house.till(product=NX), desk.house.till(product=ZG)
    await till.activate(first.license_key)
    await live.activate(second.license_key, project="Corner Shop")
    await desk.house.till(product=NX).activate(others.license_key, project="Harbor Shop")
    asked = (await desk.agent.post(f"/v1/customers/{await owner(desk)}/termination/preview", json={})).json()
    wanted = [
        {"license": str(sold.license_id), "product": product, "tills": [str(one.held.sub)]}
        for sold, product, one in ((first, NX, till), (second, ZG, live))
    ]
    assert (asked["facts"]["running"], asked["facts"]["in_use"]) == (2, wanted)
    await till.deactivate()
    asked = (await desk.agent.post(f"/v1/customers/{await owner(desk)}/termination/preview", json={})).json()
    assert (asked["facts"]["running"], asked["facts"]["in_use"], "NX-37" in asked["clauses"]) == (1, wanted[1:], True)


@pytest.mark.clause("K-13", "CJ-02")
async def test_a_legal_hold_on_anything_of_the_customers_keeps_every_payout_back(desk: Desk) -> None:  # noqa: F811
    held, credited, owed = await desk.sell(NX), await desk.sell(NX), await desk.sell(ZG)
    await desk.ask(credited, "mistake")
    pending = await desk.ask(owed, "my_own_word")
    granted = await desk.act(pending, "decide", decision="grant", reason="a good customer")
    await desk.act(granted, "attest", statement="all gone", vouched=True)
    customer = await owner(desk)
    await change_standing(desk.house.services, held.license_id, event="hold", actor=AGENT, reason="a complaint")
    told = await desk.act(granted, "payout")
    assert (told["http"], told["code"], told["clauses"]) == (403, "legal_hold", ["K-13"])
    assert await paid_out(desk, customer, "1.00 EUR", "bank") == (403, "legal_hold")
    assert (await desk.show(granted))["status"] == "granted"
    await change_standing(desk.house.services, held.license_id, event="release_hold", actor=AGENT, reason="cleared")
    assert (await desk.act(granted, "payout"))["status"] == "paid_out"
    assert await paid_out(desk, customer, "1.00 EUR", "bank") == (200, None)
