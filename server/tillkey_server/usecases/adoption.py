"""A till shows a lease that the server lost in a restore or a failover (PROTOCOL section 5, I20).

The lease is adopted: same activation id, `seq` one above. Nobody is blamed; a person is told by the log, the audit
and the chain's events. Where another activation holds the license by then, the lease that was made later stays.
"""

from __future__ import annotations

import logging
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey.wire.answers import Lease
from tillkey.wire.request import Activate, Request
from tillkey_server.clock import from_epoch
from tillkey_server.rules import adoption as rule
from tillkey_server.rules import binding
from tillkey_server.rules.activation import slot_of
from tillkey_server.rules.chain import Op, Presented, judge, lease_stays
from tillkey_server.rules.decision import Decision, Refusal
from tillkey_server.rules.installation import blocked, in_use
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.project import normal_name
from tillkey_server.rules.standing import refuse, standing
from tillkey_server.store import activations, chains, installations, leases, licenses, projects
from tillkey_server.store.activations import ActivationRow
from tillkey_server.store.installations import InstallationRow
from tillkey_server.store.leases import LeaseRow
from tillkey_server.store.licenses import LicenseRow
from tillkey_server.store.projects import ProjectRow
from tillkey_server.usecases.chain import Refused, audited
from tillkey_server.usecases.services import Raced
from tillkey_server.usecases.steps import Ground, Step, first_step, note

log = logging.getLogger(__name__)


async def adopt(
    tx: AsyncConnection,
    request: Request,
    body: Activate,
    lease: Lease,
    row: LicenseRow,
    policy: Policy,
    now: datetime,
) -> Step | Refused:
    """Take up an activation that the database does not know, from its genuine lease. The license row is locked."""
    lease_id = UUID(lease.sub)
    refusal = await _refusal(tx, request, row, policy, now)
    refusal = refusal or await _bound_elsewhere(tx, body, lease, row, policy, now)
    if refusal is not None:
        await audited(tx, request, refusal, row.id, lease_id)
        return Refused(refusal, lease_id)
    if await leases.by_rid(tx, request.jkt, request.rid) is not None:
        # It made a step of another activation: the adoption's own replay finds its activation on record.
        return Refused(Refusal.STALE_REQUEST, lease_id)
    rivals = await _rivals(tx, request, lease, row, policy)
    for rival in rivals:
        if not lease_stays(from_epoch(lease.iat), await _latest(tx, rival)):
            return await _lost(tx, request, lease, Ground(rival, row, policy, lease.aud), now)
    await _record_key(tx, request, row, now)
    await activations.end(tx, [rival.id for rival in rivals], at=now, reason="conflict", superseded_by=lease_id)
    fresh = await _row(tx, request, body, lease, row, policy, now)
    ground = Ground(fresh, row, policy, lease.aud)
    await activations.insert(tx, fresh)
    if binding.binds(row.project_id, fresh.environment, policy.activation):
        await licenses.bind(tx, row.id, fresh.project_id, now)
    decision = rule.adopted(from_epoch(lease.iat), [rival.id for rival in rivals], policy, now)
    await audited(tx, request, decision, row.id, fresh.id)
    verdict = judge(None, Presented(Op.ACTIVATE, fresh.id, lease.nonce, lease.seq), None, None)
    step = await first_step(tx, ground, request, now, verdict.seq or lease.seq + 1)
    await remember(tx, fresh, lease)
    await note(tx, ground, "conflict" if rivals else "adopted", step.seq, now, "activation unknown to the database")
    log.error("history was lost: activation %s is unknown and was adopted from its lease", fresh.id)
    return step


async def remember(tx: AsyncConnection, activation: ActivationRow, lease: Lease) -> None:
    """Record the step of a lease that history had lost, so that its nonce is known from now on.

    Where another step took its number or its `rid` since, the record stays as it is: the nonce is adopted again then.
    """
    taken = await leases.by_seq(tx, activation.id, lease.seq) or await leases.by_rid(tx, activation.jkt, lease.rid)
    if taken is not None:
        return
    row = LeaseRow(
        activation_id=activation.id,
        seq=lease.seq,
        jkt=activation.jkt,
        rid=lease.rid,
        op=Op.ACTIVATE.value,
        license_key_given=False,
        created=False,
        nonce=lease.nonce,
        issued_at=from_epoch(lease.iat),
        soft_exp=from_epoch(lease.soft_exp),
        exp=from_epoch(lease.exp),
    )
    await leases.insert(tx, row)


