"""CJ-26 to CJ-28 through the API: what a notice about the last renewal stops, gives back and leaves."""

from dataclasses import replace
from datetime import datetime

import pytest

from tests.server.clauses.test_refund_plans import renew
from tests.support.house import AGENT
from tests.support.refunding import (  # noqa: F401 - fixture
    DAY,
    MONTHLY,
    MORNING,
    OFFICIAL,
    YEARLY,
    Desk,
    Sold,
    desk,
)
from tillkey_server.rules.refund_policy import Late, TaxRefund
from tillkey_server.usecases.license import change_standing
from tillkey_server.usecases.renewals_due import create_due

NOTHING_DUE = {"created": 0, "blocked": 0}


async def subscribed(desk: Desk, product: str, months: int, paid_at: datetime) -> Sold:  # noqa: F811
    """Sell a license that renews by itself."""
    sold = await desk.sell(product, paid_at=paid_at)
    wish = {"months": months, "channel": "shop", "price": "100.00 EUR"}
    begun = await desk.supervisor.post(f"/v1/licenses/{sold.license_id}/subscription", json=wish)
    assert begun.status_code == 201, begun.text
    return sold


async def cancelled_at(desk: Desk, sold: Sold) -> str | None:  # noqa: F811
    """Return when the license's subscription was cancelled."""
    told = (await desk.agent.get(f"/v1/licenses/{sold.license_id}/subscription")).json()["subscription"]
    at: str | None = None if told is None else told["cancelled_at"]
    return at


@pytest.mark.clause("CJ-26", "CJ-23")
async def test_who_cancels_in_time_gets_the_last_payment_and_is_never_charged_again(desk: Desk) -> None:  # noqa: F811
    sold = await subscribed(desk, MONTHLY, 1, MORNING - 33 * DAY)
    await renew(desk, sold, 1, MORNING - DAY)
    told = await desk.ask(sold, "cancel_renewal", **OFFICIAL)
    assert (told["code"], "CJ-26" in told["clauses"]) == ("ref_granted_renewal_full", True)
    assert told["facts"]["cancelled_at_period_end"] is True
    assert await cancelled_at(desk, sold) == "2026-03-02T09:00:00Z"
    desk.house.clock.turn(days=40)
    assert await create_due(desk.house.services) == NOTHING_DUE


@pytest.mark.clause("CJ-26")
async def test_a_notice_cancels_in_the_first_period_where_nothing_goes_back_too(desk: Desk) -> None:  # noqa: F811
    sold = await subscribed(desk, MONTHLY, 1, MORNING - 3 * DAY)
    told = await desk.ask(sold, "cancel_renewal", **OFFICIAL)
    assert (told["code"], told["clauses"]) == ("ref_denied_no_renewal", ["CJ-26"])
    assert await cancelled_at(desk, sold) == "2026-03-02T09:00:00Z"


@pytest.mark.clause("CJ-26", "CJ-28")
async def test_a_notice_cancels_a_year_whose_rest_the_terms_keep_too(desk: Desk) -> None:  # noqa: F811
    services = desk.house.services
    policy = services.policies.offered(YEARLY)
    assert policy.refund is not None
    assert policy.refund.renewal is not None
    keeping = replace(policy.refund.renewal, late_annual=Late.DENY)
    services.policies._known[policy.ref] = replace(policy, refund=replace(policy.refund, renewal=keeping))
    sold = await subscribed(desk, YEARLY, 12, MORNING - 400 * DAY)
    await renew(desk, sold, 12, MORNING - 40 * DAY)
    told = await desk.ask(sold, "cancel_renewal", **OFFICIAL)
    assert (told["code"], told["clauses"]) == ("ref_denied_renewal_window", ["CJ-26"])
    assert await cancelled_at(desk, sold) == "2026-03-02T09:00:00Z"


@pytest.mark.clause("CJ-26", "CJ-02")
async def test_a_notice_cancels_whatever_bars_the_money(desk: Desk) -> None:  # noqa: F811
    sold = await subscribed(desk, MONTHLY, 1, MORNING - 3 * DAY)
    await change_standing(desk.house.services, sold.license_id, event="hold", actor=AGENT, reason="a claim")
    told = await desk.ask(sold, "cancel_renewal", **OFFICIAL)
    assert (told["code"], "CJ-02" in told["clauses"]) == ("legal_hold", True)
    assert await cancelled_at(desk, sold) == "2026-03-02T09:00:00Z"


