"""What an installation key by itself is refused for: it is blocked, or in use elsewhere.

1. A blocked key activates nothing and gets no further lease; what it holds stays held until it is released.
2. The refusal names since when, and that support can lift it.
3. A key that belongs to another customer, or holds another license of the product, is in use; the SDK then makes a new
   one and asks once more.
"""

from __future__ import annotations

from datetime import datetime

from tillkey_server.rules.decision import Decision, Refusal, deny, instant
from tillkey_server.rules.policy import Policy


def blocked(blocked_at: datetime, policy: Policy, now: datetime) -> Decision:
    """Return the refusal that a blocked key meets, whatever it asks for but a deactivation."""
    return deny(
        Refusal.INSTALLATION_KEY_BLOCKED,
        clauses=policy.activation.clauses.installation,
        policy=policy.ref,
        now=now,
        facts={"blocked_since": instant(blocked_at)},
        options=("ask_support",),
    )


def in_use(policy: Policy, now: datetime, *, other_customer: bool) -> Decision:
    """Return the refusal of a key that is another customer's, or else holds another license of the product."""
    return deny(
        Refusal.INSTALLATION_KEY_IN_USE,
        clauses=policy.activation.clauses.installation,
        policy=policy.ref,
        now=now,
        facts={"because": "other_customer" if other_customer else "other_license_of_product"},
        options=("new_installation_key",),
    )
