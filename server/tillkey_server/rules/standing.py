"""How a license stands, and what may change it.

1. A license's state is derived from its facts, never stored. Where several facts are set the stronger one speaks
   (K-13): legal hold > terminated > revoked > refunded > suspended > expired > active.
2. A refunded license is told as revoked; revoked outranks refunded.
3. A suspension with an end is over when that instant has come (K-16) and uncovers what lies beneath.
4. A use right ends at `use_until`: at that instant it is expired (K-02). None has no end.
5. An event changes only its own fact. It never lifts a stronger state: a resumption lifts only a suspension, a
   release only the hold; what lay beneath is uncovered. A renewal is no event: it moves `use_until` (`rules.renewal`).
6. Revocation, refund and termination are final. A refund after a revocation is noted beneath it, once (X-08).
7. Under a legal hold suspension, resumption and revocation are noted beneath it; refund and termination wait for its
   end, since a hold blocks payout and erasure (K-13).
8. A suspended account suspends all of its licenses, told as `account_suspended`: what would begin anew at once, what
   runs from `account_stops_at` on (NX-42). A resumption of the license does not lift it.
9. Every pair of state and event that `TRANSITIONS` does not name is refused, with the state's own code where a stronger
   state is the reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import assert_never
from uuid import UUID

from tillkey_server.errors import BrokenInvariant
from tillkey_server.rules.citation import Clauses
from tillkey_server.rules.decision import Decision, Grant, Refusal, allow, deny, instant
from tillkey_server.rules.policy import Policy


@dataclass(frozen=True, slots=True)
class LicenseFacts:
    """What is on record about a license. A fact that is set holds, whatever its instant; ends are exclusive."""

    id: UUID
    issued_at: datetime
    legal_hold_at: datetime | None = None
    terminated_at: datetime | None = None
    revoked_at: datetime | None = None
    refunded_at: datetime | None = None
    suspended_at: datetime | None = None
    suspended_until: datetime | None = None
    account_suspended_at: datetime | None = None
    account_stops_at: datetime | None = None
    account_suspended_until: datetime | None = None
    use_until: datetime | None = None
    updates_until: datetime | None = None
    support_until: datetime | None = None
    refund_until: datetime | None = None

    def is_suspended(self, now: datetime) -> bool:
        """Tell whether a suspension of the license itself runs, whatever lies above it (sentence 3)."""
        return self.suspended_at is not None and (self.suspended_until is None or now < self.suspended_until)


class Status(StrEnum):
    """The states of a license, the strongest first."""

    LEGAL_HOLD = "legal_hold"
    TERMINATED = "terminated"
    REVOKED = "revoked"
    REFUNDED = "refunded"
    SUSPENDED = "suspended"
    EXPIRED = "expired"
    ACTIVE = "active"


SERVED = frozenset({Status.ACTIVE, Status.EXPIRED})
"""The states in which a license is served by the clocks that run; the end of its use right is another clock (X-01)."""
FROZEN = frozenset({Status.LEGAL_HOLD, Status.TERMINATED, Status.REVOKED, Status.REFUNDED})
"""The states in which a license gets neither another owner nor another key."""


class Event(StrEnum):
    """What can happen to a license."""

    SUSPEND = "suspend"
    RESUME = "resume"
    REVOKE = "revoke"
    REFUND = "refund"
    TERMINATE = "terminate"
    HOLD = "hold"
    RELEASE_HOLD = "release_hold"


@dataclass(frozen=True, slots=True)
class Standing:
    """How a license stands: `refusal` is None while it may be used; `retry_at` is when a suspension ends by itself."""

    status: Status
    refusal: Refusal | None
    retry_at: datetime | None
    clauses: Clauses


REFUSALS: Mapping[Status, Refusal] = MappingProxyType(
    {
        Status.LEGAL_HOLD: Refusal.LEGAL_HOLD,
        Status.TERMINATED: Refusal.LICENSE_TERMINATED,
        Status.REVOKED: Refusal.LICENSE_REVOKED,
        Status.REFUNDED: Refusal.LICENSE_REVOKED,
        Status.SUSPENDED: Refusal.LICENSE_SUSPENDED,
        Status.EXPIRED: Refusal.LICENSE_EXPIRED,
    }
)
"""The code that tells each state to a till."""
OF_STANDING = frozenset({*REFUSALS.values(), Refusal.ACCOUNT_SUSPENDED})
"""Every code by which a license may not be used at all."""

_ENDS_USE = {Event.SUSPEND: Status.SUSPENDED, Event.REVOKE: Status.REVOKED, Event.REFUND: Status.REFUNDED}
_ENDS_ALL = {Event.TERMINATE: Status.TERMINATED, Event.HOLD: Status.LEGAL_HOLD}

TRANSITIONS: Mapping[tuple[Status, Event], Status | None] = MappingProxyType(
    {
        **{(Status.ACTIVE, event): to for event, to in (_ENDS_USE | _ENDS_ALL).items()},
        **{(Status.EXPIRED, event): to for event, to in (_ENDS_USE | _ENDS_ALL).items()},
        **{(Status.SUSPENDED, event): to for event, to in (_ENDS_USE | _ENDS_ALL).items()},
        (Status.SUSPENDED, Event.RESUME): None,
        **{(Status.REFUNDED, event): to for event, to in _ENDS_ALL.items()},
        (Status.REFUNDED, Event.REVOKE): Status.REVOKED,
        **{(Status.REVOKED, event): to for event, to in _ENDS_ALL.items()},
        (Status.REVOKED, Event.REFUND): Status.REVOKED,
        (Status.TERMINATED, Event.HOLD): Status.LEGAL_HOLD,
        (Status.LEGAL_HOLD, Event.RELEASE_HOLD): None,
        (Status.LEGAL_HOLD, Event.SUSPEND): Status.LEGAL_HOLD,
        (Status.LEGAL_HOLD, Event.RESUME): Status.LEGAL_HOLD,
        (Status.LEGAL_HOLD, Event.REVOKE): Status.LEGAL_HOLD,
    }
)
"""Every permitted change. None: the state that lies beneath the lifted one, whichever it is."""

_GRANTS = {
    Event.SUSPEND: Grant.LICENSE_SUSPENDED,
    Event.RESUME: Grant.LICENSE_RESUMED,
    Event.REVOKE: Grant.LICENSE_REVOKED,
    Event.REFUND: Grant.LICENSE_REFUNDED,
    Event.TERMINATE: Grant.LICENSE_TERMINATED,
    Event.HOLD: Grant.LEGAL_HOLD_PLACED,
    Event.RELEASE_HOLD: Grant.LEGAL_HOLD_RELEASED,
}


def status_of(facts: LicenseFacts, now: datetime) -> Status:
    """Return the strongest state that the facts give at `now` (sentences 1, 3 and 4)."""
    suspended = facts.is_suspended(now)
    stopped = account_suspended(facts, now) and facts.account_stops_at is not None and facts.account_stops_at <= now
    holds = (
        (Status.LEGAL_HOLD, facts.legal_hold_at is not None),
        (Status.TERMINATED, facts.terminated_at is not None),
        (Status.REVOKED, facts.revoked_at is not None),
        (Status.REFUNDED, facts.refunded_at is not None),
        (Status.SUSPENDED, suspended or stopped),
        (Status.EXPIRED, facts.use_until is not None and facts.use_until <= now),
    )
    return next((status for status, true in holds if true), Status.ACTIVE)


def account_suspended(facts: LicenseFacts, now: datetime) -> bool:
    """Tell whether the license's account is suspended at `now`, days of grace included (sentence 8)."""
    return facts.account_suspended_at is not None and (
        facts.account_suspended_until is None or now < facts.account_suspended_until
    )


