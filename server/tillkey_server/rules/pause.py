"""What a suspension of the account does to a license's clocks of support and refund (NX-42).

1. They run on, or pause where the terms say so. The clocks of use and updates are not meant.
2. A pause is half-open. One that is over, or whose end is known, moves the end of a clock by its whole length if it
   began before that end; of what came before the clock, nothing counts. One without an end moves nothing until it ends.
3. Pauses are laid one after another: what one of them moved may reach the next one. Two that overlap count once.
4. Lengths are counted by the clock on the wall where the vendor counts dates (K-01), so that summer time moves no day.
5. An end that is a day's end stays one: it moves to the end of the day that it reaches, so that no part of a pause is
   lost (K-06).
6. Within one account a suspension is one pause: longer or shorter as it is joined by another, or lifted.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from tillkey_server.rules.account import Span
from tillkey_server.rules.account_policy import SuspensionClocks
from tillkey_server.rules.calendar import Wait
from tillkey_server.rules.clocks import first_instant
from tillkey_server.rules.policy import Policy


def pauses_clocks(policy: Policy) -> bool:
    """Tell whether a suspension pauses the clocks of what was sold under these terms (sentence 1)."""
    return policy.account is not None and policy.account.suspension_clocks is SuspensionClocks.PAUSE


def moved(end: datetime, since: datetime, pauses: Iterable[Wait], zone: ZoneInfo) -> datetime:
    """Return where the end of a clock that began at `since` comes to be (sentences 2 to 5)."""
    reached, length, from_then = end, timedelta(0), since
    for pause in sorted(pauses, key=lambda one: one.start):
        start = max(pause.start, from_then)
        if pause.end is None or pause.end <= start or reached <= start:
            continue
        length += _wall(pause.end, zone) - _wall(start, zone)
        reached, from_then = _later(end, length, zone), pause.end
    return reached


def without(wait: Wait, pauses: Iterable[Wait], end: datetime) -> timedelta:
    """Return how long a stretch that is over by `end` lasted beside these pauses."""
    left, from_then = timedelta(0), wait.start
    for pause in sorted(pauses, key=lambda one: one.start):
        left += max(timedelta(0), min(pause.start, end) - from_then)
        from_then = max(from_then, pause.end or end)
    return left + max(timedelta(0), end - from_then)


def paused_now(open_pause: Wait | None, span: Span | None, now: datetime) -> Wait | None:
    """Return the pause of a license whose account stands so at `now` (sentence 6); None: there is none to note.

    `open_pause` is the one that is not over by what is on record.
    """
    if span is not None:
        return Wait(now if open_pause is None else open_pause.start, span.until)
    return None if open_pause is None else Wait(open_pause.start, now)


def _wall(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(zone).replace(tzinfo=None)


def _later(end: datetime, length: timedelta, zone: ZoneInfo) -> datetime:
    day = end.astimezone(zone).date()
    if end != first_instant(day, zone):
        return (_wall(end, zone) + length).replace(tzinfo=zone).astimezone(UTC)
    reached = datetime.combine(day, time.min) + length
    whole = reached.date() if reached.time() == time.min else reached.date() + timedelta(days=1)
    return first_instant(whole, zone)
