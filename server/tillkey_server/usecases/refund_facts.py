"""Gathering what a refund is decided by: what was paid for a license, what of it went back, and what was reported.

`verdict_on` judges it, for whoever asks within a transaction of its own.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.errors import BadInput, BrokenInvariant
from tillkey_server.rules.calendar import Wait
from tillkey_server.rules.clocks import first_instant
from tillkey_server.rules.issue_facts import IssueFacts
from tillkey_server.rules.order_line import CustomerType, LineKind, kind_of
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.refund import Verdict
from tillkey_server.rules.refund_amount import piece_of
from tillkey_server.rules.refund_facts import Asked, NamedRenewal, Payment, RefundFacts, RenewalPayment
from tillkey_server.rules.refund_policy import Plan
from tillkey_server.rules.refund_versions import decide_under_both
from tillkey_server.rules.term import History
from tillkey_server.rules.term_policy import Clock
from tillkey_server.store import (
    activations,
    customers,
    downloads,
    install_credits,
    legal_holds,
    orders,
    products,
    refunds,
    terms,
)
from tillkey_server.store.customers import CustomerRow
from tillkey_server.store.licenses import LicenseRow
from tillkey_server.store.orders import OrderLineRow
from tillkey_server.store.products import ProductRow
from tillkey_server.store.refunds import Earlier
from tillkey_server.store.terms import TermRow
from tillkey_server.usecases.issue_facts import issue_facts
from tillkey_server.usecases.refund_identity import Identity, identity_of
from tillkey_server.usecases.services import Services
from tillkey_server.usecases.terms import Bought, bought_by, history_of

CORE = "core"
"""The kind of product that is no module (NX-31)."""
_PLANS = {12: Plan.ANNUAL, 1: Plan.MONTHLY}

NOTHING_BACK = (0, 0, 0)
Refunded = dict[UUID, tuple[int, int, int]]


async def refund_facts(
    services: Services,
    tx: AsyncConnection,
    row: LicenseRow,
    policy: Policy,
    *,
    support_request_id: UUID | None,
    now: datetime,
    renewal_id: UUID | None = None,
) -> RefundFacts:
    """Read what decides a refund of a license, or of one renewal of it. Raises BadInput for what is none of its own."""
    bought, back = await bought_by(tx, row), await refunds.refunded_of_license(tx, row.id)
    sold, history = await _product(tx, row), await history_of(tx, row, policy, bought)
    renewals, back_paid_at = await _renewals(tx, row, history, back)
    facts = RefundFacts(
        license=row.facts,
        currency=bought.line.currency,
        channel=bought.order.channel,
        purchase=_share(bought, bought.line, row, back),
        plan=await _plan(tx, row, history),
        along=await _along(tx, bought, row, back),
        renewals=renewals,
        is_core=sold.kind == CORE,
        is_consumer=bought.order.customer_type == CustomerType.CONSUMER.value,
        product_refund_days=bought.line.refund_days,
        activations_ever=await activations.count_of_license(tx, row.id),
        active=len(await activations.active_of_license(tx, row.id)),
        downloads=await downloads.downloads_of(tx, row.id),
        issue=await _issue(tx, row, support_request_id, now),
        holds=await _holds(tx, row),
        copyright_violated=await legal_holds.violation_in_order(tx, bought.order.id),
        counted_from=row.clocks_from,
        renewal_back_paid_at=back_paid_at,
        installed_at=await _installed_at(tx, bought),
        pauses=history.pauses,
        named=None if renewal_id is None else await _named(tx, row, renewal_id, back),
        advertised=bought.line.advertised,
    )
    buyer = await customer_of_license(tx, row)
    earlier = await _earlier(tx, buyer, sold, bought, identity_of(services.pepper, buyer, policy))
    return _with_earlier(replace(facts, readdressed_at=buyer.readdressed_at), earlier)


def _with_earlier(facts: RefundFacts, earlier: Earlier) -> RefundFacts:
    before, since = earlier.before, earlier.since
    return replace(facts, refunded_before=before, refunded_since=since, pending_before=earlier.is_pending)


def verdict_on(services: Services, facts: RefundFacts, asked: Asked, policy: Policy, now: datetime) -> Verdict:
    """Judge a request by the terms of the sale, and by today's where they are better and say so (K-09)."""
    # A vendor may have taken the file away: then the terms of the sale are the last ones.
    newest = services.policies.offered(policy.name) if policy.name in services.policies.names() else policy
    return decide_under_both(facts, asked, policy, newest, now)


async def _issue(tx: AsyncConnection, row: LicenseRow, request_id: UUID | None, now: datetime) -> IssueFacts | None:
    if request_id is None:
        return None
    found = await issue_facts(tx, request_id, now)
    if found is None or found.license_id != row.id:
        raise BadInput("support_request", "is no request about this license")
    return found


async def _product(tx: AsyncConnection, row: LicenseRow) -> ProductRow:
    sold = await products.by_id(tx, row.product_id)
    if sold is None:
        raise BrokenInvariant(f"license {row.id} has no product")
    return sold


