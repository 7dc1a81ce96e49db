"""Support: may this request be served, and until when; requests are opened, listed and shown."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.errors import NotFound, said_why
from tillkey_server.ids import new_id
from tillkey_server.rules.access import EVERYTHING, Scope
from tillkey_server.rules.decision import Decision, Outcome, instant
from tillkey_server.rules.install_credit import InstallCode
from tillkey_server.rules.support import decide_support, lost_on_transfer
from tillkey_server.rules.support_clock import ClockTerms
from tillkey_server.rules.support_code import SupportCode
from tillkey_server.rules.support_record import SupportEvent, SupportEventKind, SupportRecord
from tillkey_server.rules.support_state import banner_of, shown_clocks
from tillkey_server.store import install_credits, support, support_extras
from tillkey_server.store.support import SORTS, SupportEventRow, SupportRequestRow
from tillkey_server.usecases import support_audit
from tillkey_server.usecases.answers import RefusalAnswer, refusal_of
from tillkey_server.usecases.care import care_of
from tillkey_server.usecases.issue_facts import closures_from, newer_calendar
from tillkey_server.usecases.paging import DEFAULT_LIMIT, Page, page_of, paging_of
from tillkey_server.usecases.services import Services
from tillkey_server.usecases.support_facts import Standpoint, SupportQuestion, standpoint_of
from tillkey_server.usecases.support_views import (
    all_seen,
    request_of,
    seen_of,
    shown,
    shown_event,
    shown_grant,
    shown_hotfix,
)

NOTHING_YET = UUID(int=0)
"""The id of a request that is only asked about."""


@dataclass(frozen=True, slots=True)
class TakenRequest:
    """A request that is on record, and the decision by which it was taken or waits for a person."""

    decision: Decision
    shown: dict[str, object]


async def preview_support(services: Services, question: SupportQuestion, *, scope: Scope = EVERYTHING) -> Decision:
    """Answer whether a request would be taken, and until when; nothing is written. Raises NotFound and BadInput."""
    now = services.clock.now()
    async with services.db.reading() as tx:
        at = await standpoint_of(services, tx, question, now, scope)
        return await _answered(services, tx, at, now)


async def open_support_request(
    services: Services,
    question: SupportQuestion,
    *,
    actor: str,
    reference: str | None = None,
    duplicate_of: UUID | None = None,
    review: str | None = None,
    scope: Scope = EVERYTHING,
) -> TakenRequest | RefusalAnswer:
    """Put a request on record; one that is refused is in the audit log alone.

    What its description lacks is waited for from the start; one for the free installation uses it (NX-19). `review`
    is why a supervisor takes it although a ground refuses it (NX-29); None: nobody looked at it again.

    Raises NotFound and BadInput.
    """
    now, why = services.clock.now(), None if review is None else said_why(review)
    async with services.db.writing() as tx:
        at = await standpoint_of(services, tx, question, now, scope, lock=True)
        if why is not None:
            at = replace(at, asked=replace(at.asked, reviewed=True))
        first = None if duplicate_of is None else await support.by_id(tx, duplicate_of)
        if duplicate_of is not None and (first is None or first.customer_id != at.customer_id):
            raise NotFound("support request", str(duplicate_of))
        # A duplicate of a duplicate has the very first clock.
        original = await support.by_id(tx, first.duplicate_of) if first is not None and first.duplicate_of else first
        reported_at = None if original is None else original.received_at
        decision = await _answered(services, tx, at, now, first_reported_at=reported_at)
        license_id = None if at.license is None else at.license.id
        noted = decision if why is None else replace(decision, facts={**decision.facts, "reason": why})
        action = "support_open" if why is None else "support_take"
        await support_audit.note(tx, noted, actor=actor, action=action, license_id=license_id)
        if decision.outcome is Outcome.DENY:
            return refusal_of(decision)
        row = _row(question, at, decision, actor, now)
        row = replace(row, reference=reference, duplicate_of=None if original is None else original.id)
        await support.insert(tx, row)
        if decision.code is InstallCode.INSTALL_CREDIT_USED and at.credit_id is not None:
            await install_credits.use(tx, at.credit_id, at=now, by=actor)
        if decision.outcome is Outcome.PEND and "missing" in decision.facts:
            await support.add_event(tx, _waiting(row, decision, actor, now))
        return TakenRequest(decision, shown(await seen_of(tx, row, now), now))


async def list_support_requests(
    services: Services,
    *,
    license_id: UUID | None = None,
    customer_id: UUID | None = None,
    reference: str | None = None,
    refund_proposed: bool | None = None,
    after: str | None = None,
    limit: int = DEFAULT_LIMIT,
    sort: str | None = None,
    scope: Scope = EVERYTHING,
) -> Page:
    """Return a page of requests as they stand now; `refund_proposed`: whether one is proposed. Raises BadInput."""
    paging = paging_of(after=after, limit=limit, sort=sort, sorts=SORTS)
    now = services.clock.now()
    async with services.db.reading() as tx:
        found = await support.page(
            tx,
            paging,
            scope,
            license_id=license_id,
            customer_id=customer_id,
            reference=reference,
            refund_proposed=refund_proposed,
        )
        views = {one.row.id: shown(one, now) for one in await all_seen(tx, found, now)}
    return page_of(found, paging, show=lambda row: views[row.id], key=lambda row: row.id, sorts=SORTS)


async def get_support_request(services: Services, request_id: UUID, *, scope: Scope = EVERYTHING) -> dict[str, object]:
    """Return a request with its events, grants and hotfixes. Raises NotFound."""
    now = services.clock.now()
    async with services.db.reading() as tx:
        seen = await request_of(tx, request_id, now, scope)
        events = await support.events_of(tx, request_id)
        grants = await support_extras.grants_of(tx, request_id)
        held = seen.record.license_id
        hotfixes = () if held is None else await support_extras.hotfixes_of(tx, held)
    return {
        **shown(seen, now),
        "events": [shown_event(one) for one in events],
        "grants": [shown_grant(one, now) for one in grants],
        "hotfixes": [shown_hotfix(one) for one in hotfixes if one.request_id == request_id],
    }


async def terms_at(tx: AsyncConnection, at: Standpoint) -> ClockTerms:
    """Return what the clocks of a request that is asked about are counted by, as those of one on record are."""
    newer = await newer_calendar(tx, at.policy.ref)
    return ClockTerms(at.policy, newer, await closures_from(tx, at.asked.received_at))


async def _answered(
    services: Services,
    tx: AsyncConnection,
    at: Standpoint,
    now: datetime,
    *,
    first_reported_at: datetime | None = None,
) -> Decision:
    """Return the answer to a question; one without support shows its care, with what a renewal would cost (BC-17)."""
    decision = answer_at(at, await terms_at(tx, at), now, first_reported_at=first_reported_at)
    if not lacks_support(decision) or at.license is None:
        return decision
    return with_care(decision, await care_of(services, tx, at.license, now, now))


def lacks_support(decision: Decision) -> bool:
    """Tell whether an answer is a no for want of support, which shows what it costs again."""
    return decision.code is SupportCode.NOSUP_SUPPORT_EXPIRED


def with_care(decision: Decision, care: Decision) -> Decision:
    """Return an answer with the license's care beside it, and what a renewal would cost (BC-17)."""
    cited = tuple(dict.fromkeys((*decision.clauses, *care.clauses)))
    return replace(decision, clauses=cited, facts={**decision.facts, "care": {"code": care.code.value, **care.facts}})


