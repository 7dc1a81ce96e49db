"""A license's status in SQL is the rule's, and a filter finds what it says and nothing else."""

from dataclasses import replace
from itertools import product

import pytest
from sqlalchemy import select

from tests.support.records import DAY, NOW, activate, digest, jkt, open_shop
from tillkey_server.ids import new_id
from tillkey_server.rules.access import EVERYTHING, Scope
from tillkey_server.rules.standing import Status, status_of
from tillkey_server.store import license_list, licenses, tables
from tillkey_server.store.license_list import LicenseFilters, status_at
from tillkey_server.store.paging import Paging

SECOND = DAY / 86400
AROUND = (None, NOW - SECOND, NOW, NOW + SECOND)
FACTS = (
    *[(name, (None, NOW - DAY)) for name in ("legal_hold_at", "terminated_at", "revoked_at", "refunded_at")],
    ("suspended_at", (None, NOW - DAY)),
    ("suspended_until", AROUND),
    ("use_until", AROUND),
)


@pytest.mark.clause("K-13", "K-16", "K-02")
async def test_the_status_in_sql_is_the_rules_over_every_combination_of_facts(database):
    names = [name for name, _ in FACTS]
    combinations = [dict(zip(names, values, strict=True)) for values in product(*(values for _, values in FACTS))]
    async with database.writing() as conn:
        shop = await open_shop(conn)
        made = [
            replace(shop.license, id=new_id(), position=n, key_hash=digest(f"many {n}"), **facts)
            for n, facts in enumerate(combinations, 1)
        ]
        for row in made:
            await licenses.insert(conn, row)
    async with database.reading() as conn:
        rows = (await conn.execute(select(tables.license_.c.id, status_at(NOW)))).all()
        told = dict(rows)
    assert len(made) == 512
    assert {row.id: told[row.id] for row in made} == {row.id: status_of(row.facts, NOW).value for row in made}
    assert set(told.values()) == set(Status)


async def found(database, scope=EVERYTHING, **filters):
    async with database.reading() as conn:
        page = await license_list.page(conn, Paging(50), LicenseFilters(**filters), scope=scope, now=NOW)
    return [row.license.id for row in page]


async def test_each_filter_finds_what_it_says_and_nothing_else(database):
    async with database.writing() as conn:
        shop = await open_shop(conn, "corner")
        other = await open_shop(conn, "other")
        held, *_ = await activate(conn, shop)
    mine, both = [shop.license.id], [shop.license.id, other.license.id]
    assert await found(database) == both
    assert await found(database, license_id=shop.license.id) == mine
    assert await found(database, customer_id=shop.customer.id) == mine
    assert await found(database, email_key=shop.customer.email_key) == mine
    assert await found(database, product_code=shop.product.code) == mine
    assert await found(database, project_id=held.project_id) == mine
    assert await found(database, order="corner") == mine
    assert await found(database, order_id=shop.order.id) == mine
    assert await found(database, key_hash=shop.license.key_hash) == mine
    assert await found(database, key_hint="7XK2") == both
    assert await found(database, key_hint="%") == []
    assert await found(database, machine=jkt("corner")) == mine
    assert await found(database, machine="corn") == mine
    assert await found(database, machine="CORN") == []
    assert await found(database, machine="orner") == []
    assert await found(database, status="active") == both
    assert await found(database, status="revoked") == []
    either = [LicenseFilters(order="corner"), LicenseFilters(order="other", status="revoked")]
    assert await found(database, any_of=either) == mine


@pytest.mark.clause("I13")
async def test_a_limited_caller_finds_only_what_lies_within(database):
    async with database.writing() as conn:
        shop = await open_shop(conn, "corner")
        other = await open_shop(conn, "other")
    ours = frozenset({shop.customer.id})
    assert await found(database, Scope(customers=ours)) == [shop.license.id]
    assert await found(database, Scope(products=frozenset({other.product.id}))) == [other.license.id]
    assert await found(database, Scope(ours, frozenset({other.product.id}))) == []
    assert await found(database, Scope(customers=frozenset())) == []
    assert await found(database, Scope(customers=ours), license_id=other.license.id) == []
