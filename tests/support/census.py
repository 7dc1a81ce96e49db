"""What a database holds, counted: for one license, and all of it."""

from collections import Counter
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select

from tillkey_server.store import tables
from tillkey_server.store.db import Database

_COUNTED = (
    tables.project,
    tables.installation,
    tables.activation,
    tables.chain,
    tables.lease,
    tables.chain_event,
    tables.move_ticket,
    tables.forced_deactivation,
)


@dataclass(frozen=True)
class Census:
    """The rows about one license: who holds it, and how its activations were decided, by outcome and code."""

    holders: tuple[UUID, ...]
    decisions: Counter[tuple[str, str]]


async def census(database: Database, license_id: str) -> Census:
    """Look at one license."""
    held, audit = tables.activation.c, tables.audit_event.c
    holders = select(held.id).where(held.license_id == UUID(license_id), held.ended_at.is_(None))
    decided = select(audit.outcome, audit.code, func.count()).where(
        audit.license_id == UUID(license_id), audit.action == "activate"
    )
    async with database.reading() as conn:
        found = tuple((await conn.execute(holders)).scalars())
        rows = await conn.execute(decided.group_by(audit.outcome, audit.code))
        return Census(found, Counter({(outcome, code): number for outcome, code, number in rows}))


async def totals(database: Database) -> Counter[str]:
    """Count the rows of every table that a till's request can write to, but for the audit log."""
    counts = [select(func.count()).select_from(table).scalar_subquery().label(table.name) for table in _COUNTED]
    async with database.reading() as conn:
        return Counter((await conn.execute(select(*counts))).one()._asdict())
