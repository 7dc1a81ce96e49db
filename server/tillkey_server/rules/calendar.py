"""Working days, and deadlines that are counted in them (K-01, K-03, K-04).

1. A day is worked unless it is of the weekend or a holiday; an extra working day is worked whatever it is (K-01). Terms
   without a calendar work from Monday to Friday, and know no holidays.
2. Days are counted in the policy's time zone. The day of the start is not counted, even before the office opens; the
   deadline is the end of the nth working day after it, exclusive (K-04): the closing hour where there are office
   hours, else the first instant of the next date.
3. A day does not count where somebody else was being waited for at its end (K-04), as `waits` tells.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from tillkey_server.rules.clocks import first_instant
from tillkey_server.rules.policy import CalendarPolicy, Policy, Weekday

_WEEK = tuple(Weekday)
_DEFAULT_WEEKEND = (Weekday.SAT, Weekday.SUN)
_FURTHEST = 20_000
"""Days after which a search gives up: more holidays in a row than a life has."""


@dataclass(frozen=True, slots=True)
class Wait:
    """A stretch of time in which a clock stood still, half-open; `end` None: it still does."""

    start: datetime
    end: datetime | None = None

    def covers(self, at: datetime) -> bool:
        """Tell whether the clock stood still at an instant."""
        return self.start <= at and (self.end is None or at < self.end)


@dataclass(frozen=True, slots=True)
class Calendar:
    """The working days of one policy."""

    zone: ZoneInfo
    terms: CalendarPolicy | None

    def is_worked(self, day: date) -> bool:
        """Tell whether a local date is a working day (sentence 1)."""
        if self.terms is None:
            return _WEEK[day.weekday()] not in _DEFAULT_WEEKEND
        if day in self.terms.extra_working_days:
            return True
        return _WEEK[day.weekday()] not in self.terms.weekend and day not in self.terms.holidays

    def end_of(self, day: date) -> datetime:
        """Return the exclusive end of a working day: the closing hour, or the first instant of the next date."""
        if self.terms is None or self.terms.closes is None:
            return first_instant(day + timedelta(days=1), self.zone)
        return datetime.combine(day, self.terms.closes, self.zone).astimezone(UTC)

    def start_of(self, day: date) -> datetime:
        """Return when work begins on a day: the opening hour, or the day's first instant."""
        if self.terms is None or self.terms.opens is None:
            return first_instant(day, self.zone)
        return datetime.combine(day, self.terms.opens, self.zone).astimezone(UTC)

    def is_open(self, now: datetime) -> bool:
        """Tell whether somebody is at work at `now`."""
        today = self.local(now)
        return self.is_worked(today) and self.start_of(today) <= now < self.end_of(today)

    def opens_at(self, now: datetime) -> datetime:
        """Return `now` while the office is open, else when it opens next."""
        if self.is_open(now):
            return now
        return next(start for day in self._from(now) if (start := self.start_of(day)) >= now and self.is_worked(day))

    def deadline(self, start: datetime, days: int, waits: Iterable[Wait] = ()) -> datetime | None:
        """Return the exclusive end of the `days`-th working day after that of `start` (sentences 2 and 3).

        Of 0 days: the end of the day of `start` itself. None while a wait without an end keeps it from ever coming.
        """
        still = tuple(waits)
        if days == 0:
            return self.end_of(self.local(start))
        left = days
        for day in self._from(start, skip=1):
            last = self.end_of(day) - timedelta(seconds=1)
            if any(wait.end is None and wait.start <= last for wait in still):
                return None
            if self.is_worked(day) and not any(wait.covers(last) for wait in still):
                left -= 1
            if left == 0:
                return self.end_of(day)
        return None

    def local(self, at: datetime) -> date:
        """Return the local date of an instant."""
        return at.astimezone(self.zone).date()

    def _from(self, at: datetime, skip: int = 0) -> Iterator[date]:
        first = self.local(at)
        return (first + timedelta(days=later) for later in range(skip, _FURTHEST))


def calendar_of(policy: Policy) -> Calendar:
    """Return the working days of a policy."""
    return Calendar(policy.timezone, policy.calendar)
