"""Sliding windows, shared by every limit that counts (K-16).

1. A window is elapsed time, half-open: an event counts while it is younger than W. Exactly W later it counts no more.
2. An event that seems to lie in the future counts: two processes' clocks differ by a second, and a limit must hold all
   the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta


def within(times: Iterable[datetime], window: timedelta, now: datetime) -> tuple[datetime, ...]:
    """Return the events that still count at `now`, oldest first."""
    return tuple(sorted(at for at in times if at > now - window))


def room_at(counting: tuple[datetime, ...], limit: int, window: timedelta) -> datetime | None:
    """Return when a full window has room again: as soon as fewer than `limit` of `counting` are left in it.

    None for a limit of 0, which never has room. `counting` is what `within` returned and holds at least `limit` events.
    """
    if limit == 0:
        return None
    return counting[len(counting) - limit] + window
