"""What the documents say is true: their commands run, their links lead somewhere, and what they name exists."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.server import Installation
from tillkey_server.store.engines import parse_url

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
KEY = "POS-XXXXX-XXXXX-XXXXX-XXXXX-XXXXXXX"
DEFAULT_SERVER = "http://127.0.0.1:8787"

_BLOCK = re.compile(
    r"^(?:<!-- test: (?P<mark>[a-z ]+) -->\n)?```(?P<kind>\w+)\n(?P<body>.*?)^```$", re.DOTALL | re.MULTILINE
)
_LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")
_NAMED_PATH = re.compile(r"`((?:server|sdk|tests|docs|scripts|examples|migrations|keys)/[\w./-]*|pyproject\.toml)`")


def blocks():
    return {found["mark"]: found["body"] for found in _BLOCK.finditer(README) if found["mark"]}


def commands(mark):
    lines = blocks()[mark].splitlines()
    assert all(line.startswith("$ ") for line in lines)
    return [line.removeprefix("$ ") for line in lines]


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A folder that looks like the checkout after `make run`, with a served `var/tillkey`."""
    folder = tmp_path_factory.mktemp("readme")
    for name, target in {".venv": Path(sys.prefix), "examples": ROOT / "examples"}.items():
        (folder / name).symlink_to(target)
    (folder / "var").mkdir()
    installation = Installation(folder / "var" / "tillkey").init()
    with installation.serving() as server:
        yield folder, server.url, installation


def environment(folder, **more):
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("TILL", "XDG_"))}
    return {**kept, "HOME": str(folder), **more}


def test_every_block_of_commands_or_code_is_marked_and_tested():
    unmarked = [found["body"] for found in _BLOCK.finditer(README) if not found["mark"] and found["kind"] != "mermaid"]
    assert unmarked == []
    # `story` is compared with a real run in tests/scenarios/test_story.py.
    assert set(blocks()) == {"make", "story", "by hand", "embed", "postgresql"}


def test_the_two_commands_are_targets_of_the_makefile():
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    for command in commands("make"):
        make, target = command.split()
        assert make == "make"
        assert target in targets


def test_the_commands_by_hand_work_one_after_the_other(shop):
    folder, url, installation = shop
    script = "\n".join(["set -euo pipefail", *commands("by hand")]).replace(KEY, installation.issue().license_key)
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env=environment(folder, TILL_SERVER=url),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "license valid | production of My Shop" in done.stdout
    assert re.search(r"TOTAL EUR +6\.30", done.stdout)
    assert "1 sale, 6.30 EUR" in done.stdout


def test_the_five_lines_license_a_till(shop):
    folder, url, installation = shop
    code = blocks()["embed"]
    assert len([line for line in code.splitlines() if line.strip()]) == 5
    assert DEFAULT_SERVER in code
    code = code.replace(DEFAULT_SERVER, url).replace(KEY, installation.issue().license_key)
    code += "print(verdict.status, verdict.usable, bool(verdict.lease_ends_at), verdict.entitlements)\nclient.stop()\n"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("valid True True ('sell', ")


def test_the_line_for_postgresql_names_a_database_that_the_server_takes():
    (command,) = commands("postgresql")
    done = subprocess.run(
        ["bash", "-c", f'{command}\nprintf %s "$TILLKEY_DATABASE_URL"'], capture_output=True, text=True, check=True
    )
    assert parse_url(done.stdout).drivername == "postgresql+asyncpg"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_and_every_named_path_leads_somewhere(page):
    text = page.read_text(encoding="utf-8")
    broken = [link for link in _LINK.findall(text) if not (page.parent / link).exists()]
    broken += [path for path in _NAMED_PATH.findall(text) if not (ROOT / path).exists()]
    assert broken == []


def test_every_decision_is_in_the_index_and_has_its_five_parts():
    folder = ROOT / "docs" / "adr"
    index = (folder / "README.md").read_text(encoding="utf-8")
    pages = sorted(folder.glob("[0-9]*.md"))
    assert re.findall(r"\]\((\d{4}[^)]*)\)", index) == [page.name for page in pages]
    for page in pages:
        parts = re.findall(r"^## (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
        assert parts == ["Context", "Decision", "Consequences", "Alternatives", "References"], page.name


def test_every_room_is_on_the_map():
    rooms = {
        f"server/tillkey_server/{room.name}"
        for room in (ROOT / "server" / "tillkey_server").iterdir()
        if room.is_dir() and not room.name.startswith("_")
    }
    assert rooms <= set(_LINK.findall(README))


@pytest.mark.parametrize(
    "page", [*PAGES, ROOT / "sdk" / "README.md"], ids=lambda page: page.relative_to(ROOT).as_posix()
)
def test_no_page_tells_to_install_from_an_index_what_is_on_none(page):
    assert not re.search(r"(?:pip|uv|pipx)\s+(?:add|install)\s+['\"]?tillkey", page.read_text(encoding="utf-8"))
