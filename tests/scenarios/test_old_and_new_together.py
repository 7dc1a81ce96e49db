"""The next version is put beside the old one on its database, and tills go between both (invariant I18)."""

import asyncio
import json
import sqlite3
import threading
from contextlib import closing
from itertools import count
from types import SimpleNamespace

import httpx
import pytest
from sqlalchemy import select

from tests.support import old_code
from tests.support.databases import DIALECTS
from tests.support.server import Installation
from tests.support.shop import PROJECT, sells
from tillkey import LicenseClient, Refused
from tillkey_server.store import migrate
from tillkey_server.store.db import Database
from tillkey_server.store.tables import chain_event

_numbers = count(1)


@pytest.fixture(scope="module")
def old(tmp_path_factory):
    """The code of before migration 0002; where the clone has no history, today's without its newest migration."""
    folder = tmp_path_factory.mktemp("old")
    return old_code.real(folder / "code") or old_code.reconstructed(folder / "code")


@pytest.fixture(scope="module")
def without_newest(tmp_path_factory):
    return old_code.reconstructed(tmp_path_factory.mktemp("before") / "code")


class Till:
    """One machine, whose till may be pointed at either server."""

    def __init__(self, place, keyset):
        number = next(_numbers)
        self.folder = place / f"till-{number}"
        self.keyset = keyset
        self.traits = {trait: f"{trait} {number}" for trait in ("machine_id", "hostname", "hardware")}

    def at(self, server):
        return LicenseClient(
            server.url, "pos-core", self.keyset, self.folder, machine_traits=self.traits, app_version="1.0"
        )


@pytest.mark.parametrize("dialect", DIALECTS)
def test_old_and_new_servers_run_together_on_one_database(dialect, old, databases, tmp_path):
    url = databases.create(dialect)
    before = Installation(tmp_path / "data", database_url=url, environment=old_code.environment(old)).init()
    after = Installation(tmp_path / "data", database_url=url)
    sold = SimpleNamespace(**dict(zip(("first", "second"), before.issue_many(2), strict=True)))
    first, second = (Till(tmp_path, tmp_path / "data" / "keyset.json") for _ in range(2))
    with before.serving() as old_server:
        assert sells(first.at(old_server).activate(sold.first.license_key, project=PROJECT))
        beats = _beating_while(lambda: after.succeed("migrate"), lambda: first.at(old_server).heartbeat())
        assert all(sells(verdict) for verdict in beats)
        with after.serving() as new_server:
            _goes_between(first, second, sold.second, old_server, new_server)
            after.succeed("license", "suspend", sold.second.license_id, "--reason", "a test")
            with pytest.raises(Refused):
                second.at(old_server).heartbeat()
        assert sells(first.at(old_server).heartbeat())
    assert asyncio.run(_suspicions(url)) == []


async def _suspicions(url):
    """Every fork, switch, adoption and conflict that either server noticed."""
    database = Database(url)
    async with database.reading() as conn:
        found = (await conn.execute(select(chain_event.c.kind))).scalars().all()
    await database.dispose()
    return found


def _beating_while(work, beat):
    """Let a till beat on and on while `work` is done, and return what each beat said."""
    verdicts, done = [], threading.Event()

    def go_on():
        while not done.is_set():
            verdicts.append(beat())

    beating = threading.Thread(target=go_on)
    beating.start()
    try:
        work()
    finally:
        done.set()
        beating.join()
    assert verdicts
    return verdicts


def _goes_between(first, second, license_, old_server, new_server):
    for server in (new_server, old_server, new_server):
        assert sells(first.at(server).heartbeat())
    assert sells(second.at(new_server).activate(license_.license_key, project=PROJECT))
    assert sells(second.at(old_server).heartbeat())
    assert second.at(old_server).deactivate().status == "released"
    assert sells(second.at(old_server).activate(license_.license_key, project=PROJECT))
    assert sells(second.at(new_server).heartbeat())


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_server_without_the_newest_migration_starts_and_is_ready(dialect, without_newest, databases, tmp_path):
    url = databases.create(dialect)
    Installation(tmp_path / "data", database_url=url).init()
    older = Installation(tmp_path / "data", database_url=url, environment=old_code.environment(without_newest))
    assert older.command("migrate") == {"from": migrate.head(), "to": migrate.head()}
    with older.serving() as server:
        told = httpx.get(f"{server.url}/readyz", trust_env=False)
        assert told.status_code == 200
        needs = {check["name"]: check["detail"] for check in told.json()["checks"]}
        assert needs["migrated"] == "the schema is newer than this server, and serves it"


def test_a_server_that_the_database_no_longer_serves_is_refused(without_newest, tmp_path):
    Installation(tmp_path / "data").init()
    with closing(sqlite3.connect(tmp_path / "data" / "tillkey.sqlite")) as connection, connection:
        connection.execute("DELETE FROM served_code WHERE revision <> ?", [migrate.head()])
    older = Installation(tmp_path / "data", environment=old_code.environment(without_newest))
    for command in (("serve", "--port", "0"), ("migrate",)):
        result = older.run(*command)
        assert result.exit_code == 2, json.dumps(result.stderr)
        assert "migrated by a newer server" in result.stderr
