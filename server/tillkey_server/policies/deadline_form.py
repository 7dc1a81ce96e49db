"""The form of `[deadlines]`: until when a vendor promises to answer, to resolve and to correct."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from tillkey_server.policies.forms import Clauses, Section, Words

Days = Annotated[int, Field(ge=1, le=365)]


class ClockSection(Section):
    """`[deadlines.ack]` and its like."""

    days: Days
    start: Literal["received", "accepted", "info_complete"]
    alarm_days: Days | None = None
    alarm_calendar_days: Days | None = None
    clauses: Clauses


class FixSection(ClockSection):
    """`[deadlines.fix]`."""

    tasks: Words = Field(default_factory=list)


class ClosureSection(Section):
    """`[deadlines.closures]`."""

    pauses_ack: bool
    clauses: Clauses


class CooperationSection(Section):
    """`[deadlines.cooperation]`."""

    days: Days
    clauses: Clauses


class ObjectionSection(Section):
    """`[deadlines.objection]`."""

    days: Days
    clauses: Clauses


class DeadlineSection(Section):
    """`[deadlines]`; a clock that is left out is one that the terms do not promise."""

    answers: Literal["any", "in_tool"]
    clauses: Clauses
    ack: ClockSection | None = None
    reply: ClockSection | None = None
    resolve: ClockSection | None = None
    fix: FixSection | None = None
    closures: ClosureSection | None = None
    cooperation: CooperationSection | None = None
    objection: ObjectionSection | None = None


def contradictions(section: DeadlineSection, covered: list[str] | None = None) -> Iterator[tuple[str, str]]:
    """Yield what the clocks may not say together, as (key, reason); `covered` are the tasks of `[support]`."""
    clocks = {"ack": section.ack, "reply": section.reply, "resolve": section.resolve, "fix": section.fix}
    for name, clock in clocks.items():
        if clock is None:
            continue
        if name in {"ack", "reply"} and clock.start != "received":
            yield f"deadlines.{name}.start", "must be received: nothing else has come before an answer"
        if clock.alarm_days is not None and clock.alarm_days > clock.days:
            yield f"deadlines.{name}.alarm_days", "is longer than days: the alarm would come too late"
    foreign = [] if section.fix is None or covered is None else [one for one in section.fix.tasks if one not in covered]
    if foreign:
        yield "deadlines.fix.tasks", f"{foreign[0]!r} is no task of support.tasks"
    if section.closures is not None and section.closures.pauses_ack and section.ack is None:
        yield "deadlines.closures.pauses_ack", "pauses a clock that the terms do not have: give [deadlines.ack]"
