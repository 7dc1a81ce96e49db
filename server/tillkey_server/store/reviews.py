"""Reviews of orders: what put one under review, what released it, when a refund was proposed; rows are only added."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from tillkey_server.store import account_tables, rows

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """One step of a review: `kind` of `account_tables.REVIEW_KINDS`, and the code and facts it was made for."""

    id: UUID
    order_id: UUID
    kind: str
    at: datetime
    code: str
    actor: str
    reason: str
    facts: Mapping[str, Any]


_C = account_tables.order_review.c
_SELECT = select(*rows.columns_of(account_tables.order_review, ReviewRow))


async def of_order(conn: AsyncConnection, order_id: UUID) -> tuple[ReviewRow, ...]:
    """Return the steps of an order's reviews, oldest first."""
    return await rows.many(conn, _SELECT.where(_C.order_id == order_id).order_by(_C.id), ReviewRow)


async def insert(conn: AsyncConnection, row: ReviewRow) -> None:
    """Note a step."""
    await rows.insert(conn, account_tables.order_review, row)
