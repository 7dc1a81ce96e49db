"""A till keeps its lease alive (PROTOCOL section 5).

The plain step, which is nearly every heartbeat, takes three statements and no lock: read, compare-and-swap, write the
lease's row. Whatever else it may be, a replay, a fork, an unknown nonce, is judged again under the chain's lock.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.exc import IntegrityError

from tillkey.wire.request import Heartbeat, Request
from tillkey_server.crash_points import reach
from tillkey_server.errors import BrokenInvariant
from tillkey_server.rules.chain import ChainVerdict, Op, Row
from tillkey_server.store import activations
from tillkey_server.store.heartbeat import heartbeat_view
from tillkey_server.usecases.answers import Answer
from tillkey_server.usecases.chain import Refused, finish, ground_of, judged, refusal_before_chain
from tillkey_server.usecases.services import Services, settled
from tillkey_server.usecases.steps import Step, next_step


async def heartbeat(services: Services, request: Request) -> Answer:
    """Answer a heartbeat with the next lease, or with the statement that ends or steers.

    An activation that is not known, or is another key's, is `unknown_installation`.
    """
    body = request.body
    if not isinstance(body, Heartbeat):
        raise BrokenInvariant(request.op)
    try:
        found = await _plain(services, request, body)
    except IntegrityError:
        # The `rid` made a step before: it is told apart under the lock.
        found = None
    if found is None:
        found = await settled(lambda: _locked(services, request, body))
    return finish(services, request, found)


async def _plain(services: Services, request: Request, body: Heartbeat) -> Step | Refused | None:
    """Take the step of row c, or return None for whatever is not one."""
    now = services.clock.now()
    async with services.db.writing() as tx:
        view = await heartbeat_view(tx, UUID(body.activation))
        if view is None or view.activation.jkt != request.jkt or view.chain.nonce != body.nonce:
            return None
        ground = await ground_of(services, tx, view)
        refused = await refusal_before_chain(tx, ground, view.installation_blocked_at, now)
        if refused is not None:
            return refused
        if _drifted(view.activation, body):
            return None
        step = await next_step(tx, ground, view.chain, request, ChainVerdict(Row.STEP, view.chain.seq + 1), now)
        reach("before_commit")
        return step


async def _locked(services: Services, request: Request, body: Heartbeat) -> Step | Refused | None:
    now = services.clock.now()
    async with services.db.writing() as tx:
        found = await judged(services, tx, request, UUID(body.activation), Op.HEARTBEAT, body.nonce, now)
        if isinstance(found, Step) and _drifted(found.ground.activation, body):
            await activations.set_traits(
                tx, found.ground.activation.id, fingerprint=body.fingerprint, app_version=body.app_version
            )
        reach("before_commit")
        return found


def _drifted(held: activations.ActivationRow, body: Heartbeat) -> bool:
    """Tell whether the machine or its software changed since it was last written (X-06)."""
    return dict(held.fingerprint) != dict(body.fingerprint) or held.app_version != body.app_version
