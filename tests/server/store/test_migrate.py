import asyncio
import stat
import subprocess
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from tillkey_server.errors import ConfigError, Unavailable
from tillkey_server.store import engines, migrate, tables
from tillkey_server.store.db import Database


def _description(connection):
    """Everything that the database knows of our tables, in an order of its own making."""
    look = inspect(connection)
    return {
        name: {
            "columns": [
                (c["name"], str(c["type"]), c["nullable"], c["default"] is None) for c in look.get_columns(name)
            ],
            "key": look.get_pk_constraint(name),
            "unique": sorted(look.get_unique_constraints(name), key=str),
            "checks": sorted((c["name"], c["sqltext"]) for c in look.get_check_constraints(name)),
            "indexes": sorted(_index(found) for found in look.get_indexes(name)),
            "references": sorted(look.get_foreign_keys(name), key=str),
            "options": look.get_table_options(name),
        }
        for name in look.get_table_names()
        if name != "alembic_version"
    }


def _index(found):
    options = {name: str(value) for name, value in found.get("dialect_options", {}).items()}
    return found["name"], found["column_names"], bool(found["unique"]), sorted(options.items())


def _differences(connection):
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
    return compare_metadata(context, tables.metadata)


async def test_a_migrated_database_has_exactly_the_tables_of_the_code(database, fresh_database):
    async with database.reading() as conn:
        assert await conn.run_sync(_differences) == []
        migrated = await conn.run_sync(_description)
    plain = Database(fresh_database(database.dialect))
    async with plain.writing() as conn:
        await conn.run_sync(tables.metadata.create_all)
    async with plain.reading() as conn:
        created = await conn.run_sync(_description)
    await plain.dispose()
    assert migrated == created
    assert set(migrated) == set(tables.metadata.tables)


async def test_upgrading_brings_an_empty_database_to_the_head_and_again_changes_nothing(database_url):
    assert await migrate.current(database_url) is None
    assert not await migrate.is_current(database_url)
    assert await migrate.upgrade(database_url) == migrate.head()
    assert await migrate.current(database_url) == migrate.head()
    assert await migrate.is_current(database_url)
    assert await migrate.upgrade(database_url) == migrate.head()


async def test_several_upgrades_at_once_in_one_process_are_safe(database_url):
    assert await asyncio.gather(*(migrate.upgrade(database_url) for _ in range(3))) == [migrate.head()] * 3


async def test_several_processes_may_upgrade_at_once(database_url):
    script = "import asyncio, sys; from tillkey_server.store import migrate; asyncio.run(migrate.upgrade(sys.argv[1]))"
    started = [await asyncio.create_subprocess_exec(sys.executable, "-c", script, database_url) for _ in range(3)]
    assert [await process.wait() for process in started] == [0, 0, 0]
    assert await migrate.is_current(database_url)


async def test_a_new_sqlite_file_belongs_to_its_owner_alone(tmp_path):
    path = tmp_path / "tillkey.sqlite"
    await migrate.upgrade(f"sqlite:///{path}")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_asking_for_the_version_makes_no_file(tmp_path):
    assert await migrate.current(f"sqlite:///{tmp_path}/none.sqlite") is None
    assert list(tmp_path.iterdir()) == []


async def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigError, match="missing"):
        await migrate.upgrade(f"sqlite:///{tmp_path}/missing/tillkey.sqlite")


async def test_a_database_out_of_reach_is_unavailable(tmp_path):
    with pytest.raises(Unavailable):
        await migrate.upgrade(f"postgresql://nobody@/none?host={tmp_path}")


async def test_a_failing_upgrade_leaves_the_database_as_it_was(database_url, monkeypatch):
    def fail(_connection):
        raise RuntimeError

    monkeypatch.setattr(migrate, "_check_references", fail)
    with pytest.raises(RuntimeError):
        await migrate.upgrade(database_url)
    monkeypatch.undo()
    assert await migrate.current(database_url) is None
    await migrate.upgrade(database_url)


