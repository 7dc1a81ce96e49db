"""Transactions: committed on a clean exit, undone otherwise, and Unavailable where the database cannot serve."""

import asyncio
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import func, make_url, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from tests.support.postgres import Postgres
from tests.support.records import NOW, activate, open_shop
from tests.support.store import migrated
from tillkey_server.errors import ConfigError, Unavailable
from tillkey_server.ids import new_id
from tillkey_server.store import chains, customers, db, engines, tables
from tillkey_server.store.customers import CustomerRow
from tillkey_server.store.db import Database

ROOT = Path(__file__).parents[3]
TASKS = 8
TIMES = 15


def _customer(name="a"):
    return CustomerRow(new_id(), f"{name}@shop.example", f"{name}@shop.example", NOW)


async def _count(database):
    async with database.reading() as conn:
        return (await conn.execute(select(func.count()).select_from(tables.customer))).scalar_one()


async def _increment(database, activation_id, times):
    for _ in range(times):
        async with database.writing() as conn:
            held = await chains.get(conn, activation_id, lock=True)
            await asyncio.sleep(0)
            chain = tables.chain
            await conn.execute(
                chain.update().where(chain.c.activation_id == activation_id).values(revision=held.revision + 1)
            )


async def _counter(database):
    async with database.writing() as conn:
        row, _, _ = await activate(conn, await open_shop(conn))
    return row.id


async def _revision(database, activation_id):
    async with database.reading() as conn:
        return (await chains.get(conn, activation_id)).revision


async def test_reading_then_writing_loses_no_update(database):
    counter = await _counter(database)
    await asyncio.gather(*(_increment(database, counter, TIMES) for _ in range(TASKS)))
    assert await _revision(database, counter) == TASKS * TIMES


async def test_two_processes_on_one_database_lose_no_update(database, migrated_url):
    counter = await _counter(database)
    script = (
        "import asyncio, sys, uuid\n"
        "from tests.server.store.test_db import Database, TIMES, _increment\n"
        "async def main():\n"
        "    database = Database(sys.argv[1])\n"
        "    await _increment(database, uuid.UUID(sys.argv[2]), 4 * TIMES)\n"
        "    await database.dispose()\n"
        "asyncio.run(main())\n"
    )
    command = [sys.executable, "-c", script, migrated_url, str(counter)]
    others = [await asyncio.create_subprocess_exec(*command, cwd=ROOT) for _ in range(2)]
    await _increment(database, counter, 4 * TIMES)
    assert [await other.wait() for other in others] == [0, 0]
    assert await _revision(database, counter) == 12 * TIMES


async def test_an_exception_undoes_the_whole_block(database):
    async def fail():
        async with database.writing() as conn:
            await customers.insert(conn, _customer())
            raise KeyError

    with pytest.raises(KeyError):
        await fail()
    assert await _count(database) == 0


async def test_leaving_the_block_commits(database):
    async with database.writing() as conn:
        await customers.insert(conn, _customer())
    assert await _count(database) == 1


async def test_a_cancelled_block_is_undone_and_the_database_goes_on(database):
    inserted = asyncio.Event()

    async def work():
        async with database.writing() as conn:
            await customers.insert(conn, _customer())
            inserted.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(work())
    await inserted.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await _count(database) == 0
    async with database.writing() as conn:
        await customers.insert(conn, _customer())
    assert await _count(database) == 1


async def test_blocks_cancelled_at_any_moment_leave_the_database_whole(database):
    async def work(name):
        async with database.writing() as conn:
            await customers.insert(conn, _customer(f"{name}"))

    tasks = [asyncio.create_task(work(name)) for name in range(40)]
    for number, task in enumerate(tasks):
        await asyncio.sleep(0.001 * (number % 4))
        task.cancel()
    done = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(result is None or isinstance(result, asyncio.CancelledError) for result in done)
    assert await _count(database) >= sum(result is None for result in done)
    await work("last")


async def test_nothing_can_be_written_in_a_reading_transaction(database):
    with pytest.raises(DBAPIError, match=r"readonly|read-only"):
        async with database.reading() as conn:
            await customers.insert(conn, _customer())


async def test_a_reading_transaction_does_not_wait_for_a_writing_one(database):
    async with database.writing() as conn:
        await customers.insert(conn, _customer())
        assert await asyncio.wait_for(_count(database), 5) == 0


