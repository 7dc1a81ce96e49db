"""What is told of an event of a request: which members each kind has, and what each of them may be.

Every door asks here, so that what one of them refuses none records; the API's document says the same by the patterns.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

from tillkey_server.errors import BadInput
from tillkey_server.rules.decision import instant
from tillkey_server.rules.issue_facts import Finding
from tillkey_server.rules.support_record import (
    ACKNOWLEDGMENTS,
    Author,
    SupportEvent,
    SupportEventKind,
)
from tillkey_server.usecases.files import files_of

MAX_LISTED = 50
MAX_TEXT = 2000
WORD = r"^[a-z][a-z0-9_]{0,63}$"
RELEASE = r"^[0-9A-Za-z][0-9A-Za-z.+_-]{0,63}$"
GROUND = r"^nosup_[a-z_]{1,50}$"
LANGUAGE = r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,6}$"
"""A language's tag, as `it` or `fr-CA` (BCP 47)."""
_K = SupportEventKind
MEMBERS: Mapping[SupportEventKind, frozenset[str]] = MappingProxyType(
    {
        _K.HUMAN_REPLY: frozenset({"in_tool"}),
        _K.AUTOMATIC_REPLY: frozenset(),
        _K.ACCEPTED: frozenset({"in_tool", "author"}),
        _K.REFUSED: frozenset({"in_tool", "author", "code", "evidence", "files", "manifest"}),
        _K.WAITING_FOR_CUSTOMER: frozenset({"missing"}),
        _K.CUSTOMER_ANSWERED: frozenset(),
        _K.INFO_COMPLETE: frozenset(),
        _K.ATTEMPT_OFFERED: frozenset({"in_tool"}),
        _K.UPDATE_OFFERED: frozenset({"in_tool", "version", "paid", "published_at"}),
        _K.UPDATE_DISPUTED: frozenset({"evidence"}),
        _K.UPDATE_CLASSIFIED: frozenset({"paid", "evidence"}),
        _K.ATTEMPT_DECLINED: frozenset(),
        _K.FINDING: frozenset({"finding", "evidence"}),
        _K.INTERVENTION: frozenset({"cause", "prevention", "note_language", "remote"}),
        _K.RESOLVED: frozenset({"in_tool", "fixed_in_release"}),
        _K.CLOSED: frozenset({"cause", "no_intervention_reason", "unanswered"}),
        _K.REOPENED: frozenset({"evidence"}),
        _K.CONVERTED: frozenset({"license_id"}),
        _K.RECATEGORIZED: frozenset({"task"}),
    }
)
"""What can be told of each kind of event."""
NEEDED: Mapping[SupportEventKind, tuple[str, ...]] = MappingProxyType(
    {
        _K.REFUSED: ("code",),
        _K.UPDATE_OFFERED: ("version",),
        _K.UPDATE_CLASSIFIED: ("paid", "evidence"),
        _K.FINDING: ("finding", "evidence"),
        _K.CONVERTED: ("license_id",),
        _K.RECATEGORIZED: ("task",),
    }
)
"""What must be told of each; what the terms ask for besides is the rule's."""


@dataclass(frozen=True, slots=True)
class ToldEvent:
    """An event as it is told; `at` None: now."""

    kind: str
    at: datetime | None = None
    details: Mapping[str, object] = field(default_factory=dict)


def kind_of(told: ToldEvent) -> SupportEventKind:
    """Return an event's kind, its members looked at. Raises BadInput, naming the member."""
    try:
        kind = SupportEventKind(told.kind)
    except ValueError as error:
        raise BadInput("kind", f"must be one of {', '.join(SupportEventKind)}") from error
    foreign = sorted(told.details.keys() - MEMBERS[kind])
    if foreign:
        has = ", ".join(sorted(MEMBERS[kind])) or "no details"
        raise BadInput(foreign[0], f"says nothing about {kind.value}, which has {has}")
    for name in NEEDED.get(kind, ()):
        if name not in told.details:
            raise BadInput(name, f"is needed for {kind.value}")
    for name, value in told.details.items():
        _CHECKS[name](value, name)
    return kind


def event_of_told(told: ToldEvent, kind: SupportEventKind, at: datetime) -> SupportEvent:
    """Return an event as JSON holds its members; who took or refused a request is always told (BC-05)."""
    who = {"author": Author.HUMAN.value} if kind in ACKNOWLEDGMENTS else {}
    return SupportEvent(kind, at, {**who, **{name: _plain(value) for name, value in told.details.items()}})


def text_of(value: object, name: str) -> str:
    """Return a text of 1 to `MAX_TEXT` characters; what nobody can see is none (ZG-11, NX-28). Raises BadInput."""
    if not isinstance(value, str) or not 0 < len(value) <= MAX_TEXT or not _is_visible(value):
        raise BadInput(name, f"must be a text of 1 to {MAX_TEXT} characters, and not blank")
    return value


def _is_visible(text: str) -> bool:
    return any(one.isprintable() and not one.isspace() for one in text)


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, tuple) else value


def _flag(value: object, name: str) -> None:
    if not isinstance(value, bool):
        raise BadInput(name, "must be yes or no")


def _moment(value: object, name: str) -> None:
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise BadInput(name, "must be a time with its zone")


def _id(value: object, name: str) -> None:
    if not isinstance(value, UUID):
        raise BadInput(name, "is no id")


def _finding(value: object, name: str) -> None:
    if value not in set(Finding):
        raise BadInput(name, f"must be one of {', '.join(Finding)}")


def _author(value: object, name: str) -> None:
    if value not in set(Author):
        raise BadInput(name, f"must be one of {', '.join(Author)}")


def _words(value: object, name: str) -> None:
    if not isinstance(value, list | tuple) or not 0 < len(value) <= MAX_LISTED:
        raise BadInput(name, f"must be 1 to {MAX_LISTED} words")
    for word in value:
        _matching(WORD, "has a word that is not of small letters, digits and underscores")(word, name)


def _matching(pattern: str, otherwise: str) -> Callable[[object, str], None]:
    def check(value: object, name: str) -> None:
        if not isinstance(value, str) or re.fullmatch(pattern, value) is None:
            raise BadInput(name, otherwise)

    return check


_release = _matching(RELEASE, "must be a release's version, of 64 characters at most")
_CHECKS: Mapping[str, Callable[[object, str], object]] = MappingProxyType(
    {
        **dict.fromkeys(("in_tool", "paid", "remote", "unanswered"), _flag),
        **dict.fromkeys(("evidence", "cause", "prevention", "no_intervention_reason"), text_of),
        **dict.fromkeys(("version", "fixed_in_release"), _release),
        "code": _matching(GROUND, "must be a ground as the vendor's list names it"),
        "task": _matching(WORD, "must be a word of small letters, digits and underscores"),
        "note_language": _matching(LANGUAGE, "must be a language's tag, as it or fr-CA"),
        "author": _author,
        "files": files_of,
        "manifest": files_of,
        "missing": _words,
        "published_at": _moment,
        "finding": _finding,
        "license_id": _id,
    }
)
"""What each member may be, whatever the kind."""
