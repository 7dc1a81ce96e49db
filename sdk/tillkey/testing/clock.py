"""A clock that stands still until a test turns it, for the fake server and for the tills that it makes."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Callable

from tillkey.wire.request import ClockReading

MORNING = datetime(2026, 3, 2, 9, 0, tzinfo=timezone.utc)
_BOOTED_BEFORE = 1000
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def epoch_of(name: str, moment: datetime) -> int:
    """Return an aware time in epoch seconds; raises ``ValueError``, which names the argument, for a naive one."""
    if moment.utcoffset() is None:
        raise ValueError(f"{name}: give a datetime with a time zone, such as datetime(…, tzinfo=timezone.utc)")
    return (moment - _EPOCH) // timedelta(seconds=1)


class FakeClock:
    """One time for server and tills; give it to a client as its ``clock``."""

    def __init__(self, starts_at: datetime = MORNING) -> None:
        """Take the time to begin with, aware. Raises ``ValueError`` for a naive one: its zone would be a guess."""
        self._seconds = epoch_of("starts_at", starts_at)
        self._booted = self._seconds - _BOOTED_BEFORE

    @property
    def now(self) -> datetime:
        """The present instant, aware, UTC."""
        return _EPOCH + timedelta(seconds=self._seconds)

    @property
    def seconds(self) -> int:
        """The present instant in epoch seconds."""
        return self._seconds

    def turn(self, **by: float) -> None:
        """Let time pass: ``turn(days=8)``, ``turn(hours=6, minutes=1)``; the names are those of ``timedelta``.

        Raises ``ValueError`` for a time that is not positive: time goes forward (see ``off_by`` for a wrong clock).
        """
        passed = timedelta(**by) // timedelta(seconds=1)
        if passed <= 0:
            raise ValueError("turn: time goes forward; for a till whose clock is wrong take clock.off_by(days=…)")
        self._seconds += passed

    def off_by(self, **by: float) -> Callable[[], ClockReading]:
        """Return the clock of a till whose date is wrong by so much; it goes on with this one.

        ``server.client("pos-core", folder, clock=server.clock.off_by(days=-400))``
        """
        ahead = timedelta(**by) // timedelta(seconds=1)

        def read() -> ClockReading:
            right = self()
            return ClockReading(max(0, right.wall + ahead), right.boottime, right.boot_id)

        return read

    def __call__(self) -> ClockReading:
        """Return what a till on this time reads."""
        return ClockReading(self._seconds, self._seconds - self._booted, "fake-boot")
