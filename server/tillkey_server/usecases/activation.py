"""A till takes a license into use: with its key, or with the last lease that it holds (`rebind`).

One transaction locks the license row, reads all that decides, asks the rule and writes what it grants; the database's
partial unique indexes would refuse a second holder even without the lock (law 6).
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey.wire.errors import WireError
from tillkey.wire.license_key import normalize
from tillkey.wire.request import Activate, Request
from tillkey_server.crash_points import reach
from tillkey_server.errors import BrokenInvariant
from tillkey_server.ids import new_id
from tillkey_server.rules.activation import Action, ActivationDecision, decide_activation
from tillkey_server.rules.chain import Op, Presented, Row, judge, judge_rid
from tillkey_server.rules.decision import Refusal
from tillkey_server.rules.project import UNNAMED, normal_name
from tillkey_server.rules.rate import ACTIVATIONS, LICENSE_KEY_GUESSES
from tillkey_server.rules.standing import OF_STANDING
from tillkey_server.store import activations, chains, installations, leases, licenses, projects, tickets
from tillkey_server.store.activations import ActivationRow
from tillkey_server.store.installations import InstallationRow
from tillkey_server.store.projects import ProjectRow
from tillkey_server.usecases import rate
from tillkey_server.usecases.after_refund import notice_use
from tillkey_server.usecases.answers import Answer, RefusalAnswer
from tillkey_server.usecases.chain import Refused, Unknown, audited, facts_of, finish, seen_of
from tillkey_server.usecases.facts import Gathered, gather
from tillkey_server.usecases.rebind import rebind
from tillkey_server.usecases.services import Raced, Services, settled
from tillkey_server.usecases.steps import Ground, Step, first_step, must_step, same_step

_END_REASONS = {Action.MOVE_IN_PLACE: "moved", Action.MOVE_WITH_TICKET: "moved", Action.REATTACH: "reinstalled"}


async def activate(services: Services, request: Request, address: str = "") -> Answer:
    """Answer an `activate` with the first lease, with the next one of what is held already, or with a refusal.

    `address` is where it comes from: unknown license keys are counted by it.
    """
    body = request.body
    if not isinstance(body, Activate):
        raise BrokenInvariant(request.op)
    if body.lease is not None:
        return finish(services, request, await settled(lambda: rebind(services, request, body)))
    found = await settled(lambda: _with_key(services, request, body))
    if isinstance(found, Unknown):
        wait = await rate.take(services, LICENSE_KEY_GUESSES, rate.site_of(address))
        if wait:
            return rate.refused(services, wait)
    return found if isinstance(found, RefusalAnswer) else finish(services, request, found)


async def _with_key(services: Services, request: Request, body: Activate) -> Step | Refused | Unknown | RefusalAnswer:
    async with services.db.writing() as tx:
        found = await _named(services, tx, request, body)
        if isinstance(found, Unknown):
            return found
        row, code = found
        wait = await rate.take_in(services, tx, ACTIVATIONS, str(row.id))
        if wait:
            return rate.refused(services, wait)
        holders = await activations.holders(tx, row.id, lock=True)
        now = services.clock.now()
        policy = await services.policies.of(tx, row.policy_ref)
        own = next((one.activation for one in holders if one.activation.jkt == request.jkt), None)
        ground = None if own is None else Ground(own, row, policy, code)
        gathered = await gather(services, tx, row, policy, holders, body, request.jkt)
        decided = decide_activation(gathered.facts, policy, now)
        # A repetition gets the same step again, unless the license may not be used at all by now (I3).
        told = None if decided.decision.code in OF_STANDING else await _told_before(tx, request, ground, now)
        if told is not None:
            return told
        if decided.action is None:
            await audited(tx, request, decided.decision, row.id, None if own is None else own.id)
            await notice_use(tx, row.facts, policy, now, None if own is None else own.id)
            return Refused(decided.decision, None if own is None else own.id)
        if decided.action is Action.HELD and ground is not None:
            return await _held(tx, request, ground, decided, now)
        fresh = Ground(_row_of(request, body, gathered, row, decided), row, policy, code)
        return await _granted(tx, request, fresh, gathered, decided, now)


async def _named(
    services: Services, tx: AsyncConnection, request: Request, body: Activate
) -> tuple[licenses.LicenseRow, str] | Unknown:
    """Return the license that the key names, locked, and its product's code."""
    try:
        key = normalize(body.license_key or "")
    except WireError:
        row = None
    else:
        row = await licenses.by_key_hash(tx, services.pepper.hash_key(key), lock=True)
    product = await services.products.of(tx, body.product)
    if row is None or product is None or product.id != row.product_id:
        return Unknown(await installations.get(tx, request.jkt) is not None)
    return row, product.code


