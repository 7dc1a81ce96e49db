"""CJ-13 to CJ-22, CJ-26 to CJ-33 and K-09 through the API: yearly and monthly plans, renewals, and the payout."""

from datetime import datetime

import pytest

from tests.support.callers import Callers
from tests.support.house import House
from tests.support.refunding import (  # noqa: F401 - fixture
    CJ,
    DAY,
    MONTHLY,
    MORNING,
    OFFICIAL,
    YEARLY,
    Desk,
    Sold,
    desk,
    desk_of,
    own_terms,
)
from tillkey_server.ids import new_id, new_token
from tillkey_server.money import Money
from tillkey_server.store import licenses, orders, terms
from tillkey_server.store.orders import OrderLineRow, OrderRow
from tillkey_server.store.terms import TermRow
from tillkey_server.usecases.catalogue import add_product
from tillkey_server.usecases.renewals_due import create_due
from tillkey_server.usecases.services import open_services
from tillkey_server.usecases.terms import recompute


async def renew(
    desk: Desk,  # noqa: F811
    sold: Sold,
    months: int,
    paid_at: datetime,
    minor: int = 10000,
    *,
    tax_minor: int | None = None,
) -> None:
    """Note a paid renewal of everything that a license can run for."""
    services = desk.house.services
    async with services.db.writing() as tx:
        held = await licenses.by_id(tx, sold.license_id, lock=True)
        assert held is not None
        order = OrderRow(new_id(), "shop", new_token(), held.customer_id, paid_at, paid_at)
        await orders.insert(tx, order)
        line = OrderLineRow(
            id=new_id(),
            order_id=order.id,
            position=0,
            product_id=held.product_id,
            quantity=1,
            price_minor=minor,
            currency="EUR",
            policy_name=held.policy_name,
            policy_version=held.policy_version,
            kind="renewal",
            tax_minor=tax_minor,
        )
        await orders.insert_line(tx, line)
        clocks = ["use", "updates", "support"]
        await terms.insert(tx, TermRow(new_id(), held.id, line.id, months, paid_at, clocks, paid_at))
        await recompute(tx, held, await services.policies.of(tx, held.policy_ref), desk.now)


@pytest.mark.clause("CJ-17")
async def test_a_year_that_leaves_unsatisfied_goes_back_whole_after_an_attempt(desk: Desk) -> None:  # noqa: F811
    sold = await desk.sell(YEARLY, paid_at=MORNING - 20 * DAY)
    early = await desk.preview(sold, "unsatisfied", **OFFICIAL)
    assert (early["decision"], early["code"], early["clauses"]) == ("pend", "ref_pending_attempt", ["CJ-17"])
    request = await desk.issue(
        sold, MORNING - 15 * DAY, attempt_offered=MORNING - 9 * DAY, attempt_declined=MORNING - 8 * DAY
    )
    told = await desk.preview(sold, "unsatisfied", support_request=request, **OFFICIAL)
    assert (told["code"], told["facts"]["amount"]) == ("ref_granted_annual_full", "100.00 EUR")
    assert "CJ-17" in told["clauses"]


@pytest.mark.clause("CJ-18", "CJ-19", "CJ-20", "CJ-21", "CJ-22", "V-14")
async def test_raised_later_the_rest_of_the_year_goes_back(desk: Desk) -> None:  # noqa: F811
    """Four months are over: of 1000.00, sold as ten payments, 600.00."""
    sold = await desk.sell(YEARLY, "1000.00 EUR", paid_at=datetime.fromisoformat("2025-10-25T10:00:00Z"))
    request = await desk.issue(sold, MORNING - 30 * DAY, finding="malfunction")
    told = await desk.ask(sold, "defect", support_request=request, **OFFICIAL)
    assert (told["http"], told["code"], told["granted"]["amount"]) == (201, "ref_granted_prorata", "600.00 EUR")
    assert {"CJ-18", "CJ-19", "CJ-20", "CJ-21", "CJ-22"} <= set(told["clauses"])
    assert "8 months" in told["words"]


