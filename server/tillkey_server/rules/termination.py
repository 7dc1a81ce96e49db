"""Ending an account (NX-37 to NX-41).

1. A customer may ask for the end at any time, needs no reason and is told first how to reach the vendor (NX-39). Until
   the cooling-off is over it may be taken back. Whoever is not proven to be the customer asks in vain until that is.
   Asked again it stays as it was scheduled. What would be lost is told first: the licenses with the tills that run on
   them, the balance, refunds that are not settled, open requests (NX-37).
2. The vendor may end an account for a behavior of the terms' list, with evidence, by a supervisor; a program only for
   those that the list marks as automatic. Where the terms ask for two people, a second one agrees (NX-40). A proposal
   changes nothing about an end that is scheduled, and an account that the vendor ends already needs no second word.
   It comes at once, or after the days that the terms give to appeal. The customer may appeal once, for as long as the
   account is there; until a supervisor decides, the end waits. The vendor may take his own end back until it is
   carried out, a slip of his own too.
3. Before the data go, what is left of the balance is paid out, or waived by the customer, each currency by itself; none
   is netted against another, a debt blocks nothing, and no amount is too small (NX-41). A waiver covers the amount that
   it names, and is the customer's own, whoever ends the account: it waits until that is proven to be who waives.
4. A legal hold blocks the end (K-13, CJ-02), and so do an order that is under review and a refund that is not decided
   or not paid out yet (NX-37): its license would be terminated, and a slow vendor would keep the money. Whoever looks
   is told which refunds, and what to do. They stand before the balance, which a grant may add to. An open request for
   support is told and blocks nothing: nothing is owed by it that an account without licenses could still get.
5. The end is final: every license is terminated, its key never activates again, and what was about a person is erased.
   Ids, amounts and decisions stay (NX-38).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from tillkey_server.rules.account import AccountCode, flaw_of, second_person, silent
from tillkey_server.rules.decision import Decision, Refusal, allow, deny, instant, pend
from tillkey_server.rules.policy import Policy


@dataclass(frozen=True, slots=True)
class VendorAsked:
    """A termination by the vendor; `automatic` where no person asked, `proposed_by` who proposed the same before.

    `ends_at` is since when the vendor ends the account already; None: it does not.
    """

    behavior: str
    evidence: str
    actor: str
    automatic: bool = False
    proposed_by: str | None = None
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class InUse:
    """A license that tills run on: its id, its product's code, and the ids of its activations."""

    license: UUID
    product: str
    tills: tuple[UUID, ...]

    def shown(self) -> dict[str, object]:
        """Return it as a decision's facts show it: ids and codes alone, since they stay in the audit log (NX-38)."""
        return {"license": str(self.license), "product": self.product, "tills": [str(one) for one in self.tills]}


@dataclass(frozen=True, slots=True)
class LeavingFacts:
    """What stands in the way: amounts by currency in minor units, what was waived, holds, orders and refunds that wait.

    `in_use` are the licenses with tills that run, and `requests` for support are open: both are told, and block
    nothing. `refunds` are the ids of those that are not decided or not paid out. `scheduled_at` is when an end that was
    asked for before is due; None: none is. `appealed_at` is since when an appeal waits for its decision.
    """

    balance: Mapping[str, int] = field(default_factory=dict)
    waived: Mapping[str, int] = field(default_factory=dict)
    legal_hold_at: datetime | None = None
    waiting_orders: int = 0
    in_use: tuple[InUse, ...] = ()
    refunds: tuple[UUID, ...] = ()
    requests: int = 0
    scheduled_at: datetime | None = None
    appealed_at: datetime | None = None

    @property
    def running(self) -> int:
        """Return how many tills run."""
        return sum(len(one.tills) for one in self.in_use)

    @property
    def unsettled(self) -> dict[str, int]:
        """Return what is neither paid out nor waived, by currency (sentence 3)."""
        return {
            currency: minor
            for currency, minor in sorted(self.balance.items())
            if minor > 0 and self.waived.get(currency, 0) < minor
        }


