"""CJ-01, CJ-08, CJ-15, CJ-17, CJ-20, CJ-27 and CJ-28 through the API: what was sold decides how it is paid back."""

from datetime import datetime

import pytest

from tests.server.clauses.test_refund_grounds import change_product
from tests.server.clauses.test_refund_plans import renew
from tests.support.callers import Callers
from tests.support.refunding import (  # noqa: F401 - fixture
    CJ,
    DAY,
    MONTHLY,
    MORNING,
    NX,
    OFFICIAL,
    YEARLY,
    Desk,
    Sold,
    desk,
)
from tillkey_server.money import parse
from tillkey_server.store import tables
from tillkey_server.usecases.order import Line
from tillkey_server.usecases.renewals_due import create_due


def at(day: str) -> datetime:
    """The morning of a day in the vendor's zone."""
    return datetime.fromisoformat(f"{day}T06:00:00Z")


async def license_of(desk: Desk, sold: Sold) -> dict[str, object]:  # noqa: F811
    """Look at a license."""
    shown: dict[str, object] = (await desk.agent.get(f"/v1/licenses/{sold.license_id}")).json()
    return shown


@pytest.mark.clause("CJ-15", "CJ-17")
@pytest.mark.parametrize(
    ("months", "plan", "code"),
    [
        (12, "annual", "ref_pending_attempt"),
        (1, "monthly", "ref_denied_invalid_reason"),
        (None, "one_time", "ref_denied_invalid_reason"),
    ],
)
async def test_the_months_that_were_bought_are_the_plan_without_a_subscription_on_record_too(
    desk: Desk,  # noqa: F811
    months: int | None,
    plan: str,
    code: str,
) -> None:
    sold = await desk.sell(CJ, months=months, paid_at=MORNING - 5 * DAY)
    told = await desk.preview(sold, "unsatisfied", **OFFICIAL)
    assert (told["facts"]["plan"], told["code"], told["clauses"]) == (plan, code, ["CJ-17"])


@pytest.mark.clause("CJ-27")
async def test_a_month_that_another_renews_is_kept_as_one_that_is_renewed_here(desk: Desk) -> None:  # noqa: F811
    sold = await desk.sell(CJ, months=1, paid_at=MORNING - 50 * DAY)
    await renew(desk, sold, 1, MORNING - 20 * DAY)
    told = await desk.preview(sold, "cancel_renewal", **OFFICIAL)
    assert (told["code"], told["clauses"]) == ("ref_denied_monthly_processed", ["CJ-26", "CJ-27"])


@pytest.mark.clause("CJ-17", "CJ-27", "CJ-23")
async def test_the_plan_is_that_of_the_subscription_where_there_is_one(desk: Desk) -> None:  # noqa: F811
    """Bought for a year, it renews by the month."""
    sold = await desk.sell(YEARLY, paid_at=MORNING - 5 * DAY)
    wish = {"months": 1, "channel": "shop", "price": "10.00 EUR"}
    assert (await desk.supervisor.post(f"/v1/licenses/{sold.license_id}/subscription", json=wish)).status_code == 201
    told = await desk.preview(sold, "unsatisfied", **OFFICIAL)
    assert (told["facts"]["plan"], told["clauses"]) == ("monthly", ["CJ-17"])


@pytest.mark.clause("CJ-20", "CJ-28", "K-06")
async def test_the_months_of_a_renewed_year_begin_on_the_days_of_the_first_one(desk: Desk) -> None:  # noqa: F811
    """Bought on 31 January; the last day of the first year is courtesy, and moves no month of the second."""
    clock = desk.house.clock
    clock.instant = at("2025-01-31")
    sold = await desk.sell(CJ, "1000.00 EUR", months=12)
    path = f"/v1/licenses/{sold.license_id}"
    wish = {"months": 12, "channel": "shop", "price": "1000.00 EUR"}
    assert (await desk.supervisor.post(f"{path}/subscription", json=wish)).status_code == 201
    clock.instant = at("2026-01-31")
    assert await create_due(desk.house.services) == {"created": 1, "blocked": 0}
    paid = {"channel": "shop", "number": "R1", "amount": "1000.00 EUR", "months": 12}
    assert (await desk.integration.post(f"{path}/renewals", json=paid)).status_code == 201
    told = {}
    for day in ("2026-02-27", "2026-02-28", "2026-03-30", "2026-03-31"):
        clock.instant = at(day)
        answer = await desk.preview(sold, "cancel_renewal", **OFFICIAL)
        assert {"CJ-20", "CJ-28"} <= set(answer["clauses"])
        told[day] = (answer["facts"]["months_used"], answer["facts"]["amount"])
    assert told == {
        "2026-02-27": (0, "1000.00 EUR"),
        "2026-02-28": (1, "900.00 EUR"),
        "2026-03-30": (1, "900.00 EUR"),
        "2026-03-31": (2, "800.00 EUR"),
    }


