"""The vendor's side of the story: `tillkey-server` commands, as an agent or a script types them."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

COMMAND = str(Path(sys.executable).with_name("tillkey-server"))
REFUSED = 1


class CommandFailed(Exception):
    """A command ended in a way that the story has no use for; the message holds what it said."""


@dataclass(frozen=True)
class Said:
    """A command's exit code and the JSON that it printed."""

    exit_code: int
    answer: dict[str, Any]


@dataclass(frozen=True)
class Shown:
    """A command as a person types it, its exit code, and every line that the person sees."""

    command: str
    exit_code: int
    text: str


@dataclass(frozen=True)
class Agent:
    """Somebody at the vendor with a shell on the server's machine."""

    data_dir: Path

    def init(self) -> None:
        """Make keys and database, and put the example products on sale; what is there stays.

        A new folder is made beside its place and moved there when it is whole: Ctrl-C leaves no half of one.
        """
        if self.data_dir.exists():
            self._run("init", "--examples")
            return
        making = self.data_dir.with_name(f"{self.data_dir.name}.making")
        shutil.rmtree(making, ignore_errors=True)
        Agent(making)._run("init", "--examples")  # noqa: SLF001 - ourselves, elsewhere
        making.rename(self.data_dir)

    def products(self) -> list[dict[str, Any]]:
        """Return what is on sale."""
        return list(self._pages("product", "list"))

    def activations(self) -> Iterator[dict[str, Any]]:
        """Return every activation on record, ended ones too."""
        return self._pages("activation", "list", "--limit", "200")

    def issue(self, product: str, customer: str) -> dict[str, Any]:
        """Sell one license; the answer holds `license_key` and `license_id`."""
        return self.ask("license", "issue", "--product", product, "--customer", customer).answer

    def force_deactivate(self, activation: str, reason: str, *, confirm: bool) -> Shown:
        """Free the license of an activation whose machine is gone, as a person does: without `--json`."""
        words = ["activation", "force-deactivate", activation, "--reason", reason, *(["--confirm"] if confirm else [])]
        done = self._run(*words)
        said = (part.strip("\n") for part in (done.stderr, done.stdout))
        return Shown(shlex.join(["tillkey-server", *words]), done.returncode, "\n".join(filter(None, said)))

    def explain(self, license_id: str) -> dict[str, Any]:
        """Return all that the server knows of a license."""
        return self.ask("license", "explain", license_id).answer

    def ask(self, *words: str) -> Said:
        """Run a command with `--json`. A refusal is an answer too; anything else raises `CommandFailed`."""
        done = self._run(*words, "--json")
        try:
            return Said(done.returncode, json.loads(done.stdout))
        except ValueError:
            raise CommandFailed(f"tillkey-server {' '.join(words)} printed no JSON: {done.stdout[:500]}") from None

    def _pages(self, *words: str) -> Iterator[dict[str, Any]]:
        after: list[str] = []
        while True:
            page = self.ask(*words, *after).answer
            yield from page["items"]
            if not page.get("next"):
                return
            after = ["--after", page["next"]]

    def _run(self, *words: str) -> subprocess.CompletedProcess[str]:
        # A session of its own: Ctrl-C reaches this process alone, which then ends the command.
        done = subprocess.run(
            [COMMAND, *words, "--data-dir", str(self.data_dir)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            start_new_session=True,
        )
        refused = done.returncode == REFUSED and ("Refused:" in done.stderr or done.stdout.strip())
        if done.returncode and not refused:
            said = (done.stderr or done.stdout).strip()
            raise CommandFailed(f"tillkey-server {' '.join(words)} ended with {done.returncode}:\n{said}")
        return done