@pytest.mark.clause("CJ-26", "CJ-28")
async def test_the_last_renewal_goes_back_whole_in_time_and_its_rest_later(desk: Desk) -> None:  # noqa: F811
    paid = MORNING - 7 * DAY
    for days, expected in ((6, "ref_granted_renewal_full"), (8, "ref_granted_renewal_prorata")):
        sold = await desk.sell(YEARLY, paid_at=paid - 365 * DAY)
        await renew(desk, sold, 12, paid)
        received = (paid + days * DAY).isoformat()
        desk.house.clock.instant = MORNING + 5 * DAY
        told = await desk.ask(sold, "cancel_renewal", received_at=received, **OFFICIAL)
        assert (told["code"], told["granted"]["amount"]) == (expected, "100.00 EUR")
        assert ("CJ-26" if days == 6 else "CJ-28") in told["clauses"]
        shown = (await desk.agent.get(f"/v1/licenses/{sold.license_id}")).json()
        ended = {"ref_granted_renewal_full": "expired", "ref_granted_renewal_prorata": "refunded"}
        assert shown["status"] == ended[expected]


@pytest.mark.clause("CJ-27")
async def test_a_month_that_was_paid_stays_paid(desk: Desk) -> None:  # noqa: F811
    sold = await desk.sell(MONTHLY, paid_at=MORNING - 50 * DAY)
    await renew(desk, sold, 1, MORNING - 20 * DAY)
    told = await desk.ask(sold, "cancel_renewal", **OFFICIAL)
    assert (told["http"], told["code"]) == (409, "ref_denied_monthly_processed")
    assert "CJ-27" in told["clauses"]
    assert told["options"] == ["cancel_at_period_end"]
    assert told["facts"]["cancelled_at_period_end"] is False, "no subscription is on record"


@pytest.mark.clause("CJ-27", "CJ-23")
async def test_a_notice_that_comes_too_late_stops_the_next_months_and_says_when_it_ends(desk: Desk) -> None:  # noqa: F811
    sold = await desk.sell(MONTHLY, paid_at=MORNING - 50 * DAY)
    path = f"/v1/licenses/{sold.license_id}/subscription"
    begun = await desk.supervisor.post(path, json={"months": 1, "channel": "shop", "price": "100.00 EUR"})
    assert begun.status_code == 201, begun.text
    await renew(desk, sold, 1, MORNING - 20 * DAY)
    asked = await desk.preview(sold, "cancel_renewal", **OFFICIAL)
    assert (asked["code"], (await desk.agent.get(path)).json()["subscription"]["cancelled_at"]) == (
        "ref_denied_monthly_processed",
        None,
    )
    told = await desk.ask(sold, "cancel_renewal", **OFFICIAL)
    assert (told["http"], told["code"]) == (409, "ref_denied_monthly_processed")
    running = (await desk.agent.get(path)).json()["subscription"]
    assert (told["facts"]["cancelled_at_period_end"], told["facts"]["ends_at"]) == (True, running["next_due_at"])
    assert running["cancelled_at"] == "2026-03-02T09:00:00Z"
    desk.house.clock.turn(days=60)
    assert await create_due(desk.house.services) == {"created": 0, "blocked": 0}
    explained = (await desk.agent.get(f"/v1/licenses/{sold.license_id}/explain")).json()
    assert [one["code"] for one in explained["decisions"]][-2:] == ["renewal_cancelled", "ref_denied_monthly_processed"]


async def granted(desk: Desk, sold: Sold) -> dict[str, object]:  # noqa: F811
    """Let a supervisor grant a refund."""
    pending = await desk.ask(sold, "third_party", **OFFICIAL)
    return await desk.act(pending, "decide", decision="grant", reason="a good customer")