def decide_request(verified: bool, facts: LeavingFacts, policy: Policy, now: datetime) -> Decision:  # noqa: FBT001 - a fact
    """Decide a customer's own request.

    Facts `due_at`, `contact`, `running`, `in_use` (by license), `refunds`, `requests`, `unsettled`.
    """
    terms = policy.account
    if terms is None:
        return silent(policy, now)
    shown = {
        "due_at": instant(facts.scheduled_at or now + terms.cooling_off),
        "contact": terms.contact,
        "running": facts.running,
        "in_use": [one.shown() for one in facts.in_use],
        "unsettled": facts.unsettled,
        "refunds": len(facts.refunds),
        "requests": facts.requests,
    }
    cited = terms.clauses.request + terms.clauses.contact
    if not verified:
        return pend(
            AccountCode.TERMINATION_REQUESTER_UNVERIFIED,
            clauses=cited,
            policy=policy.ref,
            now=now,
            facts=shown,
            options=("verify_requester",),
        )
    return allow(AccountCode.TERMINATION_SCHEDULED, clauses=cited, policy=policy.ref, now=now, facts=shown)


def appeal_of(policy: Policy) -> timedelta:
    """Return how long after its word the vendor's end comes (sentence 2)."""
    terms = policy.account
    return timedelta(0) if terms is None or terms.appeal is None else terms.appeal


def decide_by_vendor(asked: VendorAsked, policy: Policy, now: datetime) -> Decision:
    """Decide a termination by the vendor (sentence 2); facts `behavior`, `due_at`."""
    flawed = flaw_of(asked.behavior, asked.evidence, policy, now)
    terms = policy.account
    behavior = None if terms is None else terms.behavior(asked.behavior)
    if flawed is not None or terms is None or behavior is None:
        return flawed or silent(policy, now)
    cited = terms.clauses.vendor + terms.clauses.behaviors
    shown: dict[str, object] = {"behavior": behavior.code, "due_at": instant(asked.ends_at or now + appeal_of(policy))}
    if asked.automatic and not behavior.automatic:
        return pend(AccountCode.TERMINATION_NEEDS_PERSON, clauses=cited, policy=policy.ref, now=now, facts=shown)
    waits = asked.ends_at is None and asked.proposed_by in {None, asked.actor}
    if terms.two_person_rule and waits:
        return second_person(shown, policy, now)
    return allow(AccountCode.ACCOUNT_TERMINATED_BY_VENDOR, clauses=cited, policy=policy.ref, now=now, facts=shown)


def decide_cancel(due_at: datetime | None, by_vendor: bool, policy: Policy, now: datetime) -> Decision:  # noqa: FBT001 - a fact
    """Decide whether a termination is taken back: the customer's own, before it is carried out."""
    terms = policy.account
    cited = policy.standing.terminated if terms is None else terms.clauses.request
    if due_at is None or by_vendor:
        return deny(AccountCode.TERMINATION_NOT_OPEN, clauses=cited, policy=policy.ref, now=now)
    shown = {"due_at": instant(due_at)}
    return allow(AccountCode.TERMINATION_CANCELED, clauses=cited, policy=policy.ref, now=now, facts=shown)


def decide_take_back(due_at: datetime | None, by_vendor: bool, reason: str, policy: Policy, now: datetime) -> Decision:  # noqa: FBT001 - a fact
    """Decide whether the vendor takes his own end back; facts `due_at`, `reason`."""
    cited = _vendor_clauses(policy)
    if due_at is None or not by_vendor:
        return deny(AccountCode.TERMINATION_NOT_OPEN, clauses=cited, policy=policy.ref, now=now)
    shown = {"due_at": instant(due_at), "reason": reason}
    return allow(AccountCode.TERMINATION_CANCELED, clauses=cited, policy=policy.ref, now=now, facts=shown)


def decide_appeal(due_at: datetime | None, by_vendor: bool, appealed: bool, policy: Policy, now: datetime) -> Decision:  # noqa: FBT001 - facts
    """Decide whether a customer's appeal against the vendor's end is put on record; facts `due_at`."""
    cited = _vendor_clauses(policy)
    if due_at is None or not by_vendor or appealed:
        return deny(AccountCode.TERMINATION_NOT_OPEN, clauses=cited, policy=policy.ref, now=now)
    shown = {"due_at": instant(due_at)}
    return allow(AccountCode.TERMINATION_APPEALED, clauses=cited, policy=policy.ref, now=now, facts=shown)


