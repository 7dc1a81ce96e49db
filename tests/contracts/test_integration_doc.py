"""docs/integration.md: its fifteen minutes run as they stand, and its table of roles is the code's."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.server import Installation
from tillkey_server.rules.access import ROLES, SERVER_WIDE, Permission, Role

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "integration.md").read_text("utf-8")
BLOCKS = dict(re.findall(r"^<!-- run: (\w+) -->\n```\w+\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))


def test_the_table_of_roles_is_the_codes() -> None:
    lines = PAGE.partition("<!-- roles -->\n")[2].strip().splitlines()
    expected = [
        f"| may | {' | '.join(f'`{role}`' for role in Role)} |",
        f"| --- |{' --- |' * len(Role)}",
        *(
            f"| `{one}`{' (no limits)' if one in SERVER_WIDE else ''} |"
            f" {' | '.join('yes' if one in ROLES[role] else '' for role in Role)} |"
            for one in Permission
        ),
    ]
    assert lines == expected


def test_every_variable_that_the_programs_read_is_set_before_or_explained() -> None:
    read = {name for block in BLOCKS.values() for name in re.findall(r'environ\["(\w+)"\]', block)}
    given = set(re.findall(r"(\w+)=", BLOCKS["environment"]))
    assert read - given == {"LICENSE_KEY"}
    assert "`LICENSE_KEY` is one of the keys of the order." in PAGE


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory):
    """A folder that looks like the checkout after `make run`, with a served `var/tillkey`."""
    folder = tmp_path_factory.mktemp("integration")
    (folder / ".venv").symlink_to(sys.prefix)
    (folder / "var").mkdir()
    installation = Installation(folder / "var" / "tillkey").init()
    with installation.serving() as server:
        yield folder, server


def run(folder: Path, command: list[str], **more: str) -> str:
    environment = {name: text for name, text in os.environ.items() if not name.startswith("TILLKEY_")}
    done = subprocess.run(
        command, cwd=folder, env={**environment, **more}, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_fifteen_minutes_run_from_an_api_key_to_a_till_that_sells(served, tmp_path: Path) -> None:
    folder, server = served
    lines = [line.removeprefix("$ ") for line in BLOCKS["key"].splitlines()]
    made = json.loads(run(folder, ["bash", "-ec", "\n".join(lines).rstrip() + " --json"]))
    environment = {"TILLKEY_SERVER": server.url, "TILLKEY_API_KEY": made["api_key"]}
    ordered = f"{BLOCKS['order']}\nprint(keys[0])\nassert on_paid('2026-1001', 'owner@shop.example') == keys\n"
    key = run(folder, [sys.executable, "-c", ordered], **environment).strip()
    told = run(
        folder,
        [sys.executable, "-c", BLOCKS["till"]],
        TILLKEY_SERVER=server.url,
        TILLKEY_KEYSET=str(folder / "var/tillkey/keyset.json"),
        TILLKEY_STATE_DIR=str(tmp_path / "state"),
        LICENSE_KEY=key,
    )
    assert told.startswith("True ")
