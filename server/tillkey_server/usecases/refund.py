"""Refunds: what the terms say of one (preview), asking for one, and a person's decision about one that is pending.

A license has one open request at most; asked again for the same thing it is the same request, judged by the time at
which it was asked first, and asked for something else the new one takes its place; under a legal hold it stays open,
whatever is asked. What is granted is carried out in the transaction that decides it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.errors import BadInput, NotFound, said_why
from tillkey_server.ids import new_id
from tillkey_server.money import Money
from tillkey_server.rules.access import EVERYTHING, Scope
from tillkey_server.rules.decision import Decision, Outcome, Refusal
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.refund import Verdict
from tillkey_server.rules.refund_codes import RefundCode
from tillkey_server.rules.refund_decision import decide_by_person
from tillkey_server.rules.refund_facts import RefundFacts
from tillkey_server.rules.refund_renewal import CANCEL_AT_PERIOD_END
from tillkey_server.store import audit, chains, refunds
from tillkey_server.store.licenses import LicenseRow
from tillkey_server.store.refunds import RequestRow
from tillkey_server.usecases.answers import RefusalAnswer, refusal_of
from tillkey_server.usecases.prerequisite import lock_with_dependents
from tillkey_server.usecases.refund_asking import Asking, asking_of, is_the_same
from tillkey_server.usecases.refund_facts import refund_facts, verdict_on
from tillkey_server.usecases.refund_grant import Grant, carry_out
from tillkey_server.usecases.refunds import NOT_OPEN, shown_of
from tillkey_server.usecases.seen import license_of
from tillkey_server.usecases.services import Services, settled
from tillkey_server.usecases.subscription import cancel_within

SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True)
class _Judged:
    """A request under the license's lock, and what came of it."""

    row: LicenseRow
    policy: Policy
    facts: RefundFacts
    verdict: Verdict
    asking: Asking


async def preview_refund(
    services: Services, license_id: UUID, asking: Asking, *, scope: Scope = EVERYTHING
) -> Decision:
    """Return what would be answered; nothing is written. Without reasons: what the records alone would give.

    Raises NotFound, and BadInput naming the field.
    """
    now = services.clock.now()
    async with services.db.reading() as tx:
        row = await license_of(tx, license_id, scope)
        return (await _judge(services, tx, row, asking, now)).verdict.decision


async def request_refund(
    services: Services, license_id: UUID, asking: Asking, *, actor: str, scope: Scope = EVERYTHING
) -> dict[str, object] | RefusalAnswer:
    """Ask for a refund: granted and carried out, pending, or refused, and on record in any case.

    Raises NotFound, and BadInput naming the field.
    """

    async def attempt() -> dict[str, object] | RefusalAnswer:
        async with services.db.writing() as tx:
            await lock_with_dependents(tx, license_id, scope)
            row = await license_of(tx, license_id, scope, lock=True)
            await chains.hold_still(tx, row.id)
            now = services.clock.now()
            known = await refunds.open_request(tx, row.id)
            again = known is not None and is_the_same(known.asked, asking)
            first = _earlier(asking, known, now) if known is not None and again else asking
            judged = await _stopped(services, tx, await _judge(services, tx, row, first, now), actor, now)
            if known is not None and judged.verdict.decision.code is Refusal.LEGAL_HOLD:
                return await _held(tx, judged, known, actor)
            request = _row(judged, known.id if known is not None and again else new_id(), actor, now)
            await _keep(tx, request, known if again else None, known)
            return await _concluded(services, tx, judged, request, actor, "refund_request")

    return await settled(attempt)