async def _told_before(
    tx: AsyncConnection, request: Request, ground: Ground | None, now: datetime
) -> Step | Refused | None:
    """Answer a `rid` that made a step before: the same step again, or `stale_request` (rules a and b)."""
    seen = await leases.by_rid(tx, request.jkt, request.rid)
    if seen is None:
        return None
    own = None if ground is None else ground.activation.id
    chain = None if own is None else await chains.get(tx, own, lock=True)
    verdict = judge_rid(
        None if chain is None else facts_of(chain), Presented(Op.ACTIVATE, own), seen_of(seen, chain, request)
    )
    if verdict is None or verdict.row is not Row.REPLAY or ground is None:
        return Refused(Refusal.STALE_REQUEST, own)
    return await same_step(tx, ground, seen, now)


async def _held(
    tx: AsyncConnection, request: Request, ground: Ground, decided: ActivationDecision, now: datetime
) -> Step:
    """The holder asked with its license key instead of its nonce: a fork and a step (PROTOCOL section 5)."""
    chain = await chains.get(tx, ground.activation.id, lock=True)
    if chain is None:
        msg = f"activation {ground.activation.id} has no chain"
        raise BrokenInvariant(msg)
    verdict = judge(facts_of(chain), Presented(Op.ACTIVATE, ground.activation.id), None, None)
    if decided.binds_project:
        await licenses.bind(tx, ground.license.id, ground.activation.project_id, now)
    await audited(tx, request, decided.decision, ground.license.id, ground.activation.id)
    step = await must_step(tx, ground, chain, request, verdict, now)
    reach("before_commit")
    return step


async def _released(
    tx: AsyncConnection, request: Request, fresh: ActivationRow, decided: ActivationDecision, now: datetime
) -> None:
    """End what gives way to a new activation; each one that was unseen is audited for itself (NX-50)."""
    unseen = [one.activation_id for one in decided.auto_releases]
    rest = [one for one in decided.releases if one not in unseen]
    if decided.action in _END_REASONS:
        reason = _END_REASONS[decided.action]
        await activations.end(tx, rest, at=now, reason=reason, superseded_by=fresh.id)
    await activations.end(tx, unseen, at=now, reason="unseen", superseded_by=fresh.id)
    for one in decided.auto_releases:
        await audited(tx, request, one.decision, fresh.license_id, one.activation_id)


async def _granted(
    tx: AsyncConnection,
    request: Request,
    ground: Ground,
    gathered: Gathered,
    decided: ActivationDecision,
    now: datetime,
) -> Step:
    """Write a new activation with all that goes with it: ends, binding, ticket, audit, first lease."""
    fresh, license_row = ground.activation, ground.license
    fresh_key = await installations.insert_if_absent(tx, InstallationRow(request.jkt, license_row.customer_id, now))
    if not fresh_key and not gathered.installation_known:
        raise Raced(request.jkt)
    await _released(tx, request, fresh, decided, now)
    if gathered.facts.project_id is None:
        project = ProjectRow(
            id=fresh.project_id,
            customer_id=license_row.customer_id,
            name=gathered.facts.project_name.strip() or UNNAMED,
            name_key=normal_name(gathered.facts.project_name) or UNNAMED,
            site=gathered.facts.site,
            created_at=now,
        )
        await projects.insert(tx, project)
    # Before anything else that a parallel winner would trip: its unique index is what `settled` knows to run again.
    await activations.insert(tx, fresh)
    if decided.binds_project:
        await licenses.bind(tx, license_row.id, fresh.project_id, now)
    if decided.uses_ticket and gathered.ticket is not None:
        await tickets.use(tx, gathered.ticket.id, at=now, used_by=fresh.id)
    await audited(tx, request, decided.decision, license_row.id, fresh.id)
    step = await first_step(tx, ground, request, now)
    reach("before_commit")
    return step


def _row_of(
    request: Request, body: Activate, gathered: Gathered, row: licenses.LicenseRow, decided: ActivationDecision
) -> ActivationRow:
    return ActivationRow(
        id=new_id(),
        license_id=row.id,
        product_id=row.product_id,
        project_id=gathered.facts.project_id or new_id(),
        jkt=request.jkt,
        environment=body.environment,
        slot=str(decided.decision.facts["slot"]),
        fingerprint=dict(body.fingerprint),
        app_version=body.app_version,
        platform_version=body.platform_version,
        site=gathered.facts.site,
        started_at=decided.decision.evaluated_at,
    )