def standing(facts: LicenseFacts, policy: Policy, now: datetime, *, anew: bool = False) -> Standing:
    """Return how a license stands at `now`, with the code that refuses its use, if any, and the clauses behind it.

    `anew`: for a till that would begin to use it, whom a suspended account gives no grace.
    """
    status = status_of(facts, now)
    if account_suspended(facts, now) and (status is Status.SUSPENDED or (anew and status not in FROZEN)):
        cited = policy.standing.suspended if policy.account is None else policy.account.clauses.suspension
        until = facts.account_suspended_until
        return Standing(Status.SUSPENDED, Refusal.ACCOUNT_SUSPENDED, until, cited)
    if status is Status.ACTIVE:
        return Standing(status, None, None, ())
    retry_at = facts.suspended_until if status is Status.SUSPENDED else None
    return Standing(status, REFUSALS[status], retry_at, _clauses(status, policy))


def refuse(found: Standing, facts: LicenseFacts, policy: Policy, now: datetime) -> Decision:
    """Return the no that a standing stands for. Raises `BrokenInvariant` for a license that may be used."""
    if found.refusal is None:
        raise BrokenInvariant("an active license was to be refused")
    shown = {
        "status": found.status.value,
        "since": instant(_since(facts, found.status)),
        "use_until": instant(facts.use_until),
    }
    return deny(
        found.refusal,
        clauses=found.clauses,
        policy=policy.ref,
        now=now,
        facts=shown,
        retry_at=found.retry_at,
        options=_options(found.status),
    )


