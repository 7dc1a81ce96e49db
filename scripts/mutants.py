"""Mutation testing of the rules: each is changed in every small way, and the tests of the rules must notice.

    python -m scripts.mutants                     all rules
    python -m scripts.mutants term refund         only these files of rules/
    python -m scripts.mutants --sample 10         a tenth of them, for a figure in minutes
    python -m scripts.mutants --least 90          exit with 1 below so many percent of mutants killed

A name that is no file of rules/ is refused.

mutmut makes the mutants, and scripts/mutant_judge.py tries them. Both run in an environment of their own, .mutants,
with a copy of the code in the layout that mutmut wants; `cd .mutants/work && ../venv/bin/mutmut show NAME` shows one.
A mutant is killed when a test of tests/server/rules fails, or runs for so long that it was stopped.
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
NOTHING_FAILED = frozenset({0, 5})
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


def known_rooms() -> tuple[str, ...]:
    """Return the names of the rules' files, without `.py`, by name."""
    found = (ROOT / "server" / "tillkey_server" / "rules").glob("*.py")
    return tuple(sorted(file.stem for file in found if file.stem != "__init__"))


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


def judge(folder: Path, rooms: Sequence[str], percent: float) -> bool:
    """Make the mutants in a workspace and try those of some rules, or of all; tell whether that came to its end."""
    python, judge_of = HOME / "venv" / "bin" / "python", ROOT / "scripts"
    subprocess.run([python, judge_of / "mutant_judge.py"], cwd=folder, check=True)
    path = os.pathsep.join((str(judge_of), "src", "."))
    plain = ["-q", "--rootdir=.", "--tb=no", "--assert=plain", "-p", "no:cacheprovider", "-p", "no:xdist"]
    wanted = {**os.environ, "PYTHONPATH": path, "MUTANT_ROOMS": " ".join(rooms), "MUTANT_SAMPLE": str(percent)}
    run = [python, "-m", "pytest", "-p", "mutant_judge", *plain, "tests/server/rules"]
    done = subprocess.run(run, cwd=folder / "mutants", env=wanted, check=False)
    return done.returncode in NOTHING_FAILED


def fates(told: str) -> dict[str, Counter[str]]:
    """Read what `mutmut results --all true` printed: for each room how many mutants had which fate."""
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for line in _RESULT.finditer(told):
        found[line["room"]][line["fate"].strip()] += 1
    return dict(sorted(found.items()))


def tried(counted: Counter[str]) -> int:
    """Return how many mutants have a fate."""
    return sum(count for fate, count in counted.items() if fate not in UNDECIDED)


def share(counted: Counter[str]) -> float:
    """Return the percentage of mutants that were killed, of those whose fate is known; 100 where there are none."""
    known = tried(counted)
    return 100.0 if known == 0 else 100.0 * sum(counted[fate] for fate in KILLED) / known


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print a table, and return 1 below the least share."""
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("rooms", nargs="*", help="files of rules/, without .py; none: all")
    parser.add_argument("--sample", type=float, default=100.0, help="try so many percent of them, the same each time")
    parser.add_argument("--least", type=float, default=90.0, help="exit with 1 below so many percent")
    told = parser.parse_args(arguments)
    unknown = [room for room in told.rooms if room not in known_rooms()]
    if unknown:
        parser.error(f"no file of rules/ is called {', '.join(unknown)}; there are: {', '.join(known_rooms())}")
    mutmut, folder = environment() / "mutmut", workspace()
    judged = judge(folder, told.rooms, told.sample)
    listed = subprocess.run(
        [mutmut, "results", "--all", "true"], cwd=folder, capture_output=True, text=True, check=True
    )
    found = {room: one for room, one in fates(listed.stdout).items() if not told.rooms or room in told.rooms}
    total = sum(found.values(), Counter[str]())
    table = Table("rule", "mutants", "killed", "survived", "no test", "percent", title="Mutants")
    for room, one in [*found.items(), ("all", total)]:
        counts = (tried(one), sum(one[fate] for fate in KILLED), one["survived"], one["no tests"])
        table.add_row(room, *map(str, counts), f"{share(one):.1f}")
    Console().print(table)
    return 0 if judged and share(total) >= told.least else 1


if __name__ == "__main__":
    sys.exit(main())
