"""Freeing a license from the vendor's side when its machine is gone (NX-08), and the limit that stops abuse (NX-09).

1. A reason is always needed; a reason of spaces is none. Evidence is never needed; that there is some is told.
2. An activation that has ended already cannot be freed, and no ticket is made that could release nobody.
3. At most `limit` counted ones per license lie in any sliding `window`, with `gap` between two (K-16: exactly W later
   is allowed). The license counts, not the agent, the machine or the calendar year.
4. Where both limits refuse, the limit's code is told with the later of the two times.
5. What was the vendor's fault is free, and so is what force majeure did, as a flood or a war (NP-08): it meets no limit
   and is not counted. The machine's warranty is another matter (`rules.warranty`): neither follows from the other.
6. A supervisor's override with a reason passes both limits; it is marked and not counted (I15). Where no limit refuses,
   the override is not needed and the deactivation counts like any other.
7. An installation seen within `recently_seen` may be alive: a second confirmation is needed. A refusal never counts,
   and the limits speak first, since a confirmation could not help there.
8. A move ticket made by an agent counts like a forced deactivation. It needs no confirmation, since it releases nothing
   by itself.
9. How many are left is told with every answer, after this one was counted; whoever only asks is told how many are left
   now, the confirmation taken as given.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from tillkey_server.rules.citation import Clauses
from tillkey_server.rules.decision import Code, Decision, Grant, Refusal, allow, deny, instant
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.window import room_at, within


class ForcedCode(Code):
    """What whoever only asks is answered beside the refusals of `PRECEDENCE`."""

    FORCED_DEACTIVATION_POSSIBLE = "forced_deactivation_possible"


class ForcedKind(StrEnum):
    """What an agent does; both count the same."""

    FORCED = "forced"
    MOVE_TICKET = "move_ticket"


@dataclass(frozen=True, slots=True)
class PastForced:
    """One granted earlier on the same license, of either kind; `counted` is False for what was free or overridden."""

    at: datetime
    counted: bool


@dataclass(frozen=True, slots=True)
class ForcedFacts:
    """What is known when an agent asks.

    `ended`: the activation has ended, or a ticket could release nobody. `environment` is the freed activation's or the
    ticket's; `held_in` is where the seat is held that a ticket cannot release. `has_evidence`: something was given that
    shows that the machine is gone.
    """

    ended: bool
    last_seen_at: datetime | None
    past: tuple[PastForced, ...]
    reason: str
    confirm: bool = False
    fault_vendor: bool = False
    override_reason: str | None = None
    kind: ForcedKind = ForcedKind.FORCED
    environment: str | None = None
    held_in: str | None = None
    force_majeure: bool = False
    has_evidence: bool = False

    @property
    def free(self) -> bool:
        """Tell whether it meets no limit (sentence 5)."""
        return self.fault_vendor or self.force_majeure


@dataclass(frozen=True, slots=True)
class _Count:
    """How the limits stand before this one."""

    used: int
    refusal: Refusal | None
    retry_at: datetime | None


PRECEDENCE: tuple[Refusal, ...] = (
    Refusal.REASON_REQUIRED,
    Refusal.NOT_ACTIVE,
    Refusal.FORCED_DEACTIVATION_LIMIT_REACHED,
    Refusal.FORCED_DEACTIVATION_TOO_SOON,
    Refusal.CONFIRMATION_REQUIRED,
)
"""Where several refusals apply, the first of these is told."""


def decide(facts: ForcedFacts, policy: Policy, now: datetime) -> Decision:
    """Decide an agent's forced deactivation or move ticket.

    Facts: `kind`, `limit`, `window_days`, `used` (before this one), `remaining` (after it), `counted`, `override`,
    `vendor_fault`, `force_majeure` where it was that, `has_evidence` where there is any, `last_seen_at`,
    `recently_seen`, `reason`, `environment`; `override_reason` where it was needed and counted as one; `held_in` for a
    ticket that could release nobody. A grant's `counted` is what to record.
    """
    count = _count(facts.past, policy, now)
    overridden = count.refusal is not None and not facts.free and _said(facts.override_reason)
    counted = not facts.free and not overridden
    found = [(refusal, retry_at) for refusal, retry_at in _refusals(facts, count, policy, now) if refusal is not None]
    if found:
        refusal, retry_at = found[0]
        return deny(
            refusal,
            clauses=policy.forced_deactivation.clauses,
            policy=policy.ref,
            now=now,
            facts=_shown(facts, count, policy, now, counted=False, overridden=False),
            retry_at=retry_at,
            options=_options(refusal, facts),
        )
    return allow(
        Grant.FORCED_DEACTIVATION_GRANTED if facts.kind is ForcedKind.FORCED else Grant.MOVE_TICKET_ISSUED,
        clauses=_cited(facts, policy),
        policy=policy.ref,
        now=now,
        facts=_shown(facts, count, policy, now, counted=counted, overridden=overridden),
    )


def decide_possible(past: tuple[PastForced, ...], policy: Policy, now: datetime) -> Decision:
    """Tell what the limits would say to an agent now (sentence 9).

    Facts: `limit`, `window_days`, `used`, `remaining`.
    """
    asked = ForcedFacts(ended=False, last_seen_at=None, past=past, reason="asked", confirm=True)
    told, used = decide(asked, policy, now), _count(past, policy, now).used
    limit = policy.forced_deactivation.limit
    facts = {
        "limit": limit,
        "window_days": policy.forced_deactivation.window.days,
        "used": used,
        "remaining": max(0, limit - used),
    }
    code = ForcedCode.FORCED_DEACTIVATION_POSSIBLE if told.allowed else told.code
    return replace(told, code=code, facts=facts)


_OPTIONS: dict[Refusal, tuple[str, ...]] = {
    Refusal.REASON_REQUIRED: ("give_reason",),
    Refusal.NOT_ACTIVE: ("activate",),
    Refusal.FORCED_DEACTIVATION_LIMIT_REACHED: ("wait", "ask_supervisor"),
    Refusal.FORCED_DEACTIVATION_TOO_SOON: ("wait", "ask_supervisor"),
    Refusal.CONFIRMATION_REQUIRED: ("confirm",),
}


def _options(refusal: Refusal, facts: ForcedFacts) -> tuple[str, ...]:
    """Return what can be done next. A holder in the ticket's own environment is freed without one (sentence 2)."""
    if refusal is Refusal.NOT_ACTIVE and facts.held_in is not None:
        return ("forced_deactivation_by_agent",)
    return _OPTIONS[refusal]