async def test_errors_and_names_hold_no_values_and_no_password(database, caplog):
    async with database.writing() as conn:
        await customers.insert(conn, _customer("anna"))
    with pytest.raises(IntegrityError) as caught:
        async with database.writing() as conn:
            await customers.insert(conn, _customer("anna"))
    shown = [str(caught.value), repr(caught.value)]
    link: BaseException | None = caught.value
    while link is not None:
        shown += [str(link), repr(link)]
        link = link.__cause__
    assert "anna" not in " ".join([*shown, caplog.text])
    assert "secret" not in repr(Database("postgresql://till:secret@nowhere/db"))


async def test_a_database_that_can_be_written_says_so_and_keeps_no_row(database):
    await database.ping_writable()
    assert await _count(database) == 0


async def test_a_database_without_tables_is_not_writable(database_url):
    database = Database(database_url)
    with pytest.raises(Unavailable, match="migrate"):
        await database.ping_writable()
    await database.dispose()


@pytest.mark.parametrize(
    "url",
    ["sqlite://", "sqlite:///:memory:", "mysql://a:secret@b/c", "nonsense secret", "postgresql+psycopg://a:secret@b/c"],
)
def test_another_database_is_refused_without_repeating_its_password(url):
    with pytest.raises(ConfigError) as caught:
        Database(url)
    assert "secret" not in str(caught.value)


async def test_the_drivers_may_be_left_out_of_the_url(migrated_url):
    database = Database(migrated_url.replace("+aiosqlite", "").replace("+asyncpg", ""))
    await database.ping_writable()
    await database.dispose()


async def test_sqlite_is_opened_durable_and_strict(sqlite_database):
    async with sqlite_database.writing() as conn:
        found = [
            (await conn.execute(text(f"PRAGMA {name}"))).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        ]
    assert found == ["wal", 2, 1, engines.BUSY_TIMEOUT_SECONDS * 1000]
    assert engines.BUSY_TIMEOUT_SECONDS >= 10


async def test_sqlite_reads_see_one_snapshot_for_the_whole_transaction(sqlite_database):
    async with sqlite_database.reading() as reading:
        counted = select(func.count()).select_from(tables.customer)
        assert (await reading.execute(counted)).scalar_one() == 0
        async with sqlite_database.writing() as conn:
            await customers.insert(conn, _customer())
        assert (await reading.execute(counted)).scalar_one() == 0


async def test_a_sqlite_lock_that_another_process_keeps_is_unavailable(sqlite_database, monkeypatch):
    monkeypatch.setattr(engines, "BUSY_TIMEOUT_SECONDS", 0)
    path = sqlite_database._url.database
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable):
            await sqlite_database.ping_writable()
        with pytest.raises(Unavailable):
            async with sqlite_database.writing():
                pass
        other.execute("ROLLBACK")
    await sqlite_database.ping_writable()


async def test_a_writer_that_never_gets_its_turn_is_unavailable(fresh_database, monkeypatch):
    monkeypatch.setattr(engines, "POOL_TIMEOUT_SECONDS", 0.05)
    database = Database(fresh_database("sqlite", migrated))
    async with database.writing():
        with pytest.raises(Unavailable):
            async with database.writing():
                pass
    await database.dispose()


async def test_a_sqlite_folder_that_is_not_there_is_unavailable_and_leaves_no_thread_behind(tmp_path):
    before = set(threading.enumerate())
    database = Database(f"sqlite:///{tmp_path}/missing/tillkey.sqlite")
    with pytest.raises(Unavailable):
        async with database.writing():
            pass
    # The driver's thread would say goodbye to a loop that may be closed by then.
    assert not [one.name for one in set(threading.enumerate()) - before if "_connection_worker_thread" in one.name]
    await database.dispose()


@pytest.mark.parametrize(
    ("version", "sound"),
    [
        ((3, 6, 23), True),
        ((3, 7, 0), False),
        ((3, 40, 1), False),
        ((3, 44, 5), False),
        ((3, 44, 6), True),
        ((3, 45, 0), False),
        ((3, 50, 6), False),
        ((3, 50, 7), True),
        ((3, 51, 2), False),
        ((3, 51, 3), True),
        ((3, 53, 0), True),
    ],
)
def test_the_versions_of_sqlite_with_the_wal_bug_are_known(version, sound):
    assert (engines.sqlite_warning(version) is None) == sound


def test_an_affected_sqlite_is_warned_of_loudly_and_refused_by_setting(monkeypatch, caplog, tmp_path):
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 51, 2))
    url = f"sqlite:///{tmp_path}/tillkey.sqlite"
    Database(url)
    assert [(record.levelname, "3.51.2" in record.message) for record in caplog.records] == [("WARNING", True)]
    with pytest.raises(ConfigError, match=r"3\.51\.3"):
        Database(url, strict_sqlite=True)
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 51, 3))
    Database(url, strict_sqlite=True)


