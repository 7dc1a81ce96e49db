"""The license server as a real process: started, killed, started again, and never left behind."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import httpx

from .agent import COMMAND
from .stopping import Stopping

HOST = "127.0.0.1"
PREFERRED_PORT = 8787
START_TIMEOUT = 60.0
STOP_TIMEOUT = 15.0
_POLL = 0.05
_LOG_TAIL = 15


class ServerTrouble(Exception):
    """The server does not start; the message says why and what to do."""


def choose_port(environment: Mapping[str, str]) -> tuple[int, str | None]:
    """Return a port and, where it is not the preferred one, a sentence that says so.

    Raises `ServerTrouble` when TILLKEY_PORT is no port, or one that is in use.
    """
    wished = environment.get("TILLKEY_PORT", "").strip()
    if wished:
        if not wished.isascii() or not wished.isdigit() or not 0 < int(wished) < 1 << 16:
            raise ServerTrouble(f"TILLKEY_PORT is {wished!r}: it must be a number from 1 to 65535.")
        if not _free(int(wished)):
            raise ServerTrouble(f"Port {wished} (TILLKEY_PORT) is in use. Choose another, or leave TILLKEY_PORT unset.")
        return int(wished), None
    if _free(PREFERRED_PORT):
        return PREFERRED_PORT, None
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = int(probe.getsockname()[1])
    return port, f"Port {PREFERRED_PORT} is in use, so the server takes {port} (TILLKEY_PORT chooses one)."


def _free(port: int) -> bool:
    with socket.socket() as probe:
        # As the server itself binds: a connection of an earlier run that is still closing is no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


class Server:
    """One `tillkey-server serve`. Its process id is in a file as long as it runs, for the run after a crash."""

    def __init__(self, data_dir: Path, state_dir: Path, port: int, stopping: Stopping) -> None:
        """Start nothing yet."""
        self.port = port
        self.url = f"http://{HOST}:{port}"
        self._data_dir = data_dir
        self._stopping = stopping
        self._pid_file = state_dir / "server.pid"
        self.log = state_dir / "server.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the process and wait until it can serve. Raises `ServerTrouble` with the end of its log."""
        words = [COMMAND, "serve", "--data-dir", str(self._data_dir), "--host", HOST, "--port", str(self.port)]
        with self.log.open("ab") as log, self._stopping.postponed():
            begins = log.tell()
            # A session of its own: Ctrl-C reaches us alone, and the server is stopped in order.
            self._process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            self._pid_file.write_text(str(self._process.pid), encoding="ascii")
        deadline = time.monotonic() + START_TIMEOUT
        # Its own word first: whoever took the port a moment before us may answer, too.
        while not (self._said_ready(begins) and self._ready()):
            if not self.alive:
                raise ServerTrouble(
                    f"The server ended while starting (exit {self._process.returncode}).\n{self._tail()}"
                )
            if time.monotonic() > deadline:
                raise ServerTrouble(f"The server was not ready within {START_TIMEOUT:.0f} s.\n{self._tail()}")
            time.sleep(_POLL)

    def kill(self) -> int:
        """Let the server die as in a power cut (SIGKILL); return how it ended, -9 as a rule."""
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        return self._process.wait(STOP_TIMEOUT)

    def stop(self) -> None:
        """Stop the server in order, or by force when it does not listen. Harmless when it is stopped already."""
        if self._process is None:
            return
        if self.alive:
            self._process.terminate()
            try:
                self._process.wait(STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                self.kill()
        self._process = None
        self._pid_file.unlink(missing_ok=True)

    def _said_ready(self, begins: int) -> bool:
        with self.log.open("rb") as log:
            log.seek(begins)
            return f"Tillkey is ready at {self.url}".encode() in log.read()

    def _ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz", timeout=2, trust_env=False).is_success
        except httpx.HTTPError:
            return False

    def _tail(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_TAIL:]
        return "\n".join([f"The end of {self.log}:", *(f"  {line}" for line in lines)])


def stop_leftover(data_dir: Path, state_dir: Path) -> int | None:
    """Stop the server that a crashed run left behind; return its process id, or None where there was none.

    A process that merely got the number since is recognised by its command line and left alone.
    """
    pid_file = state_dir / "server.pid"
    try:
        pid = int(pid_file.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    stopped = None
    if "serve" in (words := _command_line(pid)) and str(data_dir) in words:
        _stop(pid)
        stopped = pid
    pid_file.unlink(missing_ok=True)
    return stopped


def _command_line(pid: int) -> list[str]:
    """Return a running process's words; empty where there is none or it cannot be seen."""
    with contextlib.suppress(OSError):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
        # A process that has ended and that nobody has waited for yet has no words left.
        return [word for word in words if word]
    with contextlib.suppress(OSError):
        shown = subprocess.run(["ps", "-p", str(pid), "-o", "args="], capture_output=True, text=True, check=False)
        return shown.stdout.split()
    return []


def _stop(pid: int) -> None:
    for sent, patience in ((signal.SIGTERM, STOP_TIMEOUT), (signal.SIGKILL, 5.0)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, sent)
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if not _command_line(pid):
                return
            time.sleep(_POLL)