@pytest.mark.clause("CJ-20", "CJ-28")
async def test_a_year_is_the_one_of_its_use_wherever_else_a_renewal_begins(desk: Desk) -> None:  # noqa: F811
    """It was renewed six days early, and began its support with the payment."""
    sold = await desk.sell(YEARLY, paid_at=at("2025-01-31"))
    await renew(desk, sold, 12, at("2026-01-25"), 100000)
    desk.house.clock.instant = at("2026-02-26")
    told = await desk.preview(sold, "cancel_renewal", **OFFICIAL)
    assert (told["facts"]["months_used"], told["facts"]["amount"]) == (0, "1000.00 EUR")
    assert {"CJ-20", "CJ-28"} <= set(told["clauses"])


@pytest.mark.clause("CJ-20", "CJ-18")
async def test_the_months_of_an_order_that_waited_are_counted_from_its_release(desk: Desk) -> None:  # noqa: F811
    """Paid on 5 November, released on the 20th: on 10 March three months are used, not four."""
    sold = await desk.sell(YEARLY, "1000.00 EUR", paid_at=at("2025-11-05"))
    async with desk.house.services.db.writing() as tx:
        column = tables.license_.c
        released = tables.license_.update().where(column.id == sold.license_id)
        await tx.execute(released.values(clocks_from=at("2025-11-20")))
    request = await desk.issue(sold, at("2026-02-20"), finding="malfunction")
    desk.house.clock.instant = at("2026-03-10")
    told = await desk.preview(sold, "defect", support_request=request, **OFFICIAL)
    assert (told["facts"]["months_used"], told["facts"]["amount"]) == (3, "700.00 EUR")
    assert {"CJ-20", "CJ-18"} <= set(told["clauses"])


@pytest.mark.clause("CJ-01", "K-09")
async def test_a_products_own_window_is_that_of_the_sale_and_every_page_shows_the_same(desk: Desk) -> None:  # noqa: F811
    """Sold with seven days, with none and with the terms' thirty; then the catalogue says something else."""
    sold, later = {}, {7: 0, 0: 30, None: 7}
    for days in later:
        await change_product(desk, CJ, refund_days=days)
        sold[days] = await desk.sell(CJ, paid_at=MORNING - DAY)
    ends = {7: "2026-03-08T18:30:00Z", 0: "2026-03-01T09:00:00Z", None: "2026-03-31T18:30:00Z"}
    for days, one in sold.items():
        await change_product(desk, CJ, refund_days=later[days])
        told = await desk.preview(one, "defect", **OFFICIAL)
        expected = "ref_denied_product_not_refundable" if days == 0 else "ref_pending_issue_required"
        assert (told["code"], told["facts"]["window_ends_at"]) == (expected, ends[days])
        assert ("CJ-01" in told["clauses"]) is (days == 0)
        assert (await license_of(desk, one))["refund_until"] == ends[days]
        explained = (await desk.agent.get(f"/v1/licenses/{one.license_id}/explain")).json()
        assert explained["clocks"]["refund"]["until"] == ends[days]
    leases = [(await desk.house.till(product=CJ).activate(one.license_key)).granted.exp for one in sold.values()]
    now = int(MORNING.timestamp())
    assert [(exp - now) // 86400 for exp in leases] == [10, 30, 10], "short while a refund may be asked for"


@pytest.mark.clause("CJ-01")
async def test_a_products_own_window_is_thirty_days_at_most(desk: Desk) -> None:  # noqa: F811
    async with Callers(desk.house.services) as callers:
        admin = await callers.client("admin")
        told = [await admin.patch(f"/v1/products/{CJ}", json={"refund_days": days}) for days in (30, 31)]
    assert [one.status_code for one in told] == [200, 400]


@pytest.mark.clause("CJ-01")
async def test_each_line_of_an_order_has_the_window_of_its_own_product(desk: Desk) -> None:  # noqa: F811
    """One is never refunded; the other has twenty days where its terms give thirty."""
    await change_product(desk, CJ, refund_days=0)
    await change_product(desk, MONTHLY, refund_days=20)
    lines = [Line(code, price=parse("100.00 EUR")) for code in (CJ, MONTHLY)]
    never, some = await desk.sell_all(*lines)
    told = [await desk.preview(one, "defect", **OFFICIAL) for one in (never, some)]
    assert [one["code"] for one in told] == ["ref_denied_product_not_refundable", "ref_pending_issue_required"]
    assert told[0]["clauses"] == ["CJ-01"]
    assert told[1]["facts"]["window_ends_at"] == "2026-03-22T18:30:00Z"


@pytest.mark.clause("CJ-08", "K-07", "NX-31")
async def test_each_license_of_a_line_has_its_share_of_the_stored_tax(desk: Desk) -> None:  # noqa: F811
    """Of ten euros for three the odd cent is the first one's."""
    three = await desk.sell_all(Line(NX, price=parse("100.00 EUR"), tax=parse("10.00 EUR"), quantity=3))
    told = [await desk.preview(one, "mistake") for one in three]
    assert [one["facts"]["tax"] for one in told] == ["3.34 EUR", "3.33 EUR", "3.33 EUR"]
    assert [one["facts"]["amount"] for one in told] == ["103.34 EUR", "103.33 EUR", "103.33 EUR"]
    assert {"NX-31", "NX-33"} <= set(told[0]["clauses"])
