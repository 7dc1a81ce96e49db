"""Giving a product for trial.

1. A trial is given where the product's terms offer one (`[trial]`); without that section nobody gets one.
2. A customer gets one trial of a product, ever, however it ended and whatever the customer bought since.
3. It ends by itself, after so many days; the day on which it begins is day 0, and the last one is covered whole (K-03).
4. It has the four clocks of every license (X-01): updates and support last as long as the use, and since nothing was
   paid, there is nothing to pay back from the first moment on.
5. What is bought later is a license of its own, with its own key and clocks.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tillkey_server.rules.clocks import Clocks, days_end
from tillkey_server.rules.decision import Decision, Grant, Refusal, allow, deny, instant
from tillkey_server.rules.policy import Policy, TrialPolicy

NOT_OFFERED = ("X-01",)
"""What a policy without the section is refused by: no clock of a license begins without terms for it."""


@dataclass(frozen=True, slots=True)
class PastTrial:
    """The trial that the customer had of the product; `use_until` is its exclusive end."""

    license_id: UUID
    use_until: datetime | None


def decide_trial(past: PastTrial | None, policy: Policy, now: datetime) -> Decision:
    """Decide whether a trial is given; facts `days`, `timezone` and the ends, or the one that was given before."""
    terms = policy.trial
    if terms is None:
        return deny(
            Refusal.TRIAL_NOT_OFFERED, clauses=NOT_OFFERED, policy=policy.ref, now=now, options=("buy_license",)
        )
    if past is not None:
        facts = {"license_id": str(past.license_id), "use_until": instant(past.use_until)}
        return deny(
            Refusal.TRIAL_USED, clauses=terms.clauses, policy=policy.ref, now=now, facts=facts, options=("buy_license",)
        )
    clocks = trial_clocks(terms, policy, now)
    shown = {"days": terms.days, "timezone": policy.timezone.key, "use_until": instant(clocks.use_until)}
    return allow(Grant.TRIAL_ISSUED, clauses=terms.clauses, policy=policy.ref, now=now, facts=shown)


def trial_clocks(terms: TrialPolicy, policy: Policy, now: datetime) -> Clocks:
    """Return the four ends of a trial that begins now (sentences 3 and 4)."""
    end = days_end(now, terms.days, policy.timezone)
    return Clocks(use_until=end, updates_until=end, support_until=end, refund_until=now)
