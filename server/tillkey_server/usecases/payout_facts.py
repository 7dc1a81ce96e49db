"""Gathering what the payouts of granted refunds are decided by, for one as for many."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.rules.refund import Ends
from tillkey_server.rules.refund_payout import PayoutFacts
from tillkey_server.store import legal_holds, refunds
from tillkey_server.store.licenses import LicenseRow
from tillkey_server.store.refunds import RefundRow, RequestRow

Granted = tuple[RequestRow, RefundRow, LicenseRow]
"""A request, the refund that it was granted, and the license."""


async def payout_facts(tx: AsyncConnection, request: RequestRow, refund: RefundRow, held: LicenseRow) -> PayoutFacts:
    """Return what decides the payout of a refund."""
    return (await payouts_facts(tx, ((request, refund, held),)))[refund.id]


async def payouts_facts(tx: AsyncConnection, granted: Iterable[Granted]) -> dict[UUID, PayoutFacts]:
    """Return what decides the payouts of refunds, by the refund."""
    found = tuple(granted)
    if not found:
        return {}
    given_back = await refunds.given_back(tx, [refund.id for _, refund, _ in found])
    holds = await legal_holds.of_customers(tx, {held.customer_id for _, _, held in found})
    facts = {}
    for request, refund, held in found:
        many, last = given_back.get(refund.id, (0, None))
        of_his = holds[held.customer_id]
        facts[refund.id] = PayoutFacts(
            license=held.facts,
            asked_at=request.asked_at,
            granted_at=refund.granted_at,
            active_at_grant=refund.active_at_grant,
            effective_latest_at=refund.effective_latest_at,
            attested_at=refund.attested_at,
            is_vouched=refund.vouched,
            paid_out_at=refund.paid_out_at,
            failed_at=refund.failed_at,
            held_since=min((one.start for one in of_his if one.end is None), default=None),
            ends_license=refund.ends == Ends.LICENSE.value,
            given_back=many,
            given_back_at=last,
            holds=tuple(one for one in of_his if one.end is not None),
        )
    return facts
