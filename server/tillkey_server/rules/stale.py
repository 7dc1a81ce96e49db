"""What stands forgotten: staging beside production (NX-48), and an installation that nobody hears of (NX-50).

1. Where staging has a slot of its own it can stand beside production. It is stale once it was held for the policy's
   `staging_stale_after` and production is active; exactly that long is stale (K-16).
2. Being stale is told to people and ends nothing: the seat is the owner's to give back.
3. A holder is unseen once it was last heard of at least `release_unseen_after` ago; exactly that long ago is unseen
   (K-16). A policy that says `off` knows no unseen holder.
4. A holder whose last lease still runs is never unseen: its till may be selling offline, and a lease that was told
   again ends later than the last step says.
5. Being unseen ends nothing either, and no clock does. Only when another installation asks does the unseen holder give
   way (`activation`), with a decision of its own beside the grant.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from tillkey_server.rules.activation_facts import AutoRelease, HolderFacts
from tillkey_server.rules.binding import PRODUCTION
from tillkey_server.rules.decision import Grant, allow, instant
from tillkey_server.rules.policy import Policy


class Notice(StrEnum):
    """Everything that people are told of a license without anybody having asked or been refused."""

    STAGING_STALE = "staging_stale"


def stale_since(holder: HolderFacts, holders: Iterable[HolderFacts], policy: Policy, now: datetime) -> datetime | None:
    """Return since when a holder is staging or development that should be gone, or None (sentence 1).

    `holders` are all active activations of the license. `since` is never later than `now`.
    """
    production = [one.started_at for one in holders if one.environment == PRODUCTION]
    if holder.environment == PRODUCTION or not production:
        return None
    since = max(holder.started_at + policy.activation.staging_stale_after, min(production))
    return since if since <= now else None


def unseen(holder: HolderFacts, policy: Policy, now: datetime) -> bool:
    """Tell whether a holder gives way to another installation that asks (sentences 3 and 4)."""
    after = policy.activation.release_unseen_after
    if after is None or holder.last_seen_at is None:
        return False
    leased = holder.lease_ends_at is not None and now < holder.lease_ends_at
    return not leased and now - holder.last_seen_at >= after


def auto_release(holder: HolderFacts, policy: Policy, now: datetime) -> AutoRelease:
    """Return the end of an unseen holder that gives way, to be written with the grant it gives way to (sentence 5)."""
    decision = allow(
        Grant.ACTIVATION_AUTO_RELEASED,
        clauses=policy.activation.clauses.unseen,
        policy=policy.ref,
        now=now,
        facts={
            "environment": holder.environment,
            "held_since": instant(holder.started_at),
            "last_seen_at": instant(holder.last_seen_at),
            "lease_ended_at": instant(holder.lease_ends_at),
        },
    )
    return AutoRelease(holder.id, decision)