@pytest.mark.clause("CJ-26", "CJ-31")
async def test_a_notice_cancels_nothing_unless_it_came_from_the_official_address(desk: Desk) -> None:  # noqa: F811
    """An address that was changed yesterday is not the customer's yet; once somebody believes it, it cancels."""
    sold = await subscribed(desk, MONTHLY, 1, MORNING - 33 * DAY)
    await renew(desk, sold, 1, MORNING - DAY)
    unknown = await desk.ask(sold, "cancel_renewal", by_email=True)
    assert (unknown["code"], "CJ-31" in unknown["clauses"]) == ("request_not_from_official_address", True)
    owner = (await desk.agent.get(f"/v1/licenses/{sold.license_id}")).json()["customer_id"]
    await desk.supervisor.patch(f"/v1/customers/{owner}", json={"email": "new@shop.example"})
    pending = await desk.ask(sold, "cancel_renewal", **OFFICIAL)
    assert pending["code"] == "ref_pending_sender"
    assert await cancelled_at(desk, sold) is None
    granted = await desk.act(pending, "decide", decision="grant", reason="it is they")
    assert (granted["http"], granted["granted"]["ends"]) == (200, "renewal")
    assert await cancelled_at(desk, sold) == "2026-03-02T09:00:00Z"


@pytest.mark.clause("CJ-26")
async def test_once_the_last_payment_is_back_an_earlier_one_stays_paid(desk: Desk) -> None:  # noqa: F811
    sold = await desk.sell(MONTHLY, paid_at=MORNING - 25 * DAY)
    await renew(desk, sold, 1, MORNING - 2 * DAY)
    await renew(desk, sold, 1, MORNING - DAY)
    first, again = [await desk.ask(sold, "cancel_renewal", **OFFICIAL) for _ in range(2)]
    assert (first["code"], again["code"]) == ("ref_granted_renewal_full", "ref_denied_no_renewal")
    assert again["clauses"] == ["CJ-26"]


@pytest.mark.clause("CJ-26", "X-10")
async def test_a_payment_whose_way_back_failed_is_the_last_one_again(desk: Desk) -> None:  # noqa: F811
    sold = await desk.sell(MONTHLY, paid_at=MORNING - 25 * DAY)
    await renew(desk, sold, 1, MORNING - 2 * DAY)
    await renew(desk, sold, 1, MORNING - DAY)
    granted = await desk.ask(sold, "cancel_renewal", **OFFICIAL)
    await desk.act(granted, "payout-failed", failure="the account is closed")
    again = await desk.ask(sold, "cancel_renewal", **OFFICIAL)
    assert (again["code"], "CJ-26" in again["clauses"]) == ("ref_granted_renewal_full", True)


@pytest.mark.clause("CJ-02", "CJ-26")
async def test_a_hold_does_not_eat_the_days_in_which_a_renewal_is_taken_back(desk: Desk) -> None:  # noqa: F811
    """Paid on a Sunday, held on the Monday for thirty days: the first of the five working days is that Wednesday."""
    services = desk.house.services
    sold = await desk.sell(YEARLY, paid_at=MORNING - 366 * DAY)
    await renew(desk, sold, 12, MORNING - DAY)
    await change_standing(services, sold.license_id, event="hold", actor=AGENT, reason="a claim")
    desk.house.clock.turn(days=30)
    await change_standing(services, sold.license_id, event="release_hold", actor=AGENT, reason="settled")
    told = await desk.preview(sold, "cancel_renewal", **OFFICIAL)
    assert (told["code"], "CJ-26" in told["clauses"]) == ("ref_granted_renewal_full", True)
    assert told["facts"]["renewal_refund_ends_at"] == "2026-04-07T18:30:00Z"


@pytest.mark.clause("CJ-08", "CJ-26")
async def test_the_tax_of_a_renewal_goes_back_with_it_where_the_law_says_so(desk: Desk) -> None:  # noqa: F811
    policies = desk.house.services.policies
    policy = policies.offered(MONTHLY)
    assert policy.refund is not None
    policies._known[policy.ref] = replace(policy, refund=replace(policy.refund, tax=TaxRefund.PER_LAW))
    sold = await desk.sell(MONTHLY, paid_at=MORNING - 25 * DAY)
    await renew(desk, sold, 1, MORNING - DAY, tax_minor=1900)
    told = await desk.preview(sold, "cancel_renewal", **OFFICIAL)
    assert (told["facts"]["amount"], told["facts"]["tax"]) == ("119.00 EUR", "19.00 EUR")
    assert "CJ-26" in told["clauses"]


@pytest.mark.clause("CJ-23")
async def test_a_clock_that_goes_back_creates_no_renewal_twice(desk: Desk) -> None:  # noqa: F811
    clock, services = desk.house.clock, desk.house.services
    sold = await subscribed(desk, MONTHLY, 1, MORNING)
    clock.turn(days=31)
    assert await create_due(services) == {"created": 1, "blocked": 0}
    clock.turn(days=-20)
    assert await create_due(services) == NOTHING_DUE
    clock.turn(days=20)
    assert await create_due(services) == NOTHING_DUE
    told = (await desk.agent.get(f"/v1/licenses/{sold.license_id}/subscription")).json()
    assert [one["period"] for one in told["renewals"]] == [1]
