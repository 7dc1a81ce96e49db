"""What the tables of terms refuse by themselves: a payment twice, two subscriptions at once, a period twice."""

from dataclasses import replace

import pytest
from sqlalchemy.exc import IntegrityError

from tests.support.records import DAY, NOW, open_shop
from tillkey_server.ids import new_id
from tillkey_server.store import subscriptions, tables, terms
from tillkey_server.store.faults import is_unique_violation
from tillkey_server.store.subscriptions import DueRow, SubscriptionRow
from tillkey_server.store.term_tables import ONE_OPEN_SUBSCRIPTION
from tillkey_server.store.terms import EndingRow, TermRow


def a_term(shop, **changes):
    return replace(TermRow(new_id(), shop.license.id, shop.line.id, 3, NOW, ["support"], NOW), **changes)


def a_subscription(shop, **changes):
    row = SubscriptionRow(new_id(), shop.license.id, 12, NOW, 5200, "EUR", "shop", 1, NOW + DAY, NOW)
    return replace(row, **changes)


async def _refused(database, write):
    """Run `write(conn, shop)` in a transaction that must fail by a constraint, and return the error."""
    async with database.writing() as conn:
        shop = await open_shop(conn, f"shop-{write.__name__}")
    with pytest.raises(IntegrityError) as caught:
        async with database.writing() as conn:
            await write(conn, shop)
    return caught.value


@pytest.mark.clause("I7")
async def test_a_line_pays_for_one_renewal(database):
    async def write(conn, shop):
        for _ in range(2):
            await terms.insert(conn, a_term(shop))

    assert is_unique_violation(await _refused(database, write), "uq_support_term_order_line_id")


async def test_a_renewal_of_no_month_and_an_ending_for_no_reason_are_refused(database):
    async def no_month(conn, shop):
        await terms.insert(conn, a_term(shop, months=0))

    async def no_reason(conn, shop):
        await terms.insert_ending(conn, EndingRow(new_id(), shop.license.id, NOW, ["support"], "whim", NOW))

    for write in (no_month, no_reason):
        await _refused(database, write)


@pytest.mark.clause("CJ-23")
async def test_a_license_has_one_subscription_at_a_time_and_each_period_one_renewal(database):
    async def write(conn, shop):
        for _ in range(2):
            await subscriptions.insert(conn, a_subscription(shop))

    assert is_unique_violation(await _refused(database, write), ONE_OPEN_SUBSCRIPTION)
    async with database.writing() as conn:
        shop = await open_shop(conn, "other")
        await subscriptions.insert(conn, a_subscription(shop, ended_at=NOW))
        row = a_subscription(shop)
        await subscriptions.insert(conn, row)
        due = DueRow(row.id, 1, NOW, NOW)
        assert [await subscriptions.create_due(conn, due) for _ in range(2)] == [True, False]
    with pytest.raises(IntegrityError):
        async with database.writing() as conn:
            await conn.execute(tables.subscription_renewal.insert().values(subscription_id=row.id, period=0))
