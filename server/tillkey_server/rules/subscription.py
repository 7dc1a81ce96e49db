"""Automatic renewals: when one is due, what keeps it from being charged, and how it is cancelled.

1. Terms without `[subscription]` renew nothing by themselves. A license has one subscription at a time.
2. A renewal is due when the last local day begins of what is paid for, however that was paid: the end of that day is
   courtesy (K-06). So the days are counted from the anchor of the running chain, be it the purchase or a reactivation,
   and one of the 31st or of 29 February keeps it (K-05). Where what was paid for is over, the first is due at once.
3. A renewal is created once for each subscription and period (CJ-23), and none while an earlier one is unpaid.
4. A stronger state than expired keeps it from being charged (K-13), and so does a legal hold on anything else of the
   customer's (CJ-02): it waits, and is created when that is lifted.
5. It goes on until it is cancelled, which is at any time and without notice; that ends it with the period that is paid
   for, and what was created and not paid is dropped (BC-25). It may be taken up again until then.
6. The retirement of the product cancels it for good (BC-23): from that instant none begins, falls due or is taken up
   again, whether or not its cancellation is on record yet. A product that is offline for a time cancels nothing, and
   the notice of the renewal says that it is offline, and whoever asks before is told so too (BC-24).
7. Whoever asks is told the next renewal: one that is created and unpaid first, then one that is due, then the one to
   come; of a cancelled subscription, when it ends.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from tillkey_server.rules.clocks import first_instant, last_day
from tillkey_server.rules.decision import Decision, allow, deny, instant, pend
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.renewal_codes import RenewalCode, SubscriptionCode
from tillkey_server.rules.standing import SERVED, LicenseFacts, Status, standing
from tillkey_server.rules.term_policy import SubscriptionPolicy

NOT_OFFERED = ("X-01",)
"""What a policy without the section is refused by."""
PRODUCT_RETIRED = "product_retired"
"""The reason of a cancellation that nobody asked for."""


@dataclass(frozen=True, slots=True)
class SubscriptionFacts:
    """A subscription, and what may stop it. `next_period` is the next to be created, due at `next_due_at`,
    which is never before the last day of what is paid for.

    `unpaid_since` is when an earlier renewal fell due that is created and not paid; None: there is none. `access_until`
    is the exclusive end of what is paid for. `held_since`: anything of the customer's is on legal hold.
    """

    license: LicenseFacts
    months: int
    next_period: int
    next_due_at: datetime
    cancelled_at: datetime | None = None
    cancel_reason: str | None = None
    unpaid_since: datetime | None = None
    access_until: datetime | None = None
    offline_at: datetime | None = None
    retired_at: datetime | None = None
    held_since: datetime | None = None

    @property
    def ends_at(self) -> datetime:
        """Return when it is over once it is cancelled: when the first period begins that is not paid for."""
        return self.unpaid_since or self.next_due_at

    @property
    def notices(self) -> list[str]:
        """Return what has to be said of the renewal to come (sentence 6)."""
        goes_on = self.cancelled_at is None and self.retired_at is None
        return [RenewalCode.RENEWAL_PRODUCT_OFFLINE_NOTICE.value] if goes_on and self.offline_at is not None else []


def due_of(until: datetime, zone: ZoneInfo) -> datetime:
    """Return when the renewal is due of what is paid for until `until`, exclusive (sentence 2)."""
    return first_instant(last_day(until, zone), zone)


def first_due(until: datetime | None, zone: ZoneInfo, now: datetime) -> datetime:
    """Return when the first renewal is due of what is paid for until `until` and is to renew itself from now on."""
    return now if until is None or until <= now else due_of(until, zone)


def decide_start(
    held: SubscriptionFacts | None, months: int, retired_at: datetime | None, policy: Policy, now: datetime
) -> Decision:
    """Decide whether a subscription may begin (sentences 1 and 6).

    `held` is the last one of the license, `retired_at` when its product was retired.
    """
    terms = policy.subscription
    if terms is None:
        return deny(SubscriptionCode.SUBSCRIPTION_NOT_OFFERED, clauses=NOT_OFFERED, policy=policy.ref, now=now)
    cited = terms.clauses.renewal
    if held is not None and not _is_over(held, now):
        shown = {"months": held.months, "next_due_at": instant(held.next_due_at)}
        code = SubscriptionCode.SUBSCRIPTION_ALREADY_STARTED
        return deny(code, clauses=cited, policy=policy.ref, now=now, facts=shown)
    if retired_at is not None:
        return _refuse_retired(retired_at, terms, policy, now)
    if months not in terms.months:
        offered = {"offered": list(terms.months)}
        none = RenewalCode.RENEWAL_MONTHS_NOT_OFFERED
        return deny(none, clauses=cited, policy=policy.ref, now=now, facts=offered)
    return allow(
        SubscriptionCode.SUBSCRIPTION_STARTED, clauses=cited, policy=policy.ref, now=now, facts={"months": months}
    )


def decide_due(held: SubscriptionFacts, policy: Policy, now: datetime) -> Decision | None:
    """Decide about the next renewal; None where none is due (sentences 3 to 6).

    Facts: `period`, `due_at`, `months`, `notices`.
    """
    terms = policy.subscription
    ended = held.cancelled_at or held.retired_at
    if terms is None or ended is not None or now < held.next_due_at or held.unpaid_since is not None:
        return None
    shown: dict[str, object] = {
        "period": held.next_period,
        "due_at": instant(held.next_due_at),
        "months": held.months,
        "notices": [],
    }
    stands = standing(held.license, policy, now)
    if held.held_since is not None:
        stands = replace(stands, status=Status.LEGAL_HOLD, clauses=policy.standing.legal_hold)
    if stands.status not in SERVED:
        shown["status"] = stands.status.value
        code = SubscriptionCode.RENEWAL_BLOCKED
        return deny(code, clauses=terms.clauses.renewal + stands.clauses, policy=policy.ref, now=now, facts=shown)
    clauses = terms.clauses.renewal
    if held.notices:
        shown["notices"] = held.notices
        clauses += terms.clauses.offline
    return allow(SubscriptionCode.RENEWAL_CREATED, clauses=clauses, policy=policy.ref, now=now, facts=shown)


def decide_next(held: SubscriptionFacts | None, policy: Policy, now: datetime) -> Decision:
    """Tell the next renewal of a subscription (sentence 7); facts `due_at`, `months`, `access_until`, `notices`."""
    terms = policy.subscription
    if terms is None or held is None or _is_over(held, now):
        return _none(policy, now)
    if held.cancel_reason == PRODUCT_RETIRED or (held.cancelled_at is None and held.retired_at is not None):
        return _retired(held, terms, policy, now)
    if held.cancelled_at is not None:
        return decide_cancel(held, policy, now)
    due = decide_due(held, policy, now)
    if due is not None:
        return due
    shown = {
        "due_at": instant(held.ends_at),
        "months": held.months,
        "access_until": instant(held.access_until),
        "notices": held.notices,
    }
    cited = terms.clauses.renewal + (terms.clauses.offline if held.notices else ())
    if held.unpaid_since is not None:
        code, options = SubscriptionCode.RENEWAL_UNPAID, ("renew",)
        return pend(code, clauses=cited, policy=policy.ref, now=now, facts=shown, options=options)
    return allow(SubscriptionCode.RENEWAL_EXPECTED, clauses=cited, policy=policy.ref, now=now, facts=shown)


def decide_cancel(held: SubscriptionFacts | None, policy: Policy, now: datetime) -> Decision:
    """Decide about a cancellation at the period's end; told again it says the same (sentence 5).

    Facts: `ends_at`, when the last paid period ends, and `access_until`, until when its service lasts.
    """
    terms = policy.subscription
    if terms is None or held is None or _is_over(held, now):
        return _none(policy, now)
    return allow(
        SubscriptionCode.RENEWAL_CANCELLED,
        clauses=terms.clauses.cancel,
        policy=policy.ref,
        now=now,
        facts=_ending(held),
    )


def decide_retirement(held: SubscriptionFacts, policy: Policy, now: datetime) -> Decision | None:
    """Decide about the cancellation that a product's retirement is (sentence 6).

    None where the product is not retired, or it was cancelled before.
    """
    terms = policy.subscription
    if terms is None or held.retired_at is None or held.cancelled_at is not None:
        return None
    return _retired(held, terms, policy, now)


def decide_resume(held: SubscriptionFacts | None, policy: Policy, now: datetime) -> Decision:
    """Decide whether a cancelled subscription goes on (sentences 5 and 6)."""
    terms = policy.subscription
    if terms is None or held is None or _is_over(held, now):
        return _none(policy, now)
    shown = {"months": held.months, "next_due_at": instant(held.next_due_at)}
    if held.retired_at is not None:
        return _refuse_retired(held.retired_at, terms, policy, now)
    if held.cancelled_at is None:
        not_cancelled = SubscriptionCode.RENEWAL_NOT_CANCELLED
        return deny(not_cancelled, clauses=terms.clauses.cancel, policy=policy.ref, now=now, facts=shown)
    resumed = SubscriptionCode.RENEWAL_RESUMED
    return allow(resumed, clauses=terms.clauses.cancel, policy=policy.ref, now=now, facts=shown)


def _is_over(held: SubscriptionFacts, now: datetime) -> bool:
    return held.cancelled_at is not None and held.ends_at <= now


def _ending(held: SubscriptionFacts) -> dict[str, object]:
    return {"ends_at": instant(held.ends_at), "access_until": instant(held.access_until)}


def _retired(held: SubscriptionFacts, terms: SubscriptionPolicy, policy: Policy, now: datetime) -> Decision:
    return allow(
        SubscriptionCode.RENEWAL_CANCELLED_PRODUCT_RETIRED,
        clauses=terms.clauses.retired,
        policy=policy.ref,
        now=now,
        facts=_ending(held),
    )


def _refuse_retired(retired_at: datetime, terms: SubscriptionPolicy, policy: Policy, now: datetime) -> Decision:
    code, facts = RenewalCode.RENEWAL_PRODUCT_RETIRED, {"retired_at": instant(retired_at)}
    return deny(code, clauses=terms.clauses.retired, policy=policy.ref, now=now, facts=facts)


def _none(policy: Policy, now: datetime) -> Decision:
    terms = policy.subscription
    clauses = NOT_OFFERED if terms is None else terms.clauses.cancel
    return deny(SubscriptionCode.SUBSCRIPTION_NONE, clauses=clauses, policy=policy.ref, now=now)
