"""Giving a license back, which always works (NX-07), and what an ended activation is told.

1. A deactivation is granted whatever state the license is in: expired, suspended, revoked or on hold.
2. Once more is granted once more and changes nothing; on an activation that was superseded it changes nothing either
   (PROTOCOL 5).
3. A `rid` that made a step of a live activation is stale for a deactivation, as for every other op: the till draws a
   new one.
4. An ended activation never gets a lease again. Its till is told `activation_released` when it was given back by
   itself, and `activation_superseded` when it was moved, freed by an agent, taken over by a reinstall, lost to a
   conflict (NX-08, NX-48) or gave way unseen (NX-50).
5. The activation's own end is told before the license's standing: it is final for that id.
6. The vendor may give a license back on its customer's word, where the till cannot: with a reason, and only what has
   not ended yet. It is the customer's own act: it is told as a release and counts as no forced deactivation (NX-09).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tillkey_server.rules.decision import Decision, Grant, Refusal, allow, deny, instant
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.standing import LicenseFacts, refuse, standing


class EndReason(StrEnum):
    """Why an activation ended."""

    RELEASED = "released"
    MOVED = "moved"
    FORCED = "forced"
    REINSTALLED = "reinstalled"
    CONFLICT = "conflict"
    UNSEEN = "unseen"


@dataclass(frozen=True, slots=True)
class EndFacts:
    """Whether and why an activation ended; both None while it lives."""

    ended_at: datetime | None = None
    end_reason: EndReason | None = None


def decide_release(facts: EndFacts, policy: Policy, now: datetime, *, rid_known: bool = False) -> Decision:
    """Decide a `deactivate`; fact `changed` tells whether the activation is to be ended now.

    `rid_known`: the request's `rid` made a step before (sentence 3).
    """
    cited = policy.activation.clauses.release
    live = facts.ended_at is None
    if live and rid_known:
        return deny(Refusal.STALE_REQUEST, clauses=cited, policy=policy.ref, now=now, options=("new_request",))
    return allow(
        Grant.ACTIVATION_RELEASED,
        clauses=cited,
        policy=policy.ref,
        now=now,
        facts={"changed": live, "ended_at": instant(facts.ended_at or now)},
    )


def decide_release_on_word(facts: EndFacts, reason: str, policy: Policy, now: datetime) -> Decision:
    """Decide a release on the customer's word (sentence 6); facts `changed`, `ended_at`, `on_word`, `reason`."""
    cited = policy.activation.clauses.release
    if not reason.strip():
        return deny(Refusal.REASON_REQUIRED, clauses=cited, policy=policy.ref, now=now, options=("give_reason",))
    if facts.ended_at is not None:
        shown = {
            "ended_at": instant(facts.ended_at),
            "end_reason": None if facts.end_reason is None else facts.end_reason.value,
        }
        return deny(Refusal.NOT_ACTIVE, clauses=cited, policy=policy.ref, now=now, facts=shown, options=("activate",))
    return allow(
        Grant.ACTIVATION_RELEASED,
        clauses=cited,
        policy=policy.ref,
        now=now,
        facts={"changed": True, "ended_at": instant(now), "on_word": True, "reason": reason.strip()},
    )


def decide_continue(end: EndFacts, license_facts: LicenseFacts, policy: Policy, now: datetime) -> Decision:
    """Decide whether an activation may get a further lease, before its chain is judged (sentences 4 and 5).

    A grant is `lease_renewed`; a refusal is the statement that the till gets, whatever its `rid`.
    """
    cited = policy.activation.clauses
    if end.ended_at is not None:
        by_itself = end.end_reason is EndReason.RELEASED
        taken = cited.unseen if end.end_reason is EndReason.UNSEEN else cited.superseded
        return deny(
            Refusal.ACTIVATION_RELEASED if by_itself else Refusal.ACTIVATION_SUPERSEDED,
            clauses=cited.release if by_itself else taken,
            policy=policy.ref,
            now=now,
            facts={
                "ended_at": instant(end.ended_at),
                "end_reason": None if end.end_reason is None else end.end_reason.value,
            },
            options=("activate", "ask_support"),
        )
    found = standing(license_facts, policy, now)
    if found.refusal is not None:
        return refuse(found, license_facts, policy, now)
    return allow(Grant.LEASE_RENEWED, clauses=policy.heartbeat.clauses, policy=policy.ref, now=now)
