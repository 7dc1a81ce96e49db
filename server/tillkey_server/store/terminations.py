"""Terminations of accounts, what was waived for them, and the tombstones that they leave."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from tillkey_server.store import account_tables, rows
from tillkey_server.store.paging import Paging, Sort, paged

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class TerminationRow:
    """One termination; `due_at` None: a second person has not agreed yet.

    A customer's own may have the vendor's proposal beside it: `behavior` and `evidence`, by `proposed_by`.
    """

    id: UUID
    customer_id: UUID
    ended_by: str
    behavior: str | None
    evidence: str = field(repr=False)
    reason: str = field(repr=False)
    requested_at: datetime
    requested_by: str
    approved_at: datetime | None = None
    approved_by: str | None = None
    due_at: datetime | None = None
    proposed_by: str | None = None
    canceled_at: datetime | None = None
    done_at: datetime | None = None
    appealed_at: datetime | None = None
    appealed_by: str | None = None
    appeal_decided_at: datetime | None = None
    appeal_decided_by: str | None = None


@dataclass(frozen=True, slots=True)
class WaiverRow:
    """What a customer waived of one currency, in minor units."""

    id: UUID
    termination_id: UUID
    currency: str
    minor: int
    at: datetime
    actor: str


@dataclass(frozen=True, slots=True)
class TombstoneRow:
    """A customer that was erased, and when."""

    customer_id: UUID
    termination_id: UUID
    at: datetime


_C, _W = account_tables.account_termination.c, account_tables.balance_waiver.c
_T = account_tables.tombstone.c
_SELECT = select(*rows.columns_of(account_tables.account_termination, TerminationRow))
_STONES = select(*rows.columns_of(account_tables.tombstone, TombstoneRow))
_OPEN = (_C.canceled_at.is_(None), _C.done_at.is_(None))
SORTS = {"at": Sort(_T.at, lambda row: row.at)}


async def open_of(conn: AsyncConnection, customer_id: UUID) -> TerminationRow | None:
    """Return the customer's termination that is neither taken back nor done; the database holds one at most."""
    return await rows.one(conn, _SELECT.where(_C.customer_id == customer_id, *_OPEN), TerminationRow)


async def due(conn: AsyncConnection, now: datetime, *, after: UUID | None, limit: int) -> tuple[TerminationRow, ...]:
    """Return terminations that are due, by id, above `after`."""
    statement = _SELECT.where(_C.due_at <= now, *_OPEN).order_by(_C.id).limit(limit)
    if after is not None:
        statement = statement.where(_C.id > after)
    return await rows.many(conn, statement, TerminationRow)


async def insert(conn: AsyncConnection, row: TerminationRow) -> None:
    """Insert a termination; IntegrityError (`one_open_termination`) where one is open."""
    await rows.insert(conn, account_tables.account_termination, row)


async def approve(conn: AsyncConnection, termination_id: UUID, *, at: datetime, by: str, due_at: datetime) -> None:
    """Note that a second person agreed, and when it is due."""
    statement = account_tables.account_termination.update().where(_C.id == termination_id)
    await rows.changed(conn, statement.values(approved_at=at, approved_by=by, due_at=due_at))


async def propose(conn: AsyncConnection, row: TerminationRow) -> None:
    """Note the vendor's proposal beside a customer's own termination, in place of an earlier one."""
    told = {"behavior": row.behavior, "evidence": row.evidence, "proposed_by": row.proposed_by}
    await rows.changed(conn, account_tables.account_termination.update().where(_C.id == row.id).values(told))


async def cancel(conn: AsyncConnection, termination_id: UUID, at: datetime) -> None:
    """Note that a termination was taken back."""
    await rows.changed(
        conn, account_tables.account_termination.update().where(_C.id == termination_id).values(canceled_at=at)
    )


async def appeal(conn: AsyncConnection, termination_id: UUID, *, at: datetime, by: str) -> None:
    """Note that the customer appeals against the vendor's end."""
    statement = account_tables.account_termination.update().where(_C.id == termination_id)
    await rows.changed(conn, statement.values(appealed_at=at, appealed_by=by))


async def decide_appeal(conn: AsyncConnection, termination_id: UUID, *, at: datetime, by: str) -> None:
    """Note that an appeal was decided, and by whom."""
    statement = account_tables.account_termination.update().where(_C.id == termination_id)
    await rows.changed(conn, statement.values(appeal_decided_at=at, appeal_decided_by=by))


async def finish(conn: AsyncConnection, row: TerminationRow, at: datetime) -> None:
    """Note that a termination was carried out, and set the customer's tombstone."""
    statement = account_tables.account_termination.update().where(_C.id == row.id)
    await rows.changed(conn, statement.values(done_at=at, evidence="", reason=""))
    await rows.insert_if_absent(
        conn, account_tables.tombstone, TombstoneRow(row.customer_id, row.id, at), ("customer_id",)
    )


async def waive(conn: AsyncConnection, row: WaiverRow) -> None:
    """Note what a customer waived."""
    await rows.insert(conn, account_tables.balance_waiver, row)


async def move_waivers(conn: AsyncConnection, old: UUID, new: UUID) -> None:
    """Let what was waived for one termination count for the one that takes its place."""
    waiver = account_tables.balance_waiver
    await rows.changed(conn, waiver.update().where(_W.termination_id == old).values(termination_id=new))


async def waived(conn: AsyncConnection, termination_id: UUID) -> Mapping[str, int]:
    """Return the most that was waived of each currency at once."""
    statement = select(_W.currency, func.max(_W.minor)).where(_W.termination_id == termination_id)
    return {row[0]: row[1] for row in await conn.execute(statement.group_by(_W.currency))}


async def stone_of(conn: AsyncConnection, customer_id: UUID) -> TombstoneRow | None:
    """Return a customer's tombstone, if it was erased."""
    return await rows.one(conn, _STONES.where(_T.customer_id == customer_id), TombstoneRow)


async def stones(conn: AsyncConnection, paging: Paging) -> tuple[TombstoneRow, ...]:
    """Return a page of the customers that were erased, and one more."""
    return await rows.many(conn, paged(_STONES, paging, key=_T.customer_id, sorts=SORTS), TombstoneRow)
