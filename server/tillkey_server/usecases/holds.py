"""Whether anything of a customer's is on legal hold."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.store import licenses


async def legal_hold_of(tx: AsyncConnection, customer_id: UUID) -> datetime | None:
    """Return since when anything of a customer's is on legal hold: it blocks orders, payouts and erasure (CJ-02)."""
    held = [row.legal_hold_at for row in await licenses.of_customer(tx, customer_id)]
    return min((at for at in held if at is not None), default=None)