def decide_change(facts: LicenseFacts, event: Event, policy: Policy, now: datetime) -> Decision:
    """Decide whether an event may change a license (sentences 5 to 9); `advance` then gives the facts to write.

    Facts: `event`, `from`, `to` (the state that shows afterwards).
    """
    status = status_of(facts, now)
    refusal = _refusal(facts, status, event, now)
    if refusal is not None:
        return deny(
            refusal,
            clauses=_clauses(status, policy),
            policy=policy.ref,
            now=now,
            facts={"event": event.value, "from": status.value, "to": status.value},
        )
    to = TRANSITIONS[status, event] or status_of(_lifted(facts, event), now)
    return allow(
        _GRANTS[event],
        clauses=_clauses(to, policy) + _clauses(status, policy),
        policy=policy.ref,
        now=now,
        facts={"event": event.value, "from": status.value, "to": to.value},
    )


def advance(facts: LicenseFacts, event: Event, now: datetime, until: datetime | None = None) -> LicenseFacts:
    """Return the facts after a permitted event; what to write is what differs.

    `until` is the end of a suspension (None: until somebody resumes it). It is never made shorter by being told again,
    and a fact that is set already keeps its instant.
    """
    match event:
        case Event.SUSPEND:
            return _suspended(facts, now, until)
        case Event.RESUME | Event.RELEASE_HOLD:
            return _lifted(facts, event)
        case Event.REVOKE:
            return replace(facts, revoked_at=facts.revoked_at or now)
        case Event.REFUND:
            return replace(facts, refunded_at=facts.refunded_at or now)
        case Event.TERMINATE:
            return replace(facts, terminated_at=facts.terminated_at or now)
        case Event.HOLD:
            return replace(facts, legal_hold_at=facts.legal_hold_at or now)
        case _:
            assert_never(event)


def _refusal(facts: LicenseFacts, status: Status, event: Event, now: datetime) -> Refusal | None:
    """Return why an event is refused, or None."""
    if (status, event) not in TRANSITIONS:
        if event is Event.RELEASE_HOLD:
            return Refusal.NOT_ON_HOLD
        # Of the states without a stronger fact only a resumption is missing from the table.
        return Refusal.NOT_SUSPENDED if status in SERVED else REFUSALS[status]
    if event is Event.RESUME and status is Status.SUSPENDED and facts.suspended_at is None:
        return Refusal.ACCOUNT_SUSPENDED
    if event is Event.REFUND and facts.refunded_at is not None:
        return Refusal.LICENSE_REVOKED
    if status is Status.LEGAL_HOLD and event is not Event.RELEASE_HOLD:
        beneath = replace(facts, legal_hold_at=None)
        return _refusal(beneath, status_of(beneath, now), event, now)
    return None


def _suspended(facts: LicenseFacts, now: datetime, until: datetime | None) -> LicenseFacts:
    if not facts.is_suspended(now):
        return replace(facts, suspended_at=now, suspended_until=until)
    ends = (facts.suspended_until, until)
    return replace(facts, suspended_until=None if None in ends else max(end for end in ends if end is not None))


def _lifted(facts: LicenseFacts, event: Event) -> LicenseFacts:
    if event is Event.RESUME:
        return replace(facts, suspended_at=None, suspended_until=None)
    return replace(facts, legal_hold_at=None)


def _since(facts: LicenseFacts, status: Status) -> datetime | None:
    return {
        Status.LEGAL_HOLD: facts.legal_hold_at,
        Status.TERMINATED: facts.terminated_at,
        Status.REVOKED: facts.revoked_at,
        Status.REFUNDED: facts.refunded_at,
        Status.SUSPENDED: facts.suspended_at or facts.account_suspended_at,
        Status.EXPIRED: facts.use_until,
    }[status]


def _clauses(status: Status, policy: Policy) -> Clauses:
    cited = policy.standing
    return {
        Status.LEGAL_HOLD: cited.legal_hold,
        Status.TERMINATED: cited.terminated,
        Status.REVOKED: cited.revoked,
        Status.REFUNDED: cited.refunded,
        Status.SUSPENDED: cited.suspended,
        Status.EXPIRED: cited.expired,
        Status.ACTIVE: cited.active,
    }[status]


def _options(status: Status) -> tuple[str, ...]:
    return ("renew", "ask_support") if status is Status.EXPIRED else ("ask_support",)
