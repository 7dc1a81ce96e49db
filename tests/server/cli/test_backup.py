"""`backup` and `restore` at the shell: every row on either engine, what is refused, and that a no changes nothing."""

import asyncio
import io
import json
import os
import shutil
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.server.cli.conftest import Shell
from tests.support.databases import DIALECTS
from tillkey_server.clock import SystemClock
from tillkey_server.errors import BadInput
from tillkey_server.store import archive, engines, load, migrate
from tillkey_server.store.db import Database
from tillkey_server.store.dump import snapshot

PASSPHRASE = "correct horse battery"


@pytest.fixture
def whole(shell, tmp_path):
    """A backup of the example server."""
    shell.issue()
    shell.json("api-key", "create", "--name", "shop", "--role", "agent")
    return backup_of(shell, tmp_path / "whole.backup")


@pytest.fixture
def small(made, tmp_path, monkeypatch):
    """A backup of a server without products, for what has nothing to do with the engine."""
    shutil.copytree(made.data_dir, tmp_path / "made")
    monkeypatch.delenv("TILLKEY_DATABASE_URL", raising=False)
    return backup_of(Shell(tmp_path / "made"), tmp_path / "small.backup")


@pytest.fixture
def elsewhere(fresh_database, tmp_path, monkeypatch):
    """Give `elsewhere(dialect)`: a shell over an empty folder and an empty database."""

    def make(dialect):
        monkeypatch.setenv("TILLKEY_DATABASE_URL", fresh_database(dialect))
        return Shell(tmp_path / "elsewhere")

    return make


def backup_of(shell, file):
    shell.json("backup", str(file))
    return file


def rows_of(url):
    async def look():
        async with snapshot(url) as taken:
            return {table.name: sorted([line async for line in taken.rows(table)]) for table in taken.tables}

    found = asyncio.run(look())
    return {name: sorted(b"".join(some).splitlines()) for name, some in found.items()}


def holds_tables(url):
    return asyncio.run(load.holds_tables(url))


def rewritten(file, change):
    """Change a backup's parts and give it a manifest that fits: what a clever forger or a defect of ours would."""
    with file.open("rb") as opened:
        parts = dict(archive.parts(opened))
    change(parts)
    about = json.loads(parts.pop("about.json"))
    made = io.BytesIO()
    with archive.writing(made, about, 0) as writer:
        for name, content in parts.items():
            writer.add(name, content)
    changed = file.with_suffix(".changed")
    changed.write_bytes(made.getvalue())
    return changed


@pytest.mark.parametrize("target", DIALECTS)
def test_every_row_comes_back_on_either_engine(url, whole, elsewhere, target):
    there = elsewhere(target)
    there.json("restore", str(whole))
    assert rows_of(os.environ["TILLKEY_DATABASE_URL"]) == rows_of(url)


def test_the_folder_comes_back_with_its_modes_and_without_the_root_key(shell, whole, elsewhere):
    there = elsewhere("sqlite")
    there.json("restore", str(whole))
    for name in ("pepper", "keyset.json", "keysets/1.json"):
        assert (there.data_dir / name).read_bytes() == (shell.data_dir / name).read_bytes()
    assert stat.S_IMODE(there.data_dir.stat().st_mode) == 0o700
    for secret in (there.data_dir / "pepper", *(there.data_dir / "online-keys").iterdir(), whole):
        assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert (shell.data_dir / "root-key.json").exists()
    assert sorted(path.name for path in there.data_dir.iterdir()) == ["keyset.json", "keysets", "online-keys", "pepper"]
    with whole.open("rb") as opened:
        assert not [name for name, _ in archive.parts(opened) if "root" in name]


def test_a_backup_overwrites_nothing(shell, whole):
    before = whole.read_bytes()
    result = shell.run("backup", str(whole))
    assert (result.exit_code, "exists already" in result.stderr) == (2, True)
    assert whole.read_bytes() == before
    assert [path.name for path in whole.parent.iterdir() if path.name.startswith(".")] == []


def test_restoring_refuses_a_folder_and_a_database_that_hold_something(shell, whole, elsewhere, monkeypatch, url):
    assert "holds a server already" in shell.run("restore", str(whole)).stderr
    there = elsewhere("sqlite")
    monkeypatch.setenv("TILLKEY_DATABASE_URL", url)
    result = there.run("restore", str(whole))
    assert (result.exit_code, "holds tables already" in result.stderr) == (2, True)
    assert not there.data_dir.exists()


