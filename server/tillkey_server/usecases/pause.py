"""Pausing a license's clocks of support and refund while its account is suspended, where its terms do (NX-42)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.errors import BrokenInvariant
from tillkey_server.ids import new_id
from tillkey_server.rules.account import Span
from tillkey_server.rules.calendar import Wait
from tillkey_server.rules.pause import moved, paused_now, pauses_clocks
from tillkey_server.rules.policy import Policy
from tillkey_server.store import licenses, pauses
from tillkey_server.store.licenses import LicenseRow
from tillkey_server.store.pauses import PauseRow
from tillkey_server.usecases.policy_book import PolicyBook
from tillkey_server.usecases.terms import bought_by, recompute


async def pause_clocks(
    tx: AsyncConnection, policies: PolicyBook, row: LicenseRow, span: Span | None, now: datetime
) -> None:
    """Note that a locked license's account stands suspended or no more, and write the ends that its clocks come to."""
    policy = await policies.of(tx, row.policy_ref)
    if not pauses_clocks(policy):
        return
    known = await pauses.of_license(tx, row.id)
    last = next((one for one in known if one.ends_at is None or now < one.ends_at), None)
    wanted = paused_now(None if last is None else Wait(last.starts_at, last.ends_at), span, now)
    if wanted is None or (last is not None and last.ends_at == wanted.end):
        return
    if last is None:
        refund_until = known[0].refund_until if known else row.refund_until
        await pauses.insert(tx, PauseRow(new_id(), row.id, wanted.start, wanted.end, refund_until))
    else:
        await pauses.set_end(tx, last.id, wanted.end)
    await recompute(tx, row, policy, now)
    await _move_refund(tx, row, policy)


async def _move_refund(tx: AsyncConnection, row: LicenseRow, policy: Policy) -> None:
    known = await pauses.of_license(tx, row.id)
    if not known:
        raise BrokenInvariant(f"license {row.id} has no pause, though one was noted")
    plain = known[0].refund_until
    if plain is None:
        return
    start = row.clocks_from or (await bought_by(tx, row)).order.paid_at
    until = moved(plain, start, [Wait(one.starts_at, one.ends_at) for one in known], policy.timezone)
    if until != row.refund_until:
        await licenses.set_moments(tx, row.id, {"refund_until": until})
