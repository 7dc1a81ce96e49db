"""Refunds as people see them: one, and lists of them. A status is derived from what is on record, never stored."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.errors import BadInput, BrokenInvariant, NotFound
from tillkey_server.money import Money
from tillkey_server.rules.access import EVERYTHING, Scope
from tillkey_server.rules.decision import Outcome, instant
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.refund_payout import PayoutFacts, due_code, payout_due
from tillkey_server.store import licenses, refunds
from tillkey_server.store.licenses import LicenseRow
from tillkey_server.store.refunds import SORTS, RefundRow, RequestRow
from tillkey_server.usecases.paging import DEFAULT_LIMIT, Page, page_of, paging_of
from tillkey_server.usecases.payout_facts import payout_facts, payouts_facts
from tillkey_server.usecases.services import Services
from tillkey_server.words.catalogue import sentence

PAYOUTS = ("open", "late")
"""What a list can be narrowed to: refunds that are still to be paid, and those of them that were told to be late."""
NOT_OPEN = ("X-10",)
"""What cites that a refund is decided, paid or given back once."""


async def list_refunds(
    services: Services,
    *,
    license_id: UUID | None = None,
    customer_id: UUID | None = None,
    decision: str | None = None,
    payout: str | None = None,
    after: str | None = None,
    limit: int = DEFAULT_LIMIT,
    sort: str | None = None,
    scope: Scope = EVERYTHING,
) -> Page:
    """Return a page of refunds that were asked for, narrowed by what is given. Raises BadInput.

    `payout`: `open` are still to be paid, `late` were told to be late and still are to be paid.
    """
    if payout not in {None, *PAYOUTS}:
        raise BadInput("payout", f"must be one of {', '.join(PAYOUTS)}")
    paging = paging_of(after=after, limit=limit, sort=sort, sorts=SORTS)
    now = services.clock.now()
    shown: dict[UUID, dict[str, object]] = {}
    async with services.db.reading() as tx:
        found = await refunds.page(
            tx, paging, scope, license_id=license_id, customer_id=customer_id, outcome=decision, payout=payout
        )
        held = await licenses.by_ids(tx, {row.license_id for row in found})
        granted = await refunds.of_requests(tx, [row.id for row in found])
        known = await payouts_facts(
            tx, [(row, granted[row.id], held[row.license_id]) for row in found if row.id in granted]
        )
        for row in found:
            refund, license_row = granted.get(row.id), held[row.license_id]
            facts = None if refund is None else known[refund.id]
            shown[row.id] = await shown_of(services, tx, row, refund, license_row, now, facts)
    return page_of(found, paging, show=lambda row: shown[row.id], key=lambda row: row.id, sorts=SORTS)


async def get_refund(services: Services, refund_id: UUID, *, scope: Scope = EVERYTHING) -> dict[str, object]:
    """Return one refund with its decision and what became of it. Raises NotFound."""
    async with services.db.reading() as tx:
        row = await refunds.request_seen(tx, refund_id, scope)
        if row is None:
            raise NotFound("refund", str(refund_id))
        held = await licenses.by_id(tx, row.license_id)
        if held is None:
            raise BrokenInvariant(f"refund {row.id} has no license")
        return await shown_of(services, tx, row, await refunds.of_request(tx, row.id), held, services.clock.now())


async def shown_of(
    services: Services,
    tx: AsyncConnection,
    request: RequestRow,
    refund: RefundRow | None,
    held: LicenseRow,
    now: datetime,
    facts: PayoutFacts | None = None,
) -> dict[str, object]:
    """Return a refund as people see it; `facts` of its payout, where they are read already."""
    if refund is not None and facts is None:
        facts = await payout_facts(tx, request, refund, held)
    policy = await services.policies.of(tx, held.policy_ref)
    invitation = None if policy.refund is None else policy.refund.invitation
    return {
        "id": str(request.id),
        "license_id": str(request.license_id),
        "customer_id": str(held.customer_id),
        "status": _status(request, refund),
        "asked_at": instant(request.asked_at),
        "recorded_at": instant(request.recorded_at),
        "decided_at": instant(request.decided_at),
        "decided_by": request.decided_by,
        "decision": request.outcome,
        "code": request.code,
        "clauses": list(request.clauses),
        "policy": {"name": request.policy_name, "version": request.policy_version},
        "facts": dict(request.facts),
        "reason": request.reason,
        "words": sentence(request.code, request.facts),
        "granted": None if refund is None or facts is None else _granted(refund, facts, policy, now),
        "invitation": invitation,
    }


def _granted(refund: RefundRow, facts: PayoutFacts, policy: Policy, now: datetime) -> dict[str, object]:
    """Return what became of a granted refund; `live` is how many copies may still run out of reach (X-04)."""
    due = due_code(facts, policy, now)
    first = refund.used_after_at
    return {
        "amount": Money(refund.amount_minor, refund.currency).display(),
        "tax": Money(refund.tax_minor, refund.currency).display(),
        "coupon": Money(refund.coupon_minor, refund.currency).display() if refund.coupon_minor else None,
        "destination": refund.destination,
        "ends": refund.ends,
        "granted_at": instant(refund.granted_at),
        "live": facts.live(now),
        "effective_latest_at": instant(refund.effective_latest_at),
        "payout_due": instant(payout_due(facts, policy)),
        "payout_code": None if due is None else due.value,
        "attested_at": instant(refund.attested_at),
        "paid_out_at": instant(refund.paid_out_at),
        "provider_refund_id": refund.provider_refund_id,
        "failed_at": instant(refund.failed_at),
        "used_after_at": instant(first),
        # A server of the version before noted the first instant alone.
        "used_after_times": refund.used_after_times or (0 if first is None else 1),
        "used_after_last_at": instant(refund.used_after_last_at or first),
        "late_told_at": instant(refund.late_told_at),
    }


def _status(request: RequestRow, refund: RefundRow | None) -> str:
    if refund is None:
        if request.closed_at is None:
            return "pending"
        return "superseded" if request.outcome == Outcome.PEND.value else "denied"
    if refund.failed_at is not None:
        return "failed"
    return "granted" if refund.paid_out_at is None else "paid_out"
