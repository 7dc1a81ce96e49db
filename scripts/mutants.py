"""Mutation testing of the rules: each is changed in every small way, and the tests of the rules must notice.

    python -m scripts.mutants                     all rules, which takes an hour or more on two cores
    python -m scripts.mutants term refund         only these files of rules/
    python -m scripts.mutants --least 90          exit with 1 below so many percent of mutants killed

mutmut makes the mutants. It lives in an environment of its own, under .mutants, with a copy of the code in the layout
that it wants; what it found is kept there, so that an interrupted run goes on where it stopped. A mutant is killed when
a test of tests/server/rules fails, or runs for so long that it was stopped.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
HOME = ROOT / ".mutants"
LOCKS = ("requirements.lock", "requirements-mutants.lock")
RULES = "tillkey_server.rules"
_RESULT = re.compile(rf"^\s*{re.escape(RULES)}\.(?P<room>\w+)\.\S+: (?P<fate>[a-z ]+)$", re.MULTILINE)
KILLED = frozenset({"killed", "timeout", "caught by type check"})
UNDECIDED = frozenset({"not checked", "skipped"})
SETTINGS = """\
[tool.pytest.ini_options]
pythonpath = ["."]
addopts = ["--import-mode=importlib"]
asyncio_mode = "auto"
markers = ["clause(*ids): the clauses that a test proves"]

[tool.mutmut]
source_paths = ["src"]
only_mutate = ["src/tillkey_server/rules/*"]
pytest_add_cli_args_test_selection = ["tests/server/rules"]
also_copy = ["tests", "migrations"]
"""


def environment() -> Path:
    """Make or refresh the environment with mutmut in it, and return its folder of programs."""
    folder = HOME / "venv"
    programs, noted = folder / "bin", folder / "locked"
    locked = "".join((ROOT / name).read_text("utf-8") for name in LOCKS)
    if not noted.exists() or noted.read_text("utf-8") != locked:
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        for name in LOCKS:
            pip = [programs / "python", "-m", "pip", "--disable-pip-version-check", "install", "-qq", "--no-deps"]
            subprocess.run([*pip, "--require-hashes", "--requirement", ROOT / name], check=True)
        noted.write_text(locked, "utf-8")
    return programs


def workspace() -> Path:
    """Lay a copy of the code and its tests out as mutmut wants it, and return its folder."""
    folder = HOME / "work"
    (folder / "src").mkdir(parents=True, exist_ok=True)
    copies = {"server/tillkey_server": "src/tillkey_server", "sdk/tillkey": "src/tillkey"}
    for source, target in {**copies, "tests": "tests", "migrations": "migrations"}.items():
        shutil.rmtree(folder / target, ignore_errors=True)
        shutil.copytree(ROOT / source, folder / target, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
    (folder / "pyproject.toml").write_text(SETTINGS, "utf-8")
    return folder


def fates(told: str) -> dict[str, Counter[str]]:
    """Read what `mutmut results --all true` printed: for each room how many mutants had which fate."""
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for line in _RESULT.finditer(told):
        found[line["room"]][line["fate"].strip()] += 1
    return dict(sorted(found.items()))


def share(counted: Counter[str]) -> float:
    """Return the percentage of mutants that were killed, of those whose fate is known; 100 where there are none."""
    known = sum(count for fate, count in counted.items() if fate not in UNDECIDED)
    return 100.0 if known == 0 else 100.0 * sum(counted[fate] for fate in KILLED) / known


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print a table, and return 1 below the least share."""
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("rooms", nargs="*", help="files of rules/, without .py; none: all")
    parser.add_argument("--least", type=float, default=90.0, help="exit with 1 below so many percent")
    told = parser.parse_args(arguments)
    mutmut, folder = environment() / "mutmut", workspace()
    quiet = {**os.environ, "CI": ""}
    names = [f"{RULES}.{room}.*" for room in told.rooms]
    subprocess.run([mutmut, "run", *names], cwd=folder, env=quiet, check=False)
    listed = subprocess.run(
        [mutmut, "results", "--all", "true"], cwd=folder, capture_output=True, text=True, check=True
    )
    found = {room: one for room, one in fates(listed.stdout).items() if not told.rooms or room in told.rooms}
    total = sum(found.values(), Counter[str]())
    table = Table("rule", "mutants", "killed", "survived", "no test", "percent", title="Mutants")
    for room, one in [*found.items(), ("all", total)]:
        counts = (one.total(), sum(one[fate] for fate in KILLED), one["survived"], one["no tests"])
        table.add_row(room, *map(str, counts), f"{share(one):.1f}")
    Console().print(table)
    return 0 if share(total) >= told.least else 1


if __name__ == "__main__":
    sys.exit(main())
