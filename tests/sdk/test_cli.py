"""The command: exact exit codes, JSON alone on standard output, the license key off the process list."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sdk.http_server import closed_port
from tests.sdk.license_server import license_key
from tillkey import cli

SDK = Path(cli.__file__).parents[1]


@pytest.fixture
def tillkey(server, http, tmp_path, monkeypatch, capsys):
    keyset = tmp_path / "keyset.json"
    keyset.write_text(server.keysets[1])
    monkeypatch.setenv("TILLKEY_SERVER", http.address)
    monkeypatch.setenv("TILLKEY_PRODUCT", "pos-core")
    monkeypatch.setenv("TILLKEY_KEYSET", str(keyset))
    monkeypatch.setenv("TILLKEY_STATE_DIR", str(tmp_path / "state"))

    def run(*arguments):
        code = cli.main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_the_story_of_a_license_in_json(server, tillkey):
    server.now = 1_900_000_000
    key = server.sell()
    code, out, err = tillkey("activate", key, "--project", "Corner Shop", "--environment", "staging", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["environment"] == "staging"
    assert json.loads(tillkey("status", "--json")[1])["project"] == "Corner Shop"
    assert json.loads(tillkey("--json", "heartbeat")[1])["usable"] is True
    ticket = json.loads(tillkey("move-ticket", "production", "--json")[1])
    assert ticket["environment"] == "production"
    assert server.knows_ticket(ticket["ticket"])
    code, out, _ = tillkey("deactivate", "--json")
    assert (code, json.loads(out)["status"]) == (0, "released")


def test_the_license_key_can_be_read_from_standard_input(server, tillkey, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(server.sell() + "\n"))
    assert tillkey("activate", "-", "--project", "Corner Shop")[0] == 0
    assert not server.is_free()


def test_a_refusal_is_exit_code_1_with_the_problem_as_json(tillkey):
    code, out, err = tillkey("activate", license_key(9), "--project", "Corner Shop", "--json")
    assert (code, err) == (1, "")
    assert json.loads(out) == {
        "code": "license_invalid",
        "clauses": ["K-14"],
        "detail": "No such license for this product. Check the license key, and that it is for this product.",
        "options": ["check_license_key", "ask_support"],
        "retry_at": None,
        "signed": False,
    }
    code, out, err = tillkey("activate", license_key(9), "--project", "Corner Shop")
    assert (code, out) == (1, "")
    assert err.startswith("refused: license_invalid: No such license for this product. Check the license key")


def test_a_till_that_is_not_activated_has_nothing_to_beat(tillkey):
    code, out, _ = tillkey("heartbeat", "--json")
    assert (code, json.loads(out)["code"]) == (1, "not_activated")


def test_a_server_that_is_down_is_exit_code_3(server, tillkey):
    code, out, _ = tillkey(
        "activate", server.sell(), "--project", "x", "--json", "--server", f"http://127.0.0.1:{closed_port()}"
    )
    assert code == 3
    assert (json.loads(out)["code"], json.loads(out)["kind"]) == ("unreachable", "connect")


@pytest.mark.clause("X-02")
def test_activate_on_a_held_license_is_done_without_a_server_and_says_so(server, tillkey):
    key = server.sell()
    tillkey("activate", key, "--project", "Corner Shop")
    away = f"http://127.0.0.1:{closed_port()}"
    code, out, err = tillkey("activate", key, "--project", "Corner Shop", "--json", "--server", away)
    assert (code, json.loads(out)["activated"]) == (0, True)
    assert "was not reached, and the till goes on: connect:" in err


def test_what_a_till_had_is_told_as_what_it_had(server, tillkey):
    server.now = 1_900_000_000
    tillkey("activate", server.sell(), "--project", "Corner Shop")
    assert "full rights until  20" in tillkey("status")[1]
    out = tillkey("deactivate")[1]
    assert "full rights until" not in out
    assert "lease was until    20" in out


@pytest.mark.parametrize("arguments", [(), ("fly",), ("activate",), ("activate", "K", "--environment", "moon")])
def test_bad_usage_is_exit_code_2(tillkey, arguments):
    with pytest.raises(SystemExit) as ended:
        tillkey(*arguments)
    assert ended.value.code == 2


@pytest.mark.parametrize("name", ["SERVER", "PRODUCT", "KEYSET"])
def test_a_missing_setting_is_exit_code_2_and_named(tillkey, monkeypatch, name):
    monkeypatch.delenv(f"TILLKEY_{name}")
    code, out, err = tillkey("heartbeat")
    assert (code, out) == (2, "")
    assert f"--{name.lower()} (or TILLKEY_{name})" in err


@pytest.mark.parametrize("command", ["doctor", "heartbeat"])
@pytest.mark.parametrize(
    ("option", "value", "mend"),
    [
        ("--server", "licenses", "give one like https://"),
        ("--server", "http://127.0.0.1:99999", "give one like https://"),
        ("--server", "http://127.0.0.1:0", "give one like https://"),
        ("--server", "http://[::::]", "give one like https://"),
        ("--product", "POS Core", "use 1 to 64 of a-z"),
        ("--keyset", "missing.json", "give the path"),
        ("--keyset", "page.html", "ship the server's keyset.json unchanged"),
        ("--proxy", "proxy", "give one like http://proxy"),
        ("--proxy", "http://proxy.example.com:70000", "give one like http://proxy"),
        ("--ca-file", "missing.pem", "give one with certificates in PEM"),
    ],
)
def test_what_cannot_be_right_is_exit_code_2_named_as_it_was_typed_and_says_its_mend(
    server, tillkey, tmp_path, monkeypatch, command, option, value, mend
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "page.html").write_text("<html>")
    code, out, err = tillkey(command, option, value)
    assert (code, out) == (2, "")
    assert err.startswith(f"{option} (or TILLKEY_{option[2:].upper().replace('-', '_')}): ")
    assert mend in err
    code, out, err = tillkey(command, option, value, "--json")
    assert (code, err, json.loads(out)["code"]) == (2, "", "usage")
    assert server.seen == []


def test_an_empty_setting_is_none_given(server, tillkey, tmp_path, monkeypatch):
    for name in ("HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    for name in ("STATE_DIR", "PROXY", "CA_FILE"):
        monkeypatch.setenv(f"TILLKEY_{name}", "")
    assert tillkey("activate", server.sell(), "--project", "Corner Shop")[0] == 0
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_status_asks_no_server_and_is_a_table(server, tillkey, monkeypatch):
    monkeypatch.delenv("TILLKEY_SERVER")
    code, out, err = tillkey("status")
    assert (code, err) == (0, "")
    assert "status             unlicensed" in out
    assert "This till is not activated." in out
    assert "\x1b" not in out


def test_color_is_for_terminals_without_no_color(tillkey, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    assert "\x1b[31munlicensed\x1b[0m" in tillkey("status")[1]
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in tillkey("status")[1]


def test_a_move_ticket_is_printed_alone(server, tillkey):
    tillkey("activate", server.sell(), "--project", "Corner Shop", "--environment", "staging")
    code, out, _ = tillkey("move-ticket")
    assert code == 0
    assert server.knows_ticket(out.strip())


def test_an_interrupted_command_says_that_it_can_go_on(tillkey, monkeypatch):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("tillkey.client.LicenseClient.heartbeat", interrupted)
    code, _, err = tillkey("heartbeat")
    assert code == 3
    assert "goes on where this one stopped" in err


def test_a_console_that_lacks_a_character_does_not_end_the_command(server, tillkey, monkeypatch):
    tillkey("activate", server.sell(), "--project", "Café ☕")
    narrow = io.TextIOWrapper(io.BytesIO(), encoding="cp1252")
    monkeypatch.setattr("sys.stdout", narrow)
    assert cli.main(["status"]) == 0
    narrow.flush()
    assert "Café ?".encode("cp1252") in narrow.buffer.getvalue()


def test_a_reader_that_has_seen_enough_is_no_fault(tillkey, tmp_path):
    tillkey("status")
    command = [sys.executable, "-m", "tillkey.cli", "status"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=SDK) as running:
        running.stdout.close()
        assert running.stderr.read() == b""
    assert running.returncode == 0
