"""The values of a policy file, strictly: what a duration, a zone, a date or a clause reference looks like there.

Durations are written as `"90s"`, `"30m"`, `"6h"`, `"14d"` or `"2w"`; a length in months or days of a calendar is a
plain number.
"""

from __future__ import annotations

import datetime as dt
import re
from contextlib import suppress
from typing import Annotated, Literal, TypeVar
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
_CLOCK = re.compile(r"(?P<hour>[01][0-9]|2[0-3]):(?P<minute>[0-5][0-9])")
_CLAUSE = re.compile(r"[A-Z]{1,4}-[0-9]{2,3}")
Item = TypeVar("Item")
_PAGE = re.compile(r"https://(?=.{1,247}\Z)[a-z0-9.-]+(:[0-9]{1,5})?(/[!-~]*)?")
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


def cited(values: list[str]) -> list[str]:
    """Return clause ids as they are; raises ValueError for what is none."""
    for value in values:
        if not _CLAUSE.fullmatch(value):
            raise ValueError(f"{value!r} is no clause id: capital letters, a dash, two or three digits, like NX-09")
    return once(values)


def _words(values: list[str]) -> list[str]:
    for value in values:
        if not _WORD.fullmatch(value):
            raise ValueError(f"{value!r} is no entitlement's name: small letters, digits, dots and underscores")
    return once(values)


def once(values: list[Item]) -> list[Item]:
    """Return a list as it is; raises ValueError where something is in it twice."""
    for number, value in enumerate(values):
        if value in values[:number]:
            raise ValueError(f"{str(value)!r} is listed twice")
    return values


def _clock_time(value: object) -> dt.time:
    match = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError('a time of day is hours and minutes, like "17:30"')
    return dt.time(int(match["hour"]), int(match["minute"]))


def _page(value: str) -> str:
    if not _PAGE.fullmatch(value):
        raise ValueError("a page's address begins with https:// and has at most 255 characters, no blanks")
    return value


Duration = Annotated[dt.timedelta, PlainValidator(_duration)]
OffOrDuration = Annotated[dt.timedelta | None, PlainValidator(_off_or_duration)]
PositiveDuration = Annotated[Duration, AfterValidator(_positive)]
Zone = Annotated[ZoneInfo, PlainValidator(_zone)]
Clauses = Annotated[list[str], Field(min_length=1), AfterValidator(cited)]
Page = Annotated[str, AfterValidator(_page)]
Words = Annotated[list[str], AfterValidator(_words)]
Count = Annotated[int, Field(ge=0, le=1000)]
Severity = Literal["severe", "data_integrity", "minor"]
Component = Literal["machine_id", "hostname", "hardware", "location"]
Months = Annotated[int, Field(ge=0, le=1200)]
OpenMonths = Months | Literal["no_end"]


ClockTime = Annotated[dt.time, PlainValidator(_clock_time)]
Percent = Annotated[int, Field(ge=0, le=1000)]
WorkingDays = Annotated[int, Field(ge=0, le=365)]
Dates = Annotated[list[dt.date], Field(max_length=2000), AfterValidator(once)]


class Section(BaseModel):
    """The manners of every table in the file."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, arbitrary_types_allowed=True)
