"""Suspending an account and lifting that (NX-42)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from tillkey_server.errors import BadInput, said_why
from tillkey_server.ids import new_id
from tillkey_server.rules.access import EVERYTHING, Scope
from tillkey_server.rules.account import SuspensionAsked, decide_lift, decide_suspension, span_of
from tillkey_server.rules.decision import Decision, Outcome, instant
from tillkey_server.rules.effect import Effect
from tillkey_server.rules.policy import Policy
from tillkey_server.store import audit, outbox, suspensions
from tillkey_server.store.suspensions import SuspensionRow
from tillkey_server.usecases import accounts
from tillkey_server.usecases.seen import living
from tillkey_server.usecases.services import Services


async def suspend_account(
    services: Services,
    customer_id: UUID,
    *,
    behavior: str,
    evidence: str,
    actor: str,
    until: datetime | None = None,
    scope: Scope = EVERYTHING,
) -> Decision:
    """Suspend all licenses of a customer for a behavior of the terms' list; or propose it, where two have to agree.

    Raises NotFound for the customer, BadInput for an end that is over.
    """
    async with services.db.writing() as tx:
        await living(tx, customer_id, scope, lock=True)
        now = services.clock.now()
        if until is not None and until <= now:
            raise BadInput("until", "is over already: give a time to come")
        policy = await accounts.terms_of(services, tx, customer_id)
        known = await suspensions.of_customer(tx, customer_id)
        open_one = next((one for one in known if one.behavior == behavior and _waits(one)), None)
        proposed_by = None if open_one is None else open_one.proposed_by
        asked = SuspensionAsked(behavior, evidence, actor, until, proposed_by)
        decision = decide_suspension(asked, policy, now)
        if decision.outcome is not Outcome.DENY:
            row = open_one or _proposal(customer_id, asked, policy, now)
            if open_one is None:
                await suspensions.insert(tx, row)
            if decision.allowed:
                span = _span(asked, policy, now)
                await suspensions.approve(tx, row.id, at=now, by=actor, stops_at=span[0], until=span[1])
                await accounts.spread(tx, services.policies, customer_id, now)
                payload = {"behavior": row.behavior, "stops_at": instant(span[0]), "until": instant(span[1])}
                await outbox.add(
                    tx, kind=Effect.ACCOUNT_SUSPENSION_SET, subject=str(customer_id), payload=payload, now=now
                )
        told = replace(decision, facts={**decision.facts, "customer": str(customer_id)})
        await audit.record(tx, told, actor=actor, action="account_suspend")
    return decision


async def lift_suspension(
    services: Services, customer_id: UUID, *, reason: str, actor: str, scope: Scope = EVERYTHING
) -> Decision:
    """Lift an account's suspensions; stronger states of its licenses stay (K-13). Raises NotFound and BadInput."""
    why = said_why(reason)
    async with services.db.writing() as tx:
        await living(tx, customer_id, scope, lock=True)
        now = services.clock.now()
        policy = await accounts.terms_of(services, tx, customer_id)
        live = await suspensions.live_of(tx, customer_id, now)
        decision = decide_lift(len(live), why, policy, now)
        if decision.allowed:
            await suspensions.lift(tx, customer_id, at=now, by=actor)
            await accounts.spread(tx, services.policies, customer_id, now)
            payload = {"lifted": len(live)}
            await outbox.add(
                tx, kind=Effect.ACCOUNT_SUSPENSION_LIFTED, subject=str(customer_id), payload=payload, now=now
            )
        told = replace(decision, facts={**decision.facts, "customer": str(customer_id)})
        await audit.record(tx, told, actor=actor, action="account_lift")
    return decision


def _waits(row: SuspensionRow) -> bool:
    return row.approved_at is None and row.lifted_at is None


def _proposal(customer_id: UUID, asked: SuspensionAsked, policy: Policy, now: datetime) -> SuspensionRow:
    assert policy.account is not None, "the rule has looked"
    behavior = policy.account.behavior(asked.behavior)
    assert behavior is not None, "the rule has looked"
    return SuspensionRow(
        id=new_id(),
        customer_id=customer_id,
        behavior=behavior.code,
        severity=behavior.severity.value,
        fraud=behavior.fraud,
        evidence=asked.evidence.strip(),
        proposed_at=now,
        proposed_by=asked.actor,
    )


def _span(asked: SuspensionAsked, policy: Policy, now: datetime) -> tuple[datetime, datetime | None]:
    assert policy.account is not None, "the rule has looked"
    behavior = policy.account.behavior(asked.behavior)
    assert behavior is not None, "the rule has looked"
    span = span_of(behavior, asked.until, policy.account.suspension_grace, now)
    return span.stops_at, span.until
