"""A lease's instants.

1. All are whole seconds, and `iat` is now (PROTOCOL section 3).
2. `refresh_at` is one heartbeat later, `soft_exp` and `exp` are the policy's `soft` and `full` later; the till draws
   the jitter.
3. While the refund window is open `exp` is `full_while_refundable` later: `exp` bounds full rights after a revocation
   that cannot reach the till, and a refund is the likeliest one (PROTOCOL section 6).
4. No instant is later than `use_until`: a till is `expired` from then on in any case, and a reader that knows `exp`
   alone must not
   grant more. So refresh_at <= soft_exp <= exp <= use_until always.
5. Nor is one later than the instant at which a suspended account's grace ends (NX-42).
6. No lease is made for a license whose use right has ended; standing refuses first (invariant I3).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tillkey_server.errors import BrokenInvariant
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.standing import LicenseFacts, account_suspended


@dataclass(frozen=True, slots=True)
class LeaseTimes:
    """Aware UTC instants without fractions; `nbf` equals `iat`; `use_until` None is a perpetual right."""

    iat: datetime
    refresh_at: datetime
    soft_exp: datetime
    exp: datetime
    use_until: datetime | None


def lease_times(facts: LicenseFacts, policy: Policy, now: datetime) -> LeaseTimes:
    """Return the instants of a lease made at `now`.

    Raises `BrokenInvariant` when the use right has ended: no lease may be made then.
    """
    iat = now.replace(microsecond=0)
    if facts.use_until is not None and facts.use_until <= iat:
        raise BrokenInvariant("a lease for a use right that has ended")
    refundable = facts.refund_until is not None and iat < facts.refund_until
    full = policy.lease.full_while_refundable if refundable else policy.lease.full
    exp = iat + full
    if facts.use_until is not None:
        exp = min(exp, facts.use_until)
    stops_at = facts.account_stops_at
    if stops_at is not None and account_suspended(facts, stops_at) and iat < stops_at:
        exp = min(exp, stops_at)
    soft_exp = min(iat + policy.lease.soft, exp)
    refresh_at = min(iat + policy.heartbeat.every, soft_exp)
    return LeaseTimes(iat, refresh_at, soft_exp, exp, facts.use_until)
