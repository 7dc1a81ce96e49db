"""The clocks of a request: until when it must be acknowledged, answered, resolved and corrected.

1. Each clock counts working days in the policy's calendar from its start (K-04); days on which the request waited for
   the customer at their end do not count.
2. A closure of the vendor pauses the acknowledgment alone, and only if the customers knew of it when it began at the
   latest, and before the request came in: at its very instant is too late (BC-04). It moves no deadline that was over
   when it was put on record: what was breached by then stays so, whenever the notice is said to have been. One that
   is withdrawn pauses to its withdrawal and no longer: that brings a deadline forward and never back, and never into
   the time before it.
3. A deadline once given keeps its calendar. A newer calendar counts where it brings the deadline forward, and never
   into the time before it was published (K-01). Each clock names the version whose calendar counted.
4. A duplicate of an anomaly is corrected by the clock of its first report (ZG-07).
5. Nothing runs for what was asked before a purchase (BC-36); where a request stands refused, only its answers were
   owed, and what was due before the refusal: who is late does not undo it by refusing (ZG-08, ZG-09).
6. Where the terms name the tasks that report a fault, nothing else is corrected (ZG-07, ZG-13): for another task the
   clock begins once somebody found a fault. What was reported as a fault is one until somebody finds that it is none
   or the request is closed without a solution, before it was due; who never looks concedes it. A fault that was found
   stays one.
7. An alarm is for the vendor's own eyes: the earlier of its two countings (BC-06, CJ-10).
8. Where the terms give days to object, the customer may say within them that a solution which he tested is none
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
from tillkey_server.rules.deadline_policy import ClockPolicy, ClockStart, DeadlinePolicy, FixPolicy
from tillkey_server.rules.issue_facts import FAULTS, NO_FAULTS, IssueFacts
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
    version: int


@dataclass(frozen=True, slots=True)
class ClockTerms:
    """What the clocks of a request are counted by: the terms it came in under, a newer calendar, the closures."""

    policy: Policy
    newer: NewerCalendar | None = None
    closures: tuple[Closure, ...] = ()


@dataclass(frozen=True, slots=True)
class RequestClock:
    """One clock: `due` is exclusive, and None while it stands still or has not begun.

    `version` is the one of the terms whose calendar counted.
    """

    name: ClockName
    version: int
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
    clocks = (
        _clock(name, clock, record, terms, stopped_at, now)
        for name, clock, stopped_at in found
        if clock is not None and not (isinstance(clock, FixPolicy) and _never_a_fault(record, clock))
    )
    return tuple(one for one in clocks if _is_owed(one, record, promised))


def issue_of(record: SupportRecord, terms: ClockTerms, now: datetime) -> IssueFacts:
    """Return a request as money and warranty see it; without a clock for replies, that of the acknowledgment is it."""
    clocks = {clock.name: clock for clock in clocks_of(record, terms, now)}
    due = {name: clock.due for name, clock in clocks.items()}
    offered = next((one.at for one in record.of(SupportEventKind.ATTEMPT_OFFERED)), None)
    declined = record.last(SupportEventKind.ATTEMPT_DECLINED)
    promised = terms.policy.deadlines
    answers = None if promised is None else promised.answers
    excused = promised is None or promised.fix is None or record.is_presale or record.is_refused
    counted = max((clock.version for clock in clocks.values()), default=terms.policy.version)
    return IssueFacts(
        id=record.id,
        license_id=record.license_id,
        reported_at=record.reported_at,
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
        refused_at=record.refused_at,
        is_fault=excused or ClockName.FIX in clocks,
        calendar=f"{terms.policy.name} {counted}",
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
    start = _start(promised, record)
    closed = () if start is None or name is not ClockName.ACK else _closed(start, promised.days, record, terms)
    waits = (*record.waits(), *closed)
    paused = stopped_at is None and any(wait.covers(now) for wait in waits)
    if start is None:
        return RequestClock(name, terms.policy.version, None, None, stopped_at, paused, promised.clauses)
    due, version = _due(start, promised.days, waits, terms)
    alarm = _alarm(start, promised, waits, terms)
    clauses = promised.clauses
    if closed and terms.policy.deadlines is not None and terms.policy.deadlines.closures is not None:
        clauses += terms.policy.deadlines.closures.clauses
    return RequestClock(name, version, due, alarm, stopped_at, paused, clauses)


def _is_owed(clock: RequestClock, record: SupportRecord, promised: DeadlinePolicy) -> bool:
    """Tell whether what a clock is for is owed, or was when it was due (sentences 5 and 6)."""
    if clock.name in {ClockName.ACK, ClockName.REPLY}:
        return True
    ended = [record.refused_at]
    faults_alone = clock.name is ClockName.FIX and promised.fix is not None and promised.fix.tasks
    if faults_alone and record.found_at(FAULTS) is None:
        ended.append(record.disputed_at(NO_FAULTS))
        ended.append(record.closed_at if record.solved_at is None else None)
    since = min((at for at in ended if at is not None), default=None)
    return since is None or (clock.due is not None and clock.due <= since)


def _reports_a_fault(record: SupportRecord, promised: FixPolicy) -> bool:
    return not promised.tasks or record.task is None or record.task in promised.tasks


def _never_a_fault(record: SupportRecord, promised: FixPolicy) -> bool:
    """Tell whether nobody reported a fault, nor found one (sentence 6)."""
    return not _reports_a_fault(record, promised) and record.found_at(FAULTS) is None


def _start(promised: ClockPolicy, record: SupportRecord) -> datetime | None:
    if promised.start is ClockStart.ACCEPTED:
        start = record.accepted_at
    elif promised.start is ClockStart.INFO_COMPLETE:
        start = record.info_complete_at
    else:
        start = record.begun_at
    if not isinstance(promised, FixPolicy):
        return start
    found_at = None if _reports_a_fault(record, promised) else record.found_at(FAULTS)
    if start is not None and found_at is not None:
        start = max(start, found_at)
    if promised.start is ClockStart.RECEIVED and start is not None and record.first_reported_at is not None:
        return min(start, record.first_reported_at)
    return start


def _closed(start: datetime, days: int, record: SupportRecord, terms: ClockTerms) -> tuple[Wait, ...]:
    """Return the closures that pause the acknowledgment, in the order in which they were recorded (sentence 2)."""
    promised = terms.policy.deadlines
    if promised is None or promised.closures is None or not promised.closures.pauses_ack:
        return ()
    known = [one for one in terms.closures if one.notified_at <= one.starts_at and one.notified_at < record.begun_at]
    counted: tuple[Wait, ...] = ()
    for one in sorted(known, key=lambda closure: closure.known_at):
        due, _ = _due(start, days, (*record.waits(), *counted), terms)
        if one.wait is not None and (due is None or one.known_at < due):
            counted += (one.wait,)
    return counted


def _due(start: datetime, days: int, waits: Iterable[Wait], terms: ClockTerms) -> tuple[datetime | None, int]:
    """Return a deadline by the calendar it was given with, or an earlier one by a newer calendar (sentence 3).

    With it comes the version of the terms whose calendar that is.
    """
    still = tuple(waits)
    given = calendar_of(terms.policy).deadline(start, days, still)
    if terms.newer is not None and given is not None:
        newer = terms.newer.calendar.deadline(start, days, still)
        if newer is not None and terms.newer.published_at < newer < given:
            return newer, terms.newer.version
    return given, terms.policy.version


def _alarm(start: datetime, promised: ClockPolicy, waits: Iterable[Wait], terms: ClockTerms) -> datetime | None:
    ends = []
    if promised.alarm_days is not None:
        ends.append(_due(start, promised.alarm_days, waits, terms)[0])
    if promised.alarm_calendar_days is not None:
        ends.append(days_end(start, promised.alarm_calendar_days, terms.policy.timezone))
    return min((end for end in ends if end is not None), default=None)
