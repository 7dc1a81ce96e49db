"""Purchase codes of other marketplaces, by keyed hash; the database holds each to one license."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import select

from tillkey_server.store import account_tables, rows

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class PurchaseCodeRow:
    """A code that became a license; `supported_until` is the marketplace's word on the end of its support."""

    id: UUID
    channel: str
    code_hash: bytes = field(repr=False)
    license_id: UUID
    customer_id: UUID
    claimed_at: datetime
    supported_until: datetime | None = None


_C = account_tables.purchase_code.c
_SELECT = select(*rows.columns_of(account_tables.purchase_code, PurchaseCodeRow))


async def by_code(conn: AsyncConnection, channel: str, code_hash: bytes) -> PurchaseCodeRow | None:
    """Return who brought a code."""
    return await rows.one(conn, _SELECT.where(_C.channel == channel, _C.code_hash == code_hash), PurchaseCodeRow)


async def of_license(conn: AsyncConnection, license_id: UUID) -> PurchaseCodeRow | None:
    """Return the code that became a license."""
    return await rows.one(conn, _SELECT.where(_C.license_id == license_id), PurchaseCodeRow)


async def of_channel(conn: AsyncConnection, channel: str) -> tuple[PurchaseCodeRow, ...]:
    """Return all codes that were brought of a marketplace, in the order in which they came."""
    return await rows.many(conn, _SELECT.where(_C.channel == channel).order_by(_C.id), PurchaseCodeRow)


async def insert(conn: AsyncConnection, row: PurchaseCodeRow) -> None:
    """Insert a code; IntegrityError (`uq_purchase_code_channel_code_hash`) where somebody brought it before."""
    await rows.insert(conn, account_tables.purchase_code, row)


async def set_supported_until(conn: AsyncConnection, code_id: UUID, until: datetime) -> None:
    """Note a later end of support that the marketplace told; `recompute` afterwards."""
    code = account_tables.purchase_code
    await conn.execute(code.update().where(code.c.id == code_id).values(supported_until=until))
