"""Time as the server knows it: aware UTC, whole seconds.

`now` is an argument everywhere below the use cases; only the composition root and the use cases hold a `Clock`. The
wire and the database count integer seconds (PROTOCOL section 3), so a fraction of a second is dropped at the door.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol

_WRITE_A_TIME = "write a time with its zone, as 2026-01-31T15:00:00Z"
YEARS = range(1900, 3000)
"""What is told lies within; what is counted from it, in whatever zone, stays within what a calendar holds."""


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


def from_text(text: str) -> datetime:
    """Read a time as people write it, with its zone (RFC 3339): aware, UTC, without a fraction of a second.

    Raises `ValueError`, which says how to write it; a time without a zone would be a guess at its place. One that is
    far away, as a marketplace's 9999-12-31 for "never", is none: a clock that is counted on from it would overflow.
    """
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(_WRITE_A_TIME) from error
    if at.tzinfo is None:
        raise ValueError(_WRITE_A_TIME)
    if at.year not in YEARS:
        raise ValueError(f"must lie in the years {YEARS.start} to {YEARS.stop - 1}")
    return at.astimezone(UTC).replace(microsecond=0)


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
