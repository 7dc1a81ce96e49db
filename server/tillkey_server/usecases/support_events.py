"""What happens to a request: replies, refusals, findings, offers, interventions, its end; consents and hotfixes.

Events are told by whoever holds the conversation, at the instant at which they happened, and judged by what was on
record then. Each kind has members of its own; one that belongs to another kind is refused by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.errors import BadInput, NotFound
from tillkey_server.ids import new_id
from tillkey_server.rules.access import EVERYTHING, Scope
from tillkey_server.rules.decision import Decision
from tillkey_server.rules.defect import Severity
from tillkey_server.rules.support_code import SupportCode
from tillkey_server.rules.support_event import (
    EventFacts,
    GrantAsked,
    decide_event,
    decide_grant,
    decide_hotfix,
)
from tillkey_server.rules.support_record import SupportEvent, SupportEventKind
from tillkey_server.rules.support_state import banner_of
from tillkey_server.store import audit, customers, licenses, support, support_extras
from tillkey_server.store.support import SupportEventRow
from tillkey_server.store.support_extras import GrantRow, HotfixRow
from tillkey_server.usecases.answers import RefusalAnswer, refusal_of
from tillkey_server.usecases.files import files_of
from tillkey_server.usecases.issue_facts import record_of
from tillkey_server.usecases.seen import activation_of, license_of
from tillkey_server.usecases.services import Services
from tillkey_server.usecases.support import TakenRequest
from tillkey_server.usecases.support_details import ToldEvent, kind_of, plain
from tillkey_server.usecases.support_views import RequestSeen, request_of, seen_of, shown

_K = SupportEventKind


async def record_support_event(
    services: Services, request_id: UUID, told: ToldEvent, *, actor: str, scope: Scope = EVERYTHING
) -> TakenRequest | RefusalAnswer:
    """Record what happened to a request; what the terms do not let happen is refused and in the audit log alone.

    Raises NotFound, and BadInput naming the member.
    """
    kind = kind_of(told)
    now = services.clock.now()
    async with services.db.writing() as tx:
        seen = await _held(tx, request_id, now, scope)
        at = told.at or now
        if not seen.row.received_at <= at <= now:
            raise BadInput("at", "must lie between the request's receipt and now")
        event = SupportEvent(kind, at, plain(told.details))
        if kind is _K.CONVERTED:
            await _bought(tx, seen, str(event.details["license_id"]), scope)
        known = await _known(tx, seen, told, at)
        record = await record_of(tx, seen.row, at)
        decision = decide_event(record, event, known, seen.terms.policy, now)
        if decision.code is SupportCode.REQUEST_FIXED:
            decision = await _with_owners(tx, seen, decision, at)
        await _audited(tx, seen, decision, actor, f"support_{kind.value}")
        if not decision.allowed:
            return refusal_of(_bannered(seen, decision, now))
        row = SupportEventRow(new_id(), request_id, kind.value, at, event.details, now, actor)
        await support.add_event(tx, row)
        return TakenRequest(decision, shown(await seen_of(tx, seen.row, now), now))


async def grant_remote_access(
    services: Services,
    request_id: UUID,
    *,
    granted_by: UUID,
    allowed: str,
    until: datetime,
    starts_at: datetime | None = None,
    actor: str,
    scope: Scope = EVERYTHING,
) -> TakenRequest | RefusalAnswer:
    """Record a customer's consent to remote access: who gave it, what may be done, until when. Never a secret.

    Raises NotFound, and BadInput where it ends before it begins.
    """
    now = services.clock.now()
    begins = starts_at or now
    if until <= begins:
        raise BadInput("until", "is not after the beginning")
    async with services.db.writing() as tx:
        seen = await _held(tx, request_id, now, scope)
        if not scope.admits_customer(granted_by) or await customers.by_id(tx, granted_by) is None:
            raise NotFound("customer", str(granted_by))
        asked = GrantAsked(granted_by == seen.row.customer_id, begins, until)
        decision = decide_grant(asked, seen.record, seen.terms.policy, now)
        await _audited(tx, seen, decision, actor, "support_grant")
        if not decision.allowed:
            return refusal_of(_bannered(seen, decision, now))
        row = GrantRow(new_id(), request_id, granted_by, allowed, begins, until, now, actor)
        await support_extras.add_grant(tx, row)
        return TakenRequest(decision, shown(seen, now))


async def record_hotfix(
    services: Services,
    request_id: UUID,
    *,
    severity: Severity,
    files: Mapping[str, str],
    activation_id: UUID | None = None,
    actor: str,
    scope: Scope = EVERYTHING,
) -> TakenRequest | RefusalAnswer:
    """Record the files that were changed at once, by path and SHA-256, so that they are nobody's modification later.

    Raises NotFound, and BadInput for what is no file, a request before a purchase or another license's activation.
    """
    left = files_of(files, "files")
    now = services.clock.now()
    async with services.db.writing() as tx:
        seen = await _held(tx, request_id, now, scope)
        if seen.license is None:
            raise BadInput("files", "are of a license, and this was asked before a purchase")
        if activation_id is not None:
            held = await activation_of(tx, activation_id, scope)
            if held.license_id != seen.license.id:
                raise BadInput("activation_id", "is of another license")
        decision = decide_hotfix(severity, len(left), seen.terms.policy, now)
        await _audited(tx, seen, decision, actor, "support_hotfix")
        if not decision.allowed:
            return refusal_of(_bannered(seen, decision, now))
        row = HotfixRow(
            id=new_id(),
            request_id=request_id,
            license_id=seen.license.id,
            activation_id=activation_id,
            severity=severity.value,
            files=left,
            applied_at=now,
            recorded_at=now,
            actor=actor,
        )
        await support_extras.add_hotfix(tx, row)
        return TakenRequest(decision, shown(seen, now))


async def _held(tx: AsyncConnection, request_id: UUID, now: datetime, scope: Scope) -> RequestSeen:
    """Return a request, its license locked first and then its own row."""
    seen = await request_of(tx, request_id, now, scope)
    if seen.license is not None:
        await licenses.by_id(tx, seen.license.id, lock=True)
    return await request_of(tx, request_id, now, scope, lock=True)


async def _bought(tx: AsyncConnection, seen: RequestSeen, license_id: str, scope: Scope) -> None:
    """See that what was bought is the customer's, of the product that was asked about."""
    bought = await license_of(tx, UUID(license_id), scope)
    if (bought.customer_id, bought.product_id) != (seen.row.customer_id, seen.row.product_id):
        raise BadInput("license_id", "is of another customer or product")