def test_the_alembic_command_works_for_those_who_write_migrations(tmp_path):
    url = f"url=sqlite:///{tmp_path}/scratch.sqlite"
    config = Path(migrate.scripts_folder()) / "alembic.ini"
    for words in (["upgrade", "head"], ["check"]):
        command = [sys.executable, "-m", "alembic", "-c", str(config), "-x", url, *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def test_an_installation_without_migrations_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(migrate, "__file__", str(tmp_path / "a" / "b" / "c" / "migrate.py"))
    with pytest.raises(ConfigError, match="migrations"):
        migrate.scripts_folder()


def test_an_installed_server_finds_the_migrations_within_its_package(tmp_path, monkeypatch):
    folder = tmp_path / "tillkey_server" / "_migrations"
    folder.mkdir(parents=True)
    (folder / "env.py").touch()
    monkeypatch.setattr(migrate, "__file__", str(tmp_path / "tillkey_server" / "store" / "migrate.py"))
    assert migrate.scripts_folder() == folder


async def _sent(url, *statements):
    """Send statements over a connection of its own, and commit."""

    def send(connection):
        with connection.begin():
            for statement in statements:
                connection.exec_driver_sql(statement)

    await migrate.with_connection(engines.parse_url(url), send)


async def _behind(url):
    """Migrate a database to the version before the newest, beside a table that is somebody else's."""
    [newest, before, *_] = [script.revision for script in migrate._scripts().walk_revisions()]
    assert newest == migrate.head()
    await migrate.with_connection(engines.parse_url(url), lambda connection: migrate._upgrade_over(connection, before))
    await _sent(url, "CREATE TABLE somebody_elses (id integer)")


@asynccontextmanager
async def _held(url, table):
    """Hold a table of PostgreSQL as a running statement does."""
    engine = create_async_engine(engines.parse_url(url), poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.exec_driver_sql(f"LOCK TABLE {table} IN ROW EXCLUSIVE MODE")
        yield connection
    await engine.dispose()


async def test_a_migration_waits_for_no_table_that_is_not_ours(fresh_database):
    url = fresh_database("postgresql")
    await _behind(url)
    async with _held(url, "somebody_elses"):
        assert await migrate.upgrade(url) == migrate.head()


async def test_a_migration_gives_way_to_who_holds_a_table_of_ours_and_goes_on_afterwards(fresh_database):
    url = fresh_database("postgresql")
    await _behind(url)
    async with _held(url, "license") as holder:
        upgrading = asyncio.create_task(migrate.upgrade(url))
        await _until_waited_for(url, "license")
        # Who holds one of ours gets another all the same, within its own patience.
        await holder.exec_driver_sql("SET LOCAL lock_timeout = '900ms'")
        await holder.exec_driver_sql("LOCK TABLE activation IN ROW EXCLUSIVE MODE")
        await holder.rollback()
        assert await upgrading == migrate.head()


async def _until_waited_for(url, table):
    asked = f"SELECT count(*) FROM pg_locks WHERE relation = '{table}'::regclass AND NOT granted"
    waiting = 0
    while not waiting:
        waiting = await migrate.with_connection(
            engines.parse_url(url), lambda connection: connection.exec_driver_sql(asked).scalar_one()
        )


async def test_a_migration_that_may_not_lock_our_tables_says_so_at_once(fresh_database):
    url = fresh_database("postgresql")
    await _behind(url)

    def upgrade_as_another(connection):
        # A role is the whole cluster's: it goes with the transaction.
        with connection.begin():
            connection.exec_driver_sql("CREATE ROLE another")
            connection.exec_driver_sql("GRANT SELECT ON alembic_version TO another")
            connection.exec_driver_sql("SET LOCAL ROLE another")
            migrate.upgrade_within(connection, "head")

    with pytest.raises(DBAPIError, match="permission denied"):
        await migrate.with_connection(engines.parse_url(url), upgrade_as_another)
