"""When a refund may be asked for: the window that began with the purchase.

1. It begins with the original purchase, whatever was renewed or reported since (ZG-18). An upgrade is a purchase of its
   own, with a window of its own; it leaves that of what it replaces as it was.
2. Its length is the plan's in working days, else the license's, which is the product's own where it had one at the sale
   (CJ-01): what the license shows is what counts, and what a catalogue says later changes no order. A product that was
   sold with a window of 0 days is never refunded where the terms do not promise refunds of all products; where a later
   version of them does, it has the window of every product.
3. A legal hold that ended well adds its own length (CJ-02), where the terms say so. A suspension of the account that
   pauses the window moves its end too (NX-42, `rules.pause`); days on which both lasted count once.
4. Without a length there is no limit: the grounds decide alone (reading 4).
"""

from __future__ import annotations

from datetime import datetime

from tillkey_server.rules.calendar import Wait, calendar_of
from tillkey_server.rules.clocks import days_end, refund_window
from tillkey_server.rules.pause import moved, without
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.refund_facts import Asked, Item, RefundFacts
from tillkey_server.rules.refund_policy import HoldWindow, RefundPolicy


def window_end(facts: RefundFacts, terms: RefundPolicy, policy: Policy, now: datetime) -> datetime | None:
    """Return the exclusive end of the refund window; None where there is no limit."""
    end = _untolled(facts, terms, policy)
    if end is None or terms.hold_window is HoldWindow.RUN:
        return end
    for hold in sorted(facts.holds, key=lambda one: one.start):
        if hold.start < end:
            held_from = max(hold.start, facts.paid_at)
            end += without(Wait(held_from), facts.pauses, hold.end or max(now, held_from))
    return end


def is_not_refundable(facts: RefundFacts, terms: RefundPolicy) -> bool:
    """Tell whether this very product is never refunded (CJ-01)."""
    return facts.product_refund_days == 0 and not terms.refund_all_products


def has_statutory_right(facts: RefundFacts, asked: Asked, terms: RefundPolicy, policy: Policy) -> bool:
    """Tell whether the law lets a consumer give the purchase back; of a renewal alone it says nothing here."""
    if terms.statutory_days is None or not facts.is_consumer or asked.item is not Item.PRODUCT:
        return False
    return asked.asked_at < days_end(facts.paid_at, terms.statutory_days, policy.timezone)


def _untolled(facts: RefundFacts, terms: RefundPolicy, policy: Policy) -> datetime | None:
    plan = terms.of_plan(facts.plan)
    if plan is not None and plan.window_working_days is not None:
        end = calendar_of(policy).deadline(facts.paid_at, plan.window_working_days)
        return end if end is None else moved(end, facts.paid_at, facts.pauses, policy.timezone)
    if facts.product_refund_days == 0:
        return refund_window(facts.paid_at, policy, own_days=0)
    return facts.license.refund_until
