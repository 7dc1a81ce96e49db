"""`init`, `policy`, and what every command does where there is nothing, or nobody."""

import json
import shutil
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.commands import invoke
from tillkey.wire.keyset import open_keyset
from tillkey_server.cli import main as cli
from tillkey_server.cli.running import actor

COMMANDS = [
    ("serve",),
    ("migrate",),
    ("license", "issue", "--product", "pos-core", "--customer", "a@b.example"),
    ("activation", "list"),
    ("product", "list"),
]


def run(*words: str):
    result = invoke(list(words))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def content(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "sqlite" not in path.name
    }


def test_a_second_init_says_what_it_found_and_changes_nothing(tmp_path):
    folder = tmp_path / "data"
    first = json.loads(run("init", "--data-dir", str(folder), "--examples", "--json").stdout)
    assert len(first["created"]) == 2
    assert first["issuer"].startswith("tillkey-")
    assert len(first["issuer"]) == len("tillkey-") + 8
    before = content(folder)
    second = json.loads(run("init", "--data-dir", str(folder), "--examples", "--json").stdout)
    assert (second["created"], second["issuer"], second["products"]) == ([], first["issuer"], first["products"])
    assert content(folder) == before
    assert open_keyset((folder / "keyset.json").read_text("ascii")).issuer == first["issuer"]


def test_init_tells_a_person_what_to_do_next(tmp_path):
    told = run("init", "--data-dir", str(tmp_path / "data")).stdout
    for word in ("root-key.json", "safe place", "keyset.json", "tillkey-server serve"):
        assert word in told


def test_init_repeats_the_address_that_tills_are_given(tmp_path, monkeypatch):
    monkeypatch.setenv("TILLKEY_PUBLIC_URL", "https://licenses.example.com/")
    assert "address https://licenses.example.com (" in run("init", "--data-dir", str(tmp_path / "data")).stdout


def test_the_data_folder_and_its_secrets_are_their_owners_alone(tmp_path):
    folder = tmp_path / "data"
    run("init", "--data-dir", str(folder))
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for secret in ("root-key.json", "pepper", "tillkey.sqlite"):
        assert stat.S_IMODE((folder / secret).stat().st_mode) == 0o600


def test_the_issuer_is_chosen_once_and_for_all(tmp_path):
    folder = ("--data-dir", str(tmp_path / "data"))
    assert json.loads(run("init", *folder, "--issuer", "acme", "--json").stdout)["issuer"] == "acme"
    assert run("init", *folder, "--issuer", "acme").exit_code == 0
    refused = run("init", *folder, "--issuer", "other")
    assert refused.exit_code == 2
    assert "acme" in refused.stderr


def test_a_root_key_that_was_moved_away_stays_away(tmp_path):
    folder = tmp_path / "data"
    run("init", "--data-dir", str(folder))
    (folder / "root-key.json").rename(tmp_path / "safe.json")
    again = json.loads(run("init", "--data-dir", str(folder), "--json").stdout)
    assert again["root_key"] is None
    assert not (folder / "root-key.json").exists()


def test_an_interrupted_init_is_told_and_nothing_is_overwritten(tmp_path):
    folder = tmp_path / "data"
    run("init", "--data-dir", str(folder))
    (folder / "keyset.json").unlink()
    before = content(folder)
    refused = run("init", "--data-dir", str(folder))
    assert refused.exit_code == 2
    assert "interrupted" in refused.stderr
    assert content(folder) == before


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_folder_that_was_never_initialized_is_a_usage_error_that_names_init(tmp_path, words):
    folder = tmp_path / "nothing"
    result = run(*words, "--data-dir", str(folder))
    assert result.exit_code == 2
    assert f"tillkey-server init --data-dir {folder}" in result.stderr
    assert result.stdout == ""
    assert not folder.exists()


def test_a_database_that_was_not_migrated_is_a_usage_error_that_names_migrate(made, monkeypatch, tmp_path):
    monkeypatch.setenv("TILLKEY_DATABASE_URL", f"sqlite:///{tmp_path / 'empty.sqlite'}")
    result = run("product", "list", "--data-dir", str(made.data_dir))
    assert result.exit_code == 2
    assert "tillkey-server migrate" in result.stderr
    assert f"SQLite file {tmp_path / 'empty.sqlite'}" in result.stderr
    assert "is missing" not in result.stderr
    assert run("migrate", "--data-dir", str(made.data_dir)).exit_code == 0
    assert run("product", "list", "--data-dir", str(made.data_dir)).exit_code == 0