@pytest.mark.clause("CJ-13", "CJ-30")
async def test_a_payout_waits_until_every_copy_is_given_up_and_the_customer_said_so(desk: Desk) -> None:  # noqa: F811
    sold = await desk.sell(CJ)
    await desk.house.till(product=CJ).activate(sold.license_key)
    refund = await granted(desk, sold)
    told = refund["granted"]
    assert isinstance(told, dict)
    assert (told["payout_due"], told["payout_code"], told["live"]) == (None, "ref_pending_deactivation", 1)
    runs_on = await desk.act(refund, "payout")
    assert (runs_on["http"], runs_on["code"], runs_on["clauses"]) == (409, "ref_pending_deactivation", ["CJ-13"])
    vouched = await desk.act(refund, "attest", statement="all copies are destroyed", vouched=True)
    due = (vouched["granted"]["payout_due"], vouched["granted"]["payout_code"])
    assert (vouched["http"], due) == (200, ("2026-03-09T18:30:00Z", "sla_payout_due"))
    paid = await desk.act(refund, "payout", provider_refund_id="re_1")
    assert (paid["http"], paid["status"], paid["granted"]["payout_code"]) == (200, "paid_out", None)
    again = await desk.act(refund, "payout", provider_refund_id="re_1")
    assert (again["http"], again["code"], again["clauses"]) == (409, "ref_payout_closed", ["CJ-30"])


@pytest.mark.clause("CJ-13", "CJ-30")
async def test_without_a_copy_in_use_the_customers_word_is_enough(desk: Desk) -> None:  # noqa: F811
    refund = await granted(desk, await desk.sell(CJ))
    waits = await desk.act(refund, "payout")
    assert (waits["code"], waits["clauses"]) == ("ref_pending_attestation", ["CJ-13"])
    await desk.act(refund, "attest", statement="all copies are destroyed")
    assert (await desk.act(refund, "payout"))["status"] == "paid_out"


@pytest.mark.clause("CJ-33", "CJ-07")
async def test_the_vendors_invitation_stands_beside_each_refund(desk: Desk) -> None:  # noqa: F811
    told = await desk.ask(await desk.sell(CJ), "third_party", **OFFICIAL)
    assert told["invitation"] == "Advice and suggestions are welcome: tell us what we could do better."


@pytest.mark.clause("CJ-14", "CJ-02")
async def test_use_after_a_refund_is_noticed_once_for_a_person_and_blocks_nothing_by_itself(
    desk: Desk,  # noqa: F811
) -> None:
    sold = await desk.sell(CJ)
    till = desk.house.till(product=CJ)
    await till.activate(sold.license_key)
    refund = await granted(desk, sold)
    desk.house.clock.turn(days=13)
    assert (await till.heartbeat()).code == "activation_released"
    assert (await desk.show(refund))["granted"]["used_after_at"] is None
    desk.house.clock.turn(days=1)
    assert (await till.heartbeat()).code == "activation_released"
    desk.house.clock.turn(hours=1)
    assert (await till.activate(sold.license_key)).code == "license_revoked"
    assert (await desk.show(refund))["granted"]["used_after_at"] == "2026-03-16T09:00:00Z"
    explained = (await desk.agent.get(f"/v1/licenses/{sold.license_id}/explain")).json()
    noticed = [one for one in explained["decisions"] if one["code"] == "use_after_refund"]
    assert [(one["outcome"], one["clauses"]) for one in noticed] == [("pend", ["CJ-14"])]


@pytest.mark.clause("CJ-14")
async def test_use_after_a_refund_is_noted_on_the_refund_that_ended_the_license_alone(desk: Desk) -> None:  # noqa: F811
    sold = await desk.sell(CJ)
    till = desk.house.till(product=CJ)
    await till.activate(sold.license_key)
    said = {"decision": "grant", "reason": "a good customer"}
    part = await desk.act(await desk.ask(sold, "my_own_word", **OFFICIAL), "decide", amount="30.00 EUR", **said)
    rest = await desk.act(await desk.ask(sold, "my_own_word", **OFFICIAL), "decide", **said)
    desk.house.clock.turn(days=14)
    await till.heartbeat()
    noted = [(await desk.show(one))["granted"]["used_after_at"] for one in (part, rest)]
    assert noted == [None, "2026-03-16T09:00:00Z"]


@pytest.mark.clause("CJ-15")
async def test_what_another_channel_sold_is_refunded_there(house: House) -> None:
    text = own_terms("by-shop", "crmjetty", ("channels = []", 'channels = ["shop"]'))
    (house.services.settings.policies_dir / "by-shop.toml").write_text(text, "utf-8")
    async with reopened(house, "by-shop") as theirs:
        sold = await theirs.sell("by-shop", channel="reseller")
        told = await theirs.preview(sold, "defect", **OFFICIAL)
        assert (told["code"], told["clauses"]) == ("ref_wrong_channel", ["CJ-15"])


