"""The terms of a license: what was paid for, folded, and kept with the license.

`license.use_until`, `updates_until` and `support_until` are the stored result of `rules.term.fold`. Whoever changes a
fact of it (a renewal, its refund, an early ending) calls `recompute` in the same transaction, under the license's lock.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.errors import BrokenInvariant
from tillkey_server.ids import new_id
from tillkey_server.rules.calendar import Wait
from tillkey_server.rules.order_line import TRIAL, LineKind, kind_of
from tillkey_server.rules.pause import pauses_clocks
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.term import Ending, History, Payment, Terms, imported, purchased, tried
from tillkey_server.rules.term_policy import Clock
from tillkey_server.store import licenses, orders, pauses, purchase_codes
from tillkey_server.store import terms as store
from tillkey_server.store.licenses import LicenseRow
from tillkey_server.store.orders import OrderLineRow, OrderRow
from tillkey_server.store.terms import EndingRow, TermRow
from tillkey_server.usecases.policy_book import PolicyBook

CARE = (Clock.UPDATES, Clock.SUPPORT)
"""The clocks of after-sales service; an early ending of it never ends the use (X-01)."""


@dataclass(frozen=True, slots=True)
class Bought:
    """What a license was bought by."""

    order: OrderRow
    line: OrderLineRow


@dataclass(frozen=True, slots=True)
class Recomputed:
    """A license after its clocks were folded anew, and the names of those that ran before and are over now."""

    license: LicenseRow
    terms: Terms
    ended: tuple[str, ...]


async def bought_by(tx: AsyncConnection, row: LicenseRow) -> Bought:
    """Return the order and the line that a license was issued for. Raises BrokenInvariant."""
    line = await orders.line(tx, row.order_line_id)
    order = None if line is None else await orders.by_id(tx, line.order_id)
    if line is None or order is None:
        raise BrokenInvariant(f"license {row.id} has no order")
    return Bought(order, line)


async def history_of(tx: AsyncConnection, row: LicenseRow, policy: Policy, bought: Bought) -> History:
    """Return all facts about the terms of a license sold under `policy` by what it was `bought` by.

    Its clocks begin where they were counted from when it was issued; rows of older code leave that to the payment.
    `bought` is what it was bought by, for whoever has read that.
    """
    start = row.clocks_from or bought.order.paid_at
    code = await purchase_codes.of_license(tx, row.id)
    if bought.order.channel == TRIAL:
        included = tried(start, policy)
    elif code is not None and bought.line.term_months is not None:
        included = imported(start, policy, bought.line.term_months, code.supported_until)
    else:
        included = purchased(start, policy, bought.line.term_months, await support_beside(tx, bought.line, policy))
    payments = tuple(_payment(one) for one in await store.of_license(tx, row.id))
    endings = tuple(_ending(one) for one in await store.endings_of(tx, row.id) if one.withdrawn_at is None)
    paused = await pauses.of_license(tx, row.id) if pauses_clocks(policy) else ()
    stretches = tuple(Wait(one.starts_at, one.ends_at) for one in paused)
    return History(included, payments, endings, policy.timezone, stretches)


async def support_beside(tx: AsyncConnection, line: OrderLineRow, policy: Policy) -> tuple[int | None, ...]:
    """Return the lengths of the support lines that were bought beside a product's line, None where one tells none.

    Nothing is read, and none returned, where the terms give no support for such a line.
    """
    if policy.terms is None or policy.terms.support_line_months is None:
        return ()
    beside = (one for one in await orders.lines_of(tx, line.order_id) if one.beside == line.position)
    return tuple(one.term_months for one in beside if kind_of(one.kind) is LineKind.SUPPORT)


async def terms_of(tx: AsyncConnection, row: LicenseRow, policy: Policy) -> Terms:
    """Return the folded clocks of a license sold under `policy`. Raises BrokenInvariant without an order."""
    return (await history_of(tx, row, policy, await bought_by(tx, row))).fold()


async def unlike_their_fold(tx: AsyncConnection, policies: PolicyBook, limit: int) -> tuple[UUID, ...]:
    """Return the licenses whose stored ends are not what their facts come to; none is right, of the newest `limit`.

    Only those with renewals, early endings or pauses are looked at: of all others the ends were written once.
    """
    found = []
    for license_id in await store.extended(tx, limit):
        row = await licenses.by_id(tx, license_id)
        if row is None:
            continue
        ends = (await terms_of(tx, row, await policies.of(tx, row.policy_ref))).ends
        if any(getattr(row, name) != end for name, end in ends.items()):
            found.append(license_id)
    return tuple(found)


async def recompute(tx: AsyncConnection, license_row: LicenseRow, policy: Policy, now: datetime) -> Recomputed:
    """Fold a license's clocks and write what differs, with the revisions of its chains (I3).

    In: the license's locked row, and the terms that it was sold under. Call it after every change of a fact.
    """
    terms = await terms_of(tx, license_row, policy)
    before = {name: getattr(license_row, name) for name in terms.ends}
    changed = {name: end for name, end in terms.ends.items() if end != before[name]}
    if changed:
        await licenses.set_moments(tx, license_row.id, changed)
    ended = tuple(name for name, end in changed.items() if _runs(before[name], now) and not _runs(end, now))
    ends = terms.ends
    after = replace(
        license_row,
        use_until=ends["use_until"],
        updates_until=ends["updates_until"],
        support_until=ends["support_until"],
    )
    return Recomputed(after, terms, ended)


async def end_early(
    tx: AsyncConnection,
    license_row: LicenseRow,
    policy: Policy,
    *,
    at: datetime,
    reason: str,
    now: datetime,
    clocks: Iterable[Clock] = CARE,
) -> Recomputed:
    """End clocks of a locked license before their time; `reason` is one of `store.term_tables.ENDING_REASONS`."""
    names = [clock.value for clock in clocks]
    await store.insert_ending(tx, EndingRow(new_id(), license_row.id, at, names, reason, now))
    return await recompute(tx, license_row, policy, now)


async def take_out(
    tx: AsyncConnection, license_row: LicenseRow, policy: Policy, *, line_id: UUID, refunded_at: datetime, now: datetime
) -> Recomputed:
    """Take the renewal that an order's line paid for out of a locked license's clocks, as if never paid."""
    await store.set_refunded(tx, line_id, refunded_at)
    return await recompute(tx, license_row, policy, now)


async def put_back(
    tx: AsyncConnection, license_row: LicenseRow, policy: Policy, *, line_id: UUID, now: datetime
) -> Recomputed:
    """Put a renewal back whose refund did not come to pass."""
    await store.set_refunded(tx, line_id, None)
    return await recompute(tx, license_row, policy, now)


def _payment(row: TermRow) -> Payment:
    clocks = frozenset(Clock(name) for name in row.clocks)
    return Payment(row.id, row.paid_at, row.months, clocks, row.refunded_at)


def _ending(row: EndingRow) -> Ending:
    return Ending(row.at, frozenset(Clock(name) for name in row.clocks))


def _runs(end: datetime | None, now: datetime) -> bool:
    return end is None or now < end
