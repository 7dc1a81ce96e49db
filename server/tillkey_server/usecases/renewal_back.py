"""Giving a renewal back that was paid after its product's retirement (BC-23), within the transaction that records it.

It is a refund as any other, of exactly that payment: it is credited or owed, and its payout is noted, held back and
given back as every refund's (`usecases.refund_payout`). The license stays as it is.
"""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.errors import BrokenInvariant
from tillkey_server.ids import new_id
from tillkey_server.money import Money
from tillkey_server.rules.decision import Decision
from tillkey_server.rules.order_line import LineKind
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.refund import Ends, Verdict
from tillkey_server.rules.refund_amount import Part, Sum
from tillkey_server.rules.refund_facts import Item
from tillkey_server.rules.renewal import decide_return
from tillkey_server.store import audit, orders, refunds
from tillkey_server.store.licenses import LicenseRow
from tillkey_server.store.refunds import RequestRow
from tillkey_server.store.terms import TermRow
from tillkey_server.usecases.refund_asking import Asking
from tillkey_server.usecases.refund_grant import Grant, carry_out
from tillkey_server.usecases.services import Services


async def give_back(
    services: Services, tx: AsyncConnection, row: LicenseRow, policy: Policy, term: TermRow, paid: Decision, actor: str
) -> Decision:
    """Pay a renewal back where it came after the retirement; return what was decided about it, with the refund's id.

    `row` is locked with its chains still, `policy` are the terms that it was sold under.
    """
    now = paid.evaluated_at
    line = await orders.line(tx, term.order_line_id)
    if line is None:
        raise BrokenInvariant(f"renewal {term.id} has no line")
    amount, tax = (Money(minor, line.currency) for minor in (line.price_minor, line.tax_minor or 0))
    decision = decide_return(paid, amount, tax, policy, now)
    if decision is None:
        return paid
    request = RequestRow(
        id=new_id(),
        license_id=row.id,
        asked_at=now,
        recorded_at=now,
        recorded_by=actor,
        asked=Asking((paid.code.value,), item=Item.RENEWAL, renewal_id=term.id).kept(),
        outcome=decision.outcome.value,
        code=decision.code.value,
        clauses=list(decision.clauses),
        facts=dict(decision.facts),
        policy_name=decision.policy.name,
        policy_version=decision.policy.version,
        decided_at=now,
        decided_by=actor,
        closed_at=now,
    )
    await refunds.insert_request(tx, request)
    back = Sum((Part(line.id, LineKind.RENEWAL, amount.minor, tax.minor),))
    verdict = Verdict(decision, back, Ends.RENEWAL)
    await carry_out(services, tx, Grant(request.id, row, policy, verdict, line.currency, actor, now))
    noted = replace(decision, facts={**decision.facts, "refund_id": str(request.id)})
    await audit.record(tx, noted, actor=actor, action="refund_request", license_id=row.id)
    return replace(paid, facts={**paid.facts, "refund_id": str(request.id)}, options=())
