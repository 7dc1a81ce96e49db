"""Taking money out of a customer's balance: spending it, or paying it out.

1. No more is taken than is left in its currency, and no currency pays for another (K-07, NX-41).
2. What a reference names is taken once (X-10).
3. A legal hold on anything of the customer's keeps a payout back (K-13, CJ-02). What is spent stays with the vendor, so
   no hold keeps it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tillkey_server.money import Money
from tillkey_server.rules.decision import Decision, Refusal, allow, deny, instant
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.refund_codes import RefundCode

LEDGER = ("X-10", "K-07")
"""What every vendor's ledger is kept by (sentences 1 and 2)."""
PAYOUT = "NX-41"
"""What a payout of a balance settles, where the terms say nothing about accounts."""


class Taking(StrEnum):
    """How money leaves a balance."""

    SPEND = "spend"
    PAY_OUT = "pay_out"


@dataclass(frozen=True, slots=True)
class BalanceFacts:
    """What is left in the amount's currency, in minor units, negative for a debt.

    `held_since` is since when anything of the customer's is on legal hold; None: nothing is.
    """

    left: int
    held_since: datetime | None = None


def decide_taking(taking: Taking, amount: Money, facts: BalanceFacts, policy: Policy, now: datetime) -> Decision:
    """Decide whether an amount, above nothing, leaves a balance; facts `amount`, and what is `left` or `since` when."""
    paid_out = taking is Taking.PAY_OUT
    if paid_out and facts.held_since is not None:
        held = {"since": instant(facts.held_since), "amount": amount.display()}
        return deny(Refusal.LEGAL_HOLD, clauses=policy.standing.legal_hold, policy=policy.ref, now=now, facts=held)
    cited = (*_settling(policy), *LEDGER) if paid_out else LEDGER
    if amount.minor > facts.left:
        shown = {"left": Money(facts.left, amount.currency).display(), "amount": amount.display()}
        return deny(RefundCode.BALANCE_TOO_LOW, clauses=cited, policy=policy.ref, now=now, facts=shown)
    code = RefundCode.BALANCE_PAID_OUT if paid_out else RefundCode.BALANCE_SPENT
    shown = {"left": Money(facts.left - amount.minor, amount.currency).display(), "amount": amount.display()}
    return allow(code, clauses=cited, policy=policy.ref, now=now, facts=shown)


def _settling(policy: Policy) -> tuple[str, ...]:
    return (PAYOUT,) if policy.account is None else policy.account.clauses.balance
