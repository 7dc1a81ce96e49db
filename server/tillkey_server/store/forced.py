"""Forced deactivations and agents' move tickets: the facts that their limits are counted from (I15)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from tillkey_server.store import rows, tables
from tillkey_server.store.paging import Paging, Sort, paged
from tillkey_server.store.scoping import admitted

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncConnection

    from tillkey_server.rules.access import Scope


@dataclass(frozen=True, slots=True)
class ForcedRow:
    """One forced deactivation, or a move ticket made by an agent; `counted` ones use up the limit.

    `evidence` is what showed that the machine is gone, None where nobody said; it is erased with the account.
    """

    id: UUID
    license_id: UUID
    activation_id: UUID | None
    kind: str
    at: datetime
    actor: str
    reason: str
    vendor_fault: bool
    override_reason: str | None
    counted: bool
    evidence: str | None = None

    @property
    def force_majeure(self) -> bool:
        """Tell whether it was free for force majeure: not counted, and for neither of the other two reasons (NP-08)."""
        return not (self.counted or self.vendor_fault or self.override_reason is not None)


_SELECT = select(*rows.columns_of(tables.forced_deactivation, ForcedRow))
_C = tables.forced_deactivation.c
_L = tables.license_.c
SORTS = {"at": Sort(_C.at, lambda row: row.at)}


async def insert(conn: AsyncConnection, row: ForcedRow) -> None:
    """Insert one; lock the license before counting `past`."""
    await rows.insert(conn, tables.forced_deactivation, row)


async def past(conn: AsyncConnection, license_id: UUID) -> tuple[ForcedRow, ...]:
    """Return all of a license's, oldest first."""
    return await rows.many(conn, _SELECT.where(_C.license_id == license_id).order_by(_C.at, _C.id), ForcedRow)


async def page(
    conn: AsyncConnection,
    paging: Paging,
    *,
    scope: Scope,
    license_id: UUID | None = None,
    customer_id: UUID | None = None,
) -> tuple[ForcedRow, ...]:
    """Return a page of those that are seen and match, and one more."""
    statement = _SELECT.join(tables.license_, _L.id == _C.license_id)
    statement = statement.where(*admitted(scope, customer=_L.customer_id, product=_L.product_id))
    if license_id is not None:
        statement = statement.where(_C.license_id == license_id)
    if customer_id is not None:
        statement = statement.where(_L.customer_id == customer_id)
    return await rows.many(conn, paged(statement, paging, key=_C.id, sorts=SORTS), ForcedRow)


async def freed_of(conn: AsyncConnection, activation_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """Return whose each activation was that was freed: its project stays its customer's when the license goes on."""
    activation, project = tables.activation.c, tables.project.c
    statement = select(activation.id, project.customer_id).join(tables.project, project.id == activation.project_id)
    found = await conn.execute(statement.where(activation.id.in_(activation_ids)))
    return {row.id: row.customer_id for row in found}