def test_what_is_replaced_in_the_folder_is_kept(shell, whole, elsewhere, url):
    there = elsewhere("postgresql" if url.startswith("postgresql") else "sqlite")
    there.json("init", "--issuer", "another")
    done = there.json("restore", str(whole), "--replace")
    assert done["issuer"] == "tillkey-tests"
    kept = there.data_dir / done["kept"].rpartition("/")[2]
    assert {"keyset.json", "pepper", "root-key.json"} <= {path.name for path in kept.iterdir()}
    assert stat.S_IMODE(kept.stat().st_mode) == 0o700
    assert there.json("product", "list")["items"]


def test_an_encrypted_backup_is_opened_by_its_passphrase_alone(shell, elsewhere, tmp_path):
    word, wrong = tmp_path / "word", tmp_path / "wrong"
    word.write_text(f"{PASSPHRASE}\n")
    wrong.write_text("correct horse batterx\n")
    file = tmp_path / "sealed.backup"
    assert shell.json("backup", str(file), "--passphrase-file", str(word))["encrypted"] is True
    there = elsewhere("sqlite")
    assert "passphrase: is missing" in there.run("restore", str(file)).stderr
    assert "passphrase is not the one" in there.run("restore", str(file), "--passphrase-file", str(wrong)).stderr
    assert not there.data_dir.exists()
    there.json("restore", str(file), "--passphrase-file", str(word))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_row_that_the_schema_refuses_leaves_nothing_behind(whole, elsewhere, dialect):
    def twice(parts):
        parts["database/license/0.jsonl"] *= 2

    there = elsewhere(dialect)
    result = there.run("restore", str(rewritten(whole, twice)))
    assert (result.exit_code, "rows of license" in result.stderr) == (2, True)
    assert not holds_tables(os.environ["TILLKEY_DATABASE_URL"])
    assert [*there.data_dir.iterdir()] == []


def test_a_backup_whose_keys_do_not_belong_together_is_refused_before_anything_is_changed(small, elsewhere):
    def another(parts):
        parts["folder/pepper"] = b"short"

    there = elsewhere("sqlite")
    result = there.run("restore", str(rewritten(small, another)))
    assert (result.exit_code, "pepper" in result.stderr) == (2, True)
    assert [*there.data_dir.iterdir()] == []


def test_a_backup_of_a_newer_schema_is_refused(small, elsewhere):
    def newer(parts):
        parts["about.json"] = parts["about.json"].replace(f'"{migrate.head()}"'.encode(), b'"9999"')

    result = elsewhere("sqlite").run("restore", str(rewritten(small, newer)))
    assert (result.exit_code, "a newer server made" in result.stderr) == (2, True)


def test_a_backup_of_an_older_schema_is_brought_to_the_newest(made, fresh_database, elsewhere, tmp_path, monkeypatch):
    older = fresh_database("sqlite")
    parsed = engines.parse_url(older)

    def furnish(connection):
        with connection.begin():
            migrate.upgrade_within(connection, "0001")
            connection.execute(
                text("INSERT INTO customer VALUES ('" + "a" * 32 + "', 'a@b.example', 'a@b.example', 1)")
            )

    asyncio.run(migrate.with_connection(parsed, furnish))
    monkeypatch.setenv("TILLKEY_DATABASE_URL", older)
    file = backup_of(Shell(made.data_dir), tmp_path / "older.backup")
    there = elsewhere("postgresql")
    done = there.json("restore", str(file))
    assert (done["schema"], done["migrated_to"]) == ("0001", migrate.head())
    restored, was = rows_of(os.environ["TILLKEY_DATABASE_URL"])["customer"], rows_of(older)["customer"]
    # What came since is null.
    assert restored == [row.removesuffix(b"]") + b",null]" for row in was] != []


@pytest.mark.parametrize("content", [b"", b"nonsense", b"TILLKEY-SEALED-1\n"])
def test_a_file_that_is_no_backup_is_a_usage_error(elsewhere, tmp_path, content):
    (tmp_path / "file").write_bytes(content)
    result = elsewhere("sqlite").run("restore", str(tmp_path / "file"))
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: ")


async def test_a_snapshot_stands_still_while_rows_are_written(migrated_url):
    database = Database(migrated_url)
    async with snapshot(migrated_url) as taken:
        async with database.writing() as tx:
            await tx.execute(text("INSERT INTO rate_limit VALUES (:bucket, 1)"), {"bucket": b"b" * 32})
        [table] = [table for table in taken.tables if table.name == "rate_limit"]
        assert [some async for some in taken.rows(table)] == []
    await database.dispose()


def test_a_part_is_never_written_outside_the_folder(small, elsewhere):
    def climbing(parts):
        parts["folder/x/../../evil"] = b"x"

    with pytest.raises(BadInput), (rewritten(small, climbing)).open("rb") as opened:
        dict(archive.parts(opened))


