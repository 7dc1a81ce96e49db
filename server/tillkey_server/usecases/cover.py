"""What a device's warranty is judged by, read from what is on record."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.rules.warranty import ContractFacts, CoverFacts, FindingFacts
from tillkey_server.rules.warranty_policy import Ground, StartBasis
from tillkey_server.store import warranty
from tillkey_server.store.licenses import LicenseRow
from tillkey_server.store.orders import OrderRow
from tillkey_server.store.warranty import ContractRow, FindingRow


async def cover_facts(
    tx: AsyncConnection,
    row: LicenseRow,
    order: OrderRow,
    reported_at: datetime,
    findings: tuple[FindingFacts, ...] = (),
) -> CoverFacts:
    """Return what a device's warranty is judged by for a fault that was told at an instant; `order` bought it."""
    contract = _contract_facts(await warranty.contract_of(tx, row.id))
    return CoverFacts(contract, reported_at, order.paid_at, order.channel, findings, row.facts)


def finding_facts(row: FindingRow) -> FindingFacts:
    """Return what the rule looks at of a finding on record."""
    worked_on = None if row.worked_on is None else date.fromisoformat(row.worked_on)
    withdrawn = bool(row.withdrawn)
    return FindingFacts(row.fault, Ground(row.ground), row.caused, row.detail, row.worked_by, worked_on, withdrawn)


def _contract_facts(row: ContractRow | None) -> ContractFacts | None:
    if row is None:
        return None
    return ContractFacts(
        row.number, date.fromisoformat(row.starts_on), StartBasis(row.start_basis), row.warranty_months
    )
