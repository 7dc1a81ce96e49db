"""Activations with what people want to see beside them: product, project, last contact and the end of the lease."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from tillkey_server.store import activations, rows, tables
from tillkey_server.store.paging import Paging, paged

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class ListedActivation:
    """One activation in a list; `lease_ends_at` is the `exp` of its last lease."""

    activation: activations.ActivationRow
    product_code: str
    project_name: str
    last_seen_at: datetime
    lease_ends_at: datetime


_SELECT = (
    select(
        *activations.COLUMNS,
        tables.product.c.code,
        tables.project.c.name,
        tables.chain.c.last_seen_at,
        tables.lease.c.exp,
    )
    .join(tables.product, tables.product.c.id == tables.activation.c.product_id)
    .join(tables.project, tables.project.c.id == tables.activation.c.project_id)
    .join(tables.chain, tables.chain.c.activation_id == tables.activation.c.id)
    .join(
        tables.lease,
        (tables.lease.c.activation_id == tables.activation.c.id) & (tables.lease.c.seq == tables.chain.c.seq),
    )
)


async def page(conn: AsyncConnection, paging: Paging) -> tuple[ListedActivation, ...]:
    """Return a page of activations, and one more."""
    return await rows.many(conn, paged(_SELECT, paging, key=tables.activation.c.id), _listed)


async def of_license(conn: AsyncConnection, license_id: UUID) -> tuple[ListedActivation, ...]:
    """Return all activations of a license, the oldest first."""
    statement = _SELECT.where(tables.activation.c.license_id == license_id).order_by(tables.activation.c.id)
    return await rows.many(conn, statement, _listed)


def _listed(*row: object) -> ListedActivation:
    return ListedActivation(activations.ActivationRow(*row[:-4]), *row[-4:])  # type: ignore[arg-type]