def decide_on_appeal(waits: bool, granted: bool, reason: str, policy: Policy, now: datetime) -> Decision:  # noqa: FBT001 - facts
    """Carry a supervisor's decision about an appeal that waits: granted, it takes the end back; facts `reason`."""
    cited = _vendor_clauses(policy)
    if not waits:
        return deny(AccountCode.TERMINATION_NOT_OPEN, clauses=cited, policy=policy.ref, now=now)
    code = AccountCode.TERMINATION_CANCELED if granted else AccountCode.TERMINATION_APPEAL_REJECTED
    return allow(code, clauses=cited, policy=policy.ref, now=now, facts={"reason": reason})


def _vendor_clauses(policy: Policy) -> tuple[str, ...]:
    return policy.standing.terminated if policy.account is None else policy.account.clauses.vendor


def decide_end(facts: LeavingFacts, by_vendor: bool, policy: Policy, now: datetime) -> Decision:  # noqa: FBT001 - a fact
    """Decide whether an account that is due ends now (sentences 3 and 4); facts name what blocks it."""
    terms = policy.account
    if terms is None:
        return silent(policy, now)
    cited = terms.clauses
    if facts.legal_hold_at is not None:
        return deny(
            Refusal.LEGAL_HOLD,
            clauses=cited.hold,
            policy=policy.ref,
            now=now,
            facts={"since": instant(facts.legal_hold_at)},
        )
    return _blocked(facts, policy, now) or allow(
        AccountCode.ACCOUNT_TERMINATED,
        clauses=cited.erasure + (cited.vendor if by_vendor else cited.request) + cited.balance,
        policy=policy.ref,
        now=now,
        facts={"by": "vendor" if by_vendor else "customer"},
    )


def _blocked(facts: LeavingFacts, policy: Policy, now: datetime) -> Decision | None:
    """Return what has to be settled before an account ends, with what to do; None: nothing."""
    assert policy.account is not None, "whoever ends accounts has terms about it"
    cited = policy.account.clauses
    if facts.appealed_at is not None:
        since = {"since": instant(facts.appealed_at)}
        code = AccountCode.TERMINATION_BLOCKED_APPEAL
        return pend(code, clauses=cited.vendor, policy=policy.ref, now=now, facts=since, options=("review",))
    if facts.refunds:
        return pend(
            AccountCode.TERMINATION_BLOCKED_REFUND,
            clauses=cited.request,
            policy=policy.ref,
            now=now,
            facts={"refunds": len(facts.refunds), "waiting": [str(one) for one in facts.refunds]},
            options=("decide_refund", "pay_out"),
        )
    if facts.unsettled:
        return pend(
            AccountCode.TERMINATION_BLOCKED_BALANCE,
            clauses=cited.balance,
            policy=policy.ref,
            now=now,
            facts={"unsettled": facts.unsettled},
            options=("pay_out", "waive_balance"),
        )
    if facts.waiting_orders:
        return pend(
            AccountCode.TERMINATION_BLOCKED_ORDER,
            clauses=cited.erasure,
            policy=policy.ref,
            now=now,
            facts={"orders": facts.waiting_orders},
            options=("release_order", "refund"),
        )
    return None


def decide_waiver(
    waived: Mapping[str, int],
    is_open: bool,  # noqa: FBT001 - a fact
    policy: Policy,
    now: datetime,
    *,
    verified: bool,
) -> Decision:
    """Decide whether the customer waives so much of a balance (NX-41), while an account is about to end.

    `verified`: it is proven that the customer waives it.
    """
    terms = policy.account
    cited = policy.standing.terminated if terms is None else terms.clauses.balance
    shown = {"waived": dict(waived)}
    if is_open and not verified:
        code = AccountCode.TERMINATION_REQUESTER_UNVERIFIED
        options = ("verify_requester",)
        return pend(code, clauses=cited, policy=policy.ref, now=now, facts=shown, options=options)
    code = AccountCode.BALANCE_WAIVED if is_open else AccountCode.TERMINATION_NOT_OPEN
    made = allow if is_open else deny
    return made(code, clauses=cited, policy=policy.ref, now=now, facts=shown)
