"""The facts of a request for support, for whoever decides about money or a warranty by them."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.errors import BrokenInvariant
from tillkey_server.policies.loader import parse_policy
from tillkey_server.rules.calendar import calendar_of
from tillkey_server.rules.issue_facts import IssueFacts
from tillkey_server.rules.policy import Policy, PolicyRef
from tillkey_server.rules.support_clock import ClockTerms, NewerCalendar, issue_of
from tillkey_server.rules.support_record import Closure, SupportEvent, SupportEventKind, SupportRecord
from tillkey_server.store import policies, support, support_extras
from tillkey_server.store.support import SupportEventRow, SupportRequestRow
from tillkey_server.store.support_extras import ClosureRow


async def issue_facts(tx: AsyncConnection, request_id: UUID, now: datetime) -> IssueFacts | None:
    """Return what is on record about a request at `now`; None where there is none of that id."""
    row = await support.by_id(tx, request_id)
    if row is None:
        return None
    return issue_of(await record_of(tx, row, now), await clock_terms_of(tx, row), now)


async def record_of(tx: AsyncConnection, row: SupportRequestRow, now: datetime) -> SupportRecord:
    """Return a request with the events that have happened by `now`, as the rules see it."""
    first = None if row.duplicate_of is None else await support.by_id(tx, row.duplicate_of)
    events = await support.events_of(tx, row.id)
    return record_from(row, events, now, first_reported_at=None if first is None else first.received_at)


def record_from(
    row: SupportRequestRow,
    events: tuple[SupportEventRow, ...],
    now: datetime,
    *,
    first_reported_at: datetime | None = None,
) -> SupportRecord:
    """Return a request as the rules see it, from its rows."""
    happened = tuple(SupportEvent(SupportEventKind(one.kind), one.at, one.details) for one in events if one.at <= now)
    bought = (one.details["license_id"] for one in happened if one.kind is SupportEventKind.CONVERTED)
    license_id = next((UUID(str(one)) for one in bought), row.license_id)
    return SupportRecord(
        id=row.id,
        license_id=license_id,
        received_at=row.received_at,
        presale=row.presale,
        first_reported_at=first_reported_at,
        events=happened,
    )


async def clock_terms_of(tx: AsyncConnection, row: SupportRequestRow) -> ClockTerms:
    """Return what a request's clocks are counted by: its own terms, a newer calendar of theirs, and the closures."""
    policy = await _policy(tx, row.policy_ref)
    return ClockTerms(policy, await _newer(tx, row.policy_ref), await closures_from(tx, row.received_at))


async def closures_from(tx: AsyncConnection, since: datetime) -> tuple[Closure, ...]:
    """Return the closures that end after an instant, as the rules see them."""
    return tuple(closure_of(one) for one in await support_extras.closures_from(tx, since))


def closure_of(row: ClosureRow) -> Closure:
    """Return a closure as the rules see it."""
    return Closure(row.notified_at, row.starts_at, row.ends_at, row.withdrawn_at)


async def _newer(tx: AsyncConnection, ref: PolicyRef) -> NewerCalendar | None:
    newest = await policies.newest(tx, ref.name)
    if newest is None or newest.version <= ref.version:
        return None
    return NewerCalendar(calendar_of(_parsed(newest.source, newest.name)), newest.recorded_at)


async def _policy(tx: AsyncConnection, ref: PolicyRef) -> Policy:
    recorded = await policies.get(tx, ref.name, ref.version)
    if recorded is None:
        raise BrokenInvariant(f"policy {ref.name} version {ref.version} is not recorded, though a request follows it")
    return _parsed(recorded.source, ref.name)


@lru_cache(maxsize=64)
def _parsed(source: str, name: str) -> Policy:
    """Read a text once; texts never change, and two databases may hold different ones under one version."""
    return parse_policy(source, f"{name}.toml").policy
