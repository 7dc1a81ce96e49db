"""What a heartbeat is judged by, read in one statement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from tillkey_server.store import activations, chains, licenses, rows, tables

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class HeartbeatView:
    """Everything a heartbeat is judged by, as of one statement."""

    chain: chains.ChainRow
    activation: activations.ActivationRow
    license: licenses.LicenseRow
    product_code: str
    installation_blocked_at: datetime | None


_CHAIN_END = len(chains.COLUMNS)
_ACTIVATION_END = _CHAIN_END + len(activations.COLUMNS)
_LICENSE_END = _ACTIVATION_END + len(licenses.COLUMNS)
_VIEW = (
    select(
        *chains.COLUMNS,
        *activations.COLUMNS,
        *licenses.COLUMNS,
        tables.product.c.code,
        tables.installation.c.blocked_at,
    )
    .select_from(tables.chain)
    .join(tables.activation, tables.activation.c.id == tables.chain.c.activation_id)
    .join(tables.license_, tables.license_.c.id == tables.activation.c.license_id)
    .join(tables.product, tables.product.c.id == tables.activation.c.product_id)
    .join(tables.installation, tables.installation.c.jkt == tables.activation.c.jkt)
)


async def heartbeat_view(conn: AsyncConnection, activation_id: UUID, *, lock: bool = False) -> HeartbeatView | None:
    """Return chain, activation and license of a heartbeat in one statement; `lock` takes the chain row only."""
    statement = rows.locked(_VIEW.where(tables.chain.c.activation_id == activation_id), tables.chain, lock=lock)
    return await rows.one(conn, statement, _view)


def _view(*row: object) -> HeartbeatView:
    """Cut one joined row into its parts."""
    return HeartbeatView(
        chains.ChainRow(*row[:_CHAIN_END]),  # type: ignore[arg-type]
        activations.ActivationRow(*row[_CHAIN_END:_ACTIVATION_END]),  # type: ignore[arg-type]
        licenses.LicenseRow(*row[_ACTIVATION_END:_LICENSE_END]),  # type: ignore[arg-type]
        *row[_LICENSE_END:],  # type: ignore[arg-type]
    )
