"""Renewals: asked about before they are paid, and told once they are.

1. A payment is an order of one line of the kind `renewal`, known by its channel and number. Told again it gives one
   term; told with other content it is refused (`order_differs`).
2. Two payments at once are two terms: the license's row is locked, and each extends what the other left.
3. What was paid after the product's retirement goes back in the same transaction (`usecases.renewal_back`).
4. Which clocks it extends is written with it, so that a later version of the terms changes nothing about it (K-09).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.errors import BadInput
from tillkey_server.ids import new_id
from tillkey_server.money import Money
from tillkey_server.rules.access import EVERYTHING, Scope
from tillkey_server.rules.decision import Decision, Outcome, Refusal, allow, instant
from tillkey_server.rules.effect import Effect
from tillkey_server.rules.order_line import LineKind
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.renewal import Asked, decide_payment, extends_of, months_of
from tillkey_server.rules.renewal_codes import RenewalCode
from tillkey_server.store import audit, chains, orders, outbox, subscriptions
from tillkey_server.store import terms as store
from tillkey_server.store.licenses import LicenseRow
from tillkey_server.store.orders import OrderLineRow, OrderRow
from tillkey_server.store.terms import TermRow
from tillkey_server.usecases.answers import RefusalAnswer, refusal_of
from tillkey_server.usecases.catalogue import check_price
from tillkey_server.usecases.channel import channel_of, number_of, paid_at_of
from tillkey_server.usecases.renewal_back import give_back
from tillkey_server.usecases.renewal_facts import Gathered, gather, governed
from tillkey_server.usecases.seen import license_of
from tillkey_server.usecases.services import Raced, Services, settled
from tillkey_server.usecases.terms import recompute


@dataclass(frozen=True, slots=True)
class Told:
    """A payment as it is told: the seller's `channel` and `number`, the amount without tax, and when it was paid.

    `months` None is the usual length, `paid_at` None is now, `tax` None was not told: none goes back then (CJ-08).
    """

    channel: str
    number: str
    amount: Money
    months: int | None = None
    paid_at: datetime | None = None
    tax: Money | None = None


@dataclass(frozen=True, slots=True)
class Renewed:
    """A renewal that is on record, and whether this call put it there; `decision` may be pending."""

    is_new: bool
    renewal_id: UUID
    order_id: UUID
    decision: Decision


async def preview(
    services: Services,
    license_id: UUID,
    *,
    months: int | None = None,
    channel: str | None = None,
    scope: Scope = EVERYTHING,
) -> Decision:
    """Tell the new end and the price of a renewal that would be paid now. Raises NotFound."""
    now = services.clock.now()
    async with services.db.reading() as tx:
        row = await license_of(tx, license_id, scope)
        found = await gather(services, tx, row)
    return governed(services, found, Asked(now, months, channel), now).quote


async def renew(
    services: Services, license_id: UUID, told: Told, *, actor: str, scope: Scope = EVERYTHING
) -> Renewed | RefusalAnswer:
    """Record a paid renewal and extend the license. Raises NotFound, and BadInput, naming the field."""
    told = replace(told, channel=channel_of(told.channel), number=number_of(told.number))
    check_price(told.amount, "amount")
    if told.tax is not None:
        check_price(told.tax, "tax")
        if told.tax.currency != told.amount.currency:
            raise BadInput("tax", f"must be in {told.amount.currency}, as the amount is")

    async def attempt() -> Renewed | RefusalAnswer:
        now = services.clock.now()
        paid_at = paid_at_of(told.paid_at, now)
        async with services.db.writing() as tx:
            row = await license_of(tx, license_id, scope, lock=True)
            await chains.hold_still(tx, row.id)
            known = await orders.by_external(tx, told.channel, told.number, lock=True)
            found = await gather(services, tx, row, still=True)
            if known is not None:
                return await _again(tx, known, row, told, found.sold_under, actor, now)
            if paid_at < found.bought.order.paid_at:
                raise BadInput("paid_at", "lies before the purchase of the license")
            ruling = governed(services, found, Asked(paid_at, told.months, told.channel), now)
            asked, policy = ruling.asked, ruling.policy
            decision = ruling.citing(decide_payment(found.facts, asked, policy, now))
            if decision.outcome is Outcome.DENY:
                await audit.record(tx, decision, actor=actor, action="license_renew", license_id=row.id)
                return refusal_of(decision)
            term, order_id = await _insert(tx, row, told, asked, found, policy, now)
            after = (await recompute(tx, row, found.sold_under, now)).license
            await audit.record(tx, decision, actor=actor, action="license_renew", license_id=row.id)
            await _tell(tx, row, after, term, now)
            decision = await give_back(services, tx, after, found.sold_under, term, decision, actor)
            return Renewed(is_new=True, renewal_id=term.id, order_id=order_id, decision=decision)

    return await settled(attempt)


async def _insert(
    tx: AsyncConnection, row: LicenseRow, told: Told, asked: Asked, found: Gathered, policy: Policy, now: datetime
) -> tuple[TermRow, UUID]:
    """Insert the order with its line, and the term; raises Raced where somebody else told the payment first."""
    order = OrderRow(new_id(), told.channel, told.number, row.customer_id, asked.paid_at, now)
    if not await orders.insert_if_absent(tx, order):
        raise Raced
    months = months_of(asked, policy)
    line = OrderLineRow(
        id=new_id(),
        order_id=order.id,
        position=0,
        product_id=row.product_id,
        quantity=1,
        price_minor=told.amount.minor,
        currency=told.amount.currency,
        policy_name=policy.name,
        policy_version=policy.version,
        kind=LineKind.RENEWAL.value,
        term_months=months,
        tax_minor=None if told.tax is None else told.tax.minor,
    )
    await orders.insert_line(tx, line)
    clocks = [clock.value for clock in extends_of(found.facts, asked, policy)]
    term = TermRow(new_id(), row.id, line.id, months, asked.paid_at, clocks, now)
    await store.insert(tx, term)
    await _settle_due(tx, row, line, told.channel, months)
    return term, order.id


async def _tell(tx: AsyncConnection, before: LicenseRow, after: LicenseRow, term: TermRow, now: datetime) -> None:
    """Tell the new ends of a license, where a renewal changed any."""
    ends = ("use_until", "updates_until", "support_until")
    if all(getattr(before, name) == getattr(after, name) for name in ends):
        return
    told = {"renewal_id": str(term.id), **{name: instant(getattr(after, name)) for name in ends}}
    await outbox.add(tx, kind=Effect.LICENSE_RENEWED, subject=str(after.id), payload=told, now=now)


async def _settle_due(tx: AsyncConnection, row: LicenseRow, line: OrderLineRow, channel: str, months: int) -> None:
    """Note the payment with the oldest renewal that fell due by the license's subscription, where it is of that."""
    held = await subscriptions.open_of(tx, row.id)
    if held is None or (held.channel, held.months) != (channel, months):
        return
    due = next((one for one in await subscriptions.renewals_of(tx, held.id) if one.is_open), None)
    if due is not None:
        await subscriptions.set_paid(tx, due, line.id)


