"""The audit log: one row per decision, in the decision's own transaction (law 8); rows are only ever added."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from tillkey_server.store import rows, tables
from tillkey_server.store.paging import paged
from tillkey_server.store.scoping import admitted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import ColumnElement
    from sqlalchemy.ext.asyncio import AsyncConnection

    from tillkey_server.rules.access import Scope
    from tillkey_server.rules.decision import Decision
    from tillkey_server.store.paging import Paging


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


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilters:
    """What rows must match; None: anything. `since` is included, `until` is not."""

    license_id: UUID | None = None
    activation_id: UUID | None = None
    actor: str | None = None
    action: str | None = None
    outcome: str | None = None
    code: str | None = None
    since: datetime | None = None
    until: datetime | None = None


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


async def page(conn: AsyncConnection, paging: Paging, filters: AuditFilters, *, scope: Scope) -> tuple[AuditRow, ...]:
    """Return a page of the rows that match and are seen, and one more; with limits, those about seen licenses."""
    conditions = _conditions(filters)
    if not scope.unlimited:
        seen = admitted(scope, customer=tables.license_.c.customer_id, product=tables.license_.c.product_id)
        conditions.append(_C.license_id.in_(select(tables.license_.c.id).where(*seen)))
    return await rows.many(conn, paged(_SELECT.where(*conditions), paging, key=_C.id), AuditRow)


def _conditions(filters: AuditFilters) -> list[ColumnElement[bool]]:
    equal = ("license_id", "activation_id", "actor", "action", "outcome", "code")
    given = {name: getattr(filters, name) for name in equal}
    found: list[ColumnElement[bool]] = [_C[name] == value for name, value in given.items() if value is not None]
    if filters.since is not None:
        found.append(_C.at >= filters.since)
    if filters.until is not None:
        found.append(_C.at < filters.until)
    return found


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
