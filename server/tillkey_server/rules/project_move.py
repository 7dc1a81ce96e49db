"""A bound license moves to another project of the same customer, by a person and with a reason (NX-06).

1. What is bound for good is else refused to another project for good; a shop that went live under the wrong name would
   have to buy anew. A person may move it, as often as there is a reason, which is kept.
2. What runs goes on running: the activations go along, so that the license is never in use in two projects.
3. A license that ended for good goes nowhere, nor does one on legal hold before that ends (K-13).
4. Its support stays at the project that it was bound to, unless the terms let support move with the license (NX-17).
   Moved back, the license has its support again.
5. One that is bound to no project, or to this one, has nothing to move. Two projects become one by moving the licenses
   of the one; one becomes two by moving some.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tillkey_server.rules.decision import Decision, Grant, Refusal, allow, deny
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.standing import FROZEN, LicenseFacts, refuse, standing
from tillkey_server.rules.support_policy import Presence


@dataclass(frozen=True, slots=True)
class MoveFacts:
    """What decides; `bound_to` None: to no project. `support_at` is where support stayed by a move before."""

    license: LicenseFacts
    bound_to: UUID | None
    to_project: UUID
    reason: str
    support_at: UUID | None = None
    goes_on: tuple[UUID, ...] = ()


def support_after(facts: MoveFacts, policy: Policy) -> UUID | None:
    """Return the project at which support stays behind after a move; None: it is where the license is (sentence 4)."""
    terms = policy.support
    if terms is None or terms.moves_with_license or terms.project is not Presence.REQUIRED:
        return None
    stays = facts.support_at or facts.bound_to
    return None if stays == facts.to_project else stays


def decide_project_move(facts: MoveFacts, policy: Policy, now: datetime) -> Decision:
    """Decide whether a license moves; facts `from_project`, `to_project`, `support_project`, `goes_on`, `reason`."""
    cited = policy.activation.clauses.binding
    if not facts.reason.strip():
        return deny(Refusal.REASON_REQUIRED, clauses=cited, policy=policy.ref, now=now, options=("give_reason",))
    found = standing(facts.license, policy, now)
    if found.status in FROZEN:
        return refuse(found, facts.license, policy, now)
    if facts.bound_to in {None, facts.to_project}:
        shown = {"to_project": str(facts.to_project)}
        return deny(Refusal.NOTHING_TO_MOVE, clauses=cited, policy=policy.ref, now=now, facts=shown)
    stays = support_after(facts, policy)
    if policy.support is not None:
        cited = (*cited, *policy.support.clauses.project)
    told = {
        "from_project": str(facts.bound_to),
        "to_project": str(facts.to_project),
        "support_project": str(stays or facts.to_project),
        "goes_on": [str(one) for one in facts.goes_on],
        "reason": facts.reason.strip(),
    }
    return allow(Grant.LICENSE_PROJECT_CHANGED, clauses=cited, policy=policy.ref, now=now, facts=told)
