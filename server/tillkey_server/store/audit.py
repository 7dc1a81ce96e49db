"""The audit log: one row per decision, in the decision's own transaction (law 8); rows are only ever added."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from tillkey_server.store import rows, tables

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncConnection

    from tillkey_server.rules.decision import Decision


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One decision: who did what, the answer's code, the clauses it rests on, and the facts it was made of."""

    id: int
    at: datetime
    actor: str
    action: str
    outcome: str
    code: str
    clauses: Sequence[str]
    policy_name: str | None
    policy_version: int | None
    license_id: UUID | None
    activation_id: UUID | None
    facts: Mapping[str, Any]


_SELECT = select(*rows.columns_of(tables.audit_event, AuditRow))
_C = tables.audit_event.c


async def append(
    conn: AsyncConnection,
    *,
    at: datetime,
    actor: str,
    action: str,
    outcome: str,
    code: str,
    clauses: Sequence[str] = (),
    facts: Mapping[str, Any] | None = None,
    policy_name: str | None = None,
    policy_version: int | None = None,
    license_id: UUID | None = None,
    activation_id: UUID | None = None,
) -> int:
    """Append one decision and return its number.

    In: `facts` is JSON-able, without secrets and personal data (I16). Numbers rise; a rolled-back transaction may
    leave one out.
    """
    statement = tables.audit_event.insert().values(
        at=at,
        actor=actor,
        action=action,
        outcome=outcome,
        code=code,
        clauses=list(clauses),
        facts=dict(facts or {}),
        policy_name=policy_name,
        policy_version=policy_version,
        license_id=license_id,
        activation_id=activation_id,
    )
    number: int = (await conn.execute(statement.returning(_C.id))).scalar_one()
    return number


async def record(
    conn: AsyncConnection,
    decision: Decision,
    *,
    actor: str,
    action: str,
    license_id: UUID | None = None,
    activation_id: UUID | None = None,
) -> int:
    """Append a rule's decision as it stands, and return its number."""
    return await append(
        conn,
        at=decision.evaluated_at,
        actor=actor,
        action=action,
        outcome=decision.outcome.value,
        code=decision.code.value,
        clauses=decision.clauses,
        facts=decision.facts,
        policy_name=decision.policy.name,
        policy_version=decision.policy.version,
        license_id=license_id,
        activation_id=activation_id,
    )


async def newest(conn: AsyncConnection) -> datetime | None:
    """Return when the newest decision was made; None where there is none."""
    found: datetime | None = await conn.scalar(select(_C.at).order_by(_C.id.desc()).limit(1))
    return found


async def of_license(
    conn: AsyncConnection, license_id: UUID, *, after: int = 0, limit: int = 1000
) -> tuple[AuditRow, ...]:
    """Return up to `limit` decisions about a license with numbers above `after`, oldest first."""
    statement = _SELECT.where(_C.license_id == license_id, _C.id > after).order_by(_C.id).limit(limit)
    return await rows.many(conn, statement, AuditRow)


async def of_activation(
    conn: AsyncConnection, activation_id: UUID, *, after: int = 0, limit: int = 1000
) -> tuple[AuditRow, ...]:
    """Return up to `limit` decisions about an activation with numbers above `after`, oldest first."""
    statement = _SELECT.where(_C.activation_id == activation_id, _C.id > after).order_by(_C.id).limit(limit)
    return await rows.many(conn, statement, AuditRow)
