"""A blocked installation key: a person took one installed copy out of use.

1. A blocked key activates nothing and gets no further lease; what it holds stays held until it is released.
2. The refusal names since when, and that support can lift it.
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
