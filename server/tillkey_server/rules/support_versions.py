"""Which grounds refuse help with what was sold under an older version of the terms (K-09, NX-23).

1. An order keeps the list that it was sold under: what a later version adds, or makes stronger, is no ground for it.
2. Where today's version says so (`support.apply_if_better`), a ground that it took off the list refuses an older order
   no more, one that is only the agent's choice today is that there too, and ended support counts no sooner than today.
3. What the list loses by that is told where it would have counted, with the clauses of today's version about it.
4. Everything else about support, the tasks and the clocks, stays with the version of the sale.
"""

from __future__ import annotations

from dataclasses import replace

from tillkey_server.rules.policy import Policy
from tillkey_server.rules.support_policy import GroundPolicy, Strength

Lifted = tuple[GroundPolicy, ...]


def as_of_today(sold: Policy, today: Policy) -> tuple[Policy, Lifted]:
    """Return the terms of a sale with the grounds that still count, and those that today's version took away."""
    old, new = sold.support, today.support
    is_later = today.name == sold.name and today.version > sold.version
    if old is None or new is None or not is_later or not new.apply_if_better:
        return sold, ()
    cited = new.clauses.versions or ()
    kept = tuple(_milder(one, today_s, cited) for one in old.grounds if (today_s := new.ground(one.code)) is not None)
    lifted = tuple(replace(one, clauses=cited) for one in old.grounds if new.ground(one.code) is None)
    return replace(sold, support=replace(old, grounds=kept)), lifted


def _milder(sold: GroundPolicy, today: GroundPolicy, cited: tuple[str, ...]) -> GroundPolicy:
    """Return a ground as it counts for an older order (sentence 2); what today's version made milder is cited."""
    refusal = Strength.MAY if today.refusal is Strength.MAY else sold.refusal
    spares = sold.spares_refund_window or today.spares_refund_window
    if (refusal, spares) == (sold.refusal, sold.spares_refund_window):
        return sold
    return replace(sold, refusal=refusal, spares_refund_window=spares, clauses=(*sold.clauses, *cited))