async def _slow_commits(database, seconds):
    """Make every COMMIT with a new customer sleep first."""
    async with database.writing() as conn:
        await conn.execute(
            text(
                "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS "
                f"$$ BEGIN PERFORM pg_sleep({seconds}); RETURN NULL; END $$"
            )
        )
        await conn.execute(
            text(
                "CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON customer DEFERRABLE INITIALLY DEFERRED "
                "FOR EACH ROW EXECUTE FUNCTION slow()"
            )
        )


async def test_a_commit_that_takes_too_long_is_unknown(postgresql_database, monkeypatch):
    await _slow_commits(postgresql_database, 1)
    monkeypatch.setattr(db, "COMMIT_SECONDS", 0.1)
    with pytest.raises(Unavailable, match="unknown"):
        async with postgresql_database.writing() as conn:
            await customers.insert(conn, _customer())
    monkeypatch.setattr(db, "COMMIT_SECONDS", 20)
    await postgresql_database.ping_writable()


async def test_a_commit_is_seen_through_when_its_caller_is_cancelled(postgresql_database):
    await _slow_commits(postgresql_database, 0.3)
    written = asyncio.Event()

    async def work():
        async with postgresql_database.writing() as conn:
            await customers.insert(conn, _customer())
            written.set()

    task = asyncio.create_task(work())
    await written.wait()
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await _count(postgresql_database) == 1


async def test_a_connection_cut_in_the_midst_is_unavailable_and_the_next_one_works(postgresql_database):
    async def work():
        async with postgresql_database.writing() as conn:
            await customers.insert(conn, _customer())
            own = (await conn.execute(text("SELECT pg_backend_pid()"))).scalar_one()
            async with postgresql_database.writing() as other:
                await other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": own})
            await customers.insert(conn, _customer("b"))

    with pytest.raises(Unavailable):
        await work()
    assert await _count(postgresql_database) == 0


async def test_a_database_that_only_reads_is_not_writable(postgresql_database):
    name = make_url(str(postgresql_database._url)).database
    async with postgresql_database.writing() as conn:
        await conn.execute(text(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on'))
    await postgresql_database.dispose()
    with pytest.raises(Unavailable):
        await postgresql_database.ping_writable()


async def test_a_deadlock_is_unavailable_for_one_and_the_other_goes_on(postgresql_database):
    async with postgresql_database.writing() as conn:
        rows = [_customer("a"), _customer("b")]
        for row in rows:
            await customers.insert(conn, row)
    both = asyncio.Barrier(2)

    async def lock(first, second):
        async with postgresql_database.writing() as conn:
            table = tables.customer
            await conn.execute(table.update().where(table.c.id == first.id).values(email="x"))
            await both.wait()
            await conn.execute(table.update().where(table.c.id == second.id).values(email="y"))

    results = await asyncio.gather(lock(*rows), lock(*reversed(rows)), return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["NoneType", "Unavailable"]


async def test_a_restarted_postgresql_is_unavailable_while_it_is_down_and_whole_afterwards():
    with Postgres() as cluster:
        database = Database(cluster.create_database(migrated))
        async with database.writing() as conn, database.reading():
            await customers.insert(conn, _customer())
        cluster.stop()
        for _ in range(2):
            with pytest.raises(Unavailable):
                await _count(database)
        cluster.start()
        # The first transaction already works: no connection of before the restart is handed out.
        assert await _count(database) == 1
        await database.ping_writable()
        await database.dispose()


def test_a_process_that_forgets_to_close_the_database_still_ends(tmp_path):
    script = (
        "import asyncio\nfrom tillkey_server.store.db import Database\n"
        "async def main():\n"
        f"    database = Database('sqlite:///{tmp_path}/t.sqlite')\n"
        "    async with database.writing():\n        pass\n"
        "asyncio.run(main())\n"
    )
    subprocess.run([sys.executable, "-c", script], timeout=60, check=True, capture_output=True)


async def test_a_network_that_swallows_the_answer_is_unavailable(fresh_database, monkeypatch):
    monkeypatch.setattr(engines, "_ANSWER_SECONDS", 0.2)
    database = Database(fresh_database("postgresql", migrated))
    with pytest.raises(Unavailable):
        async with database.writing() as conn:
            await conn.execute(text("SELECT pg_sleep(2)"))
    await database.ping_writable()
    await database.dispose()
