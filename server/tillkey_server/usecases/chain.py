"""Judging a request by the chain under its lock, and answering what came of it; shared by all that take steps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey.wire.request import Activate, Request
from tillkey_server.rules.chain import (
    ChainFacts,
    ChainVerdict,
    IssuedNonce,
    NonceState,
    Op,
    Presented,
    Row,
    SeenRid,
    judge,
)
from tillkey_server.rules.decision import Decision, Refusal
from tillkey_server.rules.installation import blocked
from tillkey_server.rules.release import EndFacts, EndReason, decide_continue
from tillkey_server.store import audit, chains, leases
from tillkey_server.store.activations import ActivationRow
from tillkey_server.store.chains import ChainRow
from tillkey_server.store.heartbeat import HeartbeatView, heartbeat_view
from tillkey_server.store.leases import LeaseRow
from tillkey_server.usecases.after_refund import notice_use
from tillkey_server.usecases.answers import Answer
from tillkey_server.usecases.refusing import license_invalid, signed, steer, unknown_installation
from tillkey_server.usecases.services import Services
from tillkey_server.usecases.steps import Ground, Step, answer, must_step, same_step


@dataclass(frozen=True, slots=True)
class Refused:
    """A no that is to be signed after the transaction: a rule's decision, or the code that steers the SDK."""

    why: Decision | Refusal
    activation_id: UUID | None


@dataclass(frozen=True, slots=True)
class Unknown:
    """A license key or lease that is no license here; signed only to an installation that is known."""

    installation_known: bool


def finish(services: Services, request: Request, found: Step | Refused | Unknown | None) -> Answer:
    """Sign what a transaction that is over found; None: no such activation of this installation."""
    if isinstance(found, Step):
        return answer(services, request, found)
    if found is None:
        return unknown_installation()
    if isinstance(found, Unknown):
        return license_invalid(services, request, installation_known=found.installation_known)
    if isinstance(found.why, Refusal):
        return steer(services, request, found.why, sub=found.activation_id)
    return signed(services, request, found.why, sub=found.activation_id)


async def ground_of(services: Services, tx: AsyncConnection, view: HeartbeatView) -> Ground:
    """Put what one statement read together with the license's terms."""
    policy = await services.policies.of(tx, view.license.policy_ref)
    return Ground(view.activation, view.license, policy, view.product_code)


def end_of(activation: ActivationRow) -> EndFacts:
    """Return whether and why an activation ended, as the rule takes it."""
    reason = None if activation.end_reason is None else EndReason(activation.end_reason)
    return EndFacts(activation.ended_at, reason)


async def refusal_before_chain(
    tx: AsyncConnection, ground: Ground, blocked_at: datetime | None, now: datetime
) -> Refused | None:
    """Return the no that comes before the chain, whatever the `rid`: an end, a suspension, a blocked key.

    A till that is refused while its activation lives was heard of, and is not one that nobody sees (NX-08, NX-50).
    """
    decision = decide_continue(end_of(ground.activation), ground.license.facts, ground.policy, now)
    if decision.allowed and blocked_at is not None:
        decision = blocked(blocked_at, ground.policy, now)
    if decision.allowed:
        return None
    if ground.activation.active:
        await chains.heard_of(tx, ground.activation.id, now)
    await notice_use(tx, ground.license.facts, ground.policy, now, ground.activation.id)
    return Refused(decision, ground.activation.id)


async def judged(
    services: Services, tx: AsyncConnection, request: Request, activation_id: UUID, op: Op, nonce: str, now: datetime
) -> Step | Refused | None:
    """Judge a heartbeat or a move by the table of PROTOCOL section 5 and write what it asks for.

    Returns None for an activation that is not known or is another key's.
    """
    chain = await chains.get(tx, activation_id, lock=True)
    # Read after the lock, in a statement of its own: what a waiting lock returns is older than what it waited for.
    view = None if chain is None else await heartbeat_view(tx, activation_id)
    if view is None or view.activation.jkt != request.jkt:
        return None
    ground = await ground_of(services, tx, view)
    refused = await refusal_before_chain(tx, ground, view.installation_blocked_at, now)
    if refused is not None:
        return refused
    seen = await leases.by_rid(tx, request.jkt, request.rid)
    issued = await leases.by_nonce(tx, activation_id, nonce)
    verdict = judge(
        facts_of(view.chain),
        Presented(op, activation_id, nonce),
        seen_of(seen, view.chain, request),
        None if issued is None else IssuedNonce(NonceState(issued.nonce_state)),
    )
    return await carried_out(tx, ground, view.chain, request, verdict, seen, now)


async def carried_out(
    tx: AsyncConnection,
    ground: Ground,
    chain: ChainRow,
    request: Request,
    verdict: ChainVerdict,
    seen: LeaseRow | None,
    now: datetime,
) -> Step | Refused:
    """Write what a verdict asks for; the chain's row is locked."""
    if verdict.refusal is not None:
        return Refused(verdict.refusal, ground.activation.id)
    if verdict.row is Row.REPLAY and seen is not None:
        return await same_step(tx, ground, seen, now)
    return await must_step(tx, ground, chain, request, verdict, now)


def facts_of(chain: ChainRow) -> ChainFacts:
    """Return the chain's tip as the rule takes it."""
    return ChainFacts(chain.activation_id, chain.seq, chain.nonce)


def seen_of(seen: LeaseRow | None, chain: ChainRow | None, request: Request) -> SeenRid | None:
    """Return what is known of a request's `rid`, as the rule takes it."""
    if seen is None:
        return None
    is_last = chain is not None and seen.activation_id == chain.activation_id and seen.seq == chain.seq
    by_key = isinstance(request.body, Activate) and request.body.license_key is not None
    return SeenRid(is_last, seen.op, seen.activation_id, seen.license_key_given == by_key)


async def audited(
    tx: AsyncConnection, request: Request, decision: Decision, license_id: UUID, activation_id: UUID | None
) -> None:
    """Write a till's decision to the audit log, in its transaction (law 8)."""
    await audit.record(
        tx,
        decision,
        actor=f"till:{request.jkt}",
        action=request.op,
        license_id=license_id,
        activation_id=activation_id,
    )
