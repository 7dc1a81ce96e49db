"""`keys …`: an operator replaces keys without a line of Python, and nothing is made of what cannot be published."""

import json
from pathlib import Path

import pytest

from tests.server.cli.conftest import Shell, own_folder
from tests.support.commands import invoke
from tillkey_server.cli import keys as commands
from tillkey_server.settings import Settings
from tillkey_server.signing.keyring import Keyring


@pytest.fixture
def shell(made, tmp_path):
    """A folder of the test's own; its root key lies outside, as it should."""
    folder = own_folder(made, tmp_path)
    (folder / "root-key.json").rename(tmp_path / "root.json")
    return Shell(folder)


@pytest.fixture
def root(tmp_path):
    return str(tmp_path / "root.json")


def offline(*words):
    """Run a command on a machine that has no data folder."""
    result = invoke(list(words))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def content(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def states(told):
    return [key["state"] for key in told["keys"]]


def test_a_new_server_has_one_active_key_and_one_root(shell):
    told = shell.json("keys", "list")
    assert (told["version"], told["threshold"], states(told), told["root_key_here"]) == (1, 1, ["active"], False)
    [key] = told["keys"]
    assert (key["private_half_here"], key["signs_until"]) == (True, None)
    assert key["kid"] in shell.run("keys", "list").stdout


def test_a_rotation_publishes_the_new_key_a_week_before_it_signs(shell, root):
    told = shell.json("keys", "rotate", "--root-key", root, "--yes")
    assert (told["version"], states(told)) == (2, ["active", "pending"])
    old, new = told["keys"]
    assert old["signs_until"] > new["signs_from"]
    assert "SIGHUP" in " ".join(told["next"])
    assert Keyring.load(Settings.load(shell.data_dir, {})).keyset.version == 2


def test_a_stolen_key_is_left_out_and_its_successor_signs_at_once(shell, root):
    [stolen] = shell.json("keys", "list")["keys"]
    result = shell.run("keys", "rotate", "--root-key", root, "--drop", stolen["kid"], "--yes")
    assert result.exit_code == 0
    assert f"left  {stolen['kid']}: leases that it signed lose their extras" in result.stderr
    assert states(shell.json("keys", "list")) == ["compromised", "active"]


def test_a_rotation_whose_root_key_is_not_at_hand_says_what_to_do_and_makes_nothing(shell):
    before = content(shell.data_dir)
    result = shell.run("keys", "rotate", "--yes")
    assert result.exit_code == 2
    for word in ("--root-key FILE", "keys prepare", "keys sign", "keys publish"):
        assert word in result.stderr
    assert content(shell.data_dir) == before


@pytest.mark.parametrize(
    ("words", "mend"),
    [
        ((), "--yes"),
        (("--drop", "nobody", "--yes"), "it holds"),
        (("--drop-root", "nobody", "--yes"), "it holds"),
        (("--threshold", "2", "--yes"), "--new-root"),
        (("--new-root", "missing.json", "--yes"), "keys new-root"),
    ],
)
def test_what_cannot_be_done_says_what_can_and_makes_nothing(shell, root, words, mend):
    before = content(shell.data_dir)
    result = shell.run("keys", "rotate", "--root-key", root, *words)
    assert result.exit_code == 2
    assert mend in result.stderr
    assert content(shell.data_dir) == before


@pytest.mark.parametrize(("answer", "exit_code", "version"), [("n", 2, 1), ("y", 0, 2)])
def test_a_person_is_shown_the_keyset_and_asked_before_it_is_published(
    shell, root, monkeypatch, answer, exit_code, version
):
    monkeypatch.setattr(commands, "somebody_is_there", lambda: True)
    before = content(shell.data_dir)
    words = ("keys", "rotate", "--root-key", root, "--data-dir", str(shell.data_dir))
    result = invoke(words, input=f"{answer}\n")
    shown, _, _ = result.stderr.partition("Sign and publish this keyset?")
    assert "Keyset version 2 of" in shown
    assert "signed by: nobody yet" not in shown
    assert result.exit_code == exit_code
    assert (content(shell.data_dir) == before) == (answer == "n")
    assert shell.json("keys", "list")["version"] == version


def test_a_file_that_others_can_read_or_that_is_none_is_no_root_key(shell, root, tmp_path):
    Path(root).chmod(0o644)
    assert "chmod 600" in shell.run("keys", "rotate", "--root-key", root, "--yes").stderr
    nonsense = tmp_path / "nonsense"
    nonsense.touch(mode=0o600)
    assert "keys new-root" in shell.run("keys", "rotate", "--root-key", str(nonsense), "--yes").stderr


def test_a_second_rotation_waits_for_the_first_or_says_what_to_leave_out(shell, root):
    pending = shell.json("keys", "rotate", "--root-key", root, "--yes")["keys"][1]["kid"]
    refused = shell.run("keys", "rotate", "--root-key", root, "--yes")
    assert refused.exit_code == 2
    assert f"--drop {pending}" in refused.stderr


def test_a_draft_is_signed_where_the_root_key_is_and_published_where_the_server_is(shell, root, tmp_path):
    draft, signed = str(tmp_path / "draft.json"), str(tmp_path / "signed.json")
    assert shell.run("keys", "prepare", draft).exit_code == 0
    assert (shell.json("keys", "list")["version"], states(shell.json("keys", "list"))) == (1, ["active", "prepared"])
    unsigned = shell.run("keys", "publish", draft, "--yes")
    assert unsigned.exit_code == 2
    assert "keys sign" in unsigned.stderr
    told = json.loads(offline("keys", "sign", "--root-key", root, draft, signed, "--yes", "--json").stdout)
    assert told["signed_by"] == told["roots"]
    assert states(shell.json("keys", "publish", signed, "--yes")) == ["active", "pending"]
    again = shell.run("keys", "publish", signed, "--yes")
    assert again.exit_code == 2
    assert "keys prepare" in again.stderr


def test_a_draft_is_written_over_no_file_and_leaves_no_key_behind_then(shell, tmp_path):
    (tmp_path / "draft.json").touch()
    before = content(shell.data_dir)
    assert shell.run("keys", "prepare", str(tmp_path / "draft.json")).exit_code == 2
    assert content(shell.data_dir) == before


def test_two_of_three_roots_are_reached_one_by_one_and_no_single_one_is_enough_after(shell, root, tmp_path):
    files = [str(tmp_path / name) for name in ("b.json", "c.json")]
    for file in files:
        assert offline("keys", "new-root", file).exit_code == 0
        assert Path(file).stat().st_mode & 0o077 == 0
    publics = [word for file in files for word in ("--new-root", file.replace(".json", ".pub.json"))]
    words = ("--root-key", root, "--root-key", files[0], *publics, "--threshold", "2", "--starts-in", "0", "--yes")
    told = shell.json("keys", "rotate", *words)
    assert (told["version"], told["threshold"], len(told["roots"])) == (2, 2, 3)
    alone = shell.run("keys", "rotate", "--root-key", root, "--yes")
    assert alone.exit_code == 2
    assert "2 of the roots" in alone.stderr
    draft, once, twice = (str(tmp_path / name) for name in ("draft", "once", "twice"))
    assert shell.run("keys", "prepare", "--starts-in", "0", draft).exit_code == 0
    assert offline("keys", "sign", "--root-key", files[1], draft, once, "--yes").exit_code == 0
    assert shell.run("keys", "publish", once, "--yes").exit_code == 2
    assert offline("keys", "sign", "--root-key", files[0], once, twice, "--yes").exit_code == 0
    assert shell.json("keys", "publish", twice, "--yes")["version"] == 3


def test_a_root_that_was_stolen_is_followed_by_another_and_signs_nothing_any_more(shell, root, tmp_path):
    other = str(tmp_path / "other.json")
    new = json.loads(offline("keys", "new-root", other, "--json").stdout)
    [stolen] = shell.json("keys", "list")["roots"]
    change = ("--new-root", new["public"], "--drop-root", stolen, "--starts-in", "0", "--yes")
    alone = shell.run("keys", "rotate", "--root-key", root, *change)
    assert alone.exit_code == 2
    told = shell.json("keys", "rotate", "--root-key", root, "--root-key", other, *change)
    assert told["roots"] == [new["kid"]]
    assert shell.run("keys", "rotate", "--root-key", root, "--starts-in", "0", "--yes").exit_code == 2
    assert shell.run("keys", "rotate", "--root-key", other, "--starts-in", "0", "--yes").exit_code == 0


@pytest.mark.clause("I16")
def test_no_command_tells_a_private_key(shell, root, tmp_path):
    file = tmp_path / "new.json"
    results = [
        offline("keys", "new-root", str(file), "--json"),
        shell.run("keys", "rotate", "--root-key", root, "--yes", "--json"),
        shell.run("keys", "list", "--json"),
    ]
    private = [file, Path(root), *(shell.data_dir / "online-keys").iterdir()]
    secrets = [json.loads(path.read_text())["d"] for path in private]
    assert len(secrets) == 4
    assert not [secret for secret in secrets for one in results if secret in one.stdout + one.stderr]
    assert "d" not in json.loads((tmp_path / "new.pub.json").read_text())
