"""The form of a policy file, strictly: no key more, none less, no value of a neighbouring type.

Only this module knows pydantic. It checks each value by itself; what contradicts what is `loader`'s. Durations are
written as `"90s"`, `"30m"`, `"6h"`, `"14d"` or `"2w"`; a length in months or days of a calendar is a plain number.
"""

from __future__ import annotations

import datetime as dt
import re
from contextlib import suppress
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainValidator

_DURATION = re.compile(r"(?P<number>0|[1-9][0-9]{0,4})(?P<unit>[smhdw])")
_UNITS = {
    "s": dt.timedelta(seconds=1),
    "m": dt.timedelta(minutes=1),
    "h": dt.timedelta(hours=1),
    "d": dt.timedelta(days=1),
    "w": dt.timedelta(weeks=1),
}
_CLAUSE = re.compile(r"[A-Z]{1,4}-[0-9]{2,3}")
_WORD = re.compile(r"[a-z][a-z0-9_.]{0,63}")


def _duration(value: object) -> dt.timedelta:
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError('a duration is a number with s, m, h, d or w, like "14d"')
    return int(match["number"]) * _UNITS[match["unit"]]


def _off_or_duration(value: object) -> dt.timedelta | None:
    if value == "off":
        return None
    try:
        return _duration(value)
    except ValueError as error:
        raise ValueError(f'{error}, or "off"') from error


def _positive(value: dt.timedelta) -> dt.timedelta:
    if not value:
        raise ValueError("a duration above zero is needed")
    return value


def _zone(value: object) -> ZoneInfo:
    if isinstance(value, str):
        # A key may be unknown (KeyError), ill-formed (ValueError) or a folder of the database (OSError).
        with suppress(KeyError, ValueError, OSError):
            return ZoneInfo(value)
    raise ValueError(f"{value!r} is no time zone of the IANA database")


def _cited(values: list[str]) -> list[str]:
    for value in values:
        if not _CLAUSE.fullmatch(value):
            raise ValueError(f"{value!r} is no clause id: capital letters, a dash, two or three digits, like NX-09")
    return _once(values)


def _words(values: list[str]) -> list[str]:
    for value in values:
        if not _WORD.fullmatch(value):
            raise ValueError(f"{value!r} is no entitlement's name: small letters, digits, dots and underscores")
    return _once(values)


def _once(values: list[str]) -> list[str]:
    if len(set(values)) != len(values):
        raise ValueError("something is listed twice")
    return values


Duration = Annotated[dt.timedelta, PlainValidator(_duration)]
OffOrDuration = Annotated[dt.timedelta | None, PlainValidator(_off_or_duration)]
PositiveDuration = Annotated[Duration, AfterValidator(_positive)]
Zone = Annotated[ZoneInfo, PlainValidator(_zone)]
Clauses = Annotated[list[str], Field(min_length=1), AfterValidator(_cited)]
Words = Annotated[list[str], AfterValidator(_words)]
Count = Annotated[int, Field(ge=0, le=1000)]
Component = Literal["machine_id", "hostname", "hardware", "location"]
Months = Annotated[int, Field(ge=0, le=1200)]
OpenMonths = Months | Literal["no_end"]


class Section(BaseModel):
    """The manners of every table in the file."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, arbitrary_types_allowed=True)


class IssueSection(Section):
    """`[issue]`."""

    clauses: Clauses


class ActivationClausesSection(Section):
    """`[activation.clauses]`."""

    project: Clauses
    one_use: Clauses
    repeat: Clauses
    staging: Clauses
    binding: Clauses
    installation: Clauses
    release: Clauses
    superseded: Clauses
    stale: Clauses
    unseen: Clauses


class ActivationSection(Section):
    """`[activation]`."""

    staging_exempt: bool
    project_binding: Literal["permanent_after_production", "permanent_from_first_activation", "while_active"]
    require_project: bool
    bind_site: bool
    staging_stale_after: PositiveDuration
    release_unseen_after: OffOrDuration
    clauses: ActivationClausesSection


class ForcedDeactivationSection(Section):
    """`[forced_deactivation]`."""

    limit: Count
    window: PositiveDuration
    gap: Duration
    recently_seen: Duration
    clauses: Clauses


class TakeoverSection(Section):
    """`[takeover]`."""

    threshold: Annotated[int, Field(ge=1)]
    required: Annotated[list[Component], AfterValidator(_once)]
    limit: Count
    window: PositiveDuration
    clauses: Clauses


class MoveSection(Section):
    """`[move]`."""

    ticket_hours: Annotated[int, Field(ge=1, le=24 * 365)]
    clauses: Clauses


class HeartbeatSection(Section):
    """`[heartbeat]`."""

    every: PositiveDuration
    jitter_percent: Annotated[int, Field(ge=0, le=50)]
    clauses: Clauses


class LeaseSection(Section):
    """`[lease]`."""

    soft: PositiveDuration
    full: PositiveDuration
    full_while_refundable: PositiveDuration
    clauses: Clauses


class ClocksClausesSection(Section):
    """`[clocks.clauses]`."""

    use: Clauses
    support: Clauses
    updates: Clauses
    refund: Clauses


class ClocksSection(Section):
    """`[clocks]`; one of `refund_days` and `refund_months`, or neither, everything else is said."""

    use_months: Months
    support_months: OpenMonths
    updates_months: OpenMonths
    refund_days: Annotated[int, Field(ge=0, le=3650)] | None = None
    refund_months: Annotated[int, Field(ge=1, le=120)] | None = None
    clauses: ClocksClausesSection


class EntitlementsSection(Section):
    """`[entitlements]`."""

    granted: Words
    degraded: Words


class StandingClausesSection(Section):
    """`[standing.clauses]`."""

    legal_hold: Clauses
    terminated: Clauses
    revoked: Clauses
    refunded: Clauses
    suspended: Clauses
    expired: Clauses
    active: Clauses


class StandingSection(Section):
    """`[standing]`."""

    clauses: StandingClausesSection


class TrialSection(Section):
    """`[trial]`; a policy without it offers no trial."""

    days: Annotated[int, Field(ge=1, le=365)]
    clauses: Clauses


class PolicyDocument(Section):
    """A whole file."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
    version: Annotated[int, Field(ge=1)]
    title: Annotated[str, Field(min_length=1, max_length=120)]
    effective_from: dt.date
    timezone: Zone
    issue: IssueSection
    activation: ActivationSection
    forced_deactivation: ForcedDeactivationSection
    takeover: TakeoverSection
    move: MoveSection
    heartbeat: HeartbeatSection
    lease: LeaseSection
    clocks: ClocksSection
    entitlements: EntitlementsSection
    standing: StandingSection
    trial: TrialSection | None = None
