"""Closures of the vendor: recorded with the notice that its customers had, taken back, and listed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from tillkey_server.errors import BadInput, NotFound, said_why
from tillkey_server.ids import new_id
from tillkey_server.rules.decision import Decision
from tillkey_server.rules.support_event import decide_closure, decide_withdrawal
from tillkey_server.rules.support_record import Closure
from tillkey_server.store import audit, support_extras
from tillkey_server.store.support_extras import CLOSURE_SORTS, ClosureRow
from tillkey_server.usecases.answers import RefusalAnswer, refusal_of
from tillkey_server.usecases.issue_facts import closure_of
from tillkey_server.usecases.paging import DEFAULT_LIMIT, Page, page_of, paging_of
from tillkey_server.usecases.services import Services
from tillkey_server.usecases.support_views import shown_closure


@dataclass(frozen=True, slots=True)
class ToldClosure:
    """A closure as it is on record now, and the decision by which it is."""

    decision: Decision
    shown: dict[str, object]


async def add_closure(
    services: Services,
    *,
    policy: str,
    notified_at: datetime,
    starts_at: datetime,
    ends_at: datetime,
    reason: str,
    actor: str,
) -> ToldClosure | RefusalAnswer:
    """Record a closure, which has to have been told before it began; `policy` names the terms that are cited.

    Raises NotFound for the policy, and BadInput naming the field.
    """
    now = services.clock.now()
    if notified_at > now:
        raise BadInput("notified_at", "is still to come: record it once the customers know")
    if ends_at <= starts_at:
        raise BadInput("ends_at", "is not after the beginning")
    terms = services.policies.offered(policy)
    decision = decide_closure(Closure(notified_at, starts_at, ends_at), terms, now)
    async with services.db.writing() as tx:
        await audit.record(tx, decision, actor=actor, action="closure_add")
        if not decision.allowed:
            return refusal_of(decision)
        row = ClosureRow(new_id(), notified_at, starts_at, ends_at, reason, now, actor)
        await support_extras.add_closure(tx, row)
    return ToldClosure(decision, shown_closure(row))


async def withdraw_closure(
    services: Services, closure_id: UUID, *, policy: str, reason: str, actor: str
) -> ToldClosure | RefusalAnswer:
    """Take a closure back: it pauses nothing from now on; `policy` names the terms that are cited.

    Raises NotFound for the policy or the closure, and BadInput for a missing reason.
    """
    why = said_why(reason)
    terms = services.policies.offered(policy)
    async with services.db.writing() as tx:
        row = await support_extras.closure(tx, closure_id, lock=True)
        if row is None:
            raise NotFound("closure", str(closure_id))
        now = services.clock.now()
        decision = decide_withdrawal(closure_of(row), terms, now)
        named = replace(decision, facts={**decision.facts, "closure": str(row.id), "reason": why})
        await audit.record(tx, named, actor=actor, action="closure_withdraw")
        if not decision.allowed:
            return refusal_of(decision)
        if row.withdrawn_at is None:
            await support_extras.withdraw_closure(tx, row.id, at=now, by=actor)
        after = await support_extras.closure(tx, row.id)
    return ToldClosure(decision, shown_closure(after or row))


async def list_closures(
    services: Services, *, after: str | None = None, limit: int = DEFAULT_LIMIT, sort: str | None = None
) -> Page:
    """Return a page of closures. Raises BadInput."""
    paging = paging_of(after=after, limit=limit, sort=sort, sorts=CLOSURE_SORTS)
    async with services.db.reading() as tx:
        found = await support_extras.page_of_closures(tx, paging)
    return page_of(found, paging, show=shown_closure, key=lambda row: row.id, sorts=CLOSURE_SORTS)
