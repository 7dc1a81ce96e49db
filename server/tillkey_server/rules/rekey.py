"""Giving a license another key, when the customer lost the one it had (K-14).

1. The old key is unknown at once; whoever found it activates nothing with it.
2. What runs goes on undisturbed: a till that holds a lease shows that, and never its key again.
3. A license that ended for good (terminated, revoked, refunded) gets no other key, and one on legal hold gets none
   before the hold ends (K-13), nor one whose order is under review (BC-37). A suspended or expired one does; the key
   changes nothing about that.
4. A reason is needed, and is kept.
5. A fingerprint is a value under the license key, so that the one on record of a machine and the one that the machine
   sends under the new key have nothing in common. A till that is set up afresh with the new key is therefore no
   longer known for the same machine and does not take its own seat back (X-06): it is moved with a ticket, or freed by
   an agent. `relearn`, a fact of the answer, names the activations for which that is so until the new key was entered
   at the running till, whose next heartbeat then brings the new fingerprint.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from tillkey_server.rules.decision import Decision, Grant, Refusal, allow, deny
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.sale import refuse_under_review
from tillkey_server.rules.standing import FROZEN, LicenseFacts, refuse, standing

CLAUSES = ("K-14",)


def decide_rekey(
    facts: LicenseFacts,
    *,
    old_hint: str,
    holders: Iterable[UUID],
    reason: str,
    policy: Policy,
    now: datetime,
    order_held_at: datetime | None = None,
) -> Decision:
    """Decide whether a license gets another key; facts `old_hint`, `relearn`, `reason`.

    `order_held_at` is since when its order is under review.
    """
    if not reason.strip():
        return deny(Refusal.REASON_REQUIRED, clauses=CLAUSES, policy=policy.ref, now=now, options=("give_reason",))
    found = standing(facts, policy, now)
    if found.status in FROZEN:
        return refuse(found, facts, policy, now)
    if order_held_at is not None:
        return refuse_under_review(order_held_at, policy, now)
    shown = {"old_hint": old_hint, "relearn": [str(one) for one in holders], "reason": reason.strip()}
    return allow(Grant.LICENSE_REKEYED, clauses=CLAUSES, policy=policy.ref, now=now, facts=shown)
