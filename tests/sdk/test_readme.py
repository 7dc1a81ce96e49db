"""The page of the SDK: its programs run as they stand, with a server and, from the second start on, without one."""

import asyncio
import re
from pathlib import Path
from tempfile import mkdtemp

import pytest

import tillkey
from tests.sdk.http_server import closed_port

README = (Path(tillkey.__file__).parents[1] / "README.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


@pytest.fixture
def start(server, monkeypatch, tmp_path):
    """Run every block of the page in turn, as one program that begins anew."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    (tmp_path / "tillkey-keyset.json").write_text(server.keysets[1])
    key = server.sell()

    def run(address):
        space = {}
        for program in PROGRAMS:
            shown = program.replace("https://licenses.example.com", address).replace("POS-7XK2M-…", key)
            exec(compile(shown, "sdk/README.md", "exec"), space)
        space["client"].stop()
        asyncio.run(space["program"]())
        for name, test in list(space.items()):
            if name.startswith("test_"):
                test(Path(mkdtemp(dir=tmp_path)))
        return space["client"]

    return run


@pytest.mark.clause("X-02")
def test_every_program_on_the_page_runs_and_runs_again_when_the_server_is_down(server, http, start, capsys):
    server.now = 1_900_000_000
    assert start(http.address).last_error is None
    assert start(f"http://127.0.0.1:{closed_port()}").check().usable
    shown = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in shown] == ["True", "True", "license_revoked"] * 2


def test_the_page_names_every_error_and_every_member_that_it_must():
    for name in ("ConfigurationError", "Refused", "Unreachable", "NotActivated", "StateError", "Busy"):
        assert re.search(rf"^\|.*`{name}`.*\|", README, re.MULTILINE), name
    assert "`problems`" in README
    assert all(f"`{status}`" in README for status in tillkey.STATUSES)