def recently_seen(facts: ForcedFacts, policy: Policy, now: datetime) -> bool:
    """Tell whether the installation was heard of within the policy's `recently_seen`; exactly that long ago is not."""
    return facts.last_seen_at is not None and facts.last_seen_at > now - policy.forced_deactivation.recently_seen


def _refusals(
    facts: ForcedFacts,
    count: _Count,
    policy: Policy,
    now: datetime,
) -> tuple[tuple[Refusal | None, datetime | None], ...]:
    """Return each check's answer in the order of `PRECEDENCE`; the two limits are one check."""
    limited = not facts.free and not _said(facts.override_reason)
    unconfirmed = facts.kind is ForcedKind.FORCED and not facts.confirm and recently_seen(facts, policy, now)
    return (
        (None if _said(facts.reason) else Refusal.REASON_REQUIRED, None),
        (Refusal.NOT_ACTIVE if facts.ended else None, None),
        (count.refusal if limited else None, count.retry_at),
        (Refusal.CONFIRMATION_REQUIRED if unconfirmed else None, None),
    )


def _count(past: tuple[PastForced, ...], policy: Policy, now: datetime) -> _Count:
    terms = policy.forced_deactivation
    times = [one.at for one in past if one.counted]
    counting = within(times, terms.window, now)
    after_gap = max(times) + terms.gap if times else now
    if len(counting) >= terms.limit:
        room = room_at(counting, terms.limit, terms.window)
        retry_at = None if room is None else max(room, after_gap)
        return _Count(len(counting), Refusal.FORCED_DEACTIVATION_LIMIT_REACHED, retry_at)
    if after_gap > now:
        return _Count(len(counting), Refusal.FORCED_DEACTIVATION_TOO_SOON, after_gap)
    return _Count(len(counting), None, None)


def _shown(
    facts: ForcedFacts,
    count: _Count,
    policy: Policy,
    now: datetime,
    *,
    counted: bool,
    overridden: bool,
) -> dict[str, object]:
    terms = policy.forced_deactivation
    known = {
        "environment": facts.environment,
        "held_in": facts.held_in,
        "reason": facts.reason.strip() or None,
        "override_reason": facts.override_reason.strip() if overridden and facts.override_reason else None,
        "force_majeure": True if facts.force_majeure else None,
        "has_evidence": True if facts.has_evidence else None,
    }
    return {
        **{name: fact for name, fact in known.items() if fact is not None},
        "kind": facts.kind.value,
        "limit": terms.limit,
        "window_days": terms.window.days,
        "used": count.used,
        "remaining": max(0, terms.limit - count.used - (1 if counted else 0)),
        "counted": counted,
        "override": overridden,
        "vendor_fault": facts.fault_vendor,
        "last_seen_at": instant(facts.last_seen_at),
        "recently_seen": recently_seen(facts, policy, now),
    }


def _cited(facts: ForcedFacts, policy: Policy) -> Clauses:
    terms = policy.forced_deactivation
    return (*terms.clauses, *terms.force_majeure) if facts.force_majeure else terms.clauses


def _said(text: str | None) -> bool:
    return text is not None and text.strip() != ""
