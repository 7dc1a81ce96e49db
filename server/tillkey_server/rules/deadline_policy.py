"""Until when a vendor promises to answer, to resolve and to correct, as the rules see it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tillkey_server.rules.citation import Clauses


class ClockStart(StrEnum):
    """From what a clock runs; where the words of a request were not enough, `info_complete` is when they were."""

    RECEIVED = "received"
    ACCEPTED = "accepted"
    INFO_COMPLETE = "info_complete"


class Answers(StrEnum):
    """Which answers of people count: any, or those within the tool where the customer asked (BC-28)."""

    ANY = "any"
    IN_TOOL = "in_tool"


@dataclass(frozen=True, slots=True)
class ClockPolicy:
    """One clock: `days` working days from its start.

    The alarms are for the vendor's own eyes and refund nothing: `alarm_days` in working days, `alarm_calendar_days` in
    days of the calendar; the earlier one, where there are both.
    """

    days: int
    start: ClockStart
    alarm_days: int | None
    alarm_calendar_days: int | None
    clauses: Clauses


@dataclass(frozen=True, slots=True)
class FixPolicy(ClockPolicy):
    """The clock of a correction; `tasks` are those that report a fault, and none named: all of them (ZG-07, ZG-13)."""

    tasks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ClosurePolicy:
    """Whether a closure that was told in time pauses the acknowledgment (BC-04), and nothing else."""

    pauses_ack: bool
    clauses: Clauses


@dataclass(frozen=True, slots=True)
class CooperationPolicy:
    """After how many working days without the customer's answer a request may be closed; it can be reopened (CJ-09)."""

    days: int
    clauses: Clauses


@dataclass(frozen=True, slots=True)
class ObjectionPolicy:
    """For how many working days the customer may say that a solution is none (CJ-12)."""

    days: int
    clauses: Clauses


@dataclass(frozen=True, slots=True)
class DeadlinePolicy:
    """The clocks of one vendor; None: the terms promise nothing of the kind.

    `ack` is the confirmation that a request is taken or refused, `reply` the first answer of a person, `resolve` the
    solution, `fix` the correction of a defect. `clauses` say which answers stop a clock. Without `objection` a solution
    is one from the first instant.
    """

    answers: Answers
    clauses: Clauses
    ack: ClockPolicy | None
    reply: ClockPolicy | None
    resolve: ClockPolicy | None
    fix: FixPolicy | None
    closures: ClosurePolicy | None
    cooperation: CooperationPolicy | None
    objection: ObjectionPolicy | None = None