@pytest.mark.parametrize(
    ("part", "before", "after"),
    [
        ("about.json", b'"kind": "uuid"', b'"kind": "blob"'),
        ("about.json", b'"name": "policy_version"', b'"name": "policies"'),
        ("about.json", b'"name": "key_hint"', b'"name": "key_hunt"'),
        ("about.json", b'"tables"', b'"table"'),
        ("database/policy_version/0.jsonl", b"]", b",1]"),
        ("database/policy_version/0.jsonl", b"[", b"{"),
    ],
)
def test_what_does_not_fit_together_is_a_usage_error_and_leaves_nothing(small, elsewhere, part, before, after):
    def spoil(parts):
        assert before in parts[part]
        parts[part] = parts[part].replace(before, after)

    there = elsewhere("sqlite")
    result = there.run("restore", str(rewritten(small, spoil)))
    assert (result.exit_code, "file: " in result.stderr) == (2, True), result.stderr
    assert not there.data_dir.exists() or [*there.data_dir.iterdir()] == []


async def test_nothing_is_replaced_under_a_server_that_runs(shell, whole, url):
    database = Database(url)
    async with database.writing() as tx:
        await tx.execute(text("DELETE FROM rate_limit"))
    held = await asyncio.to_thread(rows_of, url)
    try:
        result = await asyncio.to_thread(shell.run, "restore", str(whole), "--replace")
        assert (result.exit_code, "stop every server" in result.stderr) == (2, True), result.stderr
        assert await asyncio.to_thread(rows_of, url) == held
    finally:
        await database.dispose()
    result = await asyncio.to_thread(shell.run, "restore", str(whole), "--replace")
    assert result.exit_code == 0


def test_a_restore_that_was_interrupted_is_no_server_and_is_run_again(small, elsewhere, monkeypatch):
    class PowerCut(Exception):
        pass

    renamed = Path.rename

    def cut(self, target):
        if self.name == "pepper":
            raise PowerCut
        return renamed(self, target)

    there = elsewhere("sqlite")
    with monkeypatch.context() as power:
        power.setattr(Path, "rename", cut)
        with pytest.raises(PowerCut):
            there.run("restore", str(small))
    assert "no Tillkey data folder yet" in there.run("serve", "--port", "0").stderr
    there.json("restore", str(small), "--replace")
    assert there.json("doctor")["ok"] is True


def test_a_restore_is_run_again_by_a_process_of_the_same_number(small, elsewhere, monkeypatch):
    # In a container every process has the same number, and what was killed leaves its files.
    monkeypatch.setattr(os, "getpid", lambda: 7)
    there = elsewhere("sqlite")
    with monkeypatch.context() as killed:
        killed.setattr(shutil, "rmtree", lambda *_, **__: None)
        killed.setattr(Path, "unlink", lambda *_, **__: None)
        killed.setattr(load, "fill", _killed)
        with pytest.raises(Killed):
            there.run("restore", str(small))
    assert [*there.data_dir.iterdir()] != []
    there.json("restore", str(small))
    told = there.json("doctor")["checks"]
    assert [check["verdict"] for check in told if check["name"] == "leftovers"] == ["warn"]


class Killed(Exception):
    """Stands for kill -9: the test keeps everything from tidying up."""


def _killed(*_arguments):
    raise Killed


def test_two_restores_in_one_second_keep_what_each_replaced(small, elsewhere, monkeypatch):
    monkeypatch.setattr(SystemClock, "now", lambda _clock: datetime(2026, 12, 1, tzinfo=UTC))
    there = elsewhere("sqlite")
    there.json("init", "--issuer", "another")
    pepper = (there.data_dir / "pepper").read_bytes()
    kept = [Path(there.json("restore", str(small), "--replace")["kept"]).name for _ in range(3)]
    assert len(set(kept)) == 3
    assert (there.data_dir / kept[0] / "pepper").read_bytes() == pepper
    assert {path.name for path in (there.data_dir / kept[1] / "keysets").iterdir()} == {"1.json"}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_nobody_serves_a_backups_rows_with_the_keys_that_were_there_before(small, elsewhere, monkeypatch, dialect):
    there = elsewhere(dialect)
    there.json("init", "--issuer", "another")
    filled, keyset = load.fill, there.data_dir / "keyset.json"

    def cut(*arguments):
        filled(*arguments)
        # The rows are committed. Without a keyset `serve` refuses the folder, whatever happens now.
        assert not keyset.exists()
        raise Killed

    monkeypatch.setattr(load, "fill", cut)
    with pytest.raises(Killed):
        there.run("restore", str(small), "--replace")
    # It failed and was not killed: what was there is there again.
    assert sorted(path.name for path in there.data_dir.glob("replaced-*")) == []
    assert keyset.exists()
