"""How an account stands: suspended, about to end, or neither (NX-37, NX-42)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.rules.access import EVERYTHING, Scope
from tillkey_server.rules.account import Leaving, decide_account, decide_erased
from tillkey_server.rules.decision import Decision, instant
from tillkey_server.store import suspensions, terminations
from tillkey_server.store.suspensions import SuspensionRow
from tillkey_server.usecases import accounts
from tillkey_server.usecases.answers import answered_of
from tillkey_server.usecases.seen import customer_of
from tillkey_server.usecases.services import Services
from tillkey_server.usecases.termination import VENDOR, decided_end


async def get_account(services: Services, customer_id: UUID, *, scope: Scope = EVERYTHING) -> dict[str, object]:
    """Return how a customer's account stands now, and what blocks its end. Raises NotFound."""
    async with services.db.reading() as tx:
        await customer_of(tx, customer_id, scope)
        now = services.clock.now()
        policy = await accounts.terms_of(services, tx, customer_id)
        known = await suspensions.of_customer(tx, customer_id)
        live = await suspensions.live_of(tx, customer_id, now)
        held = await terminations.open_of(tx, customer_id)
        stone = await terminations.stone_of(tx, customer_id)
        end = None if held is None else await decided_end(tx, held, policy, now)
    ended = None
    if held is not None:
        ended = {
            "by": held.ended_by,
            "behavior": held.behavior,
            "requested_at": instant(held.requested_at),
            "due_at": instant(held.due_at),
            "blocked": None if end is None or end.allowed else answered_of(end),
        }
    return {
        "customer_id": str(customer_id),
        "suspended": bool(live),
        "contact": None if policy.account is None else policy.account.contact,
        "suspensions": [_shown(one) for one in known],
        "termination": ended,
        "erased_at": None if stone is None else instant(stone.at),
    }


async def standing_of(services: Services, tx: AsyncConnection, customer_id: UUID, now: datetime) -> Decision:
    """Return whether an account is suspended, about to end or over, for whoever asks in a transaction of its own."""
    policy = await accounts.terms_of(services, tx, customer_id)
    stone = await terminations.stone_of(tx, customer_id)
    if stone is not None:
        return decide_erased(stone.at, policy, now)
    held = await terminations.open_of(tx, customer_id)
    leaving_ = None if held is None else Leaving(held.ended_by == VENDOR, held.behavior, held.due_at)
    return decide_account(await accounts.span_of_account(tx, customer_id, now), leaving_, policy, now)


def _shown(row: SuspensionRow) -> dict[str, object]:
    return {
        "behavior": row.behavior,
        "severity": row.severity,
        "fraud": row.fraud,
        "proposed_at": instant(row.proposed_at),
        "approved_at": instant(row.approved_at),
        "stops_at": instant(row.stops_at),
        "until": instant(row.until),
        "lifted_at": instant(row.lifted_at),
    }
