"""Paying back an order that is under review and gave no license (BC-37, decided reading 2).

1. A person decides it, with a reason, while the order is under review. Of an order that gave licenses each one is
   refunded by itself, by the grounds of its terms.
2. All that was paid goes back, with its tax; what was paid with a coupon goes back as one (NX-31).
3. A legal hold on anything of the buyer's comes first (CJ-02, K-13).
4. It is done once, and told again it is the same. No license ever comes of the order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tillkey_server.money import Money
from tillkey_server.rules.decision import Decision, Refusal, allow, deny, instant
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.sale import SaleCode


@dataclass(frozen=True, slots=True)
class Paid:
    """What was paid for one line: its pieces without tax, the tax, and what of the first was paid with a coupon."""

    price: Money
    tax_minor: int = 0
    coupon_minor: int = 0


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """An order: since when it is held, when it was paid back, how many licenses it gave, what was paid for its lines.

    `legal_hold_at` is since when anything of the buyer's is on legal hold.
    """

    lines: Sequence[Paid]
    held_since: datetime | None
    refunded_at: datetime | None = None
    licenses: int = 0
    legal_hold_at: datetime | None = None


def amounts_of(lines: Sequence[Paid]) -> list[dict[str, object]]:
    """Return what goes back, for each currency: `amount_minor` with the tax in it, and what of it is a coupon."""
    found: dict[str, dict[str, int]] = {}
    for one in lines:
        sums = found.setdefault(one.price.currency, {"amount_minor": 0, "tax_minor": 0, "coupon_minor": 0})
        sums["amount_minor"] += one.price.minor + one.tax_minor
        sums["tax_minor"] += one.tax_minor
        sums["coupon_minor"] += one.coupon_minor
    return [{"currency": currency, **sums} for currency, sums in found.items()]


def decide_order_refund(facts: OrderFacts, reason: str, policy: Policy, now: datetime) -> Decision:
    """Decide whether an order is paid back; facts `amounts` (sentence 2), `held_at`, `refunded_at`, `reason`."""
    cited = policy.issue_clauses if policy.sale is None else policy.sale.clauses.review
    if facts.held_since is None:
        return deny(SaleCode.ORDER_NOT_UNDER_REVIEW, clauses=cited, policy=policy.ref, now=now)
    shown: dict[str, object] = {"held_at": instant(facts.held_since), "reason": reason}
    if facts.licenses:
        shown["licenses"] = facts.licenses
        return deny(SaleCode.ORDER_HAS_LICENSES, clauses=cited, policy=policy.ref, now=now, facts=shown)
    if facts.legal_hold_at is not None and facts.refunded_at is None:
        return deny(
            Refusal.LEGAL_HOLD,
            clauses=policy.standing.legal_hold if policy.sale is None else policy.sale.clauses.hold,
            policy=policy.ref,
            now=now,
            facts=shown | {"since": instant(facts.legal_hold_at)},
            options=("ask_support",),
        )
    shown |= {"refunded_at": instant(facts.refunded_at or now), "amounts": amounts_of(facts.lines)}
    return allow(SaleCode.ORDER_REFUNDED, clauses=cited, policy=policy.ref, now=now, facts=shown)
