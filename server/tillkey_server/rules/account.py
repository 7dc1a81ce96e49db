"""Suspending an account (NX-42, NX-43).

1. A prohibited behavior of the terms' list suspends, with evidence, and by a person: nothing that the server notices by
   itself does, least of all the suspicion of a clone. What is not on the list suspends nobody.
2. At once no till begins anew, nothing is sold, no request for support is taken and no download begins; a till that
   runs gets leases for the days of grace that the terms give, none of which outlives them, and is told then. Fraud
   leaves no grace.
3. A suspension with an end is over when that instant has come (K-16), and the same activations go on. It never lifts a
   stronger state (K-13). The clocks of support and refund run on, or pause where the terms say so (`rules.pause`).
4. Where the terms ask for two people, the first one proposes and another one agrees.
5. Several suspensions of one account hold side by side; lifting lifts all of them.
6. A policy that is silent about accounts suspends none.
7. Whoever asks how an account stands is told the suspension first, then its end that is scheduled or proposed; of one
   that is over and erased, that alone (NX-38).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tillkey_server.rules.account_policy import Behavior
from tillkey_server.rules.decision import Code, Decision, Refusal, allow, deny, instant, pend
from tillkey_server.rules.policy import Policy


class AccountCode(Code):
    """Every answer about an account."""

    ACCOUNT_SUSPENSION_SET = "account_suspension_set"
    ACCOUNT_SUSPENSION_LIFTED = "account_suspension_lifted"
    ACCOUNT_NOT_SUSPENDED = "account_not_suspended"
    ACCOUNT_AWAITS_SECOND = "account_awaits_second"
    ACCOUNT_TERMS_SILENT = "account_terms_silent"
    BEHAVIOR_NOT_LISTED = "behavior_not_listed"
    EVIDENCE_REQUIRED = "evidence_required"
    TERMINATION_SCHEDULED = "termination_scheduled"
    TERMINATION_CANCELED = "termination_canceled"
    TERMINATION_NOT_OPEN = "termination_not_open"
    TERMINATION_REQUESTER_UNVERIFIED = "termination_requester_unverified"
    TERMINATION_NEEDS_PERSON = "termination_needs_person"
    TERMINATION_BLOCKED_BALANCE = "termination_blocked_balance"
    TERMINATION_BLOCKED_APPEAL = "termination_blocked_appeal"
    TERMINATION_APPEALED = "termination_appealed"
    TERMINATION_APPEAL_REJECTED = "termination_appeal_rejected"
    TERMINATION_BLOCKED_ORDER = "termination_blocked_order"
    TERMINATION_BLOCKED_REFUND = "termination_blocked_refund"
    ACCOUNT_TERMINATED = "account_terminated"
    ACCOUNT_TERMINATED_BY_VENDOR = "account_terminated_by_vendor"
    BALANCE_WAIVED = "balance_waived"
    ACCOUNT_IN_ORDER = "account_in_order"
    ACCOUNT_ENDING = "account_ending"


@dataclass(frozen=True, slots=True)
class SuspensionAsked:
    """What is asked for. `until` None: as the behavior says. `proposed_by` is who proposed the same before."""

    behavior: str
    evidence: str
    actor: str
    until: datetime | None = None
    proposed_by: str | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """When a suspension began, when a till that runs stops, and its exclusive end (None: no end)."""

    at: datetime
    stops_at: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Leaving:
    """An end that was asked for by the customer or the vendor; `due_at` None: another person has to agree first."""

    by_vendor: bool
    behavior: str | None
    due_at: datetime | None


def silent(policy: Policy, now: datetime) -> Decision:
    """Return the no of terms that say nothing about accounts (sentence 6)."""
    return deny(AccountCode.ACCOUNT_TERMS_SILENT, clauses=policy.standing.suspended, policy=policy.ref, now=now)


def decide_suspension(asked: SuspensionAsked, policy: Policy, now: datetime) -> Decision:
    """Decide whether an account is suspended; facts `behavior`, `severity`, `fraud`, `stops_at`, `until`."""
    terms = policy.account
    if terms is None:
        return silent(policy, now)
    flawed = flaw_of(asked.behavior, asked.evidence, policy, now)
    behavior = terms.behavior(asked.behavior)
    if flawed is not None or behavior is None:
        return flawed or silent(policy, now)
    span = span_of(behavior, asked.until, terms.suspension_grace, now)
    shown = {
        "behavior": behavior.code,
        "severity": behavior.severity.value,
        "fraud": behavior.fraud,
        "stops_at": instant(span.stops_at),
        "until": instant(span.until),
    }
    cited = terms.clauses.suspension + terms.clauses.behaviors
    if terms.two_person_rule and asked.proposed_by in {None, asked.actor}:
        return second_person(shown, policy, now)
    return allow(AccountCode.ACCOUNT_SUSPENSION_SET, clauses=cited, policy=policy.ref, now=now, facts=shown)


def second_person(shown: Mapping[str, object], policy: Policy, now: datetime) -> Decision:
    """Return that another person has to agree (sentence 4)."""
    terms = policy.account
    return pend(
        AccountCode.ACCOUNT_AWAITS_SECOND,
        clauses=policy.standing.suspended if terms is None else terms.clauses.vendor + terms.clauses.behaviors,
        policy=policy.ref,
        now=now,
        facts=shown,
        options=("repeat_by_another_person",),
    )


def flaw_of(behavior: str, evidence: str, policy: Policy, now: datetime) -> Decision | None:
    """Return why a behavior does not count: it is not on the list, or nothing shows it (sentence 1)."""
    terms = policy.account
    if terms is None:
        return silent(policy, now)
    if terms.behavior(behavior) is None:
        return deny(
            AccountCode.BEHAVIOR_NOT_LISTED,
            clauses=terms.clauses.behaviors,
            policy=policy.ref,
            now=now,
            facts={"behavior": behavior, "listed": [one.code for one in terms.behaviors]},
        )
    if not evidence.strip():
        return deny(
            AccountCode.EVIDENCE_REQUIRED,
            clauses=terms.clauses.behaviors,
            policy=policy.ref,
            now=now,
            facts={"behavior": behavior},
            options=("give_evidence",),
        )
    return None


def span_of(behavior: Behavior, until: datetime | None, grace: timedelta, now: datetime) -> Span:
    """Return from when to when a behavior suspends (sentences 2 and 3)."""
    end = until
    if end is None and behavior.days is not None:
        end = now + timedelta(days=behavior.days)
    return Span(now, now if behavior.fraud else now + grace, end)


def joined(spans: Sequence[Span]) -> Span | None:
    """Return several suspensions that hold as one: from the first, to the last end; None for none (sentence 5)."""
    if not spans:
        return None
    ends = [one.until for one in spans]
    last = None if None in ends else max(end for end in ends if end is not None)
    return Span(min(one.at for one in spans), min(one.stops_at for one in spans), last)


def decide_account(suspended: Span | None, leaving: Leaving | None, policy: Policy, now: datetime) -> Decision:
    """Tell how an account stands (sentence 7).

    Facts: `since`, `stops_at` and `until` of a suspension, `due_at` and `by` of an end.
    """
    terms, ref = policy.account, policy.ref
    cited = policy.standing.suspended if terms is None else terms.clauses.suspension
    shown: dict[str, object] = {}
    if leaving is not None:
        shown = {"due_at": instant(leaving.due_at), "by": "vendor" if leaving.by_vendor else "customer"}
    if suspended is not None:
        until = suspended.until
        shown |= {"since": instant(suspended.at), "stops_at": instant(suspended.stops_at), "until": instant(until)}
        return deny(
            Refusal.ACCOUNT_SUSPENDED,
            clauses=cited,
            policy=ref,
            now=now,
            facts=shown,
            retry_at=until,
            options=("ask_support",),
        )
    if leaving is None:
        return allow(AccountCode.ACCOUNT_IN_ORDER, clauses=cited, policy=ref, now=now)
    if leaving.due_at is None:
        return second_person({**shown, "behavior": leaving.behavior}, policy, now)
    ended = policy.standing.terminated
    if terms is not None:
        ended = terms.clauses.vendor if leaving.by_vendor else terms.clauses.request
    options = () if leaving.by_vendor else ("cancel_termination",)
    return pend(AccountCode.ACCOUNT_ENDING, clauses=ended, policy=ref, now=now, facts=shown, options=options)


def decide_erased(erased_at: datetime, policy: Policy, now: datetime) -> Decision:
    """Tell that an account is over (sentence 7); fact `erased_at`."""
    cited = policy.standing.terminated if policy.account is None else policy.account.clauses.erasure
    shown = {"erased_at": instant(erased_at)}
    return deny(AccountCode.ACCOUNT_TERMINATED, clauses=cited, policy=policy.ref, now=now, facts=shown)


def decide_lift(live: int, reason: str, policy: Policy, now: datetime) -> Decision:
    """Decide whether an account's suspensions are lifted; facts `lifted`, `reason`."""
    terms = policy.account
    cited = policy.standing.suspended if terms is None else terms.clauses.suspension
    if not live:
        return deny(AccountCode.ACCOUNT_NOT_SUSPENDED, clauses=cited, policy=policy.ref, now=now)
    return allow(
        AccountCode.ACCOUNT_SUSPENSION_LIFTED,
        clauses=cited,
        policy=policy.ref,
        now=now,
        facts={"lifted": live, "reason": reason},
    )
