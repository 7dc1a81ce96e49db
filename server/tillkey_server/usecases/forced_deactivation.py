"""An agent frees a license whose machine is gone (NX-08), within the limit that stops abuse (NX-09)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.errors import BadInput, BrokenInvariant
from tillkey_server.ids import new_id
from tillkey_server.rules.access import EVERYTHING, Scope
from tillkey_server.rules.decision import Decision
from tillkey_server.rules.forced_deactivation import ForcedFacts, ForcedKind, PastForced, decide
from tillkey_server.store import activations, audit, chains, forced, leases, licenses
from tillkey_server.store.activations import ActivationRow
from tillkey_server.store.chains import ChainRow
from tillkey_server.store.licenses import LicenseRow
from tillkey_server.usecases.answers import RefusalAnswer, refusal_of
from tillkey_server.usecases.seen import activation_of
from tillkey_server.usecases.services import Services

MAX_EVIDENCE = 2000


@dataclass(frozen=True, slots=True)
class ForcedDone:
    """What was freed.

    `remaining` is how many are left in the window, `lease_ends_at` until when the old till may work on.
    """

    activation_id: UUID
    license_id: UUID
    remaining: int
    lease_ends_at: datetime | None
    decision: Decision


async def force_deactivate(
    services: Services,
    activation_id: UUID,
    *,
    actor: str,
    reason: str,
    confirm: bool = False,
    vendor_fault: bool = False,
    force_majeure: bool = False,
    override_reason: str | None = None,
    evidence: str | None = None,
    scope: Scope = EVERYTHING,
) -> ForcedDone | RefusalAnswer:
    """End an activation from the vendor's side.

    `confirm` says so a second time for an installation seen lately; `vendor_fault` and `force_majeure` meet no limit;
    `override_reason` is a supervisor's; `evidence` shows that the machine is gone, and is kept with the act alone: not
    in the audit log, which is never erased. Raises NotFound, and BadInput for evidence that is too long.
    """
    shown_by = _shown_by(evidence)
    async with services.db.writing() as tx:
        license_row, named, chain = await held_still(tx, activation_id, scope)
        now = services.clock.now()
        policy = await services.policies.of(tx, license_row.policy_ref)
        facts = ForcedFacts(
            ended=not named.active,
            last_seen_at=chain.last_seen_at,
            past=await past_of(tx, license_row.id),
            reason=reason,
            confirm=confirm,
            fault_vendor=vendor_fault,
            force_majeure=force_majeure,
            override_reason=override_reason,
            environment=named.environment,
            has_evidence=shown_by is not None,
        )
        decision = decide(facts, policy, now)
        await audit.record(
            tx, decision, actor=actor, action="force_deactivate", license_id=license_row.id, activation_id=named.id
        )
        if not decision.allowed:
            return refusal_of(decision)
        await activations.end(tx, [named.id], at=now, reason="forced")
        await note(tx, facts, decision, named, license_id=license_row.id, actor=actor, evidence=shown_by)
        tip = await leases.by_seq(tx, named.id, chain.seq)
    return ForcedDone(named.id, license_row.id, remaining(decision), None if tip is None else tip.exp, decision)


def _shown_by(evidence: str | None) -> str | None:
    if evidence is not None and len(evidence) > MAX_EVIDENCE:
        raise BadInput("evidence", f"must be at most {MAX_EVIDENCE} characters")
    return (evidence or "").strip() or None


async def held_still(
    tx: AsyncConnection, activation_id: UUID, scope: Scope
) -> tuple[LicenseRow, ActivationRow, ChainRow]:
    """Return an activation with its license and its chain, all locked. Raises NotFound, for what is not seen too."""
    named = await activation_of(tx, activation_id, scope)
    await licenses.by_id(tx, named.license_id, lock=True)
    await chains.hold_still(tx, named.license_id)
    # Read again under the locks: it may have ended, or its license have got another owner, meanwhile.
    named = await activation_of(tx, activation_id, scope)
    license_row = await licenses.by_id(tx, named.license_id)
    chain = await chains.get(tx, activation_id)
    if license_row is None or chain is None:
        raise BrokenInvariant(f"activation {activation_id} has no license or no chain")
    return license_row, named, chain


async def past_of(tx: AsyncConnection, license_id: UUID) -> tuple[PastForced, ...]:
    """Return what was granted on a license before, for the limit."""
    return tuple(PastForced(row.at, row.counted) for row in await forced.past(tx, license_id))


async def note(
    tx: AsyncConnection,
    facts: ForcedFacts,
    decision: Decision,
    freed: ActivationRow | None = None,
    *,
    license_id: UUID,
    actor: str,
    evidence: str | None = None,
) -> None:
    """Record a granted forced deactivation or ticket, from which the next one is counted."""
    row = forced.ForcedRow(
        id=new_id(),
        license_id=license_id,
        activation_id=None if freed is None else freed.id,
        kind=ForcedKind(facts.kind).value,
        at=decision.evaluated_at,
        actor=actor,
        reason=facts.reason.strip(),
        vendor_fault=facts.fault_vendor,
        override_reason=facts.override_reason if decision.facts["override"] else None,
        counted=bool(decision.facts["counted"]),
        evidence=evidence,
    )
    await forced.insert(tx, row)


def remaining(decision: Decision) -> int:
    """Return how many are left after this one, which every answer shows."""
    return _number(decision, "remaining")


def _number(decision: Decision, name: str) -> int:
    value = decision.facts[name]
    if not isinstance(value, int):
        raise BrokenInvariant(f"the fact {name} is no number")
    return value
