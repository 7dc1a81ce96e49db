"""An `activate` with the last lease instead of the license key (PROTOCOL section 5).

The lease is decided by what the database knows of it: current, a step; issued earlier, a fork; unknown, the server
lost history (a restore, a failover) and adopts it, blames nobody and tells a person. Possession of the installation
key is proved by the request's own signature; a lease of another key proves nothing.
"""

from __future__ import annotations

import logging
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey.wire.answers import Lease, open_lease
from tillkey.wire.errors import WireError
from tillkey.wire.request import Activate, Request
from tillkey_server.crash_points import reach
from tillkey_server.errors import BrokenInvariant
from tillkey_server.rules.chain import IssuedNonce, NonceState, Op, Presented, Row, judge
from tillkey_server.store import activations, chains, installations, leases, licenses
from tillkey_server.usecases.adoption import adopt, remember
from tillkey_server.usecases.chain import (
    Refused,
    Unknown,
    carried_out,
    facts_of,
    refusal_before_chain,
    seen_of,
)
from tillkey_server.usecases.services import Services
from tillkey_server.usecases.steps import Ground, Step, note

log = logging.getLogger(__name__)


async def rebind(services: Services, request: Request, body: Activate) -> Step | Refused | Unknown:
    """Judge an `activate` that shows a lease; one that is not genuine, or not this key's, is `license_invalid`."""
    lease = _genuine(services, request, body)
    async with services.db.writing() as tx:
        installation = await installations.get(tx, request.jkt)
        row = None if lease is None else await licenses.by_id(tx, UUID(lease.license), lock=True)
        product = await services.products.of(tx, body.product)
        if lease is None or row is None or product is None or row.product_id != product.id:
            return Unknown(installation is not None)
        await chains.hold_still(tx, row.id)
        now = services.clock.now()
        policy = await services.policies.of(tx, row.policy_ref)
        held = await activations.by_id(tx, UUID(lease.sub))
        if held is None:
            found: Step | Refused | Unknown = await adopt(tx, request, body, lease, row, policy, now)
        elif held.jkt != request.jkt or held.license_id != row.id:
            found = Unknown(installation is not None)
        else:
            blocked_at = None if installation is None else installation.blocked_at
            found = await _known(tx, request, lease, Ground(held, row, policy, product.code), blocked_at, now)
        reach("before_commit")
        return found


def _genuine(services: Services, request: Request, body: Activate) -> Lease | None:
    """Return the lease shown, if one of our keys signed it for this installation and this product."""
    try:
        lease = open_lease(body.lease, services.keyring.keyset)
    except WireError:
        return None
    return lease if lease.jkt == request.jkt and lease.aud == body.product else None


async def _known(
    tx: AsyncConnection, request: Request, lease: Lease, ground: Ground, blocked_at: datetime | None, now: datetime
) -> Step | Refused:
    """The activation is on record: its end is told first, then its chain decides."""
    refused = await refusal_before_chain(tx, ground, blocked_at, now)
    if refused is not None:
        return refused
    chain = await chains.get(tx, ground.activation.id, lock=True)
    if chain is None:
        msg = f"activation {ground.activation.id} has no chain"
        raise BrokenInvariant(msg)
    seen = await leases.by_rid(tx, request.jkt, request.rid)
    issued = await leases.by_nonce(tx, ground.activation.id, lease.nonce)
    verdict = judge(
        facts_of(chain),
        Presented(Op.ACTIVATE, ground.activation.id, lease.nonce, lease.seq),
        seen_of(seen, chain, request),
        None if issued is None else IssuedNonce(NonceState(issued.nonce_state)),
    )
    step = await carried_out(tx, ground, chain, request, verdict, seen, now)
    if verdict.row is Row.ADOPT and isinstance(step, Step):
        await remember(tx, ground.activation, lease)
        await note(tx, ground, "adopted", step.seq, now, "lease unknown to the database")
        log.error(
            "history was lost: activation %s showed a lease that the database does not know", ground.activation.id
        )
    return step
