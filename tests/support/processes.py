"""Tills in processes of their own: each call in a new process, several at once, and killed where a test says."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from tests.support.shop import Machine
from tests.support.till_process import KILLED

__all__ = ["KILLED", "Call", "Processes", "call", "folder_held"]

ROOT = Path(__file__).parents[2]
PROGRAM = (sys.executable, "-m", "tests.support.till_process")


@dataclass(frozen=True)
class Call:
    """What one process does on a machine: verbs of `LicenseClient` with their arguments, one after another."""

    machine: Machine
    verbs: tuple[tuple[str, list[Any], dict[str, Any]], ...]
    kill_at: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        machine = self.machine
        return {
            "client": [machine.line.url, "pos-core", str(machine.shop.keyset), str(machine.folder)],
            "options": {"machine_traits": machine.traits, "app_version": "1.0", **self.options},
            "verbs": self.verbs,
            "kill_at": self.kill_at,
        }


def call(machine: Machine, verb: str, *arguments: Any, kill_at: str = "", **named: Any) -> Call:
    """Return a call of one verb."""
    return Call(machine, ((verb, list(arguments), named),), kill_at)


class Processes:
    """Starts till processes; a context manager."""

    def __enter__(self) -> Self:
        self._mother = subprocess.Popen(
            PROGRAM,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *exc: object) -> None:
        self._mother.communicate()

    def run(self, *calls: Call) -> list[Any]:
        """Run calls at the same time.

        For each: what its verbs came to, in order, as `Verdict.as_dict()`, a ticket or an error's name and code; or
        `KILLED`.
        """
        assert self._mother.stdin is not None
        assert self._mother.stdout is not None
        self._mother.stdin.write(json.dumps([one.document() for one in calls]) + "\n")
        self._mother.stdin.flush()
        told: list[Any] = json.loads(self._mother.stdout.readline())
        return told


@contextmanager
def folder_held(machine: Machine) -> Iterator[None]:
    """Let another process hold a state folder's lock until the block ends."""
    command = [*PROGRAM, "hold", str(machine.folder)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        yield
        holder.communicate()
