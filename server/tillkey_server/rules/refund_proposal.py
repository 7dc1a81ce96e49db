"""Whether support that came too late proposes a refund, and when to look at a request again (ZG-09, CJ-12, NX-34).

1. Where something that was due did not come in time, and whoever asks for a refund in due form would be given one on
   the records alone, it is proposed to the vendor, who offers it. Nothing is refunded by it: the customer may rather
   wait, and the correction may still come.
2. Only a ground proposes; what the law gives anybody, for whatever reason, says nothing about support.
3. A request proposes once, whatever becomes of it later. Whether a refund is still given is decided when somebody asks.
4. What runs is looked at when its next deadline is over, and once a day at least: a finding, or a newer calendar, may
   open a refund between. What has ended is looked at once a month.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from tillkey_server.rules.decision import Decision, Outcome, pend
from tillkey_server.rules.refund import Verdict
from tillkey_server.rules.refund_facts import Asked
from tillkey_server.rules.support_clock import RequestClock
from tillkey_server.rules.support_code import SupportCode
from tillkey_server.rules.support_record import SupportRecord
from tillkey_server.rules.support_state import ENDED, state_of

OFTEN, SELDOM = timedelta(days=1), timedelta(days=30)
IN_DUE_FORM = "proposed"


def in_due_form(now: datetime) -> Asked:
    """Return what a customer asks who keeps to every form and gives no reason (sentence 1)."""
    return Asked(now, sender_verified=True, by_email=True, order_number=IN_DUE_FORM, explanation=IN_DUE_FORM)


def is_breached(clocks: Iterable[RequestClock], now: datetime) -> bool:
    """Tell whether anything came too late."""
    return any(clock.is_breached(now) for clock in clocks)


def decide_proposal(request_id: UUID, verdict: Verdict, now: datetime) -> Decision | None:
    """Return that a refund is proposed for a request whose clock was breached; None: there is none to propose.

    Facts: those of the refund, `request_id`, and `refund_code`, by which it would be given.
    """
    given = verdict.decision
    grounds = given.facts.get("grounds")
    holds = isinstance(grounds, list) and any(one["decision"] == Outcome.ALLOW.value for one in grounds)
    if not given.allowed or not holds:
        return None
    return pend(
        SupportCode.SLA_REFUND_PROPOSED,
        clauses=given.clauses,
        policy=given.policy,
        now=now,
        facts={**given.facts, "request_id": str(request_id), "refund_code": given.code.value},
        options=("refund",),
    )


def look_again_at(record: SupportRecord, clocks: Iterable[RequestClock], now: datetime) -> datetime:
    """Return when to look at a request again (sentence 4)."""
    if state_of(record) in ENDED:
        return now + SELDOM
    ahead = (clock.due for clock in clocks if clock.stopped_at is None and clock.due is not None and clock.due > now)
    return min((*ahead, now + OFTEN))
