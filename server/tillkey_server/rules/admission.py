"""Who may ask for a license's seat at all, before anybody looks at the seat.

1. A blocked installation key activates nothing. A key that belongs to another customer, or that holds another license
   of the same product, is in use; the SDK then makes a new key and asks once more.
2. Where the policy asks for a project, a name of spaces is none (NX-02).
3. A license that belongs to a project is refused to another one, and to another site of it where the policy binds the
   site (NX-06, `binding`).
"""

from __future__ import annotations

from datetime import datetime

from tillkey_server.rules import binding
from tillkey_server.rules.activation_facts import ActivationFacts
from tillkey_server.rules.decision import Decision, Refusal, deny, instant
from tillkey_server.rules.installation import blocked, in_use
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.project import normal_name


def installation_refusal(facts: ActivationFacts, policy: Policy, now: datetime) -> Decision | None:
    """Return the refusal of the asking installation key (sentence 1), or None."""
    key = facts.installation
    if key.blocked_at is not None:
        return blocked(key.blocked_at, policy, now)
    foreign = key.customer_id is not None and key.customer_id != facts.license_customer_id
    active = key.active_activation_of_product
    elsewhere = active is not None and active not in {holder.id for holder in facts.holders}
    if not foreign and not elsewhere:
        return None
    return in_use(policy, now, other_customer=foreign)


def project_refusal(facts: ActivationFacts, policy: Policy, now: datetime) -> Decision | None:
    """Return the refusal of the named project or site (sentences 2 and 3), or None."""
    terms = policy.activation
    if terms.require_project and not normal_name(facts.project_name):
        return deny(
            Refusal.PROJECT_REQUIRED,
            clauses=terms.clauses.project,
            policy=policy.ref,
            now=now,
            options=("name_project",),
        )
    bound = binding.bound_project(facts.bound_project_id, (holder.project_id for holder in facts.holders), terms)
    other_project = bound is not None and bound != facts.project_id
    if not other_project and (
        bound is None or not binding.other_site(facts.bound_site, facts.site, facts.environment, terms)
    ):
        return None
    permanent = bound == facts.bound_project_id
    return deny(
        Refusal.BOUND_TO_OTHER_PROJECT,
        clauses=terms.clauses.binding,
        policy=policy.ref,
        now=now,
        facts={
            "reading": terms.project_binding.value,
            "permanent": permanent,
            "bound_since": instant(facts.bound_at) if permanent else None,
            "other": "project" if other_project else "site",
        },
        options=("use_bound_project", *(() if permanent else ("deactivate",)), "buy_license", "ask_support"),
    )