def test_an_unreachable_database_is_exit_code_3_with_the_problem(made, monkeypatch):
    monkeypatch.setenv("TILLKEY_DATABASE_URL", "postgresql://nobody:hidden@127.0.0.1:1/none")
    for words in COMMANDS[2:]:
        result = run(*words, "--data-dir", str(made.data_dir), "--json")
        assert result.exit_code == 3
        assert json.loads(result.stdout)["code"] == "unavailable"
        assert "hidden" not in result.stdout + result.stderr
        assert "127.0.0.1:1/none" in result.stderr
        assert "ConnectionRefusedError" in result.stderr


def test_a_forgotten_database_setting_is_suspected_where_the_default_database_is_empty(made, monkeypatch, tmp_path):
    monkeypatch.delenv("TILLKEY_DATABASE_URL", raising=False)
    folder = tmp_path / "data"
    shutil.copytree(made.data_dir, folder, ignore=shutil.ignore_patterns("*.sqlite*"))
    result = run("product", "list", "--data-dir", str(folder))
    assert result.exit_code == 2
    assert "TILLKEY_DATABASE_URL is missing" in result.stderr
    assert f"SQLite file {folder / 'tillkey.sqlite'}" in result.stderr


@pytest.mark.parametrize("command", ["init", "serve"])
def test_the_help_names_the_database_setting_and_the_policies_folder(command):
    told = " ".join(run(command, "--help").stdout.split())
    assert "TILLKEY_DATABASE_URL" in told
    assert "D/policies" in told


def test_a_policy_file_is_compared_with_the_version_on_record(tmp_path):
    folder, mine = tmp_path / "data", tmp_path / "default.toml"
    assert run("init", "--data-dir", str(folder)).exit_code == 0
    source = json.loads(run("policy", "show", "default", "--json").stdout)["source"]
    words = ("policy", "check", str(mine), "--data-dir", str(folder), "--json")
    mine.write_text(source, "utf-8")
    assert json.loads(run(*words).stdout)["recorded"] == "same"
    mine.write_text(source + "\n# changed\n", "utf-8")
    changed = run(*words)
    assert changed.exit_code == 1
    assert "was recorded with another text" in json.loads(changed.stdout)["detail"]


def test_a_misspelt_setting_is_a_usage_error(made, monkeypatch):
    monkeypatch.setenv("TILLKEY_DATABASE", "sqlite:///x")
    result = run("product", "list", "--data-dir", str(made.data_dir))
    assert result.exit_code == 2
    assert "TILLKEY_DATABASE_URL" in result.stderr


def test_a_policy_file_is_checked_fault_by_fault(tmp_path):
    shown = json.loads(run("policy", "show", "default", "--json").stdout)
    good = tmp_path / "default.toml"
    good.write_text(shown["source"], "utf-8")
    checked = json.loads(run("policy", "check", str(good), "--json").stdout)
    assert checked == {name: shown[name] for name in ("name", "version", "digest")}
    bad = tmp_path / "bad.toml"
    bad.write_text('name = "bad"\nnonsense = 1\n', "utf-8")
    refused = run("policy", "check", str(bad), "--json")
    assert refused.exit_code == 1
    problem = json.loads(refused.stdout)
    assert problem["code"] == "policy_invalid"
    assert "bad.toml: nonsense:" in problem["detail"]
    in_words = run("policy", "check", str(bad))
    assert "bad.toml: nonsense:" in in_words.stderr


def test_a_policy_is_shown_as_its_text(tmp_path):
    told = run("policy", "show", "nexopos")
    assert told.exit_code == 0
    assert 'name = "nexopos"' in told.stdout
    assert run("policy", "show", "none-such").exit_code == 1


def test_the_actor_is_who_is_logged_in():
    assert actor().startswith("cli:")


def test_a_defect_is_neither_done_nor_refused(monkeypatch, capsys):
    def broken() -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(cli, "app", broken)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 70
    assert "RuntimeError" in capsys.readouterr().err


def test_help_is_quick_and_loads_neither_the_web_nor_the_database():
    script = (
        "import sys; sys.argv = ['tillkey-server', '--help']; from tillkey_server.cli.main import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "heavy = {'fastapi', 'sqlalchemy', 'uvicorn', 'pydantic', 'cryptography', 'rich'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    started = time.monotonic()
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
    assert "Usage" in done.stdout
    assert time.monotonic() - started < 5


def test_color_is_for_terminals_and_no_color_is_honored(tmp_path):
    result = run("policy", "show", "none-such")
    assert "\x1b" not in result.stdout + result.stderr
