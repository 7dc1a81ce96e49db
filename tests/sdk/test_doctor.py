"""`tillkey doctor`: each look with a verdict and a mend, and nothing changed."""

import base64
import json
import stat
import sys
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from tests.sdk.http_server import closed_port, local_server
from tests.support.forward_proxy import forward_proxy
from tillkey import cli
from tillkey.effects import Reply
from tillkey.testing import FakeServer


@pytest.fixture
def fake():
    # The command has no clock but the machine's.
    with FakeServer(starts_at=datetime.now(UTC)) as server:
        yield server


@pytest.fixture
def examine(fake, tmp_path, capsys, monkeypatch):
    """Run the command; return its exit code and its looks by name."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    keyset = tmp_path / "keyset.json"
    keyset.write_text(fake.keyset)

    def run(*more, server=None):
        words = ["doctor", "--json", "--server", server or fake.url, "--product", "pos-core", "--keyset", str(keyset)]
        code = cli.main([*words, "--state-dir", str(tmp_path / "state"), *more])
        told = json.loads(capsys.readouterr().out)
        assert told["ok"] is (code == 0)
        assert len({look["name"] for look in told["checks"]}) == len(told["checks"])
        return code, {look["name"]: look for look in told["checks"]}

    return run


def verdicts(looks):
    return {name: look["verdict"] for name, look in looks.items()}


def test_all_is_looked_at_and_nothing_is_made(examine, tmp_path):
    code, looks = examine()
    assert code == 0
    assert {"proxy", "dns", "connect", "tls", "server", "clock", "state folder", "lease"} <= looks.keys()
    assert verdicts(looks)["server"] == "ok"
    assert "fake" in looks["server"]["detail"] or "keyset 1" in looks["server"]["detail"]
    assert not (tmp_path / "state").exists()


def test_a_till_that_is_at_work_stays_as_it_is(fake, examine, tmp_path):
    key, till = fake.license("pos-core"), fake.client("pos-core", state_dir=tmp_path / "state")
    till.activate(key, project="Corner Shop")
    before = {path.name: path.read_bytes() for path in (tmp_path / "state").iterdir()}
    code, looks = examine()
    assert (code, looks["lock"]["verdict"]) == (0, "ok")
    assert {path.name: path.read_bytes() for path in (tmp_path / "state").iterdir()} == before
    assert till.heartbeat().usable


def test_a_name_that_nobody_knows_is_told_as_that(examine):
    code, looks = examine(server="https://nowhere.invalid")
    assert (code, looks["dns"]["verdict"]) == (1, "fail")
    assert "name" in looks["dns"]["mend"]
    assert "server" not in looks


def test_a_port_on_which_nobody_listens_is_told_as_that(examine):
    code, looks = examine(server=f"http://127.0.0.1:{closed_port()}")
    assert (code, looks["connect"]["verdict"]) == (1, "fail")


def test_another_server_and_a_page_are_told_apart(examine):
    with FakeServer(issuer="another.example") as other:
        _, looks = examine(server=other.url)
    assert looks["server"]["verdict"] == "fail"
    assert "another.example" in looks["server"]["detail"]
    with local_server() as http:
        http.answer = lambda _handler, _body: Reply(200, "text/html", b"<html>log in</html>")
        _, looks = examine(server=http.address)
    assert "no Tillkey server" in looks["server"]["detail"]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_wants_a_password_is_one_look_with_its_mend(fake, examine, monkeypatch, scheme):
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name)
    with forward_proxy() as proxy:
        proxy.login = "till:open-sesame"
        code, looks = examine("--proxy", proxy.address, server=fake.url.replace("http", scheme))
    assert (code, looks["proxy"]["verdict"]) == (1, "fail")
    assert "407" in looks["proxy"]["detail"]
    assert "password" in looks["proxy"]["mend"]
    assert "server" not in looks


@pytest.mark.parametrize(
    ("status", "kind", "mend"),
    [
        (302, "redirected", "log-in page"),
        (403, "http_4xx", "in front of the license server"),
        (429, "rate_limited", "later"),
        (503, "http_5xx", "try again later"),
    ],
)
def test_a_server_that_does_not_answer_the_question_has_the_mend_of_its_kind(examine, status, kind, mend):
    with local_server() as http:
        http.answer = lambda _handler, _body: Reply(status, "text/html", b"<html>")
        code, looks = examine(server=http.address)
    assert (code, looks["server"]["verdict"]) == (1, "fail")
    assert looks["server"]["detail"].startswith(kind)
    assert mend in looks["server"]["mend"]


def test_a_keyset_in_between_that_does_not_come_is_no_word_against_the_keys(fake, examine):
    fake.rotate_keys()
    newest = httpx.get(f"{fake.url}/v1/keyset").content
    with local_server() as http:
        http.answer = lambda handler, _body: (
            Reply(200, "application/jose+json", newest)
            if handler.path == "/v1/keyset"
            else Reply(503, "text/html", b"<html>")
        )
        _, looks = examine(server=http.address)
    assert looks["server"]["detail"] == "http_5xx: HTTP status 503"


def test_a_folder_that_others_can_read_is_a_warning_with_its_mend(examine, tmp_path):
    folder = tmp_path / "state"
    folder.mkdir()
    folder.chmod(0o755)
    _, looks = examine()
    expected = "ok" if sys.platform == "win32" else "warn"
    assert looks["state folder"]["verdict"] == expected
    assert stat.S_IMODE(Path(folder).stat().st_mode) == 0o755


def test_a_person_reads_a_line_for_each_look_and_what_mends_it(fake, tmp_path, capsys):
    keyset = tmp_path / "keyset.json"
    keyset.write_text(fake.keyset)
    words = ["doctor", "--server", fake.url, "--product", "pos-core", "--keyset", str(keyset)]
    assert cli.main([*words, "--state-dir", str(tmp_path / "state")]) == 0
    shown = capsys.readouterr().out
    assert "unlicensed" in shown
    assert shown.count("\n") >= 8


def test_a_server_of_the_same_name_with_other_roots_is_found(fake, examine):
    with FakeServer(issuer=json.loads(_payload(fake.keyset))["issuer"]) as impostor:
        code, looks = examine(server=impostor.url)
    assert (code, looks["server"]["verdict"]) == (1, "fail")
    assert "do not follow" in looks["server"]["detail"]


def _payload(keyset):
    text = json.loads(keyset)["payload"]
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_a_new_keyset_that_follows_from_the_pinned_one_is_well(fake, examine):
    fake.rotate_keys()
    _, looks = examine()
    assert (looks["server"]["verdict"], "keyset 2 (pinned: 1)" in looks["server"]["detail"]) == ("ok", True)


@pytest.mark.parametrize(("off", "verdict"), [(0, "ok"), (1, "warn"), (3, "fail")])
def test_a_clock_that_differs_from_the_servers_is_found(fake, tmp_path, off, verdict):
    till = fake.client("pos-core", tmp_path / "state", clock=fake.clock.off_by(days=-off))
    (clock,) = [look for look in till.examine() if look.name == "clock"]
    assert clock.verdict == verdict
    assert clock.detail == ("agrees with the server's" if not off else f"{off * 86400} s behind")
    assert bool(clock.mend) is bool(off)


def test_a_name_that_no_name_can_be_is_told_as_that(examine):
    _, looks = examine(server=f"https://{'a' * 70}.example")
    assert looks["dns"]["verdict"] == "fail"


def test_a_file_in_the_folders_place_is_found(examine, tmp_path):
    (tmp_path / "state").write_text("x")
    _, looks = examine()
    assert (looks["state folder"]["verdict"], "no folder" in looks["state folder"]["detail"]) == ("fail", True)
