"""Time as the server knows it: aware UTC, whole seconds.

`now` is an argument everywhere below the use cases; only the composition root and the use cases hold a `Clock`. The
wire and the database count integer seconds (PROTOCOL section 3), so a fraction of a second is dropped at the door.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Whoever tells the time; tests pass one that stands still."""

    def now(self) -> datetime:
        """Return the present instant, aware, UTC, without a fraction of a second."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the machine's time, aware, UTC, truncated to the second."""
        return datetime.now(UTC).replace(microsecond=0)


def to_epoch(instant: datetime) -> int:
    """Return whole seconds since 1970-01-01T00:00:00Z, rounding down.

    Raises `ValueError` for a naive datetime: its zone would be a guess.
    """
    if instant.utcoffset() is None:
        msg = "a naive datetime is no instant"
        raise ValueError(msg)
    return int(instant.astimezone(UTC).replace(microsecond=0).timestamp())


def from_epoch(seconds: int) -> datetime:
    """Return the aware UTC instant of whole seconds since 1970-01-01T00:00:00Z."""
    return datetime.fromtimestamp(seconds, UTC)
