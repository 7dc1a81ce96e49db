"""What time it is for a license, whatever the machine's clock says (PROTOCOL section 6, K-15).

1. Known is: the server's time of the last answer plus the time since boot, as long as the machine has not been
   restarted since; and the highest time seen, likewise.
2. The wall clock is believed where it is ahead of what is known by no more than 48 hours.
3. Effective time is the highest of these. It never goes back.
4. A wall clock behind what is known, or too far ahead of it, is *suspect*: reported, and stops nothing by itself.
5. Only a signed answer that came within a minute (boot time) of its request may lower what is known.

Pure: readings of the clocks are arguments.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Optional

from tillkey._constants import BELIEVED_LEAP, CLOCK_TOLERANCE, TIMELY_ANSWER
from tillkey.wire.request import ClockReading


@dataclass(frozen=True)
class Point:
    """A time that was known, and what the machine's clocks showed then; all in seconds."""

    time: int
    wall: int
    boottime: int
    boot_id: str

    def carried(self, reading: ClockReading) -> int:
        """Return this time plus the time since, as far as the same boot proves it."""
        if not self.boot_id or self.boot_id != reading.boot_id:
            return self.time
        return self.time + max(0, reading.boottime - self.boottime)


@dataclass(frozen=True)
class TimeMemory:
    """What is remembered: the last answer's time, and the highest effective time seen."""

    anchor: Optional[Point] = None
    highest: Optional[Point] = None


@dataclass(frozen=True)
class Effective:
    """The time to judge by, in epoch seconds, and whether the wall clock disagrees with what is known."""

    time: int
    clock_suspect: bool


def _point(time: int, reading: ClockReading) -> Point:
    return Point(time, reading.wall, reading.boottime, reading.boot_id)


def effective(memory: TimeMemory, reading: ClockReading) -> Effective:
    """Return the effective time at a reading of the clocks."""
    points = [point for point in (memory.anchor, memory.highest) if point is not None]
    if not points:
        return Effective(reading.wall, clock_suspect=False)
    known = max(point.carried(reading) for point in points)
    if reading.wall > known + BELIEVED_LEAP:
        return Effective(known, clock_suspect=True)
    return Effective(max(known, reading.wall), clock_suspect=reading.wall < known - CLOCK_TOLERANCE)


def observe(memory: TimeMemory, reading: ClockReading) -> TimeMemory:
    """Remember the effective time at a reading.

    A memory without any answer stays empty: the wall clock alone is no knowledge.
    """
    if memory.anchor is None:
        return memory
    return replace(memory, highest=_point(effective(memory, reading).time, reading))


def confirm(memory: TimeMemory, server_time: int, sent: ClockReading, received: ClockReading) -> TimeMemory:
    """Take over the time of a signed answer; lower what is known only if the answer was timely (rule 5)."""
    same_boot = bool(sent.boot_id) and sent.boot_id == received.boot_id
    timely = same_boot and 0 <= received.boottime - sent.boottime <= TIMELY_ANSWER
    time = server_time if timely or memory.anchor is None else max(server_time, effective(memory, received).time)
    point = _point(time, received)
    return TimeMemory(anchor=point, highest=point)


def merge(stored: TimeMemory, live: TimeMemory) -> TimeMemory:
    """Join what the state file knows with what this process has seen since the same answer."""
    if stored.anchor != live.anchor or live.highest is None:
        return stored
    if stored.highest is not None and stored.highest.time > live.highest.time:
        return stored
    return live
