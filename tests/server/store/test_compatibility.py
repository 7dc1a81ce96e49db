"""Which code a database serves: what the migrations say, what is written down, and that they say the truth."""

import shutil

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, select

from tillkey_server.errors import BrokenInvariant, ConfigError
from tillkey_server.store import migrate
from tillkey_server.store.compatibility import revisions_served
from tillkey_server.store.db import Database
from tillkey_server.store.migrate import Standing
from tillkey_server.store.tables import served_code

_MIGRATION = """
from alembic import op
import sqlalchemy as sa
revision, down_revision, branch_labels, depends_on = {revision!r}, {before!r}, None, None
{oldest}
def upgrade():
    op.create_table("t" + revision, sa.Column("id", sa.Integer, primary_key=True))
"""


@pytest.fixture
def further(tmp_path, monkeypatch):
    """Give `further(oldest_code, …)`: the server gets one more migration for each, and each says that."""
    folder = tmp_path / "migrations"
    shutil.copytree(migrate.scripts_folder(), folder, ignore=shutil.ignore_patterns("__pycache__"))
    before = migrate.head()

    def add(*oldest_codes):
        monkeypatch.setattr(migrate, "scripts_folder", lambda: folder)
        migrate._head_in.cache_clear()
        told = before
        for number, oldest in enumerate(oldest_codes, 9001):
            says = "" if oldest is None else f"oldest_code = {oldest!r}"
            text = _MIGRATION.format(revision=str(number), before=told, oldest=says)
            (folder / "versions" / f"{number}_more.py").write_text(text)
            told = str(number)
        return ScriptDirectory(str(folder))

    return add


def test_code_from_the_oldest_that_a_migration_names_is_served(further):
    before = migrate.head()
    assert revisions_served(further(before), "9001") == ("9001", before)


def test_a_later_migration_that_demands_less_lifts_no_earlier_demand(further):
    assert revisions_served(further("9001", "0001"), "9002") == ("9002", "9001")


@pytest.mark.parametrize("said", [None, "9002", "nonsense"])
def test_a_migration_that_does_not_say_which_code_it_serves_is_refused(further, said):
    with pytest.raises(BrokenInvariant, match="oldest_code"):
        revisions_served(further(said, "0001"), "9002")


async def test_a_database_says_which_code_it_serves(database):
    async with database.reading() as conn:
        written = [*(await conn.execute(select(served_code.c.revision))).scalars()]
    scripts = ScriptDirectory(str(migrate.scripts_folder()))
    assert sorted(written) == sorted(revisions_served(scripts, migrate.head()))
    assert migrate.head() in written


@pytest.mark.parametrize("serves", [True, False])
async def test_the_older_server_goes_on_exactly_where_the_newer_database_says_so(
    migrated_url, further, monkeypatch, serves
):
    mine = migrate.head()
    further(mine if serves else "9001")
    await migrate.upgrade(migrated_url)
    monkeypatch.undo()
    assert await migrate.standing(migrated_url) is (Standing.NEWER_SERVES if serves else Standing.NEWER)
    if serves:
        assert await migrate.upgrade(migrated_url) == "9001"
        return
    with pytest.raises(ConfigError, match="newer server"):
        await migrate.upgrade(migrated_url)


async def test_a_database_that_lacks_a_migration_is_older(migrated_url, further):
    further(migrate.head())
    assert await migrate.standing(migrated_url) is Standing.OLDER


def _shape(connection):
    look = inspect(connection)
    return {
        name: {
            "columns": {c["name"]: (str(c["type"]), c["nullable"], c["default"]) for c in look.get_columns(name)},
            "rules": sorted(
                str(rule)
                for rules in (look.get_unique_constraints, look.get_check_constraints, look.get_foreign_keys)
                for rule in rules(name)
            ),
            "unique": sorted(str(index["name"]) for index in look.get_indexes(name) if index["unique"]),
        }
        for name in look.get_table_names()
        if name != "alembic_version"
    }


async def test_what_the_oldest_served_code_knows_was_not_changed_by_any_later_migration(database_url):
    """The promise behind `oldest_code`: tables and columns only come, and none that old code could not leave out."""
    scripts = ScriptDirectory(str(migrate.scripts_folder()))
    oldest = revisions_served(scripts, migrate.head())[-1]
    await migrate.with_connection(migrate.engines.parse_url(database_url), lambda c: _upgraded_to(c, oldest))
    database = Database(database_url)
    async with database.reading() as conn:
        then = await conn.run_sync(_shape)
    await database.dispose()
    await migrate.upgrade(database_url)
    database = Database(database_url)
    async with database.reading() as conn:
        now = await conn.run_sync(_shape)
    await database.dispose()
    for name, table in then.items():
        assert (now[name]["rules"], now[name]["unique"]) == (table["rules"], table["unique"]), name
        for column, (type_, nullable, default) in now[name]["columns"].items():
            held = table["columns"].get(column)
            assert held == (type_, nullable, default) if held else nullable or default is not None, (name, column)


def _upgraded_to(connection, revision):
    with connection.begin():
        migrate.upgrade_within(connection, revision)
