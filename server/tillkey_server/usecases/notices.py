"""What people are told of a license though nobody asked for anything: a staging that was forgotten (NX-48)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from tillkey_server.rules.decision import instant
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.stale import Notice, stale_since
from tillkey_server.store.activation_list import ListedActivation
from tillkey_server.usecases.facts import holder_of
from tillkey_server.words.catalogue import sentence


def notices_of(
    listed: Sequence[ListedActivation], policy: Policy, now: datetime, language: str
) -> list[dict[str, object]]:
    """Return the notices about a license's activations, ready for JSON; `since` is when each began to hold."""
    holders = [
        holder_of(one.activation, one.last_seen_at, one.lease_ends_at) for one in listed if one.activation.active
    ]
    told: list[dict[str, object]] = []
    for holder in holders:
        since = stale_since(holder, holders, policy, now)
        if since is None:
            continue
        facts = {"environment": holder.environment, "held_since": instant(holder.started_at)}
        told.append(
            {
                "code": Notice.STAGING_STALE.value,
                "activation_id": str(holder.id),
                "since": instant(since),
                "clauses": list(policy.activation.clauses.stale),
                "words": sentence(Notice.STAGING_STALE.value, facts, language),
            }
        )
    return told
