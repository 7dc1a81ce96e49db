"""Which version of the terms a purchase is made under (K-09).

1. It is the newest that was offered when it was paid: on record by then, and in effect (`effective_from`, a date where
   the terms count theirs). When we are told of it changes nothing: told late, it has the version that was shown (I8).
2. What was paid before any was, as a sale of the time before this server, has the oldest version on record: none that
   is nearer to what was shown is known.
3. A version above the one that is offered now was taken back, and no purchase is made under it.
4. A later version that is better decides all the same, where it says so: that is `rules.better`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tillkey_server.rules.clocks import first_instant
from tillkey_server.rules.policy import Policy


@dataclass(frozen=True, slots=True)
class Recorded:
    """One version of the terms, and since when it is on record."""

    policy: Policy
    recorded_at: datetime

    def is_offered_at(self, at: datetime) -> bool:
        """Tell whether the version is on record and in effect at an instant (sentence 1)."""
        return max(self.recorded_at, first_instant(self.policy.effective_from, self.policy.timezone)) <= at


def version_at(versions: Sequence[Recorded], at: datetime) -> Policy:
    """Return the version that was offered at an instant; `versions`, in any order, end with today's (sentence 3)."""
    known = sorted(versions, key=lambda one: one.policy.version)
    offered = [one for one in known if one.is_offered_at(at)]
    return (offered[-1] if offered else known[0]).policy
