"""Paying a granted refund: when it is due, what it waits for, and what a failure undoes.

1. The customer is expected to give the license up everywhere and to say so (CJ-13): until then a payout waits, as far
   as the terms make it wait. Copies count as given up when nothing held the license at the grant, when the last lease
   has run out, or when somebody of the vendor's vouches for it, as with a server that is gone.
2. A payout is due so many working days after the request, or after the grant (CJ-30).
3. A payout that fails takes the refund back only where the license is still refunded by that very refund (NX-36); what
   came on top of it stays (K-13).
4. A refund is paid out, or given back as failed, once (X-10). A legal hold on anything of the customer's keeps it back
   (K-13, CJ-02).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tillkey_server.rules.calendar import calendar_of
from tillkey_server.rules.decision import Decision, Refusal, allow, deny, instant, pend
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.refund_codes import RefundCode
from tillkey_server.rules.refund_policy import Gate, PayoutFrom, RefundPolicy
from tillkey_server.rules.standing import LicenseFacts


@dataclass(frozen=True, slots=True)
class PayoutFacts:
    """A granted refund: how many copies were in use at the grant, until when they may run on, and what was said since.

    `is_vouched`: somebody of the vendor's knows that the copies are given up. `held_since`: anything of the customer's
    is on legal hold.
    """

    license: LicenseFacts
    asked_at: datetime
    granted_at: datetime
    active_at_grant: int
    effective_latest_at: datetime | None
    attested_at: datetime | None = None
    is_vouched: bool = False
    paid_out_at: datetime | None = None
    failed_at: datetime | None = None
    held_since: datetime | None = None


def payout_due(facts: PayoutFacts, policy: Policy) -> datetime | None:
    """Return the exclusive end of the promise (sentence 2); None where the terms promise nothing."""
    terms = policy.refund
    if terms is None or terms.payout.days is None:
        return None
    start = facts.asked_at if terms.payout.counted_from is PayoutFrom.REQUEST else facts.granted_at
    return calendar_of(policy).deadline(start, terms.payout.days)


def decide_payout(facts: PayoutFacts, policy: Policy, now: datetime) -> Decision:
    """Decide whether a refund may be paid out now; facts `payout_due`, `effective_latest_at`."""
    terms, shown = policy.refund, _shown(facts, policy)
    cited = policy.clocks.clauses.refund if terms is None else terms.payout.clauses
    if facts.license.legal_hold_at is not None or facts.held_since is not None:
        hold = policy.standing.legal_hold
        return deny(Refusal.LEGAL_HOLD, clauses=hold, policy=policy.ref, now=now, facts=shown)
    if facts.paid_out_at is not None or facts.failed_at is not None:
        return deny(RefundCode.PAYOUT_CLOSED, clauses=cited, policy=policy.ref, now=now, facts=shown)
    waits = None if terms is None else _gate(facts, terms, policy, now, shown)
    return waits or allow(RefundCode.PAID_OUT, clauses=cited, policy=policy.ref, now=now, facts=shown)


def decide_failure(facts: PayoutFacts, policy: Policy, now: datetime) -> Decision:
    """Decide what a failed payout undoes; facts `undone` and `restored`: the license's refund, and its use."""
    terms = policy.refund
    cited = policy.clocks.clauses.refund if terms is None else terms.clauses.effects + terms.payout.clauses
    if facts.failed_at is not None:
        return deny(RefundCode.PAYOUT_CLOSED, clauses=cited, policy=policy.ref, now=now, facts=_shown(facts, policy))
    held = facts.license
    stronger = held.legal_hold_at or held.terminated_at or held.revoked_at
    undone = held.refunded_at == facts.granted_at
    told = {**_shown(facts, policy), "undone": undone, "restored": undone and stronger is None}
    return allow(RefundCode.PAYOUT_FAILED, clauses=cited, policy=policy.ref, now=now, facts=told)


def attested(facts: PayoutFacts, policy: Policy, now: datetime) -> Decision:
    """Return that the customer said that every copy is destroyed (CJ-13)."""
    terms = policy.refund
    cited = policy.clocks.clauses.refund if terms is None else terms.payout.gate_clauses
    told = {**_shown(facts, policy), "vouched": facts.is_vouched}
    return allow(RefundCode.ATTESTED, clauses=cited, policy=policy.ref, now=now, facts=told)


def due_code(facts: PayoutFacts, policy: Policy, now: datetime) -> RefundCode | None:
    """Return whether an open payout is due or late; None where nothing is promised or it is closed."""
    due = payout_due(facts, policy)
    if due is None or facts.paid_out_at is not None or facts.failed_at is not None:
        return None
    return RefundCode.PAYOUT_LATE if now >= due else RefundCode.PAYOUT_DUE


def _gate(
    facts: PayoutFacts, terms: RefundPolicy, policy: Policy, now: datetime, shown: dict[str, object]
) -> Decision | None:
    """Return what a payout waits for (sentence 1), or None."""
    gate, cited = terms.payout.gate, terms.payout.gate_clauses
    runs_on = facts.active_at_grant > 0 and facts.effective_latest_at is not None and now < facts.effective_latest_at
    if gate is Gate.REQUIRED and runs_on and not facts.is_vouched:
        return pend(
            RefundCode.PENDING_DEACTIVATION,
            clauses=cited,
            policy=policy.ref,
            now=now,
            facts=shown,
            retry_at=facts.effective_latest_at,
            options=("deactivate", "vouch"),
        )
    if gate is not Gate.NONE and facts.attested_at is None:
        return pend(RefundCode.PENDING_ATTESTATION, clauses=cited, policy=policy.ref, now=now, facts=shown)
    return None


def _shown(facts: PayoutFacts, policy: Policy) -> dict[str, object]:
    return {
        "granted_at": instant(facts.granted_at),
        "payout_due": instant(payout_due(facts, policy)),
        "effective_latest_at": instant(facts.effective_latest_at),
    }
