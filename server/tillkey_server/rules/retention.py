"""How long things are kept, and what is never deleted.

1. A step of a chain is kept for 60 days at least (PROTOCOL section 5), longer by setting, and as long as its lease runs
   (I4). The last two steps of every chain are kept forever: the current one, and the one before it, whose nonce an
   honest till still holds where the answer to its last heartbeat was lost.
2. The fingerprint of an activation is kept while it is in use, and for some days after its end, for whoever asks why.
3. An idempotency key is kept for a day.
4. A counted address or license is forgotten as soon as nothing is owed (`rules.rate`).
5. Decisions, activations, forced deactivations, orders and licenses are never deleted: limits and terms are judged by
   them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

MIN_LEASE_DAYS = 60
MIN_FINGERPRINT_DAYS = 1
FINGERPRINT_DAYS = 90
MAX_DAYS = 36500
KEPT_STEPS = 2
IDEMPOTENCY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Horizons:
    """Before which moments things are forgotten."""

    steps: datetime
    fingerprints: datetime
    idempotency: datetime
    rates: datetime
    leases: datetime
    """A step goes only where its lease ended before this."""


def horizons(now: datetime, *, lease_days: int, fingerprint_days: int) -> Horizons:
    """Return the horizons at a moment. In: the settings, in days."""
    return Horizons(
        steps=now - timedelta(days=max(lease_days, MIN_LEASE_DAYS)),
        fingerprints=now - timedelta(days=max(fingerprint_days, MIN_FINGERPRINT_DAYS)),
        idempotency=now - IDEMPOTENCY,
        rates=now,
        leases=now,
    )
