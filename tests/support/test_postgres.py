"""The launcher of the real PostgreSQL does what the tests of the store rely on."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from tests.support.postgres import Postgres, PostgresMissingError, find_bin


async def query(url: str, statement: str) -> object:
    engine = create_async_engine(url)
    try:
        async with engine.begin() as connection:
            result = await connection.execute(text(statement))
            return result.scalar() if result.returns_rows else None
    finally:
        await engine.dispose()


async def test_a_new_database_answers_through_sqlalchemy(database_url):
    assert await query(database_url, "SELECT 1") == 1


async def test_every_test_gets_a_database_of_its_own(fresh_database):
    first, second = fresh_database("postgresql"), fresh_database("postgresql")
    await query(first, "CREATE TABLE mine (id INTEGER)")
    assert await query(second, "SELECT count(*) FROM pg_tables WHERE tablename = 'mine'") == 0


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
async def test_a_template_is_prepared_once_and_cloned_with_its_rows(fresh_database, dialect):
    prepared = []

    def prepare(url):
        prepared.append(url)
        asyncio.run(query(url, "CREATE TABLE shelf (id INTEGER)"))
        asyncio.run(query(url, "INSERT INTO shelf VALUES (7)"))

    first, second = fresh_database(dialect, prepare), fresh_database(dialect, template=prepare)
    await query(first, "DELETE FROM shelf")
    assert await query(second, "SELECT id FROM shelf") == 7
    assert len(prepared) == 1


def shelf(url):
    """A template with a row and a rule that no row leaves."""
    for statement in (
        "CREATE TABLE shelf (id INTEGER PRIMARY KEY)",
        "CREATE TABLE book (shelf INTEGER REFERENCES shelf, title TEXT)",
        "INSERT INTO shelf VALUES (7)",
        "INSERT INTO book VALUES (7, 'it''s \"here\"')",
        "CREATE FUNCTION never() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'never'; END $$",
        "CREATE TRIGGER keep BEFORE DELETE ON book FOR EACH ROW EXECUTE FUNCTION never()",
    ):
        asyncio.run(query(url, statement))


CONTENT = "SELECT (SELECT string_agg(id::text, ',') FROM shelf) || (SELECT string_agg(shelf || title, ',') FROM book)"


async def test_a_database_that_was_given_back_is_the_template_again_under_another_name(postgres):
    first = postgres.create_database(shelf)
    whole = await query(first, CONTENT)
    await query(first, "INSERT INTO shelf VALUES (8)")
    await query(first, "UPDATE book SET shelf = 8")
    assert ("book.title", 'it\'s "here"') in postgres.take_back(first)
    second = postgres.create_database(shelf)
    assert await query(second, CONTENT) == whole
    with pytest.raises(Exception, match="never"):
        await query(second, "DELETE FROM book")
    assert first != second
    with pytest.raises(Exception, match="does not exist"):
        await query(first, "SELECT 1")
    postgres.drop_database(second)


@pytest.mark.parametrize(
    "change",
    [
        "CREATE TABLE another (id INTEGER)",
        "ALTER TABLE book ADD COLUMN note TEXT",
        "ALTER TABLE book ALTER COLUMN title SET NOT NULL",
        "ALTER TABLE book DISABLE TRIGGER keep",
        "ALTER TABLE shelf DROP CONSTRAINT shelf_pkey CASCADE",
        "CREATE INDEX found ON book (title)",
        "CREATE OR REPLACE FUNCTION never() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN OLD; END $$",
        "ALTER DATABASE {name} SET default_transaction_read_only = on",
    ],
)
async def test_a_database_that_a_test_rebuilt_is_never_the_next_ones(postgres, change):
    first = postgres.create_database(shelf)
    name = first.partition("@/")[2].partition("?")[0]
    await query(first, change.format(name=name))
    postgres.take_back(first)
    count = "SELECT count(*) FROM pg_database WHERE datname = '{}'"
    assert await query(postgres.url("postgres"), count.format(name)) == 0
    again = postgres.create_database(shelf)
    with pytest.raises(Exception, match="never"):
        await query(again, "DELETE FROM book")
    postgres.take_back(again)


async def test_whoever_is_still_connected_is_cut_off_before_the_next_test(postgres):
    first = postgres.create_database(shelf)
    engine = create_async_engine(first)
    async with engine.connect() as left:
        await left.execute(text("LOCK TABLE shelf"))
        postgres.take_back(first)
        second = postgres.create_database(shelf)
        assert await query(second, "SELECT count(*) FROM shelf") == 1
        with pytest.raises(Exception, match=r"closed|terminat"):
            await left.execute(text("INSERT INTO shelf VALUES (9)"))
    await engine.dispose()
    postgres.take_back(second)


def test_a_clone_takes_well_under_a_second(postgres):
    postgres.drop_database(postgres.create_database())
    began = time.monotonic()
    url = postgres.create_database()
    assert time.monotonic() - began < 1
    postgres.drop_database(url)


async def test_two_hundred_connections_are_allowed_and_the_text_is_unicode(postgres):
    url = postgres.url("postgres")
    assert await query(url, "SHOW max_connections") == "200"
    assert await query(url, "SHOW server_encoding") == "UTF8"
    assert await query(url, "SHOW timezone") == "UTC"


async def test_a_durable_cluster_keeps_what_was_committed_when_it_crashes():
    with Postgres(durable=True) as cluster:
        url = cluster.create_database()
        assert await query(url, "SHOW fsync") == "on"
        await query(url, "CREATE TABLE kept (id INTEGER)")
        cluster.crash()
        cluster.start()
        assert await query(url, "SELECT count(*) FROM kept") == 0


def test_leaving_the_block_stops_the_server_and_removes_its_folder():
    def fail_inside():
        with Postgres() as cluster:
            seen.extend((cluster._folder, cluster._server.pid))
            raise ZeroDivisionError

    seen = []
    with pytest.raises(ZeroDivisionError):
        fail_inside()
    folder, server = seen
    assert not folder.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(server, 0)


def test_a_killed_test_run_leaves_no_server_behind():
    program = (
        "import sys, time\n"
        "from tests.support.postgres import Postgres\n"
        "with Postgres() as cluster:\n"
        "    print(cluster._folder, cluster._server.pid, flush=True)\n"
        "    time.sleep(60)\n"
    )
    root = Path(__file__).parents[2]
    run = subprocess.Popen([sys.executable, "-c", program], cwd=root, stdout=subprocess.PIPE, text=True)
    with run:
        folder, server = run.stdout.readline().split()
        run.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 20
    while Path(folder).exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(folder).exists()
    status = Path(f"/proc/{server}/status")
    assert not status.exists() or "zombie" in status.read_text()


def test_a_machine_without_postgresql_is_told_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv("TILLKEY_POSTGRES_BIN", str(tmp_path))
    with pytest.raises(PostgresMissingError, match="make postgres"):
        find_bin()


def test_a_server_that_does_not_start_shows_its_log():
    with pytest.raises(PostgresMissingError, match="no_such_setting"), Postgres(settings={"no_such_setting": "1"}):
        pass
