"""Background beats: a thread that looks once a minute whether one is due, and beats off the caller's thread.

It looks rather than sleeps until the time comes, because machines sleep, clocks are set, and another process of the
till may beat, activate or free the license meanwhile. Who cannot get the folder's lock skips the beat.
"""

from __future__ import annotations

import os
import secrets
import threading
from typing import Callable, Optional, Protocol

from tillkey._constants import POLL_INTERVAL
from tillkey.errors import Busy, Refused, TillkeyError, Unreachable
from tillkey.schedule import Due, backoff, delay, spread
from tillkey.wire.request import ClockReading

_DRAW_STEPS = 1_000_000


class Heart(Protocol):
    """What the background needs of a client."""

    def refresh(self) -> None:
        """Read the state again where another process has changed it."""

    def due(self) -> tuple[Due, int]:
        """Return what the next beat depends on, and the effective time."""

    def beat(self) -> None:
        """Beat without waiting for the lock; raises ``TillkeyError``."""


class Beater:
    """Decides at each tick whether to beat; ``tick`` is all that the thread calls, so a test can call it instead."""

    def __init__(
        self,
        heart: Heart,
        clock: Callable[[], ClockReading],
        draw: Callable[[], float],
        last_error: Optional[TillkeyError] = None,
    ) -> None:
        """Take the client, its clocks, a source of numbers from 0 to 1, and what is known to have gone wrong before."""
        self._heart = heart
        self._clock = clock
        self._draw = draw
        self._drawn = draw()
        self._since: Optional[ClockReading] = None
        self._known: Optional[Due] = None
        self._failures = 0
        self._retry_after: Optional[int] = None
        self.last_error = last_error

    def tick(self) -> float:
        """Beat if it is time; return the seconds until the next look, from 0 to a minute."""
        self._heart.refresh()
        due, now = self._heart.due()
        if due != self._known:
            # An answer came, here or in another process: count from it, not from the failures before it.
            self._begin(due, failures=0)
        wait = self._wait(due, now)
        if wait is not None and wait <= 0:
            self._beat(due)
            wait = self._wait(*self._heart.due())
        return POLL_INTERVAL if wait is None else min(POLL_INTERVAL, max(0.0, wait))

    def _begin(self, due: Due, failures: int) -> None:
        self._known, self._failures, self._drawn, self._since = due, failures, self._draw(), None

    def _wait(self, due: Due, now: int) -> Optional[float]:
        if not self._failures:
            wait = delay(due, now, self._drawn)
            if wait is None or wait > 0:
                return wait
        held_back = backoff(self._failures, self._retry_after, self._drawn) if self._failures else spread(self._drawn)
        return held_back - self._waited()

    def _waited(self) -> int:
        """Return the seconds since this wait began, by the time since boot; a restart of the machine begins it anew."""
        reading = self._clock()
        if self._since is None or self._since.boot_id != reading.boot_id:
            self._since = reading
        return max(0, reading.boottime - self._since.boottime)

    def _beat(self, before: Due) -> None:
        failed, self._retry_after = True, None
        try:
            self._heart.beat()
        except Busy:
            pass
        except Refused as error:
            # A statement that was stored is an answer like a lease: the next beat counts from it.
            self.last_error = error
            failed = self._heart.due()[0].issued_at == before.issued_at
        except TillkeyError as error:
            self.last_error = error
            self._retry_after = error.retry_after if isinstance(error, Unreachable) else None
        else:
            failed, self.last_error = False, None
        self._begin(self._heart.due()[0], self._failures + 1 if failed else 0)


def draw() -> float:
    """Draw a number from 0 to 1, as jitter needs it."""
    return secrets.randbelow(_DRAW_STEPS) / _DRAW_STEPS


class Background:
    """The thread. After a ``fork`` the child has none: ``start`` there begins its own."""

    def __init__(self, beater: Beater, after: Optional[Callable[[], None]] = None) -> None:
        """Take what decides, and what is done after each look."""
        self._beater = beater
        self._after = after
        self._stop = threading.Event()
        self._process = os.getpid()
        self._thread = threading.Thread(target=self._loop, name="tillkey-heartbeat", daemon=True)
        self._thread.start()

    @property
    def last_error(self) -> Optional[TillkeyError]:
        """Why the last beat did not succeed, or None."""
        return self._beater.last_error

    @last_error.setter
    def last_error(self, error: Optional[TillkeyError]) -> None:
        self._beater.last_error = error

    @property
    def running(self) -> bool:
        """Tell whether the thread runs in this process, and is not told to end with the beat that is under way."""
        return self._process == os.getpid() and self._thread.is_alive() and not self._stop.is_set()

    def stop(self, wait: float) -> None:
        """Let no further beat begin; wait at most ``wait`` seconds for one that is under way."""
        if self._process != os.getpid():
            return
        self._stop.set()
        if self._thread is not threading.current_thread():
            self._thread.join(wait)

    def _loop(self) -> None:
        wait = 0.0
        while not self._stop.wait(wait):
            try:
                wait = self._beater.tick()
                if self._after is not None:
                    self._after()
            except Exception:  # noqa: BLE001 - a fault of ours must not end the beats for good
                wait = POLL_INTERVAL