async def _earlier(
    tx: AsyncConnection, buyer: CustomerRow, sold: ProductRow, bought: Bought, known_by: Identity
) -> Earlier:
    """Return what the customer was refunded of the product, or of its family, before he bought this one (CJ-05)."""
    return await refunds.earlier_of_family(
        tx,
        customer_id=buyer.id,
        product_id=sold.id,
        code=sold.code,
        family=sold.family,
        before=bought.order.paid_at,
        known_by=(known_by.email, known_by.domain),
    )


async def customer_of_license(tx: AsyncConnection, row: LicenseRow) -> CustomerRow:
    """Return whose a license is. Raises BrokenInvariant."""
    buyer = await customers.by_id(tx, row.customer_id)
    if buyer is None:
        raise BrokenInvariant(f"license {row.id} has no customer")
    return buyer


async def _installed_at(tx: AsyncConnection, bought: Bought) -> datetime | None:
    """Return when the free installation of the license's line was used (NX-19)."""
    return next((one.used_at for one in await install_credits.of_line(tx, bought.line.id)), None)


async def _holds(tx: AsyncConnection, row: LicenseRow) -> tuple[Wait, ...]:
    return tuple(Wait(one.held_at, one.released_at) for one in await legal_holds.of_license(tx, row.id))


async def _plan(tx: AsyncConnection, row: LicenseRow, history: History) -> Plan:
    """Return how the license is paid for: by its subscription, else by how long its purchase lets it be used.

    Whoever takes the payments may run the renewals: then the months that were bought are all that is known here.
    """
    months = await refunds.subscribed_months(tx, row.id) or history.included[Clock.USE].months
    return _PLANS.get(months or 0, Plan.ONE_TIME)


async def _along(tx: AsyncConnection, bought: Bought, row: LicenseRow, back: Refunded) -> tuple[Payment, ...]:
    """Return the license's shares of what was bought beside its line."""
    beside = [one for one in await orders.lines_of(tx, bought.order.id) if one.beside == bought.line.position]
    return tuple(_share(bought, one, row, back) for one in beside)


def _share(bought: Bought, line: OrderLineRow, row: LicenseRow, back: Refunded) -> Payment:
    """Return one license's share of a line: its own price, or its piece of what was bought beside all of them."""
    pieces = bought.line.quantity
    is_own = line.id == bought.line.id
    price = line.price_minor if is_own else piece_of(line.price_minor * line.quantity, pieces, row.position)
    tax = piece_of(line.tax_minor or 0, pieces, row.position)
    coupon = piece_of(line.coupon_minor or 0, pieces, row.position)
    minor, tax_back, coupon_back = back.get(line.id, NOTHING_BACK)
    kind, at = kind_of(line.kind), bought.order.paid_at
    return Payment(line.id, kind, at, price, tax, minor, tax_back, coupon, coupon_back)


async def _named(tx: AsyncConnection, row: LicenseRow, renewal_id: UUID, back: Refunded) -> NamedRenewal:
    """Return the renewal that is asked for, also one that extended nothing and so has no stretch of any clock."""
    term = next((one for one in await terms.of_license(tx, row.id) if one.id == renewal_id), None)
    if term is None:
        raise BadInput("renewal", "is no renewal of this license")
    line = await orders.line(tx, term.order_line_id)
    if line is None:
        raise BrokenInvariant(f"renewal {term.id} has no line")
    is_back = term.refunded_at is not None
    return NamedRenewal(term.id, _renewal_payment(term, line, back), bool(term.clocks), is_back, _is_support(term))


def _is_support(term: TermRow) -> bool:
    """Tell whether a renewal was paid for support alone (CJ-16)."""
    return list(term.clocks) == [Clock.SUPPORT.value]


def _renewal_payment(term: TermRow, line: OrderLineRow, back: Refunded) -> Payment:
    minor, tax_back, _ = back.get(line.id, NOTHING_BACK)
    price = line.price_minor * line.quantity
    return Payment(line.id, LineKind.RENEWAL, term.paid_at, price, line.tax_minor or 0, minor, tax_back)


async def _renewals(
    tx: AsyncConnection, row: LicenseRow, history: History, back: Refunded
) -> tuple[tuple[RenewalPayment, ...], datetime | None]:
    """Return the license's renewals that were not refunded, and when the last one was paid that was.

    Each has its own stretch of the clocks: that of the use right, where it extends that.
    """
    folded = history.fold()
    by_rank = reversed(Clock)
    stretches = {one.payment: one for clock in by_rank for one in folded.of(clock).segments if one.payment is not None}
    found = []
    paid_terms = await terms.of_license(tx, row.id)
    for one in paid_terms:
        line, stretch = await orders.line(tx, one.order_line_id), stretches.get(one.id)
        if line is None or stretch is None or stretch.end is None or one.refunded_at is not None:
            continue
        paid = _renewal_payment(one, line, back)
        chain = None if stretch.anchor is None else first_instant(stretch.anchor, history.zone)
        months = stretch.months_before
        found.append(RenewalPayment(paid, stretch.start, stretch.end, chain, months, _is_support(one)))
    return tuple(found), max((one.paid_at for one in paid_terms if one.refunded_at is not None), default=None)