async def _known(tx: AsyncConnection, seen: RequestSeen, told: ToldEvent, at: datetime) -> EventFacts:
    grants = await support_extras.grants_of(tx, seen.row.id)
    hotfixes = () if seen.license is None else await support_extras.hotfixes_of(tx, seen.license.id)
    published = told.details.get("published_at")
    return EventFacts(
        support_until=None if seen.license is None else seen.license.support_until,
        hotfixed_files=frozenset(digest for one in hotfixes for digest in one.files.values()),
        has_access=any(one.starts_at <= at < one.until for one in grants),
        published_at=published if isinstance(published, datetime) else None,
    )


async def _with_owners(tx: AsyncConnection, seen: RequestSeen, decision: Decision, at: datetime) -> Decision:
    """Tell how many owners hear of a fix: those with updates, and who reported it in time (NX-26)."""
    entitled = {one.customer_id for one in await licenses.entitled_to_updates(tx, seen.row.product_id, at)}
    terms = None if seen.terms.policy.support is None else seen.terms.policy.support.fix
    reported: set[UUID] = set()
    if terms is not None and terms.covers_reported_in_time:
        first = seen.row.duplicate_of or seen.row.id
        same = [seen.row, *await support.duplicates_of(tx, first)]
        original = await support.by_id(tx, first)
        reported = {one.customer_id for one in (*same, *([] if original is None else [original]))}
    facts = {**decision.facts, "owners": len(entitled | reported), "reporters": len(reported)}
    return replace(decision, facts=facts)


async def _audited(tx: AsyncConnection, seen: RequestSeen, decision: Decision, actor: str, action: str) -> None:
    named = replace(decision, facts={**decision.facts, "request_id": str(seen.row.id)})
    license_id = None if seen.license is None else seen.license.id
    await audit.record(tx, named, actor=actor, action=action, license_id=license_id)


def _bannered(seen: RequestSeen, decision: Decision, now: datetime) -> Decision:
    """Return a decision with the banner that every answer about a request has (BC-18)."""
    banner = banner_of(None if seen.license is None else seen.license.facts, seen.terms.policy, now)
    return replace(decision, facts={**decision.facts, "care_banner": banner})
