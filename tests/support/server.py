"""A real `tillkey-server`: its commands and its serving processes, as an operator would start them.

`Installation` is a data folder with its database: `init()`, `command(…)`, `issue()`. `Serving` is one `serve` process
over it: `start()`, `stop()`, `kill()`, `restart()`. Several may serve one installation, on PostgreSQL as on SQLite.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import IO, Any, Self

import httpx

from tests.support.record import RECORD
from tests.support.till import read_keyset
from tests.support.zygote import Forked, suits, zygote
from tillkey.wire.keyset import Keyset

READY = "Tillkey is ready at "
CRASH_MARKER = "TESTS-ONLY"
START_SECONDS = 60.0
STOP_SECONDS = 30.0
COMMAND_SECONDS = 90.0

_numbers = count(1)


@dataclass(frozen=True)
class CommandResult:
    """What a command did: its exit code, and its two outputs."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.stdout)


@dataclass(frozen=True)
class IssuedKey:
    """A license as its buyer gets it."""

    license_id: str
    license_key: str = field(repr=False)


class Installation:
    """One data folder and its database.

    In: a folder that may not exist yet; the database's URL, None for SQLite in the folder; more environment for
    every process; `warm`, whether its processes are forked from one that has imported the server (`zygote`).
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        database_url: str | None = None,
        environment: Mapping[str, str] | None = None,
        warm: bool = False,
    ) -> None:
        self.data_dir = data_dir
        self.warm = warm
        self.environment = {name: text for name, text in os.environ.items() if not name.startswith("TILLKEY_")}
        if database_url is not None:
            self.environment["TILLKEY_DATABASE_URL"] = database_url
        self.environment.update(environment or {})

    @property
    def keyset(self) -> Keyset:
        """The keyset that a till is shipped with."""
        return read_keyset(self.data_dir / "keyset.json")

    def init(self, *, examples: bool = True) -> Self:
        """Make the folder, keys, database and (by default) the example products.

        By a forked process, however the others start: it is where a test begins, never what it is about.
        """
        warm, self.warm = self.warm, True
        try:
            self.succeed("init", *(["--examples"] if examples else []))
        finally:
            self.warm = warm
        return self

    def run(self, *words: str, environment: Mapping[str, str] | None = None) -> CommandResult:
        """Run a command on this folder, whatever comes of it.

        `words` are the command's; `--data-dir` is put behind them.
        """
        more = [*words, "--data-dir", str(self.data_dir)]
        with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
            process = self.spawn(more, stdout=stdout, stderr=stderr, env={**self.environment, **(environment or {})})
            try:
                process.wait(COMMAND_SECONDS)
            finally:
                process.kill()
                process.wait()
            for told in (stdout, stderr):
                told.seek(0)
            done = CommandResult(process.wait(), *(told.read().decode("utf-8") for told in (stdout, stderr)))
        RECORD.folders.add(self.data_dir)
        RECORD.issued(done.stdout)
        RECORD.left(f"stderr of {' '.join(words[:2])}", done.stderr)
        return done

    def spawn(
        self, words: Sequence[str], *, stdout: IO[bytes], stderr: IO[bytes], env: Mapping[str, str]
    ) -> subprocess.Popen[bytes] | Forked:
        """Start `tillkey-server` with these words."""
        if self.warm and suits(words, env):
            return zygote().start(words, stdout=stdout, stderr=stderr, env=env)
        command = [sys.executable, "-m", "tillkey_server", *words]
        return subprocess.Popen(command, stdout=stdout, stderr=stderr, env=env)

    def succeed(self, *words: str) -> CommandResult:
        """Run a command that must work."""
        result = self.run(*words)
        assert result.exit_code == 0, f"{words}: exit {result.exit_code}\n{result.stdout}\n{result.stderr}"
        return result

    def command(self, *words: str) -> Any:
        """Run a command that must work, with `--json`, and return its document."""
        return self.succeed(*words, "--json").json

    def issue(self, product: str = "pos-core", customer: str = "owner@shop.example") -> IssuedKey:
        """Issue one license."""
        return self.issue_many(1, product=product, customer=customer)[0]

    def issue_many(
        self, quantity: int, product: str = "pos-core", customer: str = "owner@shop.example"
    ) -> list[IssuedKey]:
        """Issue licenses of one order: one command however many, since starting a process is slow."""
        words = ("license", "issue", "--product", product, "--customer", customer, "--quantity", str(quantity))
        issued = self.command(*words)
        entries = issued.get("licenses", [issued])
        return [IssuedKey(entry["license_id"], entry["license_key"]) for entry in entries]

    @contextmanager
    def serving(self, **options: Any) -> Iterator[Serving]:
        """Serve this folder with one more process, until the block ends."""
        process = Serving(self, **options)
        try:
            yield process.start()
        finally:
            process.close()


class Serving:
    """One `tillkey-server serve` process.

    In: the installation; `port`, 0 for a free one, which `restart()` keeps; `more` words of `serve`; `crash_at`, the
    name of a crash point,
    which the process is told together with the word that it is in a test.
    """

    def __init__(
        self, installation: Installation, *, port: int = 0, crash_at: str | None = None, more: Sequence[str] = ()
    ) -> None:
        self.installation = installation
        self.more = tuple(more)
        self.port = port
        self.crash_at = crash_at
        self.log_path = installation.data_dir.parent / f"{installation.data_dir.name}-serve-{next(_numbers)}.log"
        RECORD.logs.add(self.log_path)
        self._process: subprocess.Popen[bytes] | Forked | None = None
        self._read_from = 0

    @property
    def url(self) -> str:
        """The address that it answers at."""
        assert self.port, "the server was never started"
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """Everything that it wrote to stderr, over all its starts."""
        return self.log_path.read_text("utf-8") if self.log_path.exists() else ""

    @property
    def alive(self) -> bool:
        """Tell whether the process runs."""
        return self._process is not None and self._process.poll() is None

    def client(self, **options: Any) -> httpx.AsyncClient:
        """Return an HTTP client for it, to be closed by the caller (`async with`)."""
        return httpx.AsyncClient(base_url=self.url, timeout=httpx.Timeout(60.0), trust_env=False, **options)

    def start(self) -> Self:
        """Start the process and wait until it says that it is ready."""
        assert not self.alive, "it runs already"
        environment = dict(self.installation.environment)
        if self.crash_at is not None:
            environment |= {"TILLKEY_TESTING": "1", "TILLKEY_CRASH_AT": self.crash_at}
            (self.installation.data_dir / CRASH_MARKER).touch()
        self._read_from = len(self.log)
        folder = str(self.installation.data_dir)
        words = ["serve", "--data-dir", folder, "--host", "127.0.0.1", "--port", str(self.port), *self.more]
        with self.log_path.open("ab") as log:
            self._process = self.installation.spawn(words, stdout=log, stderr=log, env=environment)
        self._wait_until_ready()
        return self

    def stop(self) -> int:
        """Ask it to stop (SIGTERM) and return its exit code."""
        return self._end(signal.SIGTERM)

    def kill(self) -> int:
        """Kill it with SIGKILL, as a power cut would."""
        return self._end(signal.SIGKILL)

    def wait(self, seconds: float = STOP_SECONDS) -> int:
        """Wait until it ends by itself, as at a crash point, and return its exit code."""
        assert self._process is not None, "the server was never started"
        code = self._process.wait(seconds)
        self._process = None
        return code

    def restart(self, *, crash_at: str | None = None) -> Self:
        """Start it again on the same port; by default without its crash point."""
        if self.alive:
            self.kill()
        self.crash_at = crash_at
        return self.start()

    def close(self) -> None:
        """End it however it stands."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(STOP_SECONDS)
            self._process = None

    def _end(self, how: signal.Signals) -> int:
        assert self._process is not None, "the server was never started"
        self._process.send_signal(how)
        return self.wait()

    def _wait_until_ready(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            for line in self.log[self._read_from :].splitlines():
                if line.startswith(READY):
                    self.port = int(line.rpartition(":")[2])
                    return
            assert self._process.poll() is None, f"exit {self._process.returncode}:\n{self.log[self._read_from :]}"
            time.sleep(0.02)
        self.close()
        raise AssertionError(f"not ready within {START_SECONDS:.0f} s:\n{self.log[self._read_from :]}")
