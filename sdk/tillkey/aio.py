"""``AsyncLicenseClient``: the verbs of ``LicenseClient`` for a program that runs on asyncio.

It is the same client behind: one state machine, one lock on the folder, one way of writing to the disk. Each verb
runs in a thread of the client's own, since neither a lock that another process holds nor a disk that syncs can be
waited for on an event loop. What follows from that:

1. The loop is never held up. ``check()`` stays a plain call: it looks at memory alone (the state file is read once;
   ``async with`` reads it beforehand, in the thread).
2. Verbs of one client run one after another, in the order of their calls.
3. A verb whose awaiting task is cancelled is not torn: one that has begun goes on to its end in the thread, and what
   came of it is saved; one that waits for its turn never begins. Asking again goes on from there.
4. Background heartbeats are those of ``LicenseClient``; hooks are called on the loop on which the client was last
   awaited, a coroutine's after the one before it has ended. Where that loop is closed nobody is left to be told.
5. A block that is not entered, since the task was cancelled on the way, leaves no heartbeats behind.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Callable, Optional, TypeVar, Union

from tillkey import platform
from tillkey._constants import CONNECT_TIMEOUT, LOCK_TIMEOUT, TOTAL_TIMEOUT
from tillkey.client import LicenseClient
from tillkey.errors import TillkeyError
from tillkey.verdict import Verdict
from tillkey.wire.request import ClockReading

if TYPE_CHECKING:
    from tillkey.support import SupportAnswer

_Result = TypeVar("_Result")
Hook = Callable[[Verdict], Union[Coroutine[Any, Any, None], None]]


class AsyncLicenseClient:
    """One product's license on this till, for asyncio; the arguments are those of ``LicenseClient``.

    ``on_change`` may also be a coroutine function; it runs on the loop on which the client was last awaited.
    """

    # The coroutine of a hook that was begun last.
    _telling: Optional[asyncio.Future[None]] = None

    def __init__(
        self,
        server: str,
        product: str,
        pinned_keyset: Union[str, os.PathLike[str]],
        state_dir: Union[str, os.PathLike[str], None] = None,
        *,
        machine_traits: Optional[Mapping[str, Optional[str]]] = None,
        app_version: str = "",
        platform_version: Optional[str] = None,
        connect_timeout: float = CONNECT_TIMEOUT,
        total_timeout: float = TOTAL_TIMEOUT,
        lock_timeout: float = LOCK_TIMEOUT,
        ca_file: Union[str, os.PathLike[str], None] = None,
        proxy: Optional[str] = None,
        on_change: Optional[Hook] = None,
        clock: Callable[[], ClockReading] = platform.read_clock,
    ) -> None:
        """Take the arguments; see ``LicenseClient``."""
        self._hook = on_change
        self._loop: Optional[asyncio.AbstractEventLoop] = None
        self._thread: Optional[ThreadPoolExecutor] = None
        self._process = os.getpid()
        self._client = LicenseClient(
            server,
            product,
            pinned_keyset,
            state_dir,
            machine_traits=machine_traits,
            app_version=app_version,
            platform_version=platform_version,
            connect_timeout=connect_timeout,
            total_timeout=total_timeout,
            lock_timeout=lock_timeout,
            ca_file=ca_file,
            proxy=proxy,
            on_change=None if on_change is None else self._tell,
            clock=clock,
        )
        self.product = self._client.product
        self.state_dir = self._client.state_dir

    def check(self) -> Verdict:
        """Say what the till may do now, from memory. Never raises, never waits, no network."""
        return self._client.check()

    async def activate(
        self,
        license_key: str,
        *,
        project: Optional[str] = None,
        site: Optional[str] = None,
        environment: str = "production",
        move_ticket: Optional[str] = None,
    ) -> Verdict:
        """Take a license into use on this till; see ``LicenseClient.activate``, raises as it does."""
        verb = partial(
            self._client.activate,
            license_key,
            project=project,
            site=site,
            environment=environment,
            move_ticket=move_ticket,
        )
        return await self._in_thread(verb)

    async def heartbeat(self) -> Verdict:
        """Renew the lease now; see ``LicenseClient.heartbeat``, raises as it does."""
        return await self._in_thread(self._client.heartbeat)

    async def deactivate(self) -> Verdict:
        """Give the license back; see ``LicenseClient.deactivate``, raises as it does."""
        return await self._in_thread(self._client.deactivate)

    async def move_ticket(self, environment: str) -> str:
        """Return a ticket for another installation; see ``LicenseClient.move_ticket``, raises as it does."""
        return await self._in_thread(partial(self._client.move_ticket, environment))

    async def support(
        self,
        task: str,
        *,
        feature: Optional[str] = None,
        platform_version: Optional[str] = None,
        language: str = "en",
    ) -> SupportAnswer:
        """Ask whether the vendor's terms serve a request for support; see ``LicenseClient.support``."""
        ask = partial(self._client.support, task, feature=feature, platform_version=platform_version, language=language)
        return await self._in_thread(ask)

    async def start(self) -> None:
        """Begin background heartbeats; again is nothing. After a ``fork`` the child calls it for itself."""
        await self._in_thread(self._client.start)

    async def stop(self) -> None:
        """End background heartbeats; waits for one under way, at most as long as one exchange may take.

        No further beat begins from the call on, even where the awaiting task is cancelled.
        """
        self._client.stop(wait=0)
        try:
            await self._in_thread(self._client.stop)
        except asyncio.CancelledError:
            self._stop_later()
            raise
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.shutdown(wait=False)

    @property
    def last_error(self) -> Optional[TillkeyError]:
        """Why the last background heartbeat did not succeed, or ``activate()`` did not reach the server, or None."""
        return self._client.last_error

    async def __aenter__(self) -> AsyncLicenseClient:  # noqa: PYI034 - typing.Self is not in Python 3.9
        await self._in_thread(self._client.check)
        try:
            await self.start()
        except asyncio.CancelledError:
            # Whoever does not enter the block never leaves it.
            self._stop_later()
            raise
        return self

    async def __aexit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        await self.stop()

    def _stop_later(self) -> None:
        """End the heartbeats behind whatever the thread has begun, such as a start of them."""
        if self._thread is not None:
            self._thread.submit(self._client.stop, 0)

    async def _in_thread(self, verb: Callable[[], _Result]) -> _Result:
        self._loop = asyncio.get_running_loop()
        if self._thread is None or self._process != os.getpid():
            # In a child of fork there is no such thread, and what waits for it would wait for ever.
            self._process = os.getpid()
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="tillkey-asyncio")
        return await self._loop.run_in_executor(self._thread, verb)

    def _tell(self, verdict: Verdict) -> None:
        """Hand a change over to the loop; where the loop is gone, nobody is left to be told."""
        loop = self._loop
        if loop is not None:
            # Raised where the loop is closed.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self._call_hook, verdict)

    def _call_hook(self, verdict: Verdict) -> None:
        from tillkey.hooks import guarded  # noqa: PLC0415 - logging is loaded with the first change

        called = guarded(self._hook, verdict)
        if asyncio.iscoroutine(called):
            before = self._telling
            if before is not None and before.get_loop() is not asyncio.get_running_loop():
                before = None
            self._telling = task = asyncio.ensure_future(_in_turn(before, called))
            # The loop holds tasks weakly: one that nobody keeps could vanish.
            _running.add(task)
            task.add_done_callback(_running.discard)


_running: set[asyncio.Future[None]] = set()
"""Tasks of hooks that run."""


async def _in_turn(before: Optional[asyncio.Future[None]], called: Coroutine[Any, Any, None]) -> None:
    from tillkey.hooks import complain  # noqa: PLC0415 - as above

    try:
        if before is not None and not before.done():
            await asyncio.wait([before])
        await called
    except Exception as error:  # noqa: BLE001 - the host's own fault must not harm its till
        complain(error)
    finally:
        # One that was cancelled before its turn never began.
        called.close()
