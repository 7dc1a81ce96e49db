"""What a person decides about a refund that is pending, and what is noticed after one.

1. A person of the vendor's grants or denies what the terms leave to him, with a reason (NX-31, CJ-03, BC-27): all of
   the price or a part of it, never more than is left of it (K-07).
2. A part leaves the license as it is, takes its updates and support, or all of it, as the terms say; once all of the
   price is back, the license ends (NX-36).
3. Nobody grants under a legal hold, after a violation of copyright (CJ-02), or twice (X-10).
4. A refunded license that is still used after some days is a matter for a person, and no proof by itself (CJ-14,
   reading 12): it is noticed, and changes nothing.
5. Who loses what another product asks for is told, and keeps using it unless the terms say otherwise (NX-13).
"""

from __future__ import annotations

from datetime import datetime

from tillkey_server.rules.decision import Decision, Refusal, allow, deny, instant, pend
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.refund import Ends, Verdict
from tillkey_server.rules.refund_amount import Sum, full_sum, left_of, some
from tillkey_server.rules.refund_codes import RefundCode
from tillkey_server.rules.refund_facts import RefundFacts
from tillkey_server.rules.refund_policy import Partial

_ENDS = {Partial.KEEP: Ends.NOTHING, Partial.REDUCE: Ends.REDUCED, Partial.REVOKE: Ends.LICENSE}


def decide_by_person(
    facts: RefundFacts, policy: Policy, now: datetime, *, grant: bool, amount: int | None = None
) -> Verdict:
    """Decide as a person said; `amount` is in minor units, None: all of the price. Facts `amount`, `ends`."""
    terms = policy.refund
    cited = policy.clocks.clauses.refund if terms is None else terms.clauses.review
    if facts.license.legal_hold_at is not None:
        return Verdict(deny(Refusal.LEGAL_HOLD, clauses=policy.standing.legal_hold, policy=policy.ref, now=now))
    if facts.license.terminated_at is not None:
        ended = policy.standing.terminated
        return Verdict(deny(Refusal.LICENSE_TERMINATED, clauses=ended, policy=policy.ref, now=now))
    if not grant:
        return Verdict(deny(RefundCode.DENIED_BY_PERSON, clauses=cited, policy=policy.ref, now=now))
    if facts.copyright_violated and terms is not None:
        violated = terms.clauses.copyright
        return Verdict(deny(RefundCode.DENIED_COPYRIGHT, clauses=violated, policy=policy.ref, now=now))
    left = left_of(facts, terms)
    if facts.license.refunded_at is not None or not left:
        return Verdict(deny(RefundCode.DENIED_ALREADY_REFUNDED, clauses=cited, policy=policy.ref, now=now))
    if amount is not None and amount > left:
        shown = {"left": facts.money(left)}
        return Verdict(deny(RefundCode.AMOUNT_TOO_HIGH, clauses=cited, policy=policy.ref, now=now, facts=shown))
    given, ends = _given(facts, policy, now, amount)
    if terms is not None:
        cited = cited + terms.clauses.effects + terms.clauses.destination
    told = {
        "amount": facts.money(given.minor),
        "tax": facts.money(given.tax_minor),
        "ends": ends.value,
        "destination": None if terms is None else terms.destination.value,
    }
    decision = allow(RefundCode.GRANTED_BY_PERSON, clauses=cited, policy=policy.ref, now=now, facts=told)
    return Verdict(decision, given, ends)


def use_after_refund(refunded_at: datetime, policy: Policy, now: datetime) -> Decision | None:
    """Return the notice that a refunded license is still used; None within the grace, and without terms for it."""
    terms = policy.refund
    if terms is None or now < refunded_at + terms.use_after_refund_grace:
        return None
    shown = {"refunded_at": instant(refunded_at), "seen_at": instant(now)}
    return pend(
        RefundCode.USE_AFTER_REFUND, clauses=terms.clauses.after_refund, policy=policy.ref, now=now, facts=shown
    )


def _given(facts: RefundFacts, policy: Policy, now: datetime, amount: int | None) -> tuple[Sum, Ends]:
    """Return what goes back and what it ends (sentence 2)."""
    terms = policy.refund
    if amount is None:
        whole = some(facts, terms, left_of(facts, terms)) if terms is None else full_sum(facts, terms, now)
        return whole, Ends.LICENSE
    given = some(facts, terms, amount)
    if amount == left_of(facts, terms):
        return given, Ends.LICENSE
    return given, Ends.NOTHING if terms is None else _ENDS[terms.partial]