async def decide_pending(
    services: Services,
    refund_id: UUID,
    *,
    grant: bool,
    reason: str,
    actor: str,
    amount: Money | None = None,
    as_platform: bool = False,
    scope: Scope = EVERYTHING,
) -> dict[str, object] | RefusalAnswer:
    """Grant or deny a pending refund, with a reason; `amount` gives back a part.

    `as_platform`: the marketplace decides what its sellers left unanswered (BC-28), by the terms, so without `amount`.
    Raises NotFound, and BadInput for a missing reason or an amount that is none.
    """
    why = said_why(reason)
    if amount is not None and amount.minor <= 0:
        raise BadInput("amount", "must be more than nothing")
    if amount is not None and as_platform:
        raise BadInput("amount", "is not for the marketplace to choose: it gives back what the terms say")
    async with services.db.writing() as tx:
        named = await refunds.request_seen(tx, refund_id, scope)
        if named is None:
            raise NotFound("refund", str(refund_id))
        await lock_with_dependents(tx, named.license_id, scope)
        row = await license_of(tx, named.license_id, scope, lock=True)
        await chains.hold_still(tx, row.id)
        now = services.clock.now()
        # Read again under the lock: somebody may have decided meanwhile.
        request = await refunds.request_seen(tx, refund_id, scope)
        if request is None or request.closed_at is not None:
            return RefusalAnswer(RefundCode.NOT_PENDING, "", NOT_OPEN)
        judged = await _decided(services, tx, row, request, now, grant=grant, amount=amount, as_platform=as_platform)
        if not judged.verdict.decision.allowed and judged.verdict.decision.code is not RefundCode.DENIED_BY_PERSON:
            await audit.record(tx, judged.verdict.decision, actor=actor, action="refund_decide", license_id=row.id)
            return refusal_of(judged.verdict.decision)
        judged = await _stopped(services, tx, judged, actor, now)
        decided = replace(_row(judged, request.id, actor, now), recorded_at=request.recorded_at, reason=why)
        decided = replace(decided, recorded_by=request.recorded_by)
        await refunds.decide_request(tx, decided)
        return await _concluded(services, tx, judged, decided, actor, "refund_decide")


async def _judge(services: Services, tx: AsyncConnection, row: LicenseRow, asking: Asking, now: datetime) -> _Judged:
    policy = await services.policies.of(tx, row.policy_ref)
    asked = asking.at(now)
    facts = await _facts(services, tx, row, policy, asking, now)
    return _Judged(row, policy, facts, verdict_on(services, facts, asked, policy, now), asking)


async def _facts(
    services: Services, tx: AsyncConnection, row: LicenseRow, policy: Policy, asking: Asking, now: datetime
) -> RefundFacts:
    about, renewal = asking.support_request_id, asking.renewal_id
    return await refund_facts(services, tx, row, policy, support_request_id=about, renewal_id=renewal, now=now)


async def _stopped(services: Services, tx: AsyncConnection, judged: _Judged, actor: str, now: datetime) -> _Judged:
    """Stop the renewals to come that a notice cancels, whatever comes of the last payment (CJ-26), and say so.

    Facts `cancelled_at_period_end`, false where no subscription is on record here, and when it ends; what is paid back
    ends by itself.
    """
    decision = judged.verdict.decision
    if CANCEL_AT_PERIOD_END not in decision.options:
        return judged
    done = await cancel_within(services, tx, judged.row, actor=actor, now=now)
    ends = done.facts if done.allowed and not decision.allowed else {}
    facts = {**decision.facts, "cancelled_at_period_end": done.allowed, **ends}
    return replace(judged, verdict=replace(judged.verdict, decision=replace(decision, facts=facts)))


async def _decided(
    services: Services,
    tx: AsyncConnection,
    row: LicenseRow,
    request: RequestRow,
    now: datetime,
    *,
    grant: bool,
    amount: Money | None,
    as_platform: bool,
) -> _Judged:
    policy = await services.policies.of(tx, row.policy_ref)
    asking = asking_of(request.asked, request.asked_at)
    facts = await _facts(services, tx, row, policy, asking, now)
    if amount is not None and amount.currency != facts.currency:
        raise BadInput("amount", f"must be in {facts.currency}, as it was paid")
    asked = replace(asking.at(now), by_platform=as_platform)
    if as_platform and grant:
        verdict = verdict_on(services, facts, asked, policy, now)
    else:
        part = None if amount is None else amount.minor
        verdict = decide_by_person(facts, asked, policy, now, grant=grant, amount=part)
    cited = (*request.clauses, *verdict.decision.clauses)
    decision = replace(verdict.decision, clauses=tuple(dict.fromkeys(cited)))
    return _Judged(row, policy, facts, replace(verdict, decision=decision), asking)


