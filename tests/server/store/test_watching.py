"""Every transaction is told of when it is over: kind, outcome, times and, where they are asked for, its statements."""

import asyncio

import pytest
from sqlalchemy import select

from tests.support.records import NOW
from tillkey_server.errors import Unavailable
from tillkey_server.ids import new_id
from tillkey_server.store import customers, tables
from tillkey_server.store.customers import CustomerRow
from tillkey_server.store.db import Database
from tillkey_server.store.watching import Kind, Outcome

READ = select(tables.customer.c.id)


def watched(database, **options):
    seen = []
    database.watch(seen.append, **options)
    return seen


def row():
    return CustomerRow(new_id(), "anna@shop.example", "anna@shop.example", NOW)


async def test_a_transaction_is_told_of_with_its_statements_of_either_kind(database):
    seen = watched(database, statements=True)
    async with database.writing() as tx:
        await customers.insert(tx, row())
        await tx.execute(READ)
    for _ in range(2):
        async with database.reading() as tx:
            await tx.execute(READ)
    told = [(past.kind, past.outcome, past.statements) for past in seen]
    assert told == [(Kind.WRITE, Outcome.DONE, 2), *[(Kind.READ, Outcome.DONE, 1)] * 2]
    assert all(0 <= past.waited <= past.seconds for past in seen)


async def test_statements_are_counted_only_where_they_are_asked_for(database):
    seen = watched(database)
    async with database.reading() as tx:
        await tx.execute(READ)
    assert [past.statements for past in seen] == [None]


async def test_transactions_at_the_same_time_count_their_own(database):
    seen = watched(database, statements=True)

    async def read(times):
        async with database.reading() as tx:
            for _ in range(times):
                await tx.execute(READ)

    await asyncio.gather(*(read(times) for times in range(1, 9)))
    assert sorted(past.statements for past in seen) == list(range(1, 9))


async def test_what_an_exception_undid_is_rolled_back(database):
    seen = watched(database)
    with pytest.raises(KeyError):
        async with database.writing():
            raise KeyError
    assert [past.outcome for past in seen] == [Outcome.ROLLED_BACK]


async def test_a_database_out_of_reach_is_told_as_unavailable(tmp_path):
    database = Database(f"sqlite:///{tmp_path}/missing/tillkey.sqlite")
    seen = watched(database, statements=True)
    with pytest.raises(Unavailable):
        async with database.writing():
            pass
    assert [(past.outcome, past.statements) for past in seen] == [(Outcome.UNAVAILABLE, None)]
    await database.dispose()


async def test_one_who_watches_already_is_told_once(database):
    seen = []
    for _ in range(2):
        database.watch(seen.append)
    async with database.reading():
        pass
    assert len(seen) == 1
