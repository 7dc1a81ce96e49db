"""NX-13, NX-36, BC-26, X-04, X-08, X-10, K-07, K-08 and K-10 through the API: what a refund does, and undoes."""

from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from tests.server.clauses.test_refund_plans import renew
from tests.support.house import AGENT
from tests.support.refunding import (  # noqa: F401 - fixture
    BC,
    DAY,
    MORNING,
    NX,
    OFFICIAL,
    YEARLY,
    Desk,
    Sold,
    an_add_on,
    desk,
    kinds,
    license_of,
)
from tillkey_server.ids import new_id
from tillkey_server.rules.order_line import LineKind
from tillkey_server.rules.refund_policy import Partial
from tillkey_server.store import outbox, tables
from tillkey_server.usecases import refund_grant
from tillkey_server.usecases.license import change_standing

STRANGE = "my_own_word"
DONE = {"decision": "grant", "reason": "a good customer"}


async def audited(desk: Desk, sold: Sold) -> list[str]:  # noqa: F811
    """Return the codes of the decisions about a license."""
    told = (await desk.agent.get(f"/v1/licenses/{sold.license_id}/explain")).json()
    return [one["code"] for one in told["decisions"]]


@pytest.mark.clause("NX-36", "NX-31", "X-04", "K-12")
async def test_a_refund_is_one_transaction_of_money_license_activation_and_outbox(desk: Desk) -> None:  # noqa: F811
    sold = await desk.sell(NX)
    till = desk.house.till(product=NX)
    exp = (await till.activate(sold.license_key)).granted.exp
    issue = await desk.issue(sold, finding="not_as_described")
    done = await desk.ask(sold, "not_as_described", support_request=issue)
    assert {"NX-32", "NX-36", "NX-31"} <= set(done["clauses"])
    assert (done["granted"]["live"], done["granted"]["effective_latest_at"]) == (1, "2026-04-01T09:00:00Z")
    assert exp == 1775034000
    shown = await license_of(desk, sold)
    assert (shown["status"], shown["in_use"], shown["support_until"]) == ("refunded", False, "2026-03-02T09:00:00Z")
    assert await kinds(desk, sold.license_id) == ["refund.granted", "license.revoked", "downloads.voided"]
    assert (await till.heartbeat()).code == "activation_released"
    anew = await desk.house.till(product=NX).activate(sold.license_key)
    assert (anew.code, anew.body["clauses"]) == ("license_revoked", ["NX-36"])
    assert (await desk.balance(done["customer_id"]))["entries"][0]["reference"] == done["id"]


@pytest.mark.clause("X-09", "NX-05")
async def test_what_is_bought_again_after_a_refund_has_its_own_clocks_and_the_old_till_stays_out(desk: Desk) -> None:  # noqa: F811
    first = await desk.sell(NX)
    old = desk.house.till(product=NX)
    project = (await old.activate(first.license_key)).granted.project
    issue = await desk.issue(first, finding="not_as_described")
    assert (await desk.ask(first, "not_as_described", support_request=issue))["status"] == "paid_out"
    desk.house.clock.turn(days=1)
    again = await desk.sell(NX)
    assert (await old.heartbeat()).code == "activation_released"
    anew = (await desk.house.till(product=NX).activate(again.license_key)).granted
    assert (anew.project, anew.license == str(again.license_id)) == (project, True)
    assert (await old.heartbeat()).code == "activation_released"
    shown = await license_of(desk, again)
    ends = (shown["use_until"], shown["updates_until"], shown["support_until"])
    assert ends == (None, "2027-03-03T23:00:00Z", "2027-03-03T23:00:00Z")


