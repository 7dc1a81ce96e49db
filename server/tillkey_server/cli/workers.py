"""Several worker processes behind one listening socket, and the supervisor that keeps them.

1. Each worker is a `serve` of its own that was handed the socket. The supervisor serves nobody, so that nothing that a
   request does can end it.
2. A worker that ends although nobody asked it to is replaced; one that cannot start is tried again ever more slowly.
   Where a worker cannot even start the first time, the whole server does not: its exit code is passed on.
3. SIGTERM or Ctrl-C stops the workers, which finish the answers on their way; the exit code is 0.
4. SIGHUP puts a new worker in the place of each, one by one, the old one only stopped when the new one is ready: a
   renewed certificate, keyset or policy is taken up without a pause.
5. A worker holds a socket to its supervisor and stops when that closes: no worker outlives it, however it ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Callable, Sequence

log = logging.getLogger(__name__)

STOP_SECONDS = 25.0
_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 30.0
_READY = b"1"


class Worker:
    """One worker process, and the socket over which it says that it is ready."""

    def __init__(self, process: asyncio.subprocess.Process, control: socket.socket) -> None:
        """Take what `started` made."""
        self.process = process
        self._control = control

    @classmethod
    async def started(cls, command: Sequence[str], listener: socket.socket) -> Worker:
        """Start one: `command` is told the numbers of the two sockets that it inherits."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        with theirs:
            inherited = (listener.fileno(), theirs.fileno())
            words = [*command, "--inherited", ",".join(map(str, inherited))]
            process = await asyncio.create_subprocess_exec(*words, pass_fds=inherited)
        return cls(process, ours)

    async def ready(self) -> bool:
        """Wait until it takes requests; false where it ended instead."""
        with contextlib.suppress(ConnectionError):
            return await asyncio.get_running_loop().sock_recv(self._control, 1) == _READY
        return False

    async def stop(self) -> None:
        """Let it finish its answers, and kill it where that takes too long."""
        with contextlib.suppress(ProcessLookupError):
            self.process.terminate()
        try:
            await asyncio.wait_for(self.process.wait(), STOP_SECONDS)
        except TimeoutError:
            log.error("a worker did not stop in time and is killed")  # noqa: TRY400 - the timeout has no frames to tell
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
            await self.process.wait()
        self._control.close()


class Supervisor:
    """Keeps `count` workers of `command` on the listening socket; `ready` is called once, when all take requests."""

    def __init__(self, command: Sequence[str], count: int, listener: socket.socket, ready: Callable[[], None]) -> None:
        """Take what to keep running."""
        self._command = command
        self._count = count
        self._listener = listener
        self._ready = ready
        self._stopping = asyncio.Event()
        self._renewing = asyncio.Lock()
        self._workers: list[Worker] = []

    async def run(self) -> int:
        """Run until a signal asks to stop; return 0, or the exit code of a worker that could not start at all."""
        self._hear()
        self._workers = [await Worker.started(self._command, self._listener) for _ in range(self._count)]
        keepers: list[asyncio.Task[None]] = []
        try:
            for worker in self._workers:
                if not await self._is_ready(worker):
                    return 0 if self._stopping.is_set() else await worker.process.wait()
            self._ready()
            keepers = [asyncio.ensure_future(self._keep(slot)) for slot in range(self._count)]
            await self._stopping.wait()
            return 0
        finally:
            for keeper in keepers:
                keeper.cancel()
            await asyncio.gather(*keepers, return_exceptions=True)
            await asyncio.gather(*(worker.stop() for worker in self._workers))

    def _hear(self) -> None:
        loop = asyncio.get_running_loop()
        for asked in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(asked, self._stopping.set)
        renewals: set[asyncio.Task[None]] = set()

        def renew() -> None:
            task = loop.create_task(self._renew())
            renewals.add(task)
            task.add_done_callback(renewals.discard)

        loop.add_signal_handler(signal.SIGHUP, renew)

    async def _is_ready(self, worker: Worker) -> bool:
        """Wait until a worker is ready or ended, or somebody asks to stop."""
        waiting = {asyncio.ensure_future(worker.ready()), asyncio.ensure_future(self._stopping.wait())}
        done, rest = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
        return not self._stopping.is_set() and all(task.result() for task in done)

    async def _keep(self, slot: int) -> None:
        """Replace the worker of a slot whenever it ends."""
        pause = _FIRST_PAUSE_SECONDS
        while True:
            worker = self._workers[slot]
            code = await worker.process.wait()
            if worker is not self._workers[slot]:
                continue
            log.error("a worker ended and is replaced", extra={"exit_code": code})
            await worker.stop()
            await asyncio.sleep(pause)
            if worker is not self._workers[slot]:
                continue
            self._workers[slot] = await Worker.started(self._command, self._listener)
            started = await self._is_ready(self._workers[slot])
            pause = _FIRST_PAUSE_SECONDS if started else min(pause * 2, _LONGEST_PAUSE_SECONDS)

    async def _renew(self) -> None:
        """Put a new worker in the place of each; where one cannot start, the old ones go on."""
        async with self._renewing:
            for slot in range(len(self._workers)):
                fresh = await Worker.started(self._command, self._listener)
                if self._stopping.is_set() or not await self._is_ready(fresh):
                    log.error("a new worker could not start; those that run go on")
                    await fresh.stop()
                    return
                former, self._workers[slot] = self._workers[slot], fresh
                await former.stop()
