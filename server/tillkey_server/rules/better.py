"""Which of two decisions is better for the customer, where two versions of the terms decide about one thing (K-09).

1. An order keeps the version that it was sold under. A later one decides only where it says so (`apply_if_better`)
   and its decision is better; both versions decide, and the better decision counts.
2. Better is: allow over pend over deny; then the larger amount that the customer gains; then the later date.
3. Where neither is better the older version's decision stands.
4. Renewals and refunds are decided so, each by its own rule of what an amount is; of support, the grounds of refusals
   (`rules.support_versions`). Everything else keeps the version of the sale.
"""

from __future__ import annotations

from collections.abc import Callable

from tillkey_server.rules.decision import Decision, Outcome
from tillkey_server.rules.policy import Policy

_RANK = {Outcome.DENY: 0, Outcome.PEND: 1, Outcome.ALLOW: 2}


def _amount(decision: Decision) -> int:
    found = decision.facts.get("amount_minor")
    return found if isinstance(found, int) else 0


def _until(decision: Decision) -> str:
    return str(decision.facts.get("until") or "")


def better_of(
    decision_old: Decision,
    decision_new: Decision,
    *,
    gain: Callable[[Decision], int] = _amount,
    until: Callable[[Decision], str] = _until,
) -> Decision:
    """Return the better decision for the customer (sentences 2 and 3).

    In: decisions of two versions about the same facts. `gain` is what the customer gains in minor units (the fact
    `amount_minor`), `until` the date in ISO's order (the fact `until`).
    """

    def worth(decision: Decision) -> tuple[int, int, str]:
        return _RANK[decision.outcome], gain(decision), until(decision)

    return decision_new if worth(decision_new) > worth(decision_old) else decision_old


def may_apply(sold_under: Policy, later: Policy) -> bool:
    """Tell whether a later version of the same terms may decide about what was sold under this one (sentence 1)."""
    of_same_terms = later.name == sold_under.name and later.version > sold_under.version
    return of_same_terms and later.versions is not None and later.versions.apply_if_better