def _earlier(asking: Asking, known: RequestRow, now: datetime) -> Asking:
    """Return a request that was asked before with what is new about it, at the time of the first one (CJ-09).

    Asked for in writing only now, it is that from now on (CJ-12).
    """
    kept = asking_of(known.asked, known.asked_at)
    is_written_now = asking.by_email and not kept.by_email
    return replace(
        asking,
        received_at=min(asking.received_at or now, known.asked_at),
        found=tuple(dict.fromkeys((*kept.found, *asking.found))),
        findings=tuple(dict.fromkeys((*kept.findings, *asking.findings))),
        by_email=kept.by_email or asking.by_email,
        written_at=(asking.received_at or now) if is_written_now else kept.written_at,
        sender_verified=kept.sender_verified if asking.sender_verified is None else asking.sender_verified,
        order_number=asking.order_number or kept.order_number,
        explanation=asking.explanation or kept.explanation,
    )


def _row(judged: _Judged, request_id: UUID, actor: str, now: datetime) -> RequestRow:
    decision = judged.verdict.decision
    return RequestRow(
        id=request_id,
        license_id=judged.row.id,
        asked_at=judged.asking.received_at or now,
        recorded_at=now,
        recorded_by=actor,
        asked=judged.asking.kept(),
        outcome=decision.outcome.value,
        code=decision.code.value,
        clauses=list(decision.clauses),
        facts=dict(decision.facts),
        policy_name=decision.policy.name,
        policy_version=decision.policy.version,
        decided_at=now,
        decided_by=actor,
        closed_at=None if decision.outcome is Outcome.PEND else now,
    )


async def _held(tx: AsyncConnection, judged: _Judged, known: RequestRow, actor: str) -> RefusalAnswer:
    """Refuse under a legal hold, and leave the request open that waits: it goes on when the hold is lifted (CJ-02)."""
    decision = judged.verdict.decision
    noted = replace(decision, facts={**decision.facts, "refund_id": str(known.id)})
    await audit.record(tx, noted, actor=actor, action="refund_request", license_id=judged.row.id)
    return refusal_of(noted)


async def _keep(tx: AsyncConnection, request: RequestRow, again: RequestRow | None, known: RequestRow | None) -> None:
    """Write a request: over the open one that it repeats, or in place of an open one about something else."""
    if again is not None:
        await refunds.decide_request(tx, replace(request, recorded_at=again.recorded_at, recorded_by=again.recorded_by))
        return
    if known is not None:
        await refunds.decide_request(tx, replace(known, closed_at=request.recorded_at, reason=SUPERSEDED))
    await refunds.insert_request(tx, request)


async def _concluded(
    services: Services, tx: AsyncConnection, judged: _Judged, request: RequestRow, actor: str, action: str
) -> dict[str, object] | RefusalAnswer:
    """Carry out what was decided, note it, and answer: a no of the terms is a refusal, one of a person is done."""
    decision, refund = judged.verdict.decision, None
    if decision.allowed:
        grant = Grant(
            request.id, judged.row, judged.policy, judged.verdict, judged.facts.currency, actor, request.decided_at
        )
        refund = await carry_out(services, tx, grant)
    facts = {**decision.facts, "refund_id": str(request.id)}
    if request.reason is not None:
        facts["reason_given"] = request.reason
    noted = replace(decision, facts=facts)
    await audit.record(tx, noted, actor=actor, action=action, license_id=judged.row.id)
    if decision.outcome is Outcome.DENY and action == "refund_request":
        return refusal_of(noted)
    return await shown_of(services, tx, request, refund, judged.row, request.decided_at)
