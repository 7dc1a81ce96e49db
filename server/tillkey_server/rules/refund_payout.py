"""Paying a granted refund: when it is due, what it waits for, and what a failure undoes.

1. The customer is expected to give the license up everywhere and to say so (CJ-13): until then a payout waits, as far
   as the terms make it wait. A refund that leaves the license in use waits for nothing of the kind. Copies count as
   given up when nothing held the license at the grant, when each till that held it then has given it back itself, by a
   signed release, when the last lease has run out, or when somebody of the vendor's vouches for it, as with a server
   that is gone.
2. A payout is due so many working days after the request, or after the grant (CJ-30). A day does not count at whose end
   it waited for the customer's part (sentence 1) or for a legal hold on anything of his (K-04): the vendor is late only
   by days on which he could have paid. While the end of the waiting is not known, it is due at no day yet, and the code
   says what it waits for. Counted from the request, it runs while the request is pending: a vendor who takes his time
   to decide is late, and what the customer still owed then is not on record by its days.
3. A payout that fails takes the refund back only where the license is still refunded by that very refund (NX-36); what
   came on top of it stays (K-13).
4. A refund is paid out, or given back as failed, once (X-10). A legal hold on anything of the customer's keeps it back
   (K-13, CJ-02).
5. Where the original method is closed, it is paid to the customer's balance instead (CJ-30): a refund that was right is
   not undone because of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tillkey_server.rules.calendar import Wait, calendar_of
from tillkey_server.rules.decision import Decision, Refusal, allow, deny, instant, pend
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.refund_codes import RefundCode
from tillkey_server.rules.refund_policy import Gate, PayoutFrom, RefundPolicy
from tillkey_server.rules.standing import LicenseFacts


@dataclass(frozen=True, slots=True)
class PayoutFacts:
    """A granted refund: how many copies were in use at the grant, until when they may run on, and what was said since.

    `ends_license`: the refund ends the license, so that no copy may go on. `given_back`: how many of the copies their
    own tills gave back since, and `given_back_at` when the last of them did. `is_vouched`: somebody of the vendor's
    knows that the copies are given up. `held_since`: anything of the customer's is on legal hold; `holds`: the holds on
    anything of his that are over.
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
    ends_license: bool = True
    given_back: int = 0
    given_back_at: datetime | None = None
    holds: tuple[Wait, ...] = ()

    @property
    def on_hold_since(self) -> datetime | None:
        """Return since when the license, or anything else of the customer's, is on legal hold."""
        return self.held_since or self.license.legal_hold_at

    @property
    def live_until(self) -> datetime | None:
        """Return until when a copy may run on that nobody gave back; None where none does."""
        if not self.ends_license or self.given_back >= self.active_at_grant:
            return None
        return self.effective_latest_at

    def live(self, now: datetime) -> int:
        """Return how many copies may still run, out of reach."""
        until = self.live_until
        return self.active_at_grant - self.given_back if until is not None and now < until else 0


def payout_due(facts: PayoutFacts, policy: Policy) -> datetime | None:
    """Return the exclusive end of the promise (sentence 2); None where there is none, or none yet."""
    terms = policy.refund
    if terms is None or terms.payout.days is None:
        return None
    start = facts.asked_at if terms.payout.counted_from is PayoutFrom.REQUEST else facts.granted_at
    waits = [*facts.holds, *_waited_for_customer(facts, terms.payout.gate)]
    if facts.on_hold_since is not None:
        waits.append(Wait(facts.on_hold_since))
    return calendar_of(policy).deadline(start, terms.payout.days, waits)


def _waited_for_customer(facts: PayoutFacts, gate: Gate) -> tuple[Wait, ...]:
    """Return how long a payout waited for the customer's part, from the grant on."""
    if gate is Gate.NONE or not facts.ends_license:
        return ()
    if facts.attested_at is None:
        return (Wait(facts.granted_at),)
    given_up = None
    if gate is Gate.REQUIRED and not facts.is_vouched:
        given_up = facts.live_until or facts.given_back_at
    end = facts.attested_at if given_up is None else max(facts.attested_at, given_up)
    return (Wait(facts.granted_at, end),)


def decide_payout(facts: PayoutFacts, policy: Policy, now: datetime) -> Decision:
    """Decide whether a refund may be paid out now; facts `payout_due`, `effective_latest_at`."""
    terms, shown = policy.refund, _shown(facts, policy)
    cited = policy.clocks.clauses.refund if terms is None else terms.payout.clauses
    if facts.on_hold_since is not None:
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


def due_code(facts: PayoutFacts, policy: Policy, now: datetime) -> StrEnum | None:
    """Return whether an open payout is due or late, or what it waits for; None where nothing is promised."""
    terms = policy.refund
    if terms is None or terms.payout.days is None or facts.paid_out_at is not None or facts.failed_at is not None:
        return None
    due = payout_due(facts, policy)
    if due is None:
        return decide_payout(facts, policy, now).code
    return RefundCode.PAYOUT_LATE if now >= due else RefundCode.PAYOUT_DUE


def decide_late(facts: PayoutFacts, policy: Policy, now: datetime) -> Decision | None:
    """Return the news that a payout is late (CJ-30); None where it is not."""
    if policy.refund is None or due_code(facts, policy, now) is not RefundCode.PAYOUT_LATE:
        return None
    cited, shown = policy.refund.payout.clauses, _shown(facts, policy)
    return pend(RefundCode.PAYOUT_LATE, clauses=cited, policy=policy.ref, now=now, facts=shown, options=("pay_out",))


def _gate(
    facts: PayoutFacts, terms: RefundPolicy, policy: Policy, now: datetime, shown: dict[str, object]
) -> Decision | None:
    """Return what a payout waits for (sentence 1), or None."""
    gate, cited = terms.payout.gate, terms.payout.gate_clauses
    if not facts.ends_license:
        return None
    if gate is Gate.REQUIRED and facts.live(now) and not facts.is_vouched:
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
