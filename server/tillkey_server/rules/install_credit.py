"""Free installations (NX-19, NX-21).

1. Each order line of a core that is bought has one, from the moment on at which its license was issued.
2. It is used once, when the installation was done; what is used stays used, also where the core is paid back later.
3. One that was not used is void when every license of its line has ended for good; while they are on legal hold it
   waits.
4. The oldest one goes first. What comes after it is extended support, which no credit is needed for.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tillkey_server.rules.decision import Code, Decision, allow, deny, instant
from tillkey_server.rules.policy import Policy


class InstallCode(Code):
    """Every answer about free installations."""

    INSTALL_CREDIT_USED = "install_credit_used"
    INSTALL_CREDIT_NONE = "install_credit_none"


@dataclass(frozen=True, slots=True)
class CreditFacts:
    """One free installation; `alive`: a license of its line is neither ended for good nor on hold."""

    id: UUID
    granted_at: datetime
    used_at: datetime | None
    alive: bool

    @property
    def state(self) -> str:
        """Return `used`, `void` or `open`."""
        if self.used_at is not None:
            return "used"
        return "open" if self.alive else "void"


def decide_use(credits_: tuple[CreditFacts, ...], policy: Policy, now: datetime) -> Decision:
    """Decide which free installation is used; facts `credit`, or how many are `used` and `void`."""
    cited = policy.issue_clauses if policy.sale is None else policy.sale.clauses.credit
    left = sorted((one for one in credits_ if one.state == "open"), key=lambda one: (one.granted_at, one.id))
    if left:
        shown = {"credit": str(left[0].id), "granted_at": instant(left[0].granted_at), "left": len(left) - 1}
        return allow(InstallCode.INSTALL_CREDIT_USED, clauses=cited, policy=policy.ref, now=now, facts=shown)
    counted = {state: sum(one.state == state for one in credits_) for state in ("used", "void")}
    return deny(
        InstallCode.INSTALL_CREDIT_NONE,
        clauses=cited,
        policy=policy.ref,
        now=now,
        facts=counted,
        options=("ask_extended_support",),
    )
