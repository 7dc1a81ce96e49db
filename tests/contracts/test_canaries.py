"""The list of mutation canaries does not rot: each text is there to be replaced, each test is there to turn red."""

import ast
import tomllib
from pathlib import Path

import pytest

from scripts import canaries

ROOT = Path(__file__).parents[2]
ASKED_FOR = {
    "lock",
    "index",
    "rid echo",
    "typ check",
    "unsigned 403 believed",
    "signing before commit",
    "role check",
    "idempotency body check",
    "log scrubbing",
}
ALL = canaries.read()


def test_every_guard_of_the_list_has_a_canary_and_every_name_is_told_once():
    names = [canary.name for canary in ALL]
    assert len(set(names)) == len(names)
    assert {name.partition(",")[0] for name in names} >= ASKED_FOR


@pytest.mark.parametrize("canary", ALL, ids=lambda canary: canary.name)
def test_what_a_canary_replaces_stands_once_in_its_file(canary):
    sources = {}
    for edit in canary.edits:
        sources[edit.file] = edit.made(sources.get(edit.file) or (ROOT / edit.file).read_text("utf-8"))
    for name, source in sources.items():
        ast.parse(source, filename=name)


@pytest.mark.parametrize("canary", ALL, ids=lambda canary: canary.name)
def test_the_tests_that_a_canary_names_are_there(canary):
    for test in canary.tests:
        path, _, name = test.partition("[")[0].partition("::")
        source = (ROOT / path).read_text("utf-8")
        assert not name or f"def {name}(" in source, test


def test_a_text_that_is_gone_or_there_twice_is_told():
    edit = canaries.Edit("a.py", "x", "y")
    assert edit.made("x") == "y"
    for source in ("", "xx"):
        with pytest.raises(ValueError, match=r"a\.py: the text to be replaced is there"):
            edit.made(source)


PLANTED = """
[[canary]]
name = "guard"
guard = "what is forbidden is refused"
tests = ["tests/test_guard.py::test_watches"]
[[canary.edit]]
file = "server/guard.py"
text = "value > 0"
with = "True"
"""


def test_a_canary_runs_in_a_copy_that_is_whole_again_afterwards(tmp_path, capsys):
    guard = tmp_path / "server/guard.py"
    guard.parent.mkdir()
    guard.write_text("def allows(value):\n    return value > 0\n")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/canaries.toml").write_text(PLANTED)
    (tmp_path / "tests/test_guard.py").write_text(
        "from guard import allows\ndef test_watches(): assert not allows(-1)\n"
    )
    assert canaries.sing(tmp_path, canaries.read(tmp_path)[0])
    assert capsys.readouterr().out.startswith("red ")
    assert "value > 0" in guard.read_text()


WATCHES, SLEEPS = "tests/test_a.py::test_watches", "tests/test_a.py::test_sleeps"


@pytest.mark.parametrize(
    ("failed", "broken", "code", "wrong"),
    [
        ({WATCHES}, set(), 1, []),
        ({f"{WATCHES}[sqlite]", SLEEPS}, set(), 1, []),
        ({SLEEPS}, set(), 1, [f"stayed green: {WATCHES}"]),
        (set(), set(), 0, [f"stayed green: {WATCHES}"]),
        ({WATCHES}, {SLEEPS}, 1, [f"broke before it could fail: {SLEEPS}"]),
        ({WATCHES}, set(), 2, ["pytest ended with 2"]),
    ],
)
def test_a_canary_is_silent_where_its_test_stays_green_or_breaks(failed, broken, code, wrong):
    canary = canaries.Canary("guard", "", (), (WATCHES,))
    found = canaries.Run(code, frozenset(failed), frozenset(broken), 0.1, "")
    assert canaries.verdict(canary, found) == wrong


def test_the_list_says_nothing_that_is_not_read():
    document = tomllib.loads((ROOT / canaries.LIST).read_text("utf-8"))
    assert {name for entry in document["canary"] for name in entry} == {"name", "guard", "tests", "edit"}
    assert {name for entry in document["canary"] for edit in entry["edit"] for name in edit} == {"file", "text", "with"}
