"""Whether a license's owner paid for its support, or it stayed behind with whoever bought it (NX-18)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.rules.policy import Policy
from tillkey_server.rules.support import lost_on_transfer
from tillkey_server.store import orders, terms
from tillkey_server.store.licenses import LicenseRow


async def changed_hands(tx: AsyncConnection, held: Sequence[LicenseRow], at: datetime) -> set[UUID]:
    """Return the licenses all of whose support, by `at`, was paid for by somebody else than their owner."""
    bought = await orders.with_lines(tx, {row.order_line_id for row in held})
    buyers = {line_id: order.customer_id for line_id, (order, _) in bought.items()}
    moved = {row.id for row in held if buyers.get(row.order_line_id, row.customer_id) != row.customer_id}
    own = await terms.supported_by_owner(tx, moved)
    return {one for one in moved if one not in own or at < own[one]}


async def support_lost(tx: AsyncConnection, row: LicenseRow, policy: Policy, at: datetime) -> bool:
    """Tell whether a license's support stayed behind with a former owner."""
    return lost_on_transfer(policy, changed_hands=bool(await changed_hands(tx, (row,), at)))
