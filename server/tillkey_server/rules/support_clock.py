"""The clocks of a request: until when it must be acknowledged, answered, resolved and corrected.

1. Each clock counts working days in the policy's calendar from its start (K-04); days on which the request waited for
   the customer at their end do not count.
2. A closure of the vendor pauses the acknowledgment alone, and only if the customers knew of it before it began and
   before the request came in (BC-04). One that is withdrawn pauses to its withdrawal and no longer: that brings a
   deadline forward and never back, and never into the time before it.
3. A deadline once given keeps its calendar. A newer calendar counts where it brings the deadline forward, and never
   into the time before it was published (K-01).
4. A duplicate of an anomaly is corrected by the clock of its first report (ZG-07).
5. Nothing runs for what was asked before a purchase (BC-36); where a request stands refused, only its answers were
   owed.
6. An alarm is for the vendor's own eyes: the earlier of its two countings (BC-06, CJ-10).
7. Where the terms give days to object, the customer may say within them that a solution which he tested is none
   (CJ-12). They are working days from the solution.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tillkey_server.rules.calendar import Calendar, Wait, calendar_of
from tillkey_server.rules.citation import Clauses
from tillkey_server.rules.clocks import days_end
from tillkey_server.rules.deadline_policy import ClockPolicy, ClockStart
from tillkey_server.rules.issue_facts import IssueFacts
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.support_record import (
    ACKNOWLEDGMENTS,
    REPLIES,
    Closure,
    SupportEventKind,
    SupportRecord,
)


class ClockName(StrEnum):
    """The clocks of a request."""

    ACK = "ack"
    REPLY = "reply"
    RESOLVE = "resolve"
    FIX = "fix"


@dataclass(frozen=True, slots=True)
class NewerCalendar:
    """The calendar of a newer version of the same terms, and since when it is published."""

    calendar: Calendar
    published_at: datetime


@dataclass(frozen=True, slots=True)
class ClockTerms:
    """What the clocks of a request are counted by: the terms it came in under, a newer calendar, the closures."""

    policy: Policy
    newer: NewerCalendar | None = None
    closures: tuple[Closure, ...] = ()


@dataclass(frozen=True, slots=True)
class RequestClock:
    """One clock: `due` is exclusive, and None while it stands still or has not begun."""

    name: ClockName
    due: datetime | None
    alarm_at: datetime | None
    stopped_at: datetime | None
    is_paused: bool
    clauses: Clauses

    def is_breached(self, now: datetime) -> bool:
        """Tell whether nothing had come when it was due."""
        return self.due is not None and self.due <= (self.stopped_at or now)


def clocks_of(record: SupportRecord, terms: ClockTerms, now: datetime) -> tuple[RequestClock, ...]:
    """Return the clocks that the terms give a request, as they stand at `now`; none for what came before a purchase."""
    promised = terms.policy.deadlines
    if promised is None or record.is_presale:
        return ()
    found = (
        (ClockName.ACK, promised.ack, record.answered_at(ACKNOWLEDGMENTS, promised.answers)),
        (ClockName.REPLY, promised.reply, record.answered_at(REPLIES, promised.answers)),
        (ClockName.RESOLVE, promised.resolve, record.solved_at),
        (ClockName.FIX, promised.fix, record.solved_at),
    )
    return tuple(
        _clock(name, clock, record, terms, stopped_at, now)
        for name, clock, stopped_at in found
        if clock is not None and (name in {ClockName.ACK, ClockName.REPLY} or not record.is_refused)
    )


def issue_of(record: SupportRecord, terms: ClockTerms, now: datetime) -> IssueFacts:
    """Return a request as money and warranty see it; without a clock for replies, that of the acknowledgment is it."""
    due = {clock.name: clock.due for clock in clocks_of(record, terms, now)}
    offered = next((one.at for one in record.of(SupportEventKind.ATTEMPT_OFFERED)), None)
    declined = record.last(SupportEventKind.ATTEMPT_DECLINED)
    answers = None if terms.policy.deadlines is None else terms.policy.deadlines.answers
    return IssueFacts(
        id=record.id,
        license_id=record.license_id,
        reported_at=record.begun_at,
        findings=record.findings,
        first_human_reply_at=None if answers is None else record.answered_at(REPLIES, answers),
        attempt_offered_at=offered,
        attempt_declined_at=None if declined is None else declined.at,
        solved_at=record.solved_at,
        objection_until=objection_until(record, terms.policy),
        reply_due=due.get(ClockName.REPLY, due.get(ClockName.ACK)),
        resolve_due=due.get(ClockName.RESOLVE),
        fix_due=due.get(ClockName.FIX),
        is_presale=record.is_presale,
        is_refused=record.is_refused,
    )


def objection_until(record: SupportRecord, policy: Policy) -> datetime | None:
    """Return until when a solution may be objected to (sentence 7), exclusive; None where nothing may be."""
    promised = None if policy.deadlines is None else policy.deadlines.objection
    if promised is None or record.solved_at is None:
        return None
    return calendar_of(policy).deadline(record.solved_at, promised.days)


def waited_since(record: SupportRecord) -> datetime | None:
    """Return since when a request waits for the customer; None where it does not."""
    return next((wait.start for wait in record.waits() if wait.end is None), None)


def _clock(
    name: ClockName,
    promised: ClockPolicy,
    record: SupportRecord,
    terms: ClockTerms,
    stopped_at: datetime | None,
    now: datetime,
) -> RequestClock:
    start = _start(name, promised, record)
    closed = _closed(record, terms) if name is ClockName.ACK else ()
    waits = (*record.waits(), *closed)
    paused = stopped_at is None and any(wait.covers(now) for wait in waits)
    if start is None:
        return RequestClock(name, None, None, stopped_at, is_paused=paused, clauses=promised.clauses)
    due = _due(start, promised.days, waits, terms)
    alarm = _alarm(start, promised, waits, terms)
    clauses = promised.clauses
    if closed and terms.policy.deadlines is not None and terms.policy.deadlines.closures is not None:
        clauses += terms.policy.deadlines.closures.clauses
    return RequestClock(name, due, alarm, stopped_at, is_paused=paused, clauses=clauses)


def _start(name: ClockName, promised: ClockPolicy, record: SupportRecord) -> datetime | None:
    if promised.start is ClockStart.ACCEPTED:
        return record.accepted_at
    if promised.start is ClockStart.INFO_COMPLETE:
        return record.info_complete_at
    if name is ClockName.FIX and record.first_reported_at is not None:
        return min(record.begun_at, record.first_reported_at)
    return record.begun_at


def _closed(record: SupportRecord, terms: ClockTerms) -> tuple[Wait, ...]:
    """Return the closures that pause the acknowledgment (sentence 2)."""
    promised = terms.policy.deadlines
    if promised is None or promised.closures is None or not promised.closures.pauses_ack:
        return ()
    known = (one for one in terms.closures if one.notified_at <= min(one.starts_at, record.begun_at))
    return tuple(one.wait for one in known if one.wait is not None)


def _due(start: datetime, days: int, waits: Iterable[Wait], terms: ClockTerms) -> datetime | None:
    """Return a deadline by the calendar it was given with, or an earlier one by a newer calendar (sentence 3)."""
    still = tuple(waits)
    given = calendar_of(terms.policy).deadline(start, days, still)
    if terms.newer is None or given is None:
        return given
    newer = terms.newer.calendar.deadline(start, days, still)
    return newer if newer is not None and terms.newer.published_at < newer < given else given


def _alarm(start: datetime, promised: ClockPolicy, waits: Iterable[Wait], terms: ClockTerms) -> datetime | None:
    ends = []
    if promised.alarm_days is not None:
        ends.append(_due(start, promised.alarm_days, waits, terms))
    if promised.alarm_calendar_days is not None:
        ends.append(days_end(start, promised.alarm_calendar_days, terms.policy.timezone))
    return min((end for end in ends if end is not None), default=None)
