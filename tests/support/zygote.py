"""`tillkey-server` without the second that its imports take: a process that has made them forks one for each start.

What comes of it is a process as any other: its own pid, environment, working folder and outputs, killed as any other.
For the stories that start servers and commands by the dozen; how the program starts cold is shown in
`tests/server/cli`, `tests/contracts` and `tests/examples`.

As a program this module is that process: it reads requests from the socket on its standard input until that closes.
"""

import atexit
import functools
import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

_ROOT = Path(__file__).parents[2]
_REQUEST_BYTES = 1 << 20
_DESCRIPTORS = 3


class Forked:
    """A forked process, with what is used of `subprocess.Popen`: `pid`, `poll`, `wait`, `send_signal`, `kill`."""

    def __init__(self, pid: int, ended: int) -> None:
        """`ended` is a pipe on which the exit code comes."""
        self.pid = pid
        self.returncode: int | None = None
        self._ended = ended

    def poll(self) -> int | None:
        """Return the exit code, below 0 the signal that killed it; None while it runs."""
        return self._look(0)

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit code when it has ended; raise `subprocess.TimeoutExpired` after so many seconds."""
        code = self._look(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(["tillkey-server"], timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill it with SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def _look(self, seconds: float | None) -> int | None:
        if self.returncode is None and select.select([self._ended], [], [], seconds)[0]:
            told = os.read(self._ended, 16)
            os.close(self._ended)
            assert told, "the process that forks is gone"
            self.returncode = int(told)
        return self.returncode


class Zygote:
    """The process that forks, started when it is first needed; it ends with this one."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        self._socket = ours
        command = [sys.executable, "-m", "tests.support.zygote"]
        self._process = subprocess.Popen(command, stdin=theirs, cwd=_ROOT, start_new_session=True)
        theirs.close()
        atexit.register(self.close)

    def close(self) -> None:
        """End it; what it forked goes on."""
        self._socket.close()
        self._process.wait()

    def start(self, words: Sequence[str], *, stdout: IO[bytes], stderr: IO[bytes], env: Mapping[str, str]) -> Forked:
        """Start `tillkey-server` with these words and files in place of its outputs."""
        ended, ending = os.pipe()
        request = json.dumps({"words": list(words), "env": dict(env), "folder": str(Path.cwd())}).encode()
        socket.send_fds(self._socket, [len(request).to_bytes(4, "big")], [stdout.fileno(), stderr.fileno(), ending])
        self._socket.sendall(request)
        os.close(ending)
        pid = int.from_bytes(_exactly(self._socket, 4), "big")
        return Forked(pid, ended)


@functools.cache
def zygote() -> Zygote:
    """Return this process's."""
    return Zygote()


def suits(words: Sequence[str], env: Mapping[str, str]) -> bool:
    """Tell whether a start comes out as a cold one: not with other Python settings, nor with workers to start."""
    own = {name: text for name, text in os.environ.items() if name.startswith("PYTHON")}
    return "--workers" not in words and {name: text for name, text in env.items() if name.startswith("PYTHON")} == own


def _exactly(source: socket.socket, size: int) -> bytes:
    read = b""
    while len(read) < size:
        more = source.recv(size - len(read))
        if not more:
            raise EOFError
        read += more
    return read


def _serve(control: socket.socket) -> None:
    """Fork for each request and tell the exit code of each child, until the other end is closed."""
    woken, waking = os.pipe()
    os.set_blocking(waking, False)
    signal.set_wakeup_fd(waking)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    ending: dict[int, int] = {}
    while True:
        ready, _, _ = select.select([control, woken], [], [])
        if woken in ready:
            os.read(woken, 512)
            _reap(ending)
        if control in ready:
            head, files, _, _ = socket.recv_fds(control, 4, _DESCRIPTORS)
            if not head:
                return
            head += _exactly(control, 4 - len(head))
            request = json.loads(_exactly(control, int.from_bytes(head, "big")))
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                for descriptor in (woken, waking, control.fileno(), files[2], *ending.values()):
                    os.close(descriptor)
                _become(request, files[0], files[1])
            os.close(files[0])
            os.close(files[1])
            ending[pid] = files[2]
            control.sendall(pid.to_bytes(4, "big"))


def _reap(ending: dict[int, int]) -> None:
    for pid in list(ending):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            os.write(ending[pid], str(os.waitstatus_to_exitcode(status)).encode())
            os.close(ending.pop(pid))


def _become(request: dict[str, object], stdout: int, stderr: int) -> None:
    """Be `tillkey-server` from here on; does not return."""
    import tillkey_server  # noqa: PLC0415 - this process alone needs the server
    from tests.support import dying  # noqa: PLC0415
    from tillkey_server.cli.main import main  # noqa: PLC0415

    code: object = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for source, target in ((os.open(os.devnull, os.O_RDONLY), 0), (stdout, 1), (stderr, 2)):
            os.dup2(source, target)
            os.close(source)
        os.chdir(str(request["folder"]))
        os.environ.clear()
        os.environ.update(request["env"])  # type: ignore[arg-type]
        time.tzset()
        dying.arm(os.environ)
        # Its usage is told as that of `python -m tillkey_server`.
        sys.modules["__main__"].__package__ = tillkey_server.__name__
        sys.argv = [str(Path(tillkey_server.__file__).with_name("__main__.py")), *request["words"]]  # type: ignore[misc]
        main()
        code = 0
    except SystemExit as end:
        code = 0 if end.code is None else end.code
    except BaseException:  # noqa: BLE001 - as the interpreter does at its top
        traceback.print_exc()
    finally:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else 1)


def main() -> None:
    """Import what a server imports, then fork whenever asked."""
    from tillkey_server import app  # noqa: PLC0415

    app._routes()
    gc.freeze()
    with socket.socket(fileno=os.dup(0)) as control:
        _serve(control)


if __name__ == "__main__":
    main()
