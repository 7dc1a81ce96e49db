"""Ctrl-C and its like: one exception, raised once, and never between a process's start and our knowing its number."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(BaseException):
    """Somebody asked us to end: Ctrl-C, `kill`, or a closed terminal."""


class Stopping:
    """Turns the first of `SIGNALS` into `Stopped`; whatever comes after it finds us cleaning up already."""

    def __init__(self) -> None:
        """Listen to nothing yet."""
        self._postponed = False
        self._asked = False

    def listen(self) -> None:
        """Set the handlers, also where a shell made us deaf to some signals (`make run &`)."""
        for name in SIGNALS:
            signal.signal(name, self._stop)

    @contextmanager
    def postponed(self) -> Iterator[None]:
        """Let the block run to its end first; `Stopped` comes right after it."""
        self._postponed = True
        try:
            yield
        finally:
            self._postponed = False
        if self._asked:
            raise Stopped

    def _stop(self, _signal: int, _frame: FrameType | None) -> None:
        for name in SIGNALS:
            signal.signal(name, signal.SIG_IGN)
        self._asked = True
        if not self._postponed:
            raise Stopped
