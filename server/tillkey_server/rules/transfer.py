"""A license goes to another customer, as when a shop is sold with its tills (NX-06, NX-49).

1. What runs goes on running: the activation stays, and with it its lease and its chain; project and installation become
   the new customer's.
2. A license that ended for good (terminated, revoked, refunded) goes nowhere, nor does one on legal hold before that
   ends (K-13). A suspended or expired one stays so with its new customer.
3. An installation belongs to one customer (NX-49). Whatever else lives on an installation of the license has to go
   along in the same act; what was not named is told, as far as the caller may see it.
4. What the customer has already is not transferred to it again.
5. A reason is needed, and is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tillkey_server.rules.decision import Decision, Grant, Refusal, allow, deny
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.standing import FROZEN, LicenseFacts, refuse, standing


@dataclass(frozen=True, slots=True)
class TransferFacts:
    """What decides about one license.

    `left_behind` are the licenses that live on one of its installations and do not go along; `hidden` is how many more
    of those the caller does not see. `goes_on` are the activations that go on with the license.
    """

    license: LicenseFacts
    from_customer: UUID
    to_customer: UUID
    reason: str
    left_behind: tuple[UUID, ...] = ()
    hidden: int = 0
    goes_on: tuple[UUID, ...] = ()


def decide_transfer(facts: TransferFacts, policy: Policy, now: datetime) -> Decision:
    """Decide whether a license goes to another customer.

    Facts of a yes: `from_customer`, `to_customer`, `goes_on`, `reason`; of `installation_shared`: `licenses`, `hidden`.
    """
    cited = policy.activation.clauses.binding + policy.activation.clauses.installation
    if not facts.reason.strip():
        return deny(Refusal.REASON_REQUIRED, clauses=cited, policy=policy.ref, now=now, options=("give_reason",))
    found = standing(facts.license, policy, now)
    if found.status in FROZEN:
        return refuse(found, facts.license, policy, now)
    if facts.from_customer == facts.to_customer:
        shown = {"to_customer": str(facts.to_customer)}
        return deny(Refusal.NOTHING_TO_TRANSFER, clauses=cited, policy=policy.ref, now=now, facts=shown)
    if facts.left_behind or facts.hidden:
        return deny(
            Refusal.INSTALLATION_SHARED,
            clauses=policy.activation.clauses.installation,
            policy=policy.ref,
            now=now,
            facts={"licenses": [str(one) for one in facts.left_behind], "hidden": facts.hidden},
            options=("ask_supervisor",) if facts.hidden else ("name_along", "deactivate"),
        )
    told = {
        "from_customer": str(facts.from_customer),
        "to_customer": str(facts.to_customer),
        "goes_on": [str(one) for one in facts.goes_on],
        "reason": facts.reason.strip(),
    }
    return allow(Grant.LICENSE_TRANSFERRED, clauses=cited, policy=policy.ref, now=now, facts=told)
