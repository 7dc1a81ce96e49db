"""The judge of `make mutants`: a plugin of pytest that collects the tests once and then tries every mutant in a fork.

mutmut itself runs pytest anew for each mutant, its collection of tests included. Here each fork wakes its
mutant and runs the tests that reach the mutated function, quickest first, until one fails. Which tests reach which
function is found in the same run, in which all tests must pass with no mutant awake. It speaks mutmut's language: its
names, its files of results and its exit codes, so that `mutmut show` and `mutmut results` work as ever.

It runs in the environment of `scripts.mutants`: as a program in the workspace it makes the mutants, as a plugin in the
folder of mutants it judges them. MUTANT_ROOMS holds the rules to try; empty: all. MUTANT_SAMPLE is how
many percent of their mutants; without it: all.
"""

from __future__ import annotations

import gc
import json
import math
import os
import resource
import shutil
import time
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import pytest
from _pytest.runner import runtestprotocol
from hypothesis import Phase, settings
from mutmut.__main__ import copy_also_copy_files, copy_src_dir, create_mutants
from mutmut.mutation.trampoline import set_mutant_under_test
from mutmut.state import state
from mutmut.utils.format_utils import mangled_name_from_mutant_name

RULES = Path("src/tillkey_server/rules")
NO_TESTS = 33
SURVIVED = frozenset({0, NO_TESTS})
SLACK_SECONDS = 10
TIMES = 10
SETTINGS = "_hypothesis_internal_use_settings"


class Reaching(NamedTuple):
    """The tests that call a function, and how much of the processor's time they take without a mutant."""

    items: list[pytest.Item]
    seconds: float


class Ledger:
    """The exit codes of the mutants of one rule, in the file where mutmut looks for them."""

    def __init__(self, file: Path) -> None:
        """Read `file` and forget what was found before."""
        self.file, self.told = file, json.loads(file.read_text("utf-8"))
        self.codes: dict[str, int | None] = dict.fromkeys(self.told["exit_code_by_key"])

    def save(self) -> None:
        """Write what was found."""
        self.file.write_text(json.dumps({**self.told, "exit_code_by_key": self.codes}, indent=4), "utf-8")


def passes(item: pytest.Item) -> bool:
    """Run one test and return whether it passed or was skipped."""
    return not any(report.failed for report in runtestprotocol(item, nextitem=None, log=False))


def reached(items: list[pytest.Item]) -> dict[str, Reaching]:
    """Run all tests without a mutant and return for each function the tests that call it, quickest first.

    Raises pytest.UsageError where one fails.
    """
    set_mutant_under_test("stats")
    called = state()._stats  # noqa: SLF001, mutmut has no other place for it
    found: defaultdict[str, list[tuple[float, int]]] = defaultdict(list)
    for place, item in enumerate(items):
        called.clear()
        start = time.process_time()
        if not passes(item):
            raise pytest.UsageError(f"fails without a mutant: {item.nodeid}")
        for function in called:
            found[function].append((time.process_time() - start, place))
    return {
        function: Reaching([items[place] for _, place in sorted(them)], sum(seconds for seconds, _ in them))
        for function, them in found.items()
    }


def chosen(mutants: Iterable[str]) -> list[str]:
    """Return every mutant, or MUTANT_SAMPLE percent of them: always the same ones, spread by a hash of their names."""
    percent = float(os.environ.get("MUTANT_SAMPLE", "100"))
    return [one for one in mutants if zlib.crc32(one.encode()) % 10_000 < percent * 100]


def attempt(mutant: str, tests: Reaching) -> int:
    """Start a fork in which `mutant` is awake, with some time of the processor; return its process id."""
    limit = math.ceil(tests.seconds * TIMES) + SLACK_SECONDS
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 1))
        set_mutant_under_test(mutant)
        code = 0 if all(passes(item) for item in tests.items) else 1
    finally:
        os._exit(code)


def judge(ledgers: list[Ledger], tests: dict[str, Reaching], tell: Callable[[str], None]) -> None:
    """Try the mutants, as many at a time as there are processors; write what became of each, and tell rule by rule."""
    running: dict[int, tuple[Ledger, str]] = {}

    def wait() -> None:
        child, status = os.wait()
        ledger, mutant = running.pop(child)
        ledger.codes[mutant] = os.waitstatus_to_exitcode(status)

    for ledger in ledgers:
        for mutant in chosen(ledger.codes):
            reaching = tests.get(mangled_name_from_mutant_name(mutant))
            if reaching is None:
                ledger.codes[mutant] = NO_TESTS
                continue
            while len(running) >= (os.cpu_count() or 2):
                wait()
            running[attempt(mutant, reaching)] = (ledger, mutant)
        while running:
            wait()
        # Told rule by rule: a run of hours that is stopped has found something all the same.
        ledger.save()
        known = [code for code in ledger.codes.values() if code is not None]
        survived = sum(code in SURVIVED for code in known)
        tell(f"{ledger.file.name.partition('.')[0]}: {survived} of {len(known)} live")


def steady(items: list[pytest.Item]) -> None:
    """Let properties try the same examples in every run, and not look for the smallest one that fails."""
    for item in items:
        function = getattr(item, "obj", None)
        own = getattr(function, SETTINGS, None)
        if own is not None:
            phases = (Phase.explicit, Phase.generate)
            steadied = settings(own, phases=phases, database=None, derandomize=True)
            setattr(function, SETTINGS, steadied)


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool:
    """Judge instead of running the tests."""
    if session.testsfailed:
        raise pytest.UsageError("the tests of the rules could not be collected")
    rooms = os.environ["MUTANT_ROOMS"].split()
    steady(session.items)
    tests = reached(session.items)
    files = [file for file in sorted(RULES.glob("*.meta")) if not rooms or file.name.partition(".")[0] in rooms]
    gc.collect()
    gc.freeze()
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    judge([Ledger(file) for file in files], tests, reporter.write_line)
    return True


def make() -> None:
    """Write every mutant into a new folder of mutants, beside a copy of the tests."""
    # Whatever an earlier run left: a copy is not made over a file that is there.
    shutil.rmtree("mutants", ignore_errors=True)
    Path("mutants").mkdir()
    copy_src_dir()
    copy_also_copy_files()
    create_mutants(os.cpu_count() or 2)


if __name__ == "__main__":
    make()