async def _again(
    tx: AsyncConnection, known: OrderRow, row: LicenseRow, told: Told, policy: Policy, actor: str, now: datetime
) -> Renewed | RefusalAnswer:
    """Answer a payment that is on record, or refuse one that is told with other content (sentence 1)."""
    lines = await orders.lines_of(tx, known.id)
    term = await store.of_line(tx, lines[0].id) if len(lines) == 1 else None
    if term is None or term.license_id != row.id:
        return RefusalAnswer(Refusal.ORDER_DIFFERS, "The number is another order's, or another license's renewal.")
    differing = [
        name
        for name, held, given in (
            ("months", term.months, told.months or term.months),
            ("amount", (lines[0].price_minor, lines[0].currency), (told.amount.minor, told.amount.currency)),
            ("paid_at", term.paid_at, told.paid_at or term.paid_at),
            ("tax", lines[0].tax_minor, lines[0].tax_minor if told.tax is None else told.tax.minor),
        )
        if held != given
    ]
    if differing:
        return RefusalAnswer(Refusal.ORDER_DIFFERS, f"The renewal is on record with another {differing[0]}.")
    cited = () if policy.renewal is None else policy.renewal.clauses.term
    shown = {"months": term.months, "paid_at": instant(term.paid_at), "until": instant(row.support_until)}
    code = RenewalCode.RENEWAL_ALREADY_RECORDED
    decision = allow(code, clauses=(*cited, "K-10"), policy=policy.ref, now=now, facts=shown)
    # "Done" is said only after a write of its own, since the row that was found might not have been replicated.
    await audit.record(tx, decision, actor=actor, action="license_renew", license_id=row.id)
    return Renewed(is_new=False, renewal_id=term.id, order_id=known.id, decision=decision)