def answer_at(
    at: Standpoint, terms: ClockTerms, now: datetime, *, first_reported_at: datetime | None = None
) -> Decision:
    """Return the rule's decision with what every answer about support tells: the banner, and the clocks to come."""
    decision = decide_support(at.asked, at.policy, now)
    lost = lost_on_transfer(at.policy, changed_hands=at.asked.changed_hands)
    license_facts = None if at.license is None or lost else at.license.facts
    told: dict[str, object] = {
        **decision.facts,
        "received_at": instant(at.asked.received_at),
        "timezone": at.policy.timezone.key,
        "care_banner": banner_of(license_facts, at.policy, now, product=at.product.code, site=at.site),
    }
    if at.asked.presale:
        told["presale"] = at.asked.is_presale
    if decision.outcome is Outcome.DENY:
        return replace(decision, facts=told)
    waiting = (SupportEvent(SupportEventKind.WAITING_FOR_CUSTOMER, at.asked.received_at, {"missing": True}),)
    record = SupportRecord(
        id=NOTHING_YET,
        license_id=None if at.license is None else at.license.id,
        received_at=at.asked.received_at,
        presale=at.asked.is_presale,
        first_reported_at=first_reported_at,
        events=waiting if "missing" in decision.facts else (),
        task=at.asked.task,
    )
    clocks = shown_clocks(record, terms, now)
    cited = [str(clause) for clock in clocks for clause in _listed(clock["clauses"])]
    return replace(
        decision, clauses=tuple(dict.fromkeys((*decision.clauses, *cited))), facts={**told, "clocks": clocks}
    )


def _listed(value: object) -> list[object]:
    return list(value) if isinstance(value, list) else []


def _row(question: SupportQuestion, at: Standpoint, decision: Decision, actor: str, now: datetime) -> SupportRequestRow:
    return SupportRequestRow(
        id=new_id(),
        customer_id=at.customer_id,
        product_id=at.product.id,
        license_id=None if at.license is None else at.license.id,
        project_id=at.project_id,
        policy_name=at.policy.name,
        policy_version=at.policy.version,
        task=question.task,
        presale=at.asked.is_presale,
        reference=None,
        matter=question.matter,
        platform_version=question.platform_version,
        duplicate_of=None,
        taken_as=decision.code.value,
        received_at=at.asked.received_at,
        created_at=now,
        created_by=actor,
    )


def _waiting(row: SupportRequestRow, decision: Decision, actor: str, now: datetime) -> SupportEventRow:
    kind = SupportEventKind.WAITING_FOR_CUSTOMER.value
    return SupportEventRow(new_id(), row.id, kind, row.received_at, {"missing": decision.facts["missing"]}, now, actor)
