"""`doctor`: each check says when something is not well, names the mend, and the exit code follows."""

import asyncio
import os
import shutil
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from tests.server.cli.conftest import Shell, own_folder
from tests.server.cli.test_tls import certified
from tests.support.house import TurnedClock
from tests.support.made import ISSUER
from tillkey_server.clock import SystemClock
from tillkey_server.settings import Settings
from tillkey_server.store import audit
from tillkey_server.store.db import Database
from tillkey_server.usecases import doctor
from tillkey_server.usecases.doctor import Verdict, examine
from tillkey_server.usecases.setup import initialize


def now():
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(scope="module")
def well(tmp_path_factory):
    """A data folder that no other module's tests have changed, as young as these tests."""
    settings = Settings.load(tmp_path_factory.mktemp("well") / "data", {})
    asyncio.run(initialize(settings, issuer=ISSUER, examples=False, clock=SystemClock()))
    return settings


@pytest.fixture
def shell(url, well, tmp_path, monkeypatch):
    """A folder of the test's own, which it may spoil."""
    monkeypatch.setenv("TILLKEY_DATABASE_URL", url)
    return Shell(own_folder(well, tmp_path))


@pytest.fixture
def settings(shell):
    return Settings.load(shell.data_dir, os.environ)


@pytest.fixture
def own(well, tmp_path):
    """The settings of a folder with its own SQLite file, for what has nothing to do with the engine."""
    shutil.copytree(well.data_dir, tmp_path / "own")
    (tmp_path / "own").chmod(0o700)
    return Settings.load(tmp_path / "own", {})


def found(settings, at=None):
    """What the doctor finds at that time, by name; the worst of each name."""
    checks = {}
    for check in asyncio.run(examine(settings, TurnedClock(at or now()))):
        checks.setdefault(check.name, check)
    return checks


def test_a_server_that_is_well_passes_and_warnings_name_what_to_do(shell):
    told = shell.json("doctor")
    assert told["ok"] is True, told
    checks = {check["name"]: check for check in told["checks"]}
    assert set(checks) >= {
        *("folder", "secrets", "root_key", "keys", "policies", "database", "schema", "writes"),
        *("sqlite_library", "clock", "disk", "backup"),
    }
    assert {name for name, check in checks.items() if check["verdict"] == "fail"} == set()
    for check in checks.values():
        assert (check["mend"] is None) == (check["verdict"] == "ok"), check


def test_what_fails_makes_exit_code_1_with_json_and_without(shell):
    (shell.data_dir / "pepper").chmod(0o644)
    told = shell.json("doctor", exit_code=1)
    assert (told["ok"], told["verdict"]) == (False, "fail")
    result = shell.run("doctor")
    assert result.exit_code == 1
    assert "chmod 600" in result.stdout


def test_a_folder_that_was_never_initialized_is_told_and_nothing_is_made(tmp_path, monkeypatch):
    monkeypatch.delenv("TILLKEY_DATABASE_URL", raising=False)
    told = Shell(tmp_path / "none").json("doctor", exit_code=1)
    assert "init" in told["checks"][0]["mend"]
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("spoil", "name", "verdict"),
    [
        (lambda d: d.chmod(0o755), "folder", Verdict.FAIL),
        (lambda d: d.chmod(0o750), "folder", Verdict.WARN),
        (lambda d: (d / "root-key.json").chmod(0o640), "secrets", Verdict.FAIL),
        (lambda d: next((d / "online-keys").iterdir()).chmod(0o604), "secrets", Verdict.FAIL),
        (lambda d: (d / "pepper").unlink(), "pepper", Verdict.FAIL),
        (lambda d: (d / "root-key.json").touch(), "root_key", Verdict.WARN),
        (lambda d: (d / "replaced-1").mkdir(), "leftovers", Verdict.WARN),
        (lambda d: (d / ".restoring-1").mkdir(), "leftovers", Verdict.WARN),
        (lambda d: next((d / "online-keys").iterdir()).unlink(), "keys", Verdict.FAIL),
        (lambda d: (d / "keysets" / "1.json").write_text("{}"), "keys", Verdict.FAIL),
        (lambda d: ((d / "policies").mkdir(), (d / "policies" / "x.toml").touch()), "policies", Verdict.FAIL),
    ],
)
def test_what_is_not_well_in_the_folder_is_found(own, spoil, name, verdict):
    spoil(own.data_dir)
    check = found(own)[name]
    assert check.verdict is verdict
    assert check.mend


def test_a_root_key_that_was_moved_away_is_well(own):
    own.root_key_path.unlink()
    assert found(own)["root_key"].verdict is Verdict.OK


