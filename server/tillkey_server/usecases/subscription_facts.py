"""Gathering what decides about a subscription, and what one of its periods costs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.errors import BadInput
from tillkey_server.money import Money
from tillkey_server.rules.access import Scope
from tillkey_server.rules.decision import Decision
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.renewal import Asked
from tillkey_server.rules.subscription import SubscriptionFacts, due_of
from tillkey_server.rules.term_policy import Clock
from tillkey_server.store import licenses, subscriptions
from tillkey_server.store.licenses import LicenseRow
from tillkey_server.store.products import ProductRow
from tillkey_server.store.subscriptions import DueRow, StandingRow, SubscriptionRow
from tillkey_server.usecases.renewal_facts import Gathered, governed, product_of
from tillkey_server.usecases.seen import license_of
from tillkey_server.usecases.services import Services


@dataclass(frozen=True, slots=True)
class Held:
    """A license with its subscription, if any, and what decides about it by the terms that it was sold under."""

    row: LicenseRow
    policy: Policy
    product: ProductRow
    subscription: SubscriptionRow | None
    facts: SubscriptionFacts | None
    renewals: tuple[DueRow, ...]


async def held_by(services: Services, tx: AsyncConnection, license_id: UUID, scope: Scope) -> Held:
    """Return a license's subscription, both locked with the product for a change. Raises NotFound."""
    return await held_still(services, tx, await license_of(tx, license_id, scope, lock=True))


async def held_still(services: Services, tx: AsyncConnection, row: LicenseRow) -> Held:
    """Return the subscription of a license that is locked, with the product that nobody retires meanwhile (BC-23)."""
    product = await product_of(tx, row, still=True)
    return await held_of(tx, row, product, await services.policies.of(tx, row.policy_ref))


async def held_of(tx: AsyncConnection, row: LicenseRow, product: ProductRow, policy: Policy) -> Held:
    """Return the subscription of a license that was sold under `policy`."""
    one = await subscriptions.open_of(tx, row.id)
    if one is None:
        return Held(row, policy, product, None, None, ())
    renewals = await subscriptions.renewals_of(tx, one.id)
    unpaid = next((due.due_at for due in renewals if due.order_line_id is None), None)
    held_since = await licenses.legal_hold_of(tx, row.customer_id)
    standing = StandingRow(one, row, product.offline_at, product.retired_at, held_since)
    return Held(row, policy, product, one, facts_of(standing, policy, unpaid), renewals)


def facts_of(standing: StandingRow, policy: Policy, unpaid_since: datetime | None = None) -> SubscriptionFacts:
    """Return a subscription as the rules take it; `unpaid_since` is when a renewal fell due that is not paid."""
    one, access = standing.subscription, paid_until(standing.license, policy)
    next_due_at = one.next_due_at
    if access is not None:
        # What was paid or paid back since the row was written goes before it, whenever the cancellation was told.
        next_due_at = max(next_due_at, due_of(access, policy.timezone))
    return SubscriptionFacts(
        license=standing.license.facts,
        months=one.months,
        next_period=one.next_period,
        next_due_at=next_due_at,
        cancelled_at=one.cancelled_at,
        cancel_reason=one.cancel_reason,
        unpaid_since=unpaid_since,
        access_until=access,
        offline_at=standing.offline_at,
        retired_at=standing.retired_at,
        held_since=standing.held_since,
    )


def quoted(services: Services, found: Gathered, months: int, due_at: datetime, now: datetime) -> Decision:
    """Return what a period's renewal would be that is paid on the day on which it is due."""
    return governed(services, found, Asked(due_at, months), now).quote


def following(quote: Decision, zone: ZoneInfo) -> datetime:
    """Return when the next renewal is due after one of this quote is paid."""
    return due_of(datetime.fromisoformat(str(quote.facts["until"])), zone)


def priced(quote: Decision, agreed: Money | None) -> Money:
    """Return what a period costs: by the terms where they name a price (BC-33), else what was agreed.

    Raises BadInput where there is neither.
    """
    minor = quote.facts.get("price_minor")
    if isinstance(minor, int):
        return Money(minor, str(quote.facts["currency"]))
    if agreed is None:
        raise BadInput("price", "is needed: the terms of the license name none")
    return agreed


def paid_until(row: LicenseRow, policy: Policy) -> datetime | None:
    """Return the end of what is paid for: of the first clock that a renewal extends and that has an end."""
    ends = {Clock.USE: row.use_until, Clock.UPDATES: row.updates_until, Clock.SUPPORT: row.support_until}
    clocks = (Clock.USE,) if policy.renewal is None else policy.renewal.extends
    return next((ends[clock] for clock in clocks if ends[clock] is not None), None)
