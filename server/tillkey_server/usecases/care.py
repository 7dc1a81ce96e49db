"""What a license's owner and an agent are shown of its terms: every paid segment, and whether care is active."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.errors import BrokenInvariant
from tillkey_server.money import Money
from tillkey_server.rules.access import EVERYTHING, Scope
from tillkey_server.rules.care import CareFacts, decide_care, decide_expiry
from tillkey_server.rules.clocks import last_day
from tillkey_server.rules.decision import Decision, instant
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.renewal import Asked
from tillkey_server.rules.term import Run, Segment, Terms
from tillkey_server.rules.term_policy import Clock
from tillkey_server.store import activations, orders, projects
from tillkey_server.store import terms as store
from tillkey_server.store.licenses import LicenseRow
from tillkey_server.store.orders import OrderLineRow, OrderRow
from tillkey_server.store.terms import EndingRow, TermRow
from tillkey_server.usecases.answers import answered_of
from tillkey_server.usecases.changed_hands import support_lost
from tillkey_server.usecases.renewal_facts import Gathered, gather, governed
from tillkey_server.usecases.seen import license_of
from tillkey_server.usecases.services import Services

_UNSEEN: Mapping[str, object] = dict.fromkeys(("order_id", "channel", "number", "amount"))


async def care_status(
    services: Services, license_id: UUID, *, at: datetime | None = None, scope: Scope = EVERYTHING
) -> Decision:
    """Tell whether a license's care is or was active at an instant (None: now), from the facts. Raises NotFound."""
    now = services.clock.now()
    async with services.db.reading() as tx:
        row = await license_of(tx, license_id, scope)
        return await care_of(services, tx, row, at or now, now)


async def care_of(services: Services, tx: AsyncConnection, row: LicenseRow, at: datetime, now: datetime) -> Decision:
    """Return the care of a license at an instant, for whoever decides by it within a transaction of its own."""
    found = await gather(services, tx, row)
    return decide_care(await care_facts(services, tx, row, found, now), at, found.sold_under, now)


async def terms_shown(services: Services, license_id: UUID, *, scope: Scope = EVERYTHING) -> dict[str, object]:
    """Return every clock with its paid segments, the renewals and early endings, ready for JSON. Raises NotFound."""
    now = services.clock.now()
    async with services.db.reading() as tx:
        row = await license_of(tx, license_id, scope)
        found = await gather(services, tx, row)
        policy = found.sold_under
        facts = await care_facts(services, tx, row, found, now)
        paid = await payments_of(tx, await store.of_license(tx, row.id))
        endings = [_ending(one) for one in await store.endings_of(tx, row.id)]
    expiry = decide_expiry(facts, policy, now)
    return {
        "license_id": str(row.id),
        "policy": {"name": policy.name, "version": policy.version},
        "timezone": policy.timezone.key,
        "clocks": _clocks(found.facts.history.fold(), policy, now),
        "renewals": [_renewal(term, order, line, scope) for term, order, line in paid],
        "endings": endings,
        "expiry": None if expiry is None else answered_of(expiry),
        "evaluated_at": instant(now),
    }


async def care_facts(
    services: Services, tx: AsyncConnection, row: LicenseRow, found: Gathered, now: datetime
) -> CareFacts:
    """Return what the care of a license is judged by."""
    project = None if row.project_id is None else await projects.by_id(tx, row.project_id)
    return CareFacts(
        license=row.facts,
        support=found.facts.history.fold().of(Clock.SUPPORT),
        product=found.product.code,
        site=None if project is None else project.site,
        first_activated_at=await activations.first_started_at(tx, row.id),
        quote=governed(services, found, Asked(now), now).quote,
        lost=await support_lost(tx, row, found.sold_under, now),
    )


def _clocks(terms: Terms, policy: Policy, now: datetime) -> dict[str, object]:
    return {clock.value: _clock(terms.of(clock), policy, now) for clock in Clock}


def _clock(run: Run, policy: Policy, now: datetime) -> dict[str, object]:
    return {
        "until": instant(run.until),
        "last_day": _day(run.until, policy),
        "running": run.covers(now),
        "segments": [segment_shown(one, policy) for one in run.segments],
    }


def segment_shown(one: Segment, policy: Policy) -> dict[str, object]:
    """Return one paid stretch of a clock, ready for JSON."""
    return {
        "kind": "purchase" if one.payment is None else "renewal",
        "renewal_id": None if one.payment is None else str(one.payment),
        "start": instant(one.start),
        "end": instant(one.end),
        "last_day": _day(one.end, policy),
        "appended": one.appended,
        "ended_early": one.cut,
    }


def _day(until: datetime | None, policy: Policy) -> str | None:
    return None if until is None else last_day(until, policy.timezone).isoformat()


async def payments_of(
    tx: AsyncConnection, terms: Sequence[TermRow]
) -> tuple[tuple[TermRow, OrderRow, OrderLineRow], ...]:
    """Return renewals, each with what it was paid by."""
    found = await orders.with_lines(tx, [one.order_line_id for one in terms])
    missing = [str(one.id) for one in terms if one.order_line_id not in found]
    if missing:
        raise BrokenInvariant(f"renewals without an order: {', '.join(missing)}")
    return tuple((one, *found[one.order_line_id]) for one in terms)


def _renewal(term: TermRow, order: OrderRow, line: OrderLineRow, scope: Scope) -> dict[str, object]:
    # A former customer's order is not there for whoever does not see that customer (I13).
    payment = payment_shown(order, line) if scope.admits_customer(order.customer_id) else _UNSEEN
    return {
        "id": str(term.id),
        **payment,
        "tax": _tax(line) if payment is not _UNSEEN else None,
        "months": term.months,
        "clocks": list(term.clocks),
        "paid_at": instant(term.paid_at),
        "refunded_at": instant(term.refunded_at),
    }


def _tax(line: OrderLineRow) -> str | None:
    return None if line.tax_minor is None else Money(line.tax_minor, line.currency).display()


def payment_shown(order: OrderRow, line: OrderLineRow) -> dict[str, object]:
    """Return which order a stretch was paid by, ready for JSON."""
    return {
        "order_id": str(order.id),
        "channel": order.channel,
        "number": order.external_id,
        "amount": Money(line.price_minor, line.currency).display(),
    }


def _ending(one: EndingRow) -> dict[str, object]:
    return {
        "at": instant(one.at),
        "clocks": list(one.clocks),
        "reason": one.reason,
        "withdrawn_at": instant(one.withdrawn_at),
    }
