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
from tillkey_server.rules.install_credit import InstallCode, gave_back
from tillkey_server.rules.release_version import Version
from tillkey_server.rules.support_event import GrantAsked, decide_event, decide_grant, decide_hotfix
from tillkey_server.rules.support_event_facts import EventFacts
from tillkey_server.rules.support_record import SupportEvent, SupportEventKind, SupportRecord
from tillkey_server.rules.support_versions import as_of_today
from tillkey_server.store import customers, install_credits, licenses, software_releases, support, support_extras
from tillkey_server.store.licenses import LicenseRow
from tillkey_server.store.software_releases import FixRow
from tillkey_server.store.support import SupportEventRow
from tillkey_server.store.support_extras import GrantRow, HotfixRow
from tillkey_server.usecases import support_audit
from tillkey_server.usecases.answers import RefusalAnswer, refusal_of
from tillkey_server.usecases.changed_hands import support_lost
from tillkey_server.usecases.files import files_of
from tillkey_server.usecases.install_credit import credit_of
from tillkey_server.usecases.issue_facts import record_of
from tillkey_server.usecases.seen import activation_of, license_of
from tillkey_server.usecases.services import Services
from tillkey_server.usecases.support import TakenRequest
from tillkey_server.usecases.support_details import ToldEvent, event_of_told, kind_of
from tillkey_server.usecases.support_facts import hotfixed_files, support_ended_before
from tillkey_server.usecases.support_views import RequestSeen, request_of, shown, site_of

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
        event = event_of_told(told, kind, at)
        held = await _bought(tx, seen, event, scope) if kind is _K.CONVERTED else seen.license
        known = await _known(services, tx, seen, told, at)
        credit = await credit_of(tx, seen.row, now) if _takes_up(seen, event) else None
        sold_under = seen.terms.policy
        policy, lifted = as_of_today(sold_under, await services.policies.today(tx, sold_under, now))
        known = replace(known, credit_gone=credit is not None and credit.state == "used", lifted=lifted)
        decision = decide_event(seen.record.as_of(at), event, known, policy, now)
        await _audited(tx, seen, decision, actor, f"support_{kind.value}")
        if not decision.allowed:
            return refusal_of(_bannered(seen, decision, now))
        happened = [event]
        if decision.facts.get("reopens"):
            happened.append(SupportEvent(_K.REOPENED, at))
        if "refused_as" in decision.facts:
            happened.append(SupportEvent(_K.REFUSED, at, {"code": decision.facts["refused_as"]}))
        record = seen.record
        for one in happened:
            row = SupportEventRow(new_id(), request_id, one.kind.value, at, one.details, now, actor)
            await support.add_event(tx, row)
            record = record.with_event(one)
        if credit is not None and credit.state == "open":
            await install_credits.use(tx, credit.id, at=seen.row.created_at, by=actor)
        await support.look_later(tx, {request_id: None})
        if kind is _K.RESOLVED:
            await _fixed(tx, seen, record, event)
        record = replace(record, license_id=None if held is None else held.id)
        lost = held is not None and await support_lost(tx, held, seen.terms.policy, now)
        after = replace(seen, record=record, license=held, site=await site_of(tx, held), lost=lost)
        return TakenRequest(decision, shown(after, now))


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


def _takes_up(seen: RequestSeen, event: SupportEvent) -> bool:
    """Tell whether a request for the free installation, which it gave back, would be taken up again (NX-19)."""
    used = seen.row.taken_as == InstallCode.INSTALL_CREDIT_USED.value
    return used and gave_back(seen.record) and not gave_back(seen.record.with_event(event))


async def _fixed(tx: AsyncConnection, seen: RequestSeen, record: SupportRecord, event: SupportEvent) -> None:
    """Note with the version that a solution names, where it is out already, that it mends what was reported (NX-26)."""
    try:
        version = Version(str(event.details.get("fixed_in_release") or "")).canonical
    except ValueError:
        return
    release = await software_releases.by_version(tx, seen.row.product_id, version)
    if release is not None and record.license_id is not None:
        await software_releases.add_fix(tx, FixRow(release.id, record.license_id, record.begun_at))


async def _held(tx: AsyncConnection, request_id: UUID, now: datetime, scope: Scope) -> RequestSeen:
    """Return a request, its license locked first and then its own row."""
    row = await support.by_id(tx, request_id)
    about = None if row is None else (await record_of(tx, row, now)).license_id
    if about is not None:
        await licenses.by_id(tx, about, lock=True)
    return await request_of(tx, request_id, now, scope, lock=True)


async def _bought(tx: AsyncConnection, seen: RequestSeen, event: SupportEvent, scope: Scope) -> LicenseRow:
    """Return what was bought: the customer's, of the product that was asked about."""
    bought = await license_of(tx, UUID(str(event.details["license_id"])), scope)
    if (bought.customer_id, bought.product_id) != (seen.row.customer_id, seen.row.product_id):
        raise BadInput("license_id", "is of another customer or product")
    return bought


async def _known(
    services: Services, tx: AsyncConnection, seen: RequestSeen, told: ToldEvent, at: datetime
) -> EventFacts:
    """Return what the event is judged on; what is read is what its kind asks for."""
    held = seen.license
    known = EventFacts() if held is None else EventFacts(held.support_until, held.refund_until)
    match SupportEventKind(told.kind):
        case _K.REFUSED | _K.RECATEGORIZED if seen.license is not None:
            sold_under = await services.policies.of(tx, seen.license.policy_ref)
            begun_at = seen.record.as_of(at).begun_at
            ended_at = await support_ended_before(tx, seen.license, sold_under, begun_at)
            files = await hotfixed_files(tx, seen.license.id)
            return replace(known, support_ended_at=ended_at, hotfixed_files=files)
        case _K.INTERVENTION:
            grants = await support_extras.grants_of(tx, seen.row.id)
            return replace(known, has_access=any(one.starts_at <= at < one.until for one in grants))
        case _K.UPDATE_OFFERED:
            return await _offered(tx, seen, told, known)
    return known


async def _offered(tx: AsyncConnection, seen: RequestSeen, told: ToldEvent, known: EventFacts) -> EventFacts:
    """Add when the offered update was published: by the release on record, and as it is told only without one."""
    published = told.details.get("published_at")
    try:
        version = Version(str(told.details["version"])).canonical
    except ValueError:
        release = None
    else:
        release = await software_releases.by_version(tx, seen.row.product_id, version)
    if release is not None:
        return replace(known, published_at=release.published_at, withdrawn_at=release.withdrawn_at)
    return replace(known, published_at=published if isinstance(published, datetime) else None)


async def _audited(tx: AsyncConnection, seen: RequestSeen, decision: Decision, actor: str, action: str) -> None:
    named = replace(decision, facts={**decision.facts, "request_id": str(seen.row.id)})
    license_id = None if seen.license is None else seen.license.id
    await support_audit.note(tx, named, actor=actor, action=action, license_id=license_id)


def _bannered(seen: RequestSeen, decision: Decision, now: datetime) -> Decision:
    """Return a decision with the banner that every answer about a request has (BC-18)."""
    return replace(decision, facts={**decision.facts, "care_banner": seen.banner(now)})