def test_a_database_out_of_reach_is_found(shell, monkeypatch):
    monkeypatch.setenv("TILLKEY_DATABASE_URL", "postgresql://nobody:secret@127.0.0.1:1/none")
    [database] = [one for one in shell.json("doctor", exit_code=1)["checks"] if one["name"] == "database"]
    assert database["verdict"] == "fail"
    assert "secret" not in database["detail"]


def test_a_database_without_tables_is_found(shell, fresh_database, monkeypatch):
    monkeypatch.setenv("TILLKEY_DATABASE_URL", fresh_database("postgresql"))
    [schema] = [one for one in shell.json("doctor", exit_code=1)["checks"] if one["name"] == "schema"]
    assert "migrate" in schema["mend"]


def test_a_clock_behind_the_ceremony_is_found(own):
    assert found(own, now() - timedelta(days=1))["clock"].verdict is Verdict.FAIL


def decide(url, at):
    """Write one decision of that time."""

    async def write():
        database = Database(url)
        async with database.writing() as tx:
            await audit.append(tx, at=at, actor="cli:test", action="test", outcome="allow", code="test")
        await database.dispose()

    asyncio.run(write())


def test_decisions_that_nobody_seals_are_found_and_a_sealed_log_is_proved(shell, settings, url):
    decide(url, now() - doctor.SEALED_WITHIN - timedelta(minutes=1))
    assert found(settings)["audit"].verdict is Verdict.WARN
    shell.json("jobs", "run")
    assert found(settings)["audit"].verdict is Verdict.OK


def test_a_decision_that_was_changed_is_found(shell, settings, url):
    decide(url, now())
    shell.json("jobs", "run")

    async def tamper():
        database = Database(url)
        async with database.writing() as tx:
            await tx.execute(text("UPDATE audit_event SET actor = 'cli:nobody'"))
        await database.dispose()

    asyncio.run(tamper())
    assert found(settings)["audit"].verdict is Verdict.FAIL


def test_a_clock_behind_the_newest_decision_is_found_beyond_the_slack_between_servers(settings, url):
    at = now()
    decide(url, at + doctor.CLOCK_SLACK)
    assert found(settings, at)["clock"].verdict is Verdict.OK
    decide(url, at + doctor.CLOCK_SLACK + timedelta(seconds=1))
    assert found(settings, at)["clock"].verdict is Verdict.FAIL


@pytest.mark.parametrize(("days", "verdict"), [(0, Verdict.WARN), (2, Verdict.FAIL), (-2, Verdict.FAIL)])
def test_a_certificate_is_looked_at_before_it_ends(own, days, verdict):
    cert, key = certified(own.data_dir)
    key.chmod(0o600)
    settings = Settings.load(own.data_dir, {"TILLKEY_TLS_CERT": str(cert), "TILLKEY_TLS_KEY": str(key)})
    assert found(settings, now() + timedelta(days=days))["certificate"].verdict is verdict


def test_too_little_room_is_found(own, monkeypatch):
    monkeypatch.setattr(doctor, "LOW_SPACE", 2**62)
    assert found(own)["disk"].verdict is Verdict.WARN
    monkeypatch.setattr(doctor, "NO_SPACE", 2**62)
    assert found(own)["disk"].verdict is Verdict.FAIL


def test_a_backup_is_missed_until_one_was_made_and_again_when_it_is_old(shell, settings, tmp_path):
    assert found(settings)["backup"].verdict is Verdict.WARN
    shell.json("backup", str(tmp_path / "file"))
    assert found(settings)["backup"].verdict is Verdict.OK
    later = datetime.now(UTC) + doctor.BACKUP_IS_OLD + timedelta(minutes=1)
    assert found(settings, later.replace(microsecond=0))["backup"].verdict is Verdict.WARN


def test_the_sqlite_library_fails_only_where_the_operator_is_strict(settings, shell, monkeypatch):
    monkeypatch.setattr(doctor, "sqlite_warning", lambda _version: "SQLite 3 has a bug. Install another.")
    on_sqlite = settings.database_url.startswith("sqlite")
    assert found(settings)["sqlite_library"].verdict is (Verdict.WARN if on_sqlite else Verdict.OK)
    monkeypatch.setenv("TILLKEY_STRICT_SQLITE", "1")
    strict = Settings.load(shell.data_dir, os.environ)
    assert found(strict)["sqlite_library"].verdict is (Verdict.FAIL if on_sqlite else Verdict.OK)


def test_a_sqlite_file_that_others_can_read_is_found(own):
    assert "database_file" not in found(own)
    (own.data_dir / "tillkey.sqlite").chmod(0o644)
    assert found(own)["database_file"].verdict is Verdict.WARN
