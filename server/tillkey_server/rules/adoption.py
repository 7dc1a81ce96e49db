"""Taking up an activation that the database lost, from its genuine lease (PROTOCOL section 5, I20).

1. A license that belongs to another project for good by now is not brought back to the old one (NX-06): this request is
   refused, and ends nothing that the till holds.
2. Where somebody holds the license by a later lease, the lost one is superseded (`chain.lease_stays`).
3. Otherwise it is adopted, and the decision names what it ended.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from tillkey_server.rules import binding
from tillkey_server.rules.decision import Decision, Grant, Refusal, allow, deny, instant
from tillkey_server.rules.policy import Policy


def bound_elsewhere(
    permanent: UUID | None, bound_at: datetime | None, project_id: UUID | None, policy: Policy, now: datetime
) -> Decision | None:
    """Return the no of sentence 1, or None.

    `permanent` is the project on record since `bound_at`; `project_id` the lease's, None where that is not on record.
    """
    bound = binding.bound_project(permanent, (), policy.activation)
    if bound is None or project_id == bound:
        return None
    return deny(
        Refusal.BOUND_TO_OTHER_PROJECT,
        clauses=policy.activation.clauses.binding,
        policy=policy.ref,
        now=now,
        facts={"because": "history_lost", "other": "project", "bound_since": instant(bound_at)},
        options=("use_bound_project", "ask_support"),
    )


def superseded(held_since: datetime, policy: Policy, now: datetime) -> Decision:
    """Return the no of sentence 2; `held_since` is when the present holder began."""
    return deny(
        Refusal.ACTIVATION_SUPERSEDED,
        clauses=policy.activation.clauses.superseded,
        policy=policy.ref,
        now=now,
        facts={"because": "history_lost", "held_since": instant(held_since)},
        options=("activate", "ask_support"),
    )


def adopted(lease_iat: datetime, released: Iterable[UUID], policy: Policy, now: datetime) -> Decision:
    """Return the yes of sentence 3; `released` are the activations that it ends."""
    return allow(
        Grant.ACTIVATION_ADOPTED,
        clauses=policy.heartbeat.clauses,
        policy=policy.ref,
        now=now,
        facts={"lease_iat": instant(lease_iat), "released": [str(one) for one in released]},
    )
