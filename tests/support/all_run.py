"""Under CI every test runs: one that is skipped, expected to fail or deselected turns the run red.

The plugin counts by reports, so it sees what a parallel run's workers did; deselection makes no report, so each worker
hands its number over when it ends.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

_DESELECTED = "tillkey_deselected"


def wanted(env: Mapping[str, str]) -> bool:
    """Tell whether this is a run in which nothing may stand aside: CI is set, and not to a word that means no."""
    return env.get("CI", "").strip().lower() not in {"", "0", "false", "no"}


class AllRun:
    """The plugin; conftest registers one per process."""

    def __init__(self) -> None:
        self._aside: dict[str, str] = {}
        self._deselected = 0

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        """Count what -k, -m or a plugin left out in this process."""
        self._deselected += len(items)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note a whole file or class that skipped itself."""
        if report.skipped:
            self._aside[report.nodeid] = "skipped"

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a test that was skipped, or that was expected to fail, whether it did or not."""
        if hasattr(report, "wasxfail"):
            self._aside[report.nodeid] = "expected to fail"
        elif report.skipped:
            self._aside[report.nodeid] = "skipped"

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """Take over a worker's number; all workers collect the same, so the highest one is the run's."""
        output = getattr(node, "workeroutput", {})
        self._deselected = max(self._deselected, output.get(_DESELECTED, 0))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Turn a green run red if anything stood aside."""
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput[_DESELECTED] = self._deselected
        elif session.exitstatus == pytest.ExitCode.OK and (self._aside or self._deselected):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what stood aside."""
        if not (self._aside or self._deselected):
            return
        terminalreporter.section("under CI every test must run", red=True)
        for nodeid, how in sorted(self._aside.items()):
            terminalreporter.line(f"{how}: {nodeid}")
        if self._deselected:
            terminalreporter.line(f"deselected: {self._deselected}")
