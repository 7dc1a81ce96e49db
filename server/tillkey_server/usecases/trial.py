"""Trials: one for each customer and product, which the database's own uniqueness holds to (law 6).

A trial is an order of the channel `trial`, whose number is made of the customer and the product.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.errors import BadInput, BrokenInvariant, NotFound
from tillkey_server.ids import new_id
from tillkey_server.rules.access import EVERYTHING, Scope
from tillkey_server.rules.decision import Decision
from tillkey_server.rules.order_line import TRIAL
from tillkey_server.rules.trial import PastTrial, decide_trial, trial_clocks
from tillkey_server.store import audit, customers, licenses, orders, products
from tillkey_server.store.customers import CustomerRow
from tillkey_server.store.orders import OrderLineRow, OrderRow
from tillkey_server.store.products import ProductRow
from tillkey_server.usecases.answers import RefusalAnswer, refusal_of
from tillkey_server.usecases.customer import address_of, ensured
from tillkey_server.usecases.issuing import IssuedLicense, Sale, insert_licenses
from tillkey_server.usecases.sale import not_on_sale
from tillkey_server.usecases.services import Raced, Services, settled


@dataclass(frozen=True, slots=True)
class StartedTrial:
    """A new trial: its license with the key, which is shown this once, and when it ends by itself."""

    license: IssuedLicense = field(repr=False)
    order_id: UUID
    use_until: datetime | None
    decision: Decision


async def start_trial(
    services: Services, *, product: str, customer_email: str, actor: str, scope: Scope = EVERYTHING
) -> StartedTrial | RefusalAnswer:
    """Give a customer a product for trial.

    Refused (`trial_not_offered`, `trial_used`) by the product's terms. Raises BadInput for the address, and NotFound
    for the product or, where the caller is limited, for the customer.
    """
    email = address_of(customer_email, "customer")

    async def attempt() -> StartedTrial | RefusalAnswer:
        now = services.clock.now()
        async with services.db.writing() as tx:
            sold = await products.by_code(tx, product)
            if sold is None or not scope.admits_product(sold.id):
                raise NotFound("product", product)
            if sold.parts:
                raise BadInput("product", "is a bundle: name the part that is to be tried")
            row = CustomerRow(new_id(), email, email.casefold(), now)
            known = await customers.by_email_key(tx, row.email_key)
            if scope.customers is not None:
                known = await ensured(tx, row, scope)
            past = None if known is None else await _past(tx, known, sold)
            policy = await services.policies.in_force(tx, sold.policy_name, now)
            off = None if past is not None else await not_on_sale(tx, sold, policy, now)
            decision = off or decide_trial(past, policy, now)
            if not decision.allowed:
                past_id = None if past is None else past.license_id
                await audit.record(tx, decision, actor=actor, action="license_trial", license_id=past_id)
                return refusal_of(decision)
            buyer = known or await customers.ensure(tx, row)
            return await _start(services, tx, Sale(sold, buyer, policy, 1, now), decision, actor)

    return await settled(attempt)


async def _past(tx: AsyncConnection, customer: CustomerRow, sold: ProductRow) -> PastTrial | None:
    """Return the trial that the customer had of a product."""
    order = await orders.by_external(tx, TRIAL, _number(customer, sold), lock=True)
    if order is None:
        return None
    for line in await orders.lines_of(tx, order.id):
        for row in await licenses.of_order_line(tx, line.id):
            return PastTrial(row.id, row.use_until)
    raise BrokenInvariant("a trial without a license")


async def _start(services: Services, tx: AsyncConnection, sale: Sale, decision: Decision, actor: str) -> StartedTrial:
    number = _number(sale.customer, sale.product)
    order = OrderRow(new_id(), TRIAL, number, sale.customer.id, sale.now, sale.now)
    if not await orders.insert_if_absent(tx, order):
        raise Raced
    line = OrderLineRow(
        id=new_id(),
        order_id=order.id,
        position=0,
        product_id=sale.product.id,
        quantity=1,
        price_minor=0,
        currency=sale.product.currency,
        policy_name=sale.policy.name,
        policy_version=sale.policy.version,
        advertised=sale.product.advertised,
    )
    await orders.insert_line(tx, line)
    assert sale.policy.trial is not None, "the rule has looked"
    clocks = trial_clocks(sale.policy.trial, sale.policy, sale.now)
    [made] = await insert_licenses(services, tx, sale, line, clocks)
    await audit.record(tx, decision, actor=actor, action="license_trial", license_id=made.license_id)
    return StartedTrial(made, order.id, clocks.use_until, decision)


def _number(customer: CustomerRow, sold: ProductRow) -> str:
    return f"{customer.id}:{sold.id}"
