"""Support that is bought later, as a line of its own (CJ-16).

1. What was paid for support alone, after the purchase, is a line of support as is one that was bought beside the
   product.
2. Where the terms never pay such a line back, it stays paid when the product goes back, and whoever asks for it alone
   is told so. Elsewhere it is a renewal as any other.
"""

from __future__ import annotations

from dataclasses import replace

from tillkey_server.rules.order_line import LineKind
from tillkey_server.rules.refund_facts import Asked, Item, RefundFacts
from tillkey_server.rules.refund_policy import RefundPolicy


def sold_apart(facts: RefundFacts, asked: Asked, terms: RefundPolicy | None) -> tuple[RefundFacts, Asked]:
    """Return a request with later support among the lines, where the terms keep those (sentence 2)."""
    if terms is None or terms.excluded(LineKind.SUPPORT) is None:
        return facts, asked
    lines = tuple(replace(one.payment, kind=LineKind.SUPPORT) for one in facts.renewals if one.is_support)
    renewals = tuple(one for one in facts.renewals if not one.is_support)
    if asked.item is Item.RENEWAL and facts.named is not None and facts.named.is_support:
        asked = replace(asked, item=Item.SUPPORT)
    return replace(facts, renewals=renewals, along=(*facts.along, *lines)), asked
