"""Moving a license to another machine by ticket (NX-04), asked by its holder or made by an agent."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey.wire.fields import ENVIRONMENTS
from tillkey.wire.request import Move, Request
from tillkey_server.crash_points import reach
from tillkey_server.errors import BadInput, BrokenInvariant
from tillkey_server.ids import new_id
from tillkey_server.rules.access import EVERYTHING, Scope
from tillkey_server.rules.activation import slot_of
from tillkey_server.rules.chain import Op
from tillkey_server.rules.decision import Decision, Refusal
from tillkey_server.rules.forced_deactivation import ForcedFacts, ForcedKind, decide
from tillkey_server.rules.move import decide_move, ticket_end
from tillkey_server.rules.policy import Policy
from tillkey_server.store import activations, audit, leases, tickets
from tillkey_server.store.tickets import TicketRow
from tillkey_server.usecases.answers import Answer, RefusalAnswer, refusal_of
from tillkey_server.usecases.chain import Refused, finish, judged
from tillkey_server.usecases.forced_deactivation import note, past_of, remaining
from tillkey_server.usecases.seen import license_of
from tillkey_server.usecases.services import Services, settled
from tillkey_server.usecases.steps import Step


@dataclass(frozen=True, slots=True)
class IssuedTicket:
    """A ticket made by an agent, shown once.

    `remaining` is how many such acts are left in the window, `lease_ends_at` until when a machine that holds the
    license and cannot be reached may work on.
    """

    ticket: str = field(repr=False)
    license_id: UUID
    environment: str
    expires_at: datetime
    remaining: int
    lease_ends_at: datetime | None
    decision: Decision


async def move(services: Services, request: Request) -> Answer:
    """Give the holder a ticket for `environment` and its next lease; it keeps the license until the ticket is used.

    The same request again gives the same ticket, since it is derived from the step.
    """
    body = request.body
    if not isinstance(body, Move):
        raise BrokenInvariant(request.op)

    async def attempt() -> Step | Refused | None:
        now = services.clock.now()
        async with services.db.writing() as tx:
            found = await judged(services, tx, request, UUID(body.activation), Op.MOVE, body.nonce, now)
            if isinstance(found, Step):
                found = await _with_ticket(services, tx, request, body, found, now)
            reach("before_commit")
            return found

    return finish(services, request, await settled(attempt))


async def issue_move_ticket(
    services: Services,
    license_id: UUID,
    *,
    actor: str,
    reason: str,
    environment: str = "production",
    vendor_fault: bool = False,
    force_majeure: bool = False,
    override_reason: str | None = None,
    scope: Scope = EVERYTHING,
) -> IssuedTicket | RefusalAnswer:
    """Make a ticket for a license whose machine no longer exists; counted like a forced deactivation (NX-09).

    Raises NotFound for the license and BadInput for the environment.
    """
    if environment not in ENVIRONMENTS:
        raise BadInput("environment", f"must be one of {', '.join(ENVIRONMENTS)}")
    asked = ForcedFacts(
        ended=False,
        last_seen_at=None,
        past=(),
        reason=reason,
        fault_vendor=vendor_fault,
        force_majeure=force_majeure,
        override_reason=override_reason,
        kind=ForcedKind.MOVE_TICKET,
        environment=environment,
    )
    now, ticket = services.clock.now(), services.pepper.new_ticket()
    async with services.db.writing() as tx:
        policy = await services.policies.of(tx, (await license_of(tx, license_id, scope, lock=True)).policy_ref)
        facts = await _known(tx, license_id, environment, policy, asked)
        decision = decide(facts, policy, now)
        await audit.record(tx, decision, actor=actor, action="move_ticket", license_id=license_id)
        if not decision.allowed:
            return refusal_of(decision, detail=_detail(decision))
        expires_at = ticket_end(policy, now)
        hashed = services.pepper.hash_ticket(ticket)
        made = TicketRow(new_id(), license_id, environment, hashed, None, None, now, expires_at, actor)
        await tickets.insert(tx, made)
        await note(tx, facts, decision, license_id=license_id, actor=actor)
        lease_ends_at = await leases.latest_exp_of_license(tx, license_id)
    return IssuedTicket(ticket, license_id, environment, expires_at, remaining(decision), lease_ends_at, decision)


def _detail(decision: Decision) -> str:
    """Return what to do about a seat that a ticket cannot release; empty where the code says it all."""
    held_in = decision.facts.get("held_in")
    if decision.code is not Refusal.NOT_ACTIVE or held_in is None:
        return ""
    return f"The license is held in {held_in}: use `activation force-deactivate`, a ticket is not needed there."


async def _known(
    tx: AsyncConnection, license_id: UUID, environment: str, policy: Policy, asked: ForcedFacts
) -> ForcedFacts:
    """Add what is on record: whom the ticket could release, when that was heard of, and what was granted before.

    A ticket releases who holds the seat of its environment in another one (`rules.move`); where nobody does, it would
    be counted and help nobody.
    """
    slot = slot_of(environment, policy)
    held = await activations.holders(tx, license_id)
    in_seat = [one for one in held if one.activation.slot == slot]
    freed = [one for one in in_seat if one.activation.environment != environment]
    held_in = in_seat[0].activation.environment if in_seat and not freed else None
    return replace(
        asked,
        ended=not freed,
        held_in=held_in,
        last_seen_at=max((one.last_seen_at for one in freed), default=None),
        past=await past_of(tx, license_id),
    )


async def _with_ticket(
    services: Services, tx: AsyncConnection, request: Request, body: Move, step: Step, now: datetime
) -> Step | Refused:
    ground = step.ground
    decision = decide_move(
        ground.license.facts,
        holder_environment=ground.activation.environment,
        environment=body.environment,
        policy=ground.policy,
        now=now,
    )
    if not decision.allowed:
        return Refused(decision, ground.activation.id)
    ticket = services.pepper.ticket(ground.activation.id, step.seq, step.rid)
    row = TicketRow(
        id=new_id(),
        license_id=ground.license.id,
        environment=body.environment,
        ticket_hash=services.pepper.hash_ticket(ticket),
        activation_id=ground.activation.id,
        step_seq=step.seq,
        created_at=now,
        expires_at=ticket_end(ground.policy, now),
        issued_by=f"till:{request.jkt}",
    )
    if await tickets.insert_if_absent(tx, row):
        await audit.record(
            tx,
            decision,
            actor=f"till:{request.jkt}",
            action="move",
            license_id=ground.license.id,
            activation_id=ground.activation.id,
        )
    return replace(step, ticket=ticket)