@pytest.mark.clause("CJ-29", "CJ-32", "K-09")
async def test_a_later_version_decides_only_where_it_is_better_and_willing(house: House) -> None:
    """Reported on day 40: the first text denies, the later one counts 30 working days."""
    later = (
        ("version = 3", "version = 4"),
        (
            'share = "full"\ncode = "ref_granted_one_time',
            'share = "full"\nwindow_working_days = 30\ncode = "ref_granted_one_time',
        ),
        ("required_fields = []", 'required_fields = ["order_number", "reason"]'),
    )
    place = house.services.settings.policies_dir / "swap.toml"
    place.write_text(own_terms("swap", "crmjetty"), "utf-8")
    async with reopened(house, "swap") as before:
        sold = await before.sell("swap", paid_at=MORNING - 60 * DAY)
        request = await before.issue(sold, MORNING - 20 * DAY, finding="malfunction")
        first = await before.preview(sold, "defect", support_request=request, **OFFICIAL)
        assert (first["code"], first["policy"]["version"]) == ("ref_denied_window_closed", 3)
    place.write_text(own_terms("swap", "crmjetty", *later), "utf-8")
    async with reopened(house, None) as after:
        lacking = await after.preview(sold, "defect", support_request=request, **OFFICIAL)
        assert (lacking["code"], lacking["decision"], "CJ-32" in lacking["clauses"]) == (
            "ref_request_incomplete",
            "pend",
            True,
        )
        full = {**OFFICIAL, "order_number": "A-1", "explanation": "it does not start"}
        told = await after.preview(sold, "defect", support_request=request, **full)
        assert (told["code"], told["policy"]["version"]) == ("ref_granted_one_time_full", 4)
        assert "CJ-29" in told["clauses"]


@pytest.mark.clause("BC-28", "K-09")
async def test_the_marketplace_decides_by_the_version_that_is_better_and_chooses_no_amount(house: House) -> None:
    """The later text gives tax back."""
    never, lawful = 'tax = "never"  ', 'tax = "per_law"  '
    place = house.services.settings.policies_dir / "swap.toml"
    place.write_text(own_terms("swap", "prestashop-care", (lawful, never)), "utf-8")
    async with reopened(house, "swap") as before:
        sold = await before.sell("swap", tax="19.00 EUR", paid_at=MORNING - 90 * DAY)
        request = await before.issue(sold, MORNING - 60 * DAY, finding="malfunction")
        pending = await before.ask(sold, "unanswered", support_request=request)
        assert pending["code"] == "ref_pending_platform"
    place.write_text(own_terms("swap", "prestashop-care", ("version = 3", "version = 4")), "utf-8")
    said = {"decision": "grant", "reason": "unanswered", "as_platform": True}
    async with reopened(house, None) as after:
        chosen = await after.act(pending, "decide", amount="1.00 EUR", **said)
        assert (chosen["http"], chosen["detail"].partition(":")[0]) == (400, "amount")
        granted = await after.act(pending, "decide", **said)
        assert (granted["granted"]["amount"], granted["policy"]["version"]) == ("119.00 EUR", 4)


class reopened:  # noqa: N801 - reads as the sentence it is in
    """The same house with the policy files as they are now, and a product of these terms if one is named."""

    def __init__(self, house: House, product: str | None) -> None:
        self._house, self._product = house, product

    async def __aenter__(self) -> Desk:
        services = await open_services(self._house.services.settings, self._house.clock)
        if self._product is not None:
            await add_product(
                services,
                code=self._product,
                name=self._product,
                key_prefix="OWN",
                policy=self._product,
                price=Money(10000, "EUR"),
            )
        self._services = services
        self._callers = await Callers(services).__aenter__()
        return await desk_of(House(services, self._house.clock, self._house.http), self._callers)

    async def __aexit__(self, *exc: object) -> None:
        await self._callers.__aexit__(*exc)
        await self._services.close()
