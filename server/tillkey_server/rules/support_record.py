"""A request for support as it is on record, and what follows from its events.

1. What a request is now follows from its events in the order of their instants; none is ever changed.
2. A person's message answers a request, also one that a machine drafted and a person approved; an automatic one does
   not. An automatic acceptance or refusal is none: it stands on record and stops no clock (BC-05). Where the terms
   count answers within the tool alone, a private e-mail is none (BC-28).
3. An acknowledgment takes the request or refuses it: "we have received it" is none (BC-03).
4. It waits for the customer from `waiting_for_customer` until `customer_answered` or `info_complete`, and no longer
   than to its solution; who comes back to what was closed has answered, and told what was missing (CJ-09).
5. An offer is no solution (BC-16); a solution is one until the request is reopened, which keeps its first clock
   (ZG-08).
6. What is asked for is what it was last re-categorized as; its clocks stay those of what it was opened as, and what
   somebody found decides whether there is a fault (NX-20, ZG-07).
7. Before a purchase nothing is owed; what is converted begins anew at its conversion (BC-36).
8. One that is said to have come before it was put on record has its clocks from then. Money is decided by that only
   where its reference shows it, as the mail's or the ticket's name; else by when it was recorded (CJ-12).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from tillkey_server.rules.calendar import Wait
from tillkey_server.rules.deadline_policy import Answers
from tillkey_server.rules.issue_facts import Finding


class SupportEventKind(StrEnum):
    """What can happen to a request."""

    HUMAN_REPLY = "human_reply"
    AUTOMATIC_REPLY = "automatic_reply"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    WAITING_FOR_CUSTOMER = "waiting_for_customer"
    CUSTOMER_ANSWERED = "customer_answered"
    INFO_COMPLETE = "info_complete"
    ATTEMPT_OFFERED = "attempt_offered"
    UPDATE_OFFERED = "update_offered"
    UPDATE_DISPUTED = "update_disputed"
    UPDATE_CLASSIFIED = "update_classified"
    ATTEMPT_DECLINED = "attempt_declined"
    FINDING = "finding"
    INTERVENTION = "intervention"
    RESOLVED = "resolved"
    CLOSED = "closed"
    REOPENED = "reopened"
    CONVERTED = "converted"
    RECATEGORIZED = "recategorized"


_K = SupportEventKind
REPLIES = frozenset({_K.HUMAN_REPLY, _K.ACCEPTED, _K.REFUSED, _K.ATTEMPT_OFFERED, _K.UPDATE_OFFERED, _K.RESOLVED})
"""What a person says to the customer."""
ACKNOWLEDGMENTS = frozenset({_K.ACCEPTED, _K.REFUSED})
"""What takes a request or refuses it (sentence 3)."""

_ANSWERED = (_K.CUSTOMER_ANSWERED, _K.INFO_COMPLETE, _K.REOPENED)
"""What ends a wait for the customer (sentence 4)."""


class Author(StrEnum):
    """Who took a request or refused it: a person, a person who approved what a machine had drafted, or a machine."""

    HUMAN = "human"
    APPROVED_DRAFT = "approved_draft"
    AUTOMATIC = "automatic"


@dataclass(frozen=True, slots=True)
class SupportEvent:
    """One event; `details` are JSON-able and differ by kind, as `in_tool`, `code`, `finding` or `fixed_in_release`."""

    kind: SupportEventKind
    at: datetime
    details: Mapping[str, object] = field(default_factory=dict)

    @property
    def is_automatic(self) -> bool:
        """Tell whether a machine alone took the request or refused it; where nobody said, a person did."""
        return self.kind in ACKNOWLEDGMENTS and self.details.get("author") == Author.AUTOMATIC


@dataclass(frozen=True, slots=True)
class Closure:
    """A time in which the vendor is closed, half-open, and since when its customers knew.

    `withdrawn_at`: since when it is closed no more, though the customers were told so. `recorded_at`: since when it is
    on record; None: as long as they knew.
    """

    notified_at: datetime
    starts_at: datetime
    ends_at: datetime
    withdrawn_at: datetime | None = None
    recorded_at: datetime | None = None

    @property
    def known_at(self) -> datetime:
        """Return since when the server knows of it."""
        return self.recorded_at or self.notified_at

    @property
    def wait(self) -> Wait | None:
        """Return the time in which the vendor was closed indeed; None where it was withdrawn before it began."""
        end = self.ends_at if self.withdrawn_at is None else min(self.ends_at, self.withdrawn_at)
        return Wait(self.starts_at, end) if self.starts_at < end else None


@dataclass(frozen=True, slots=True)
class SupportRecord:
    """A request with its events, oldest first.

    `first_reported_at` is when the same anomaly was reported first, where this is a duplicate (ZG-07); else None.
    `task` is what it was opened as; None: nobody said. `unproven_until` is when it was put on record without a
    reference; None: something shows when it came (sentence 8).
    """

    id: UUID
    license_id: UUID | None
    received_at: datetime
    presale: bool = False
    first_reported_at: datetime | None = None
    events: tuple[SupportEvent, ...] = ()
    task: str | None = None
    unproven_until: datetime | None = None

    def as_of(self, at: datetime) -> SupportRecord:
        """Return the record as it was at an instant: with what had happened by then."""
        return replace(self, events=tuple(event for event in self.events if event.at <= at))

    def with_event(self, event: SupportEvent) -> SupportRecord:
        """Return the record with one more event, after those of the same instant."""
        return replace(self, events=tuple(sorted((*self.events, event), key=lambda one: one.at)))

    def of(self, *kinds: SupportEventKind) -> Iterator[SupportEvent]:
        """Yield the events of these kinds that count, oldest first (sentence 2)."""
        return (event for event in self.events if event.kind in kinds and not event.is_automatic)

    def last(self, *kinds: SupportEventKind) -> SupportEvent | None:
        """Return the newest event of these kinds."""
        return next(reversed([*self.of(*kinds)]), None)

    @property
    def task_now(self) -> str | None:
        """Return what is asked for now (sentence 6)."""
        event = self.last(_K.RECATEGORIZED)
        return self.task if event is None else str(event.details["task"])

    @property
    def begun_at(self) -> datetime:
        """Return when its clocks began: its receipt, or the conversion of what was asked before a purchase."""
        converted = self.last(_K.CONVERTED)
        return self.received_at if converted is None else converted.at

    @property
    def reported_at(self) -> datetime:
        """Return when it came as far as that is known (sentence 8)."""
        return max(self.begun_at, self.unproven_until or self.begun_at)

    @property
    def is_presale(self) -> bool:
        """Tell whether it was asked before a purchase and not converted since."""
        return self.presale and self.last(_K.CONVERTED) is None

    @property
    def is_refused(self) -> bool:
        """Tell whether it stands refused."""
        return self.refused_at is not None

    @property
    def refused_at(self) -> datetime | None:
        """Return since when it stands refused."""
        since: datetime | None = None
        for event in self.of(_K.ACCEPTED, _K.REFUSED, _K.REOPENED):
            since = (since or event.at) if event.kind is _K.REFUSED else None
        return since

    @property
    def solved_at(self) -> datetime | None:
        """Return when it was solved, if it still is (sentence 5)."""
        decided = self.last(_K.RESOLVED, _K.REOPENED)
        return decided.at if decided is not None and decided.kind is _K.RESOLVED else None

    @property
    def is_closed(self) -> bool:
        """Tell whether nobody works on it any more."""
        return self.closed_at is not None

    @property
    def closed_at(self) -> datetime | None:
        """Return since when nobody works on it any more."""
        decided = self.last(_K.CLOSED, _K.REOPENED)
        return decided.at if decided is not None and decided.kind is _K.CLOSED else None

    @property
    def accepted_at(self) -> datetime | None:
        """Return when it was first accepted."""
        return next((event.at for event in self.of(_K.ACCEPTED)), None)

    @property
    def findings(self) -> frozenset[Finding]:
        """Return what anybody found who looked into it."""
        return frozenset(_finding(event) for event in self.of(_K.FINDING))

    def found_at(self, findings: frozenset[Finding]) -> datetime | None:
        """Return when one of these was first found."""
        return next((one.at for one in self.of(_K.FINDING) if _finding(one) in findings), None)

    def disputed_at(self, findings: frozenset[Finding]) -> datetime | None:
        """Return since when one of these is held against it; whoever reopens it begins anew (ZG-08)."""
        since: datetime | None = None
        for event in self.of(_K.FINDING, _K.REOPENED):
            if event.kind is _K.REOPENED:
                since = None
            elif _finding(event) in findings:
                since = since or event.at
        return since

    def answered_at(self, kinds: frozenset[SupportEventKind], counted: Answers) -> datetime | None:
        """Return when a person first answered by one of these kinds, in a way that counts (sentence 2)."""
        counting = (
            event.at
            for event in self.of(*kinds)
            if event.at >= self.begun_at and (counted is Answers.ANY or event.details.get("in_tool", True))
        )
        return next(counting, None)

    def waits(self) -> tuple[Wait, ...]:
        """Return the stretches in which it waited for the customer (sentence 4)."""
        found: list[Wait] = []
        since: datetime | None = None
        for event in self.of(_K.WAITING_FOR_CUSTOMER, *_ANSWERED, _K.RESOLVED):
            if event.kind is _K.WAITING_FOR_CUSTOMER:
                since = since or event.at
            elif since is not None:
                found.append(Wait(since, event.at))
                since = None
        return tuple(found) if since is None else (*found, Wait(since))

    @property
    def info_complete_at(self) -> datetime | None:
        """Return when all was told that was asked for; its begin where nothing was missing, None while it is."""
        missing = [event for event in self.of(_K.WAITING_FOR_CUSTOMER) if event.details.get("missing")]
        if not missing:
            return self.begun_at
        told = self.of(_K.INFO_COMPLETE, _K.REOPENED)
        return next((one.at for one in told if one.at >= missing[-1].at), None)


def _finding(event: SupportEvent) -> Finding:
    return Finding(str(event.details["finding"]))
