"""The facts of a request for support, for whoever decides about money or a warranty by them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.errors import BrokenInvariant
from tillkey_server.policies.loader import parse_recorded
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
    found = issue_of(await record_of(tx, row, now), await clock_terms_of(tx, row), now)
    return replace(found, platform_version=row.platform_version)


async def record_of(tx: AsyncConnection, row: SupportRequestRow, now: datetime) -> SupportRecord:
    """Return a request with the events that have happened by `now`, as the rules see it."""
    return (await records_of(tx, (row,), now))[row.id]


async def records_of(
    tx: AsyncConnection, found: Collection[SupportRequestRow], now: datetime
) -> dict[UUID, SupportRecord]:
    """Return requests by their ids, each with the events that have happened by `now`, as the rules see them."""
    firsts = {one.duplicate_of for one in found if one.duplicate_of is not None}
    reported = {one.id: one.received_at for one in (await support.of_ids(tx, firsts) if firsts else ())}
    events: dict[UUID, list[SupportEventRow]] = {one.id: [] for one in found}
    for event in await support.events_of(tx, *events):
        events[event.request_id].append(event)
    return {
        one.id: record_from(
            one,
            events[one.id],
            now,
            first_reported_at=None if one.duplicate_of is None else reported.get(one.duplicate_of),
        )
        for one in found
    }


def record_from(
    row: SupportRequestRow,
    events: Iterable[SupportEventRow],
    now: datetime,
    *,
    first_reported_at: datetime | None = None,
) -> SupportRecord:
    """Return a request as the rules see it, from its rows."""
    happened = tuple(event_of(one) for one in events if one.at <= now)
    bought = (one.details["license_id"] for one in happened if one.kind is SupportEventKind.CONVERTED)
    license_id = next((UUID(str(one)) for one in bought), row.license_id)
    return SupportRecord(
        id=row.id,
        license_id=license_id,
        received_at=row.received_at,
        presale=row.presale,
        first_reported_at=first_reported_at,
        events=happened,
        task=row.task,
        unproven_until=row.created_at if row.reference is None else None,
    )


async def clock_terms_of(tx: AsyncConnection, row: SupportRequestRow) -> ClockTerms:
    """Return what a request's clocks are counted by: its own terms, a newer calendar of theirs, and the closures."""
    return (await all_clock_terms(tx, (row,)))[row.id]


async def all_clock_terms(tx: AsyncConnection, found: Collection[SupportRequestRow]) -> dict[UUID, ClockTerms]:
    """Return the clock terms of requests by their ids; each version of the terms is looked up once."""
    if not found:
        return {}
    refs = {one.policy_ref for one in found}
    terms = {ref: (await _policy(tx, ref), await newer_calendar(tx, ref)) for ref in refs}
    closures = await closures_from(tx, min(one.received_at for one in found))
    return {
        one.id: ClockTerms(*terms[one.policy_ref], tuple(shut for shut in closures if shut.ends_at > one.received_at))
        for one in found
    }


async def closures_from(tx: AsyncConnection, since: datetime) -> tuple[Closure, ...]:
    """Return the closures that end after an instant, as the rules see them."""
    return tuple(closure_of(one) for one in await support_extras.closures_from(tx, since))


def event_of(row: SupportEventRow) -> SupportEvent:
    """Return an event as the rules see it."""
    return SupportEvent(SupportEventKind(row.kind), row.at, row.details)


def closure_of(row: ClosureRow) -> Closure:
    """Return a closure as the rules see it."""
    return Closure(row.notified_at, row.starts_at, row.ends_at, row.withdrawn_at, row.recorded_at)


async def newer_calendar(tx: AsyncConnection, ref: PolicyRef) -> NewerCalendar | None:
    """Return the calendar of the newest version of the same terms, where there is one after `ref` (K-01)."""
    newest = await policies.newest(tx, ref.name)
    if newest is None or newest.version <= ref.version:
        return None
    return NewerCalendar(calendar_of(_parsed(newest.source, newest.name)), newest.recorded_at, newest.version)


async def _policy(tx: AsyncConnection, ref: PolicyRef) -> Policy:
    recorded = await policies.get(tx, ref.name, ref.version)
    if recorded is None:
        raise BrokenInvariant(f"policy {ref.name} version {ref.version} is not recorded, though a request follows it")
    return _parsed(recorded.source, ref.name)


def _parsed(source: str, name: str) -> Policy:
    return parse_recorded(source, f"{name}.toml")
