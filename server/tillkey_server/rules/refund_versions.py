"""Which version of the terms decides about a refund: that of the sale, or a later one that is better.

The same facts under a later version of the terms never make it worse: of two versions the better answer for the
customer is given, where the later one says so (K-09, CJ-29): yes before pending before no, then the larger sum, then
the later time to come back.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from tillkey_server.rules.decision import Outcome
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.refund import Verdict, decide_refund
from tillkey_server.rules.refund_facts import Asked, RefundFacts


def better(old: Verdict, new: Verdict) -> Verdict:
    """Return the better of two versions' answers for the customer; the older one where they are alike."""
    return new if _rank(new) > _rank(old) else old


def decide_under_both(facts: RefundFacts, asked: Asked, sold: Policy, offered: Policy, now: datetime) -> Verdict:
    """Decide by the terms of the sale, and by today's where they are a later version that wants it."""
    by_sold = decide_refund(facts, asked, sold, now)
    later = offered.refund
    if offered.version <= sold.version or later is None or not later.apply_if_better:
        return by_sold
    best = better(by_sold, decide_refund(facts, asked, offered, now))
    if best is by_sold:
        return best
    cited = best.decision.clauses + later.clauses.versions
    return replace(best, decision=replace(best.decision, clauses=tuple(dict.fromkeys(cited))))


def _rank(verdict: Verdict) -> tuple[int, int, float]:
    decision = verdict.decision
    order = (Outcome.DENY, Outcome.PEND, Outcome.ALLOW).index(decision.outcome)
    money = 0 if verdict.sum is None else verdict.sum.minor
    return order, money, 0.0 if decision.retry_at is None else decision.retry_at.timestamp()
