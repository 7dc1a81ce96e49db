"""The after-sales service of a license: whether it is active at an instant, and what its end means for the use.

1. Care is one entitlement: it gates requests for support, and updates where both are one window (BC-01, ZG-01). It is
   active while the support clock runs; in a gap between two chains it is not, whatever came later (BC-17: the instant
   at which a request is opened decides).
2. It is judged from the facts each time it is asked for. A license that a stronger state holds (K-13) has none, nor
   has one whose support stayed behind with a former owner (NX-18): no end is shown then, since nothing is owed.
3. Where it is not active, the answer carries what a renewal would cost now.
4. Its end ends no use (NX-45, X-01): a license that was activated in time goes on without a word. One that was never
   activated in time goes on too, and its owner is asked to renew (NX-46). Whether it may still be activated for the
   first time, the terms say; whoever had it activated before may always move it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from tillkey_server.rules.citation import Clauses
from tillkey_server.rules.clocks import last_day
from tillkey_server.rules.decision import Decision, Refusal, allow, deny, instant
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.renewal_codes import CareCode
from tillkey_server.rules.standing import FROZEN, LicenseFacts, Status, status_of
from tillkey_server.rules.term import Run
from tillkey_server.rules.term_policy import AfterExpiry, Window


@dataclass(frozen=True, slots=True)
class CareFacts:
    """What is on record: the support clock, the product and site it is for, and when the license was first activated.

    `quote` is the answer to what a renewal would cost now; `lost` tells that the support stayed behind on a transfer.
    """

    license: LicenseFacts
    support: Run
    product: str
    site: str | None = None
    first_activated_at: datetime | None = None
    quote: Decision | None = field(default=None, repr=False)
    lost: bool = False


def decide_care(facts: CareFacts, at: datetime, policy: Policy, now: datetime) -> Decision:
    """Tell whether care was active at `at` (sentences 1 to 3).

    Facts: `active`, `at`, `until`, `last_day`, `product`, `site`; where it is not, `because` and the renewal's `quote`.
    """
    status = status_of(facts.license, now)
    runs, until = facts.support.covers(at), None if facts.lost else facts.support.until
    shown: dict[str, object] = {
        "active": runs and not facts.lost and status not in FROZEN,
        "at": instant(at),
        "until": instant(until),
        "last_day": None if until is None else last_day(until, policy.timezone).isoformat(),
        "timezone": policy.timezone.key,
        "product": facts.product,
        "site": facts.site,
    }
    if shown["active"]:
        return allow(CareCode.CARE_ACTIVE, clauses=_cited(policy), policy=policy.ref, now=now, facts=shown)
    quote = facts.quote
    shown["because"] = "lost_on_transfer" if facts.lost else status.value if runs else "ended"
    shown["quote"] = None if quote is None else {"code": quote.code.value, **quote.facts}
    return deny(
        CareCode.CARE_INACTIVE,
        clauses=_cited(policy) + (() if quote is None else quote.clauses),
        policy=policy.ref,
        now=now,
        facts=shown,
        options=("renew",) if quote is not None and quote.allowed else (),
    )


def decide_expiry(facts: CareFacts, policy: Policy, now: datetime) -> Decision | None:
    """Tell what an ended support means for the use (sentence 4); None while it runs, or where the terms are silent.

    Facts: `nag` (whether a renewal is asked for), `support_until`, `first_activated_at`, `may_activate`.
    """
    terms, until = policy.terms, facts.support.until
    if terms is None or until is None or now < until:
        return None
    in_time = was_used_in_time(facts.support, facts.first_activated_at)
    code = CareCode.LICENSE_EXPIRED_USE_OK if in_time else CareCode.LICENSE_EXPIRED_RENEW_PROMPT
    shown = {
        "nag": not in_time,
        "support_until": instant(until),
        "first_activated_at": instant(facts.first_activated_at),
        "may_activate": facts.first_activated_at is not None or terms.after_expiry is AfterExpiry.ALLOW_WITH_PROMPT,
    }
    clauses = terms.clauses.expired if in_time else terms.clauses.prompt
    return allow(code, clauses=clauses, policy=policy.ref, now=now, facts=shown)


def was_used_in_time(support: Run, first_activated_at: datetime | None) -> bool:
    """Tell whether a license was first activated while its support ran."""
    return first_activated_at is not None and support.covers(first_activated_at)


def refuses_first_use(license_: LicenseFacts, *, is_first: bool, policy: Policy, now: datetime) -> bool:
    """Tell whether a first activation comes too late (sentence 4); whoever had one before is never refused by this."""
    terms, until = policy.terms, license_.support_until
    if terms is None or terms.after_expiry is not AfterExpiry.DENY or not is_first:
        return False
    return until is not None and until <= now


def refuse_first_use(license_: LicenseFacts, policy: Policy, now: datetime) -> Decision:
    """Return the no to a first activation that comes too late; its policy has `[terms]`."""
    since = instant(license_.support_until)
    shown = {"status": Status.EXPIRED.value, "since": since, "use_until": since}
    clauses = () if policy.terms is None else policy.terms.clauses.prompt
    return deny(
        Refusal.LICENSE_EXPIRED,
        clauses=clauses,
        policy=policy.ref,
        now=now,
        facts=shown,
        options=("renew", "ask_support"),
    )


def _cited(policy: Policy) -> Clauses:
    terms, clocks = policy.terms, policy.clocks.clauses
    if terms is None:
        return clocks.support
    both = clocks.support + (clocks.updates if terms.window is Window.ONE else ())
    return both + terms.clauses.care + terms.clauses.window
