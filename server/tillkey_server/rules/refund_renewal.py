"""Paying back the last renewal of a subscription (CJ-26 to CJ-28).

1. Told within so many working days after the payment, the last payment goes back in full, and only that (CJ-26): an
   earlier one never does, also once the last one is back. The day that counts is that of the payment that succeeded;
   the message must come from the official address. Days on which a legal hold lasted do not count, where the terms
   let one lengthen the window (CJ-02).
2. Told later, a monthly subscription ends with its paid period and nothing goes back (CJ-27).
3. Told later, a yearly one gives back the rest of the renewed year (CJ-28), or nothing, as the terms say.
4. The notice itself cancels the renewals to come ("cancel at any time", CJ-26), whatever comes of the payment: in time
   or late, in the first period, and where something else bars a refund. It must come from the official address, and
   that address be believed.
5. Where a request names one renewal, it is about that one and never about the product (ZG-04). The terms above judge it
   where they judge renewals at all, it is the last one and a notice was given; an earlier one never goes back by them.
   Everywhere else a person decides, also about one that was paid after the product's retirement (BC-23), whatever the
   terms say about renewals: nothing was given for it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from tillkey_server.errors import BrokenInvariant
from tillkey_server.rules.calendar import Calendar
from tillkey_server.rules.citation import Clauses
from tillkey_server.rules.decision import Decision, Outcome, deny, pend
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.refund_amount import Months, Sum, last_renewal, rest_sum, whole
from tillkey_server.rules.refund_codes import RefundCode
from tillkey_server.rules.refund_facts import Asked, RefundFacts, RenewalPayment
from tillkey_server.rules.refund_grounds import of_renewals
from tillkey_server.rules.refund_policy import HoldWindow, Late, Plan, RefundPolicy, RenewalRefundPolicy

CANCEL_AT_PERIOD_END = "cancel_at_period_end"
"""What a notice makes of a subscription (sentence 4)."""


@dataclass(frozen=True, slots=True)
class RenewalAnswer:
    """What comes of a notice about the last renewal; `ends_license`: the rest of the running term is given up."""

    outcome: Outcome
    code: RefundCode
    clauses: Clauses
    deadline: datetime | None = None
    sum: Sum | None = None
    months: Months | None = None
    ends_license: bool = False


def is_notice(asked: Asked, terms: RefundPolicy) -> bool:
    """Tell whether somebody says from the official address that he wants no further renewal (sentence 4)."""
    return asked.sender_verified is True and bool(of_renewals(asked, terms))


def cancelling(decision: Decision) -> Decision:
    """Return an answer to a notice, as one that cancels the renewals to come (sentence 4)."""
    return replace(decision, options=tuple(dict.fromkeys((*decision.options, CANCEL_AT_PERIOD_END))))


def judge_named(facts: RefundFacts, asked: Asked, policy: Policy, now: datetime) -> Decision | None:
    """Return what is answered about the renewal that a request names; None: sentences 1 to 3 judge it (sentence 5).

    Facts: `renewal`.
    """
    named, terms = facts.named, policy.refund
    if named is None:
        raise BrokenInvariant("a renewal was asked for that nobody named")
    cited = policy.clocks.clauses.refund if terms is None else terms.clauses.review
    if policy.renewal is not None:
        cited += policy.renewal.clauses.appended if named.extends else policy.renewal.clauses.retired
    shown = {"renewal": str(named.id)}
    paid = named.payment
    if named.is_back or not paid.left:
        is_back = named.is_back or bool(paid.refunded_minor)
        no = RefundCode.DENIED_ALREADY_REFUNDED if is_back else RefundCode.DENIED_NOTHING_REMAINING
        return deny(no, clauses=cited, policy=policy.ref, now=now, facts=shown)
    if terms is not None and terms.renewal is not None and named.extends:
        last = last_renewal(facts)
        if last is None or last.payment.line_id != paid.line_id:
            no, cited = RefundCode.DENIED_NO_RENEWAL, terms.renewal.clauses
            return deny(no, clauses=cited, policy=policy.ref, now=now, facts=shown)
        if of_renewals(asked, terms):
            return None
    return pend(RefundCode.PENDING_REVIEW, clauses=cited, policy=policy.ref, now=now, facts=shown)


def judge_renewal(facts: RefundFacts, asked: Asked, terms: RefundPolicy, calendar: Calendar) -> RenewalAnswer:
    """Judge a notice about the last renewal."""
    rule = terms.renewal
    last = last_renewal(facts)
    if rule is None:
        return RenewalAnswer(Outcome.PEND, RefundCode.PENDING_REVIEW, terms.clauses.review)
    if last is None or not last.payment.left:
        return RenewalAnswer(Outcome.DENY, RefundCode.DENIED_NO_RENEWAL, rule.clauses)
    if asked.sender_verified is not True:
        return RenewalAnswer(Outcome.DENY, RefundCode.SENDER_NOT_OFFICIAL, rule.clauses + terms.clauses.sender)
    waits = facts.holds if terms.hold_window is HoldWindow.TOLL else ()
    deadline = calendar.deadline(last.payment.paid_at, rule.working_days, waits)
    if deadline is not None and asked.asked_at < deadline:
        whole_payment = Sum((whole(last.payment, terms),))
        return RenewalAnswer(Outcome.ALLOW, RefundCode.GRANTED_RENEWAL_FULL, rule.clauses, deadline, whole_payment)
    return _late(facts, asked, terms, rule, last, deadline, calendar.zone)


def _late(
    facts: RefundFacts,
    asked: Asked,
    terms: RefundPolicy,
    rule: RenewalRefundPolicy,
    last: RenewalPayment,
    deadline: datetime | None,
    zone: ZoneInfo,
) -> RenewalAnswer:
    """Sentences 2 and 3."""
    if facts.plan is Plan.MONTHLY:
        code, cited = RefundCode(rule.late_monthly), rule.clauses + rule.monthly_clauses
        return RenewalAnswer(Outcome.DENY, code, cited, deadline)
    if facts.plan is not Plan.ANNUAL or rule.late_annual is Late.DENY or terms.prorata is None:
        return RenewalAnswer(Outcome.DENY, RefundCode.DENIED_RENEWAL_WINDOW, rule.clauses, deadline)
    at = max(asked.asked_at, last.starts_at)
    rest, months = rest_sum(facts, terms, terms.prorata, at, zone)
    cited = rule.annual_clauses + terms.prorata.clauses
    if not rest.minor:
        return RenewalAnswer(Outcome.DENY, RefundCode.DENIED_NOTHING_REMAINING, cited, deadline, months=months)
    code = RefundCode.GRANTED_RENEWAL_PRORATA
    return RenewalAnswer(Outcome.ALLOW, code, cited, deadline, rest, months, ends_license=True)
