"""Issuing licenses for a paid order line.

1. A line of n items gets exactly n licenses, each with its own key (NX-01); a free item gets its key too.
2. A line that has its licenses gets no more: a payment told twice, or an order edited downwards afterwards, changes
   nothing.
3. A line that has some of them gets the rest.
4. The decision tells the four clocks that the licenses start with, each with its own clause (X-01), and the length of
   support that the buyer chose, if any (NX-44).
5. Bought again after a refund is a new line: new keys and new clocks, and no old installation attaches by itself
   (X-09).
"""

from __future__ import annotations

from datetime import datetime

from tillkey_server.errors import BadInput
from tillkey_server.rules.citation import Clauses
from tillkey_server.rules.clocks import Clocks
from tillkey_server.rules.decision import Decision, Grant, allow, instant
from tillkey_server.rules.policy import Policy


def decide_issue(
    quantity: int,
    already_issued: int,
    policy: Policy,
    now: datetime,
    clocks: Clocks | None = None,
    chosen_months: int | None = None,
) -> Decision:
    """Decide how many licenses an order line still needs; facts `quantity`, `already_issued`, `to_issue`.

    `clocks`, what the licenses start with, adds `timezone` and the four ends, `chosen_months` adds `months`. Raises
    `BadInput` for a quantity below 1.
    """
    if quantity < 1:
        raise BadInput("quantity", "a line has at least one item")
    missing = max(0, quantity - already_issued)
    shown: dict[str, object] = {"quantity": quantity, "already_issued": already_issued, "to_issue": missing}
    chosen: Clauses = ()
    if chosen_months is not None and policy.terms is not None:
        chosen = policy.terms.clauses.purchase
        shown["months"] = chosen_months
    return allow(
        Grant.LICENSE_ISSUED if missing else Grant.LICENSE_ALREADY_ISSUED,
        clauses=policy.issue_clauses + (() if clocks is None else _cited(policy)) + chosen,
        policy=policy.ref,
        now=now,
        facts=shown if clocks is None else shown | _ends(clocks, policy),
    )


def _cited(policy: Policy) -> Clauses:
    cited = policy.clocks.clauses
    return cited.use + cited.updates + cited.support + cited.refund


def _ends(clocks: Clocks, policy: Policy) -> dict[str, object]:
    return {
        "timezone": policy.timezone.key,
        "use_until": instant(clocks.use_until),
        "updates_until": instant(clocks.updates_until),
        "support_until": instant(clocks.support_until),
        "refund_until": instant(clocks.refund_until),
    }
