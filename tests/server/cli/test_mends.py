"""What goes wrong at the command line says what helps: which option, which setting, which command."""

import errno
import shutil
import socket

import pytest

from tests.support.commands import invoke
from tests.support.server import Installation
from tillkey_server.cli import serving
from tillkey_server.errors import BadInput


def run(*words):
    result = invoke([str(word) for word in words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture
def folder(made, tmp_path, monkeypatch):
    """A data folder of the test's own, with its own database."""
    monkeypatch.delenv("TILLKEY_DATABASE_URL", raising=False)
    shutil.copytree(made.data_dir, tmp_path / "data", ignore=shutil.ignore_patterns("*.sqlite*"))
    assert run("migrate", "--data-dir", tmp_path / "data").exit_code == 0
    return tmp_path / "data"


def told(*words, exit_code=2):
    result = run(*words)
    assert result.exit_code == exit_code, result.stderr
    return result.stderr


def served(folder, *words):
    """What a `serve` that cannot start says; a process of its own, since it sets up the log."""
    result = Installation(folder, warm=True).run("serve", *words)
    assert result.exit_code == 2
    return result.stderr


def test_an_address_in_use_names_the_option_and_what_finds_its_holder(folder):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        said = served(folder, "--port", str(taken.getsockname()[1]))
    for word in ("Address already in use", "ss -ltnp", "--port"):
        assert word in said


@pytest.mark.parametrize("host", ["203.0.113.7", "no-such-host.invalid"])
def test_an_address_that_is_not_this_machines_names_the_option(folder, host):
    assert "--host" in served(folder, "--host", host, "--port", "0")


def test_a_port_that_needs_a_right_names_others(monkeypatch):
    class Forbidden(socket.socket):
        def bind(self, address):
            raise OSError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(serving.socket, "socket", Forbidden)
    with pytest.raises(BadInput, match="from 1024 on"), serving._listening("127.0.0.1", 443):
        pass


def test_an_init_where_a_server_is_already_says_so_and_goes_on_to_the_next_step(folder):
    result = run("init", "--data-dir", folder)
    assert result.exit_code == 0
    assert "found    keys and keyset" in result.stdout
    assert "Start the server" in result.stdout


def test_an_init_under_another_name_says_what_to_leave_out(folder):
    said = told("init", "--data-dir", folder, "--issuer", "other")
    assert "leave --issuer out" in said
    assert "--data-dir" in said


def test_an_init_in_a_folder_that_others_may_enter_says_how_to_close_it(tmp_path, monkeypatch):
    monkeypatch.delenv("TILLKEY_DATABASE_URL", raising=False)
    mend = f"chmod 700 {tmp_path / 'data'}"
    (tmp_path / "data").mkdir(mode=0o755)
    assert mend in run("init", "--data-dir", tmp_path / "data").stdout
    (tmp_path / "data").chmod(0o700)
    assert mend not in run("init", "--data-dir", tmp_path / "data").stdout


def test_an_init_where_a_file_is_names_the_option(tmp_path):
    (tmp_path / "file").touch()
    assert "--data-dir" in told("init", "--data-dir", tmp_path / "file")


def test_a_backup_that_exists_or_cannot_be_written_asks_for_another_file(folder, tmp_path):
    (tmp_path / "there").touch()
    assert "name another" in told("backup", "--data-dir", folder, tmp_path / "there")
    assert "may write" in told("backup", "--data-dir", folder, tmp_path / "none" / "file")


def test_a_restore_says_what_it_misses(folder, tmp_path, monkeypatch):
    into = ("restore", "--data-dir", tmp_path / "other")
    assert "`backup` wrote" in told(*into, tmp_path / "none")
    (tmp_path / "junk").write_text("junk")
    assert "take another backup" in told(*into, tmp_path / "junk")
    monkeypatch.setenv("TILLKEY_BACKUP_PASSPHRASE", "a passphrase of ours")
    assert run("backup", "--data-dir", folder, tmp_path / "sealed").exit_code == 0
    monkeypatch.setenv("TILLKEY_BACKUP_PASSPHRASE", "another one of theirs")
    assert "give that passphrase" in told(*into, tmp_path / "sealed")
    monkeypatch.delenv("TILLKEY_BACKUP_PASSPHRASE")
    assert "--passphrase-file" in told(*into, tmp_path / "sealed")
    assert run("backup", "--data-dir", folder, tmp_path / "open").exit_code == 0
    assert "--replace" in told("restore", "--data-dir", folder, tmp_path / "open")


def test_a_checkpoint_that_is_none_names_the_command_that_writes_one(folder, tmp_path):
    (tmp_path / "there").write_bytes(b"\xff")
    assert "audit checkpoint" in told("audit", "verify", "--data-dir", folder, "--checkpoint", tmp_path / "there")
    assert "name another" in told("audit", "checkpoint", "--data-dir", folder, tmp_path / "there")


def test_a_certificate_that_cannot_be_used_names_setting_and_form(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("TILLKEY_TLS_CERT", str(tmp_path / "none.pem"))
    monkeypatch.setenv("TILLKEY_TLS_KEY", str(tmp_path / "none.pem"))
    assert "name a PEM file" in told("serve", "--data-dir", folder, "--port", "0")


def test_a_database_out_of_reach_names_the_doctor(folder, monkeypatch):
    monkeypatch.setenv("TILLKEY_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    assert "tillkey-server doctor" in told("product", "list", "--data-dir", folder, exit_code=3)


def test_a_damaged_keyset_comes_back_from_the_backup(folder):
    (folder / "keysets" / "1.json").write_text("{}")
    assert "restore it from the backup" in told("product", "list", "--data-dir", folder)