@pytest.mark.clause("NX-36", "X-10")
async def test_a_grant_that_fails_half_way_leaves_nothing_at_all(
    desk: Desk,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The last step fails: no money, no end, and nothing in the outbox."""
    sold = await desk.sell(NX)

    async def fail(*_told: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(refund_grant, "_tell", fail)
    assert (await desk.ask(sold, "mistake"))["http"] == 500
    shown = await license_of(desk, sold)
    assert shown["status"] == "active"
    assert await kinds(desk, sold.license_id) == []
    assert (await desk.balance(str(shown["customer_id"])))["entries"] == []
    assert (await desk.agent.get("/v1/refunds")).json()["items"] == []


@pytest.mark.clause("X-10", "K-10", "K-08")
async def test_the_same_request_twice_is_one_refund(desk: Desk) -> None:  # noqa: F811
    sold = await desk.sell(NX)
    path, body, key = f"/v1/licenses/{sold.license_id}/refunds", {"reasons": ["mistake"]}, {"Idempotency-Key": "r-1"}
    first = await desk.agent.post(path, json=body, headers=key)
    again = await desk.agent.post(path, json=body, headers=key)
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    other = await desk.agent.post(path, json={"reasons": ["no_support"]}, headers=key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    without = await desk.ask(sold, "mistake")
    assert (without["http"], without["code"]) == (409, "ref_denied_already_refunded")
    assert (await desk.balance(first.json()["customer_id"]))["balances"][0]["amount"] == "100.00 EUR"
    assert (await audited(desk, sold))[-2:] == ["ref_granted_mistake", "ref_denied_already_refunded"]


@pytest.mark.clause("X-08", "K-13")
async def test_a_refund_after_a_revocation_credits_once_and_leaves_it_revoked(desk: Desk) -> None:  # noqa: F811
    sold = await desk.sell(NX)
    await change_standing(desk.house.services, sold.license_id, event="revoke", actor=AGENT, reason="abuse")
    done = await desk.ask(sold, "mistake")
    assert done["status"] == "paid_out"
    assert (await license_of(desk, sold))["status"] == "revoked"
    assert (await desk.ask(sold, "mistake"))["code"] == "ref_denied_already_refunded"
    assert (await desk.balance(done["customer_id"]))["balances"][0]["amount"] == "100.00 EUR"
    failed = await desk.act(done, "payout-failed", failure="a mistake of ours")
    assert (failed["status"], failed["http"]) == ("failed", 200)
    assert (await license_of(desk, sold))["status"] == "revoked"


@pytest.mark.clause("NX-36", "X-10")
async def test_a_payout_that_fails_gives_back_exactly_what_the_refund_took(desk: Desk) -> None:  # noqa: F811
    sold = await desk.sell(BC, paid_at=MORNING - 400 * DAY)
    await renew(desk, sold, 12, MORNING - 40 * DAY)
    before = await license_of(desk, sold)
    pending = await desk.ask(sold, STRANGE)
    granted = await desk.act(pending, "decide", **DONE)
    assert (granted["http"], granted["granted"]["amount"]) == (200, "100.00 EUR")
    assert (await license_of(desk, sold))["status"] == "refunded"
    failed = await desk.act(granted, "payout-failed", failure="the account is closed")
    assert (failed["http"], failed["status"]) == (200, "failed")
    assert await license_of(desk, sold) == before
    assert (await desk.house.till(product=BC).activate(sold.license_key)).status == 201
    twice = await desk.act(granted, "payout-failed", failure="once more")
    assert (twice["http"], twice["code"]) == (409, "ref_payout_closed")
    anew = await desk.act(await desk.ask(sold, STRANGE), "decide", **DONE)
    assert anew["granted"]["amount"] == "100.00 EUR"


@pytest.mark.clause("BC-26")
async def test_a_refund_of_the_product_takes_its_care_along_and_renewals_that_have_not_begun(
    desk: Desk,  # noqa: F811
) -> None:
    """Of two renewals one is running; care that was bought beside the product goes back with it."""
    care = an_add_on(LineKind.SUPPORT, "40.00 EUR", BC)
    sold = await desk.sell(BC, beside=[care], paid_at=MORNING - 370 * DAY)
    await renew(desk, sold, 12, MORNING - 100 * DAY, 2000)
    await renew(desk, sold, 12, MORNING - 50 * DAY, 300)
    issue = await desk.issue(sold, MORNING - 60 * DAY, finding="malfunction")
    told = await desk.ask(sold, "sla_breach", support_request=issue)
    assert (told["granted"]["amount"], "BC-26" in told["clauses"]) == ("143.00 EUR", True)
    shown = await license_of(desk, sold)
    assert (shown["support_until"], shown["updates_until"]) == ("2026-03-02T09:00:00Z", "2026-03-02T09:00:00Z")


@pytest.mark.clause("NX-36", "K-07")
async def test_a_part_keeps_the_license_and_parts_never_exceed_what_was_paid(desk: Desk) -> None:  # noqa: F811
    sold = await desk.sell(NX)
    part = await desk.act(await desk.ask(sold, STRANGE), "decide", amount="30.00 EUR", **DONE)
    assert (part["granted"]["amount"], part["granted"]["ends"]) == ("30.00 EUR", "nothing")
    assert (await license_of(desk, sold))["status"] == "active"
    pending = await desk.ask(sold, STRANGE)
    too_much = await desk.act(pending, "decide", amount="70.01 EUR", **DONE)
    assert (too_much["http"], too_much["code"], too_much["facts"]["left"]) == (409, "ref_amount_too_high", "70.00 EUR")
    other = await desk.act(pending, "decide", amount="1.00 USD", **DONE)
    assert other["http"] == 400
    rest = await desk.act(pending, "decide", amount="70.00 EUR", **DONE)
    assert rest["granted"]["ends"] == "license"
    assert (await license_of(desk, sold))["status"] == "refunded"
    closed = await desk.act(pending, "decide", **DONE)
    assert (closed["http"], closed["code"], closed["clauses"]) == (409, "ref_not_pending", ["X-10"])


@pytest.mark.clause("NX-36", "CJ-16", "BC-26")
async def test_a_person_who_grants_an_add_on_grants_nothing_else(desk: Desk) -> None:  # noqa: F811
    """What was bought beside the product goes back, once; the license and the product's own price stay."""
    care = an_add_on(LineKind.SUPPORT, "40.00 EUR", BC)
    sold = await desk.sell(BC, tax="19.00 EUR", beside=[care])
    before = await license_of(desk, sold)
    granted = await desk.act(await desk.ask(sold, item="support"), "decide", **DONE)
    assert (granted["granted"]["amount"], granted["granted"]["ends"]) == ("40.00 EUR", "nothing")
    assert await license_of(desk, sold) == before
    twice = await desk.act(await desk.ask(sold, item="support"), "decide", **DONE)
    assert (twice["http"], twice["code"]) == (409, "ref_denied_already_refunded")
    tax = await desk.act(await desk.ask(sold, item="tax"), "decide", **DONE)
    assert (tax["granted"]["amount"], tax["granted"]["tax"]) == ("19.00 EUR", "19.00 EUR")
    rest = await desk.act(await desk.ask(sold, STRANGE), "decide", **DONE)
    assert (rest["granted"]["amount"], rest["granted"]["ends"]) == ("100.00 EUR", "license")


@pytest.mark.clause("CJ-26", "CJ-32", "NX-36")
@pytest.mark.parametrize(("more", "ends", "kept"), [({}, "renewal", False), ({"amount": "1.00 EUR"}, "nothing", True)])
async def test_a_person_who_grants_a_renewal_grants_nothing_else(
    desk: Desk,  # noqa: F811
    more: dict[str, str],
    ends: str,
    kept: bool,
) -> None:
    """It lacked the order's number, so that a person decides; a part of its price leaves its time where it is."""
    services = desk.house.services
    policy = services.policies.offered(YEARLY)
    assert policy.refund is not None
    services.policies._known[policy.ref] = replace(policy, refund=replace(policy.refund, required_fields=("reason",)))
    sold = await desk.sell(YEARLY, paid_at=MORNING - 100 * DAY)
    bought = await license_of(desk, sold)
    await renew(desk, sold, 12, MORNING - DAY, 700)
    renewed = await license_of(desk, sold)
    pending = await desk.ask(sold, "cancel_renewal", **OFFICIAL)
    assert pending["code"] == "ref_request_incomplete"
    granted = await desk.act(pending, "decide", **DONE, **more)
    assert (granted["granted"]["amount"], granted["granted"]["ends"]) == (more.get("amount", "7.00 EUR"), ends)
    assert await license_of(desk, sold) == (renewed if kept else bought)
    failed = await desk.act(granted, "payout-failed", failure="the account is closed")
    assert failed["http"] == 200
    assert await license_of(desk, sold) == renewed


@pytest.mark.clause("NX-35", "K-08")
async def test_a_person_denies_with_a_reason_and_the_customer_may_ask_again(desk: Desk) -> None:  # noqa: F811
    sold = await desk.sell(NX)
    pending = await desk.ask(sold, STRANGE)
    denied = await desk.act(pending, "decide", decision="deny", reason="it was used for a year")
    assert (denied["http"], denied["status"], denied["code"]) == (200, "denied", "ref_denied_by_person")
    assert (denied["reason"], "NX-35" in denied["clauses"]) == ("it was used for a year", True)
    assert (await desk.ask(sold, "mistake"))["status"] == "paid_out"


async def change(desk: Desk, sold: Sold, event: str, until: datetime | None = None) -> None:  # noqa: F811
    """Suspend or resume a license as a person does."""
    services = desk.house.services
    done = await change_standing(services, sold.license_id, event=event, actor=AGENT, reason="a word", until=until)
    assert done.allowed


@pytest.mark.clause("NX-36", "K-12")
async def test_who_is_told_that_a_license_ended_hears_why_and_how_long_its_leases_run(desk: Desk) -> None:  # noqa: F811
    sold = await desk.sell(NX)
    await desk.house.till(product=NX).activate(sold.license_key)
    done = await desk.act(await desk.ask(sold, STRANGE), "decide", **DONE)
    async with desk.house.services.db.reading() as tx:
        found = await outbox.of_subject(tx, str(sold.license_id))
    [ended] = [one.payload for one in found if one.kind == "license.revoked"]
    assert (ended["refund_id"], ended["ends"], ended["reason"]) == (done["id"], "license", "refund")
    assert (ended["leases_live"], ended["effective_latest_at"]) == (1, "2026-04-01T09:00:00Z")


@pytest.mark.clause("NX-31", "X-10", "K-07")
async def test_a_balance_is_spent_once_for_each_order_and_never_below_nothing(desk: Desk) -> None:  # noqa: F811
    customer = (await desk.ask(await desk.sell(NX), "mistake"))["customer_id"]
    path = f"/v1/customers/{customer}/balance/spend"
    answers = []
    for amount, reference in (("60.00 EUR", "A"), ("60.00 EUR", "A"), ("60.00 EUR", "B"), ("1.00 USD", "C")):
        told = await desk.integration.post(path, json={"amount": amount, "reference": reference})
        answers.append((told.status_code, told.json().get("code")))
    assert answers == [(200, None), (200, None), (409, "balance_too_low"), (409, "balance_too_low")]
    differing = await desk.integration.post(path, json={"amount": "1.00 EUR", "reference": "A"})
    assert differing.status_code == 400
    told = await desk.balance(customer)
    assert told["balances"] == [{"currency": "EUR", "amount": "40.00 EUR"}]
    assert [(one["kind"], one["amount"]) for one in told["entries"]] == [
        ("spent", "-60.00 EUR"),
        ("refund", "100.00 EUR"),
    ]


@pytest.mark.clause("NX-31", "NX-36")
@pytest.mark.parametrize("change", ["update", "delete"])
async def test_the_database_itself_refuses_to_change_the_ledger(desk: Desk, change: str) -> None:  # noqa: F811
    await desk.ask(await desk.sell(NX), "mistake")
    entry = tables.balance_entry
    statement = entry.update().values(amount_minor=1) if change == "update" else entry.delete()
    with pytest.raises(DBAPIError, match="never changed"):
        async with desk.house.services.db.writing() as tx:
            await tx.execute(statement)
    async with desk.house.services.db.reading() as tx:
        assert (await tx.execute(select(entry.c.amount_minor))).scalars().all() == [10000]


@pytest.mark.clause("NX-36", "CJ-14")
async def test_a_refund_stops_the_renewals_of_its_license(desk: Desk) -> None:  # noqa: F811
    sold = await desk.sell(NX)
    at = MORNING - DAY
    row = {
        "id": new_id(),
        "license_id": sold.license_id,
        "months": 12,
        "started_at": at,
        "price_minor": 100,
        "currency": "EUR",
        "channel": "shop",
        "next_period": 1,
        "next_due_at": at + 365 * DAY,
        "recorded_at": at,
    }
    async with desk.house.services.db.writing() as tx:
        await tx.execute(tables.subscription.insert().values(row))
    done = await desk.ask(sold, "mistake")
    columns = (tables.subscription.c.cancel_reason, tables.subscription.c.ended_at)
    async with desk.house.services.db.reading() as tx:
        assert tuple((await tx.execute(select(*columns))).one()) == ("refund", MORNING)
    await desk.act(done, "payout-failed", failure="a mistake of ours")
    async with desk.house.services.db.reading() as tx:
        assert tuple((await tx.execute(select(*columns))).one()) == (None, None)


@pytest.mark.clause("NX-36")
async def test_a_part_may_take_updates_and_support_and_leave_the_use(desk: Desk) -> None:  # noqa: F811
    services = desk.house.services
    policy = services.policies.offered("nexopos")
    assert policy.refund is not None
    read = replace(policy, refund=replace(policy.refund, partial=Partial.REDUCE))
    services.policies._known[policy.ref] = read
    sold = await desk.sell(NX)
    before = await license_of(desk, sold)
    part = await desk.act(await desk.ask(sold, STRANGE), "decide", amount="30.00 EUR", **DONE)
    shown = await license_of(desk, sold)
    assert (part["granted"]["ends"], shown["status"]) == ("reduced", "active")
    assert shown["support_until"] == shown["updates_until"] == "2026-03-02T09:00:00Z"
    await desk.act(part, "payout-failed", failure="the account is closed")
    assert await license_of(desk, sold) == before
