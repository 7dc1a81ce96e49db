"""What a suspended account writes on its licenses: a till's heartbeat reads its license's row alone (DESIGN section 8).

The customer's row is locked first, then its licenses by id, then their chains.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.rules.access import EVERYTHING
from tillkey_server.rules.account import Span, joined
from tillkey_server.rules.policy import Policy
from tillkey_server.store import chains, customers, licenses, suspensions
from tillkey_server.store.licenses import LicenseRow
from tillkey_server.usecases.pause import pause_clocks
from tillkey_server.usecases.policy_book import PolicyBook
from tillkey_server.usecases.services import Services


async def terms_of(services: Services, tx: AsyncConnection, customer_id: UUID) -> Policy:
    """Return the terms that an account is judged by.

    Those of the customer's newest license that speak about accounts; a customer without one is judged by what is
    offered today, the first by name that does. Terms that are silent where none speaks.
    """
    silent: Policy | None = None
    for row in reversed(await licenses.of_customer(tx, customer_id)):
        policy = await services.policies.of(tx, row.policy_ref)
        if policy.account is not None:
            return policy
        silent = silent or policy
    offered = [services.policies.offered(name) for name in services.policies.names()]
    speaking = next((one for one in offered if one.account is not None), offered[0])
    return silent or speaking


async def spread(tx: AsyncConnection, policies: PolicyBook, customer_id: UUID, now: datetime) -> tuple[LicenseRow, ...]:
    """Write an account's suspension on all of its licenses, or take it off; return them, locked.

    Every heartbeat that was judged before fails its step and is judged again (I3).
    """
    held = await licenses.of_customer(tx, customer_id, lock=True)
    span = await span_of_account(tx, customer_id, now)
    for row in held:
        await chains.hold_still(tx, row.id)
    for row in held:
        await _write(tx, policies, row, span, now)
    return held


async def span_for(tx: AsyncConnection, customer_id: UUID, now: datetime) -> Span | None:
    """Return how long the account is suspended of a customer who gets licenses; they have to say so.

    The customer's row is locked, so that no suspension comes in between.
    """
    await customers.seen(tx, customer_id, EVERYTHING, lock=True)
    return await span_of_account(tx, customer_id, now)


async def inherit(
    tx: AsyncConnection, policies: PolicyBook, gotten: Iterable[LicenseRow], customer_id: UUID, now: datetime
) -> None:
    """Write on licenses that a customer gets from another how the customer's account stands.

    In: the licenses as they are stored, locked.
    """
    span = await span_for(tx, customer_id, now)
    for row in gotten:
        await _write(tx, policies, row, span, now)


async def span_of_account(tx: AsyncConnection, customer_id: UUID, now: datetime) -> Span | None:
    """Return how long an account is suspended at an instant; None: it is not."""
    live = await suspensions.live_of(tx, customer_id, now)
    return joined(
        [
            Span(one.approved_at, one.stops_at, one.until)
            for one in live
            if one.approved_at is not None and one.stops_at is not None
        ]
    )


async def _write(tx: AsyncConnection, policies: PolicyBook, row: LicenseRow, span: Span | None, now: datetime) -> None:
    wanted = (None, None, None) if span is None else (span.at, span.stops_at, span.until)
    if (row.account_suspended_at, row.account_stops_at, row.account_suspended_until) != wanted:
        names = ("account_suspended_at", "account_stops_at", "account_suspended_until")
        await licenses.set_moments(tx, row.id, dict(zip(names, wanted, strict=True)))
    await pause_clocks(tx, policies, row, span, now)
