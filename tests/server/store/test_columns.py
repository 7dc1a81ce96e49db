from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import select
from sqlalchemy.exc import StatementError

from tests.support.records import NOW
from tillkey_server.ids import new_id
from tillkey_server.store import customers, tables
from tillkey_server.store.customers import CustomerRow


def _customer(created_at):
    return CustomerRow(new_id(), "a@shop.example", "a@shop.example", created_at)


@pytest.mark.parametrize(
    "at",
    [
        NOW,
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC),
        datetime(9999, 1, 1, tzinfo=UTC),
    ],
)
async def test_a_moment_comes_back_as_it_went_in(database, at):
    row = _customer(at)
    async with database.writing() as conn:
        await customers.insert(conn, row)
    async with database.reading() as conn:
        assert await customers.by_id(conn, row.id) == row


async def test_a_moment_of_another_zone_comes_back_in_utc_without_its_fraction(database):
    there = datetime(2026, 3, 1, 14, 0, 0, 999_999, tzinfo=timezone(timedelta(hours=2)))
    row = _customer(there)
    async with database.writing() as conn:
        await customers.insert(conn, row)
        found = await customers.by_id(conn, row.id)
    assert found is not None
    assert found.created_at == NOW
    assert found.created_at.tzinfo is UTC
    assert found.created_at.microsecond == 0


async def test_a_naive_moment_is_refused(database):
    async with database.writing() as conn:
        with pytest.raises(StatementError, match="naive"):
            await customers.insert(conn, _customer(datetime(2026, 3, 1)))  # noqa: DTZ001 - this is what must be refused


async def test_moments_are_compared_as_moments(database):
    row = _customer(NOW)
    statement = select(tables.customer.c.id).where(tables.customer.c.created_at > NOW - timedelta(seconds=1))
    async with database.writing() as conn:
        await customers.insert(conn, row)
        assert (await conn.execute(statement)).scalars().all() == [row.id]