async def _refusal(
    tx: AsyncConnection, request: Request, row: LicenseRow, policy: Policy, now: datetime
) -> Decision | None:
    """Return what speaks against this license or this key, before the lease is looked at."""
    how = standing(row.facts, policy, now)
    if how.refusal is not None:
        return refuse(how, row.facts, policy, now)
    installation = await installations.get(tx, request.jkt, lock=True)
    if installation is not None and installation.blocked_at is not None:
        return blocked(installation.blocked_at, policy, now)
    held = await activations.active_of_key(tx, request.jkt, row.product_id)
    foreign = installation is not None and installation.customer_id != row.customer_id
    if not foreign and (held is None or held.license_id == row.id):
        return None
    return in_use(policy, now, other_customer=foreign)


async def _bound_elsewhere(
    tx: AsyncConnection, body: Activate, lease: Lease, row: LicenseRow, policy: Policy, now: datetime
) -> Decision | None:
    """Return the no to a license that belongs to another project for good by now (NX-06); a person is told."""
    known = await _known_project(tx, body, lease, row)
    decision = rule.bound_elsewhere(row.project_id, row.bound_at, None if known is None else known.id, policy, now)
    if decision is not None:
        log.error("history was lost: activation %s came back to a license of another project", lease.sub)
    return decision


async def _known_project(tx: AsyncConnection, body: Activate, lease: Lease, row: LicenseRow) -> ProjectRow | None:
    """Return the lease's project, by its id or, where that was lost, by its name."""
    known = await projects.by_id(tx, UUID(lease.project))
    if known is not None and known.customer_id == row.customer_id:
        return known
    name = "" if body.project is None else body.project.name
    return await projects.by_any_name(tx, row.customer_id, normal_name(name))


async def _record_key(tx: AsyncConnection, request: Request, row: LicenseRow, now: datetime) -> None:
    """Record the installation, if it was lost too. Raises Raced where its key went to another customer meanwhile."""
    await installations.insert_if_absent(tx, InstallationRow(request.jkt, row.customer_id, now))
    held = await installations.get(tx, request.jkt)
    if held is None or held.customer_id != row.customer_id:
        raise Raced(request.jkt)


async def _rivals(
    tx: AsyncConnection, request: Request, lease: Lease, row: LicenseRow, policy: Policy
) -> tuple[ActivationRow, ...]:
    """Return who holds the slot, or the key, by now."""
    slot = slot_of(lease.environment, policy)
    held = await activations.active_of_license(tx, row.id)
    return tuple(one for one in held if one.slot == slot or one.jkt == request.jkt)


async def _latest(tx: AsyncConnection, rival: ActivationRow) -> datetime:
    """Return when a holder's last lease was made."""
    chain = await chains.get(tx, rival.id, lock=True)
    tip = None if chain is None else await leases.by_seq(tx, rival.id, chain.seq)
    return rival.started_at if tip is None else tip.issued_at


async def _lost(tx: AsyncConnection, request: Request, lease: Lease, holder: Ground, now: datetime) -> Refused:
    """Somebody else holds the license by a later lease: this one is superseded, and a person is told."""
    decision = rule.superseded(holder.activation.started_at, holder.policy, now)
    await audited(tx, request, decision, holder.license.id, UUID(lease.sub))
    await note(tx, holder, "conflict", 0, now, f"activation {lease.sub} came back from a lost history")
    log.error("history was lost: activation %s came back to a license that is held", lease.sub)
    return Refused(decision, UUID(lease.sub))


async def _row(
    tx: AsyncConnection,
    request: Request,
    body: Activate,
    lease: Lease,
    row: LicenseRow,
    policy: Policy,
    now: datetime,
) -> ActivationRow:
    site = None if body.project is None else body.project.site
    project = await _project(tx, body, lease, row, now)
    return ActivationRow(
        id=UUID(lease.sub),
        license_id=row.id,
        product_id=row.product_id,
        project_id=project.id,
        jkt=request.jkt,
        environment=lease.environment,
        slot=slot_of(lease.environment, policy),
        fingerprint=dict(body.fingerprint),
        app_version=body.app_version,
        platform_version=body.platform_version,
        site=site,
        started_at=now,
    )


async def _project(tx: AsyncConnection, body: Activate, lease: Lease, row: LicenseRow, now: datetime) -> ProjectRow:
    """Return the lease's project, made again with its id where it was lost too."""
    known = await _known_project(tx, body, lease, row)
    if known is not None:
        return known
    name = "" if body.project is None else body.project.name.strip()
    name = name or f"project {lease.project[:8]}"
    site = None if body.project is None else body.project.site
    lost = ProjectRow(UUID(lease.project), row.customer_id, name, normal_name(name), site, now)
    return await projects.ensure(tx, lost)
