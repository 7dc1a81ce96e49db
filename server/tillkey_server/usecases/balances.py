"""What the vendor owes a customer, by currency in minor units; a debt is negative."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.store import balances


async def balance_of(tx: AsyncConnection, customer_id: UUID) -> Mapping[str, int]:
    """Return the sum of a customer's entries in each currency; empty where nothing was ever credited.

    Whoever decides by it holds the locks of the customer and of its licenses: a refund credits under its license's.
    """
    return await balances.sums(tx, customer_id)
