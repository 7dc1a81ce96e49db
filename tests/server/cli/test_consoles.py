"""The commands on consoles that are not the author's."""

import json
from pathlib import Path

import pytest

from tests.support.server import Installation
from tillkey_server.cli import output


@pytest.mark.parametrize("words", [("--json",), ()], ids=["json", "text"])
def test_a_console_that_knows_ascii_alone_shows_what_it_can(tmp_path: Path, words: tuple[str, ...]):
    installation = Installation(tmp_path / "data", warm=True).init()
    sold = installation.issue()
    told = installation.run("license", "explain", sold.license_id, *words, environment={"PYTHONIOENCODING": "ascii"})
    assert told.exit_code == 0, told.stderr
    if words:
        assert "…" in json.loads(told.stdout)["license"]["key_hint"]


def test_a_line_never_steers_the_terminal(capsys: pytest.CaptureFixture[str]):
    output._print("Evil\x9b31mRED\u202e\x1b[2J\tend\nof it")
    assert capsys.readouterr().out == "Evil\ufffd31mRED\ufffd\ufffd[2J\tend\nof it\n"


@pytest.mark.parametrize("until", ["9999-12-31T23:59:59-14:00", "1900-01-01T00:00:00Z"])
def test_a_time_that_no_suspension_can_end_at_is_usage(tmp_path: Path, until: str):
    installation = Installation(tmp_path / "data", warm=True).init()
    sold = installation.issue()
    told = installation.run("license", "suspend", sold.license_id, "--reason", "unpaid", "--until", until)
    assert told.exit_code == 2
    assert "until" in told.stderr
