"""Free installations (NX-19, NX-21).

1. Each order line of a core that is bought has one, from the moment on at which its license was issued.
2. It is used once, when the installation was done; what is used stays used, also where the core is paid back later.
3. One that was not used is void when every license of its line has ended for good; while they are on legal hold it
   waits.
4. Who says which one was done uses that one; else the oldest goes first. What comes after it is extended support,
   which no credit is needed for.
5. A request for the installation uses the one that its license was bought with (`rules.support`), when it is taken, so
   that two requests do not count on the same one. It gives it back where it ends without an installation: refused, or
   closed though nobody solved it or intervened. Taken up again it uses it again, unless another has used it since.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tillkey_server.rules.decision import Code, Decision, allow, deny, instant
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.support_record import SupportEventKind, SupportRecord


class InstallCode(Code):
    """Every answer about free installations."""

    INSTALL_CREDIT_USED = "install_credit_used"
    INSTALL_CREDIT_NONE = "install_credit_none"


def gave_back(record: SupportRecord) -> bool:
    """Tell whether a request that used a free installation gave it back (sentence 5)."""
    if record.last(SupportEventKind.RESOLVED) is not None:
        return False
    undone = record.is_closed and record.last(SupportEventKind.INTERVENTION) is None
    return record.is_refused or undone


@dataclass(frozen=True, slots=True)
class CreditFacts:
    """One free installation; `alive`: a license of its line is neither ended for good nor on hold.

    `used_at` is None where it was not used, or given back.
    """

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


def next_of(credits_: tuple[CreditFacts, ...], wanted: UUID | None = None) -> CreditFacts | None:
    """Return the free installation that is used next, None where none is left or `wanted` is not (sentence 4)."""
    left = [one for one in credits_ if one.state == "open" and wanted in {None, one.id}]
    return min(left, key=lambda one: (one.granted_at, one.id), default=None)


def told_of(credits_: tuple[CreditFacts, ...], wanted: UUID | None = None) -> dict[str, object]:
    """Return what an answer tells: the `credit` that is used and how many are `left`, or how many are used and void."""
    used = next_of(credits_, wanted)
    counted = {state: sum(one.state == state for one in credits_) for state in ("open", "used", "void")}
    if used is None:
        return {"used": counted["used"], "void": counted["void"]}
    return {"credit": str(used.id), "granted_at": instant(used.granted_at), "left": counted["open"] - 1}


def decide_use(
    credits_: tuple[CreditFacts, ...], policy: Policy, now: datetime, *, wanted: UUID | None = None
) -> Decision:
    """Decide which free installation is used, `wanted` or the oldest; facts as of `told_of`."""
    cited = policy.issue_clauses if policy.sale is None else policy.sale.clauses.credit
    shown = told_of(credits_, wanted)
    if next_of(credits_, wanted) is not None:
        return allow(InstallCode.INSTALL_CREDIT_USED, clauses=cited, policy=policy.ref, now=now, facts=shown)
    return deny(
        InstallCode.INSTALL_CREDIT_NONE,
        clauses=cited,
        policy=policy.ref,
        now=now,
        facts=shown,
        options=("ask_extended_support",),
    )
