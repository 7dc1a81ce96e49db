"""A step of a chain: what is written, and the lease that is signed from it (PROTOCOL section 5).

The row of a lease is committed before its signature exists, so a lease that the database does not know is impossible
(I4).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey.wire.request import Activate, Request
from tillkey_server.crash_points import reach
from tillkey_server.errors import Unavailable
from tillkey_server.ids import new_id, new_token
from tillkey_server.rules.chain import ChainVerdict
from tillkey_server.rules.lease import LeaseTimes, lease_times
from tillkey_server.rules.policy import Policy
from tillkey_server.signing.mint import LeaseContent
from tillkey_server.store import chain_events, chains, leases
from tillkey_server.store.activations import ActivationRow
from tillkey_server.store.chain_events import ChainEventRow
from tillkey_server.store.chains import ChainRow
from tillkey_server.store.leases import LeaseRow
from tillkey_server.store.licenses import LicenseRow
from tillkey_server.usecases.answers import LeaseAnswer
from tillkey_server.usecases.services import Services


@dataclass(frozen=True, slots=True)
class Ground:
    """What a step stands on: the activation, its license with the terms it was sold under, and the product's code."""

    activation: ActivationRow
    license: LicenseRow
    policy: Policy
    product_code: str


@dataclass(frozen=True, slots=True)
class Step:
    """A step that is written: all that its lease says."""

    ground: Ground
    seq: int
    nonce: str = field(repr=False)
    rid: str
    times: LeaseTimes
    created: bool
    ticket: str | None = field(default=None, repr=False)


async def first_step(tx: AsyncConnection, ground: Ground, request: Request, now: datetime, seq: int = 1) -> Step:
    """Begin the chain of a new activation."""
    step = _step(ground, request, now, seq, created=True)
    await chains.insert(tx, ChainRow(ground.activation.id, seq, step.nonce, request.rid, now))
    await leases.insert(tx, _row(step, request))
    return step


async def next_step(
    tx: AsyncConnection, ground: Ground, held: ChainRow, request: Request, verdict: ChainVerdict, now: datetime
) -> Step | None:
    """Take the step that the chain's verdict asks for, with the fork and the switch it may be.

    Returns None where another step, an end or a suspension came first since `held` was read; then nothing is written.
    """
    step = _step(ground, request, now, verdict.seq or held.seq + 1, created=False)
    if not await chains.advance(tx, held, seq=step.seq, nonce=step.nonce, rid=request.rid, last_seen_at=now):
        return None
    await leases.insert(tx, _row(step, request))
    if verdict.consumed is not None:
        await leases.set_nonce_state(tx, held.activation_id, verdict.consumed, "consumed")
    if verdict.tombstone is not None:
        await leases.set_nonce_state(tx, held.activation_id, verdict.tombstone, "tombstone")
    if verdict.fork:
        await note(tx, ground, "fork", step.seq, now, request.op)
    if verdict.switch:
        await note(tx, ground, "switch", step.seq, now, request.op)
    return step


async def must_step(
    tx: AsyncConnection, ground: Ground, held: ChainRow, request: Request, verdict: ChainVerdict, now: datetime
) -> Step:
    """Take a step from a chain whose row is locked. Raises Unavailable where the lock did not hold."""
    step = await next_step(tx, ground, held, request, verdict, now)
    if step is None:
        msg = "the chain moved under its lock"
        raise Unavailable(msg)
    return step


async def same_step(tx: AsyncConnection, ground: Ground, row: LeaseRow, now: datetime) -> Step:
    """Answer a known step again: same `seq` and `nonce`, the times of now (PROTOCOL section 5, rule a).

    It writes, since the row that was found might not have been replicated: "done" is said only after a write of its
    own.
    """
    times = lease_times(ground.license.facts, ground.policy, now)
    await leases.restamp(tx, row.activation_id, row.seq, issued_at=times.iat, soft_exp=times.soft_exp, exp=times.exp)
    await chains.heard_of(tx, row.activation_id, now)
    return Step(ground, row.seq, row.nonce, row.rid, times, row.created)


async def note(tx: AsyncConnection, ground: Ground, kind: str, seq: int, now: datetime, detail: str) -> None:
    """Record what the chain showed: `fork`, `switch`, `adopted` or `conflict`."""
    activation = ground.activation
    await chain_events.insert(tx, ChainEventRow(new_id(), activation.id, activation.license_id, kind, now, seq, detail))


def answer(services: Services, request: Request, step: Step) -> LeaseAnswer:
    """Sign the lease of a committed step; to be called after the transaction."""
    reach("after_commit")
    ground = step.ground
    content = LeaseContent(
        activation=ground.activation.id,
        product=ground.product_code,
        project=ground.activation.project_id,
        environment=ground.activation.environment,
        license=ground.license.facts,
        policy=ground.policy,
        times=step.times,
        seq=step.seq,
        nonce=step.nonce,
    )
    lease = services.mint.lease(request, content)
    reach("after_signing")
    return LeaseAnswer(lease, step.created, step.ticket)


def _step(ground: Ground, request: Request, now: datetime, seq: int, *, created: bool) -> Step:
    return Step(ground, seq, new_token(), request.rid, lease_times(ground.license.facts, ground.policy, now), created)


def _row(step: Step, request: Request) -> LeaseRow:
    body = request.body
    return LeaseRow(
        activation_id=step.ground.activation.id,
        seq=step.seq,
        jkt=request.jkt,
        rid=request.rid,
        op=request.op,
        license_key_given=isinstance(body, Activate) and body.license_key is not None,
        created=step.created,
        nonce=step.nonce,
        issued_at=step.times.iat,
        soft_exp=step.times.soft_exp,
        exp=step.times.exp,
    )
