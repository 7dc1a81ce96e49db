"""Legal holds that are over: how long each was, and how it ended (CJ-02). One that lasts is a license's own fact."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import null, select

from tillkey_server.rules.calendar import Wait
from tillkey_server.store import rows, tables

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncConnection

CLEARED, VIOLATION = tables.HOLD_OUTCOMES


@dataclass(frozen=True, slots=True)
class LegalHoldRow:
    """A hold that ended: `cleared`, or `violation_confirmed`, which denies a refund for good."""

    id: UUID
    license_id: UUID
    held_at: datetime
    released_at: datetime
    outcome: str


_C = tables.legal_hold.c


async def insert(conn: AsyncConnection, row: LegalHoldRow) -> None:
    """Insert a hold that ended."""
    await rows.insert(conn, tables.legal_hold, row)


async def of_license(conn: AsyncConnection, license_id: UUID) -> tuple[LegalHoldRow, ...]:
    """Return a license's past holds, oldest first."""
    statement = select(*rows.columns_of(tables.legal_hold, LegalHoldRow)).where(_C.license_id == license_id)
    return await rows.many(conn, statement.order_by(_C.held_at, _C.id), LegalHoldRow)


async def of_customers(conn: AsyncConnection, customer_ids: Collection[UUID]) -> dict[UUID, list[Wait]]:
    """Return the holds on anything of some customers', past ones and those that last, by the customer."""
    held = tables.license_.c
    joined = tables.legal_hold.join(tables.license_, held.id == _C.license_id)
    past = select(held.customer_id, _C.held_at, _C.released_at).select_from(joined)
    lasting = select(held.customer_id, held.legal_hold_at, null()).where(held.legal_hold_at.is_not(None))
    found: dict[UUID, list[Wait]] = {one: [] for one in customer_ids}
    for statement in (past, lasting):
        for customer_id, start, end in await conn.execute(statement.where(held.customer_id.in_(customer_ids))):
            found[customer_id].append(Wait(start, end))
    return found


async def violation_in_order(conn: AsyncConnection, order_id: UUID) -> bool:
    """Tell whether a hold on any license of an order ended with a confirmed violation: it is the order's, for good."""
    held, line = tables.license_.c, tables.order_line.c
    statement = (
        select(_C.id)
        .join(tables.license_, held.id == _C.license_id)
        .join(tables.order_line, line.id == held.order_line_id)
        .where(line.order_id == order_id, _C.outcome == VIOLATION)
    )
    return (await conn.execute(statement.limit(1))).first() is not None
