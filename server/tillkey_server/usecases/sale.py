"""Asking whether a cart may be sold: at the cart (`preview`, which writes nothing) and again at the payment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.errors import NotFound
from tillkey_server.rules.access import EVERYTHING, Scope
from tillkey_server.rules.decision import Decision
from tillkey_server.rules.order_line import TRIAL, CustomerType, LineKind
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.product import Catalogue, ProductKind, leaves, off_sale
from tillkey_server.rules.sale import Held, Required, SaleFacts, decide_sale, worst_of
from tillkey_server.rules.standing import FROZEN, status_of
from tillkey_server.rules.support import lost_on_transfer
from tillkey_server.store import customers, licenses, products, sales, terms
from tillkey_server.store.products import ProductRow
from tillkey_server.store.sales import OwnedRow
from tillkey_server.usecases.accounts import span_of_account
from tillkey_server.usecases.cart import Line, check_lines, pieces_of
from tillkey_server.usecases.customer import address_of
from tillkey_server.usecases.product_facts import catalogue_of, facts_of
from tillkey_server.usecases.services import Services


@dataclass(frozen=True, slots=True)
class Cart:
    """What is to be sold to whom; `renews` are the licenses that the same payment renews.

    `paid_at` None: it is not paid. `cart_at` is when the checkout was opened.
    """

    lines: Sequence[Line]
    customer_type: CustomerType | None = None
    renews: Sequence[UUID] = ()
    paid_at: datetime | None = None
    cart_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Buyer:
    """What is on record about the buyer."""

    held: tuple[Held, ...] = ()
    legal_hold_at: datetime | None = None
    suspended: bool = False
    suspended_until: datetime | None = None


async def preview_order(services: Services, cart: Cart, *, customer_email: str, scope: Scope = EVERYTHING) -> Decision:
    """Return whether a cart may be sold now. Raises BadInput, and NotFound for what the caller does not see."""
    key = address_of(customer_email, "customer").casefold()
    check_lines(cart.lines)
    async with services.db.reading() as tx:
        known = await customers.by_email_key(tx, key)
        if scope.customers is not None and (known is None or not scope.admits_customer(known.id)):
            raise NotFound("customer", "of this address")
        rows = {row.code: row for row in await products.all_of(tx)}
        for line in cart.lines:
            row = rows.get(line.product)
            if row is None or not scope.admits_product(row.id):
                raise NotFound("product", line.product)
        pieces_of(cart.lines, rows)
        return await decide_cart(services, tx, cart, None if known is None else known.id, rows)


async def decide_cart(
    services: Services, tx: AsyncConnection, cart: Cart, customer_id: UUID | None, rows: Mapping[str, ProductRow]
) -> Decision:
    """Return the answer about a whole cart; `rows` are all products by code."""
    now = services.clock.now()
    buyer = _Buyer() if customer_id is None else await _buyer(services, tx, customer_id, now)
    catalogue = catalogue_of(rows.values())
    sold = [line for line in cart.lines if line.kind is LineKind.PRODUCT]
    beside = frozenset(name for line in sold for name in _names(line.product, rows, catalogue))
    terms = await _terms(services, tx, cart, rows, catalogue, cart.paid_at or now)
    found = []
    for line in cart.lines:
        facts = _facts(line, cart, buyer, rows, catalogue, beside)
        if line.months is not None:
            facts = replace(facts, months=line.months, lengths=_lengths(terms, line, catalogue))
        found.append(decide_sale(facts, terms[line.product], now))
    return worst_of(tuple(found))


async def not_on_sale(tx: AsyncConnection, sold: ProductRow, policy: Policy, now: datetime) -> Decision | None:
    """Return why a product is not sold at all, whoever buys; None where it is on sale."""
    catalogue = catalogue_of(await products.all_of(tx)) if sold.parts else {sold.code: facts_of(sold)}
    off, part = off_sale(sold.code, catalogue)
    return None if off is None else decide_sale(SaleFacts(sold.code, off_sale=off, part=part), policy, now)


def _facts(
    line: Line,
    cart: Cart,
    buyer: _Buyer,
    rows: Mapping[str, ProductRow],
    catalogue: Catalogue,
    beside: frozenset[str],
) -> SaleFacts:
    is_product = line.kind is LineKind.PRODUCT
    # Support or a service for what is offline goes on (BC-20); only the product itself is not sold.
    off, part = off_sale(line.product, catalogue, cart.paid_at) if is_product else (None, None)
    named = [code for leaf in (line.product, *leaves(line.product, catalogue)) for code in catalogue[leaf].requires]
    required = tuple(
        Required(code, rows[code].kind == ProductKind.CORE) for code in dict.fromkeys(named if is_product else ())
    )
    return SaleFacts(
        product=line.product,
        requires=required,
        off_sale=off,
        part=part,
        beside=beside,
        renewed=frozenset(cart.renews),
        held=buyer.held,
        customer_type=cart.customer_type,
        legal_hold_at=buyer.legal_hold_at,
        suspended=buyer.suspended,
        suspended_until=buyer.suspended_until,
        paid_at=cart.paid_at,
        cart_at=cart.cart_at,
    )


async def _terms(
    services: Services,
    tx: AsyncConnection,
    cart: Cart,
    rows: Mapping[str, ProductRow],
    catalogue: Catalogue,
    at: datetime,
) -> dict[str, Policy]:
    """Return the terms that were offered at an instant for every product of a cart, the parts of bundles included."""
    codes = {code for line in cart.lines for code in (line.product, *leaves(line.product, catalogue))}
    return {code: await services.policies.in_force(tx, rows[code].policy_name, at) for code in sorted(codes)}


def _lengths(terms: Mapping[str, Policy], line: Line, catalogue: Catalogue) -> tuple[int, ...]:
    """Return the lengths of support that a buyer may choose for a line: of a bundle, what each of its parts offers."""
    if line.kind is not LineKind.PRODUCT:
        return ()
    parts = [terms[code].terms for code in leaves(line.product, catalogue)]
    offered = [() if one is None else one.purchase_months for one in parts]
    return tuple(months for months in offered[0] if all(months in one for one in offered))


def _names(code: str, rows: Mapping[str, ProductRow], catalogue: Catalogue) -> frozenset[str]:
    """Return what a line counts as: its product and family, and those of a bundle's parts."""
    codes = (code, *leaves(code, catalogue))
    return frozenset(name for one in codes for name in (one, rows[one].family) if name is not None)


async def _buyer(services: Services, tx: AsyncConnection, customer_id: UUID, now: datetime) -> _Buyer:
    owned = await sales.owned(tx, customer_id)
    lost = await _lost_support(services, tx, owned, customer_id)
    suspended = await span_of_account(tx, customer_id, now)
    return _Buyer(
        held=tuple(replace(held_of(one, now), support_lost=one.license.id in lost) for one in owned),
        legal_hold_at=await licenses.legal_hold_of(tx, customer_id),
        suspended=suspended is not None,
        suspended_until=None if suspended is None else suspended.until,
    )


async def _lost_support(
    services: Services, tx: AsyncConnection, owned: Sequence[OwnedRow], customer_id: UUID
) -> set[UUID]:
    """Return the licenses whose support stayed behind with whoever bought them (NX-18)."""
    moved = [one.license for one in owned if one.buyer_id != customer_id]
    own = await terms.supported_by_owner(tx, {one.id for one in moved})
    policies = {one.policy_ref: await services.policies.of(tx, one.policy_ref) for one in moved}
    return {one.id for one in moved if lost_on_transfer(policies[one.policy_ref], changed_hands=one.id not in own)}


def held_of(one: OwnedRow, now: datetime) -> Held:
    """Return a license of the buyer's as the rule takes it."""
    return Held(
        license_id=one.license.id,
        names=frozenset(name for name in (one.product_code, one.family) if name is not None),
        trial=one.channel == TRIAL,
        alive=status_of(one.license.facts, now) not in FROZEN,
        support_until=one.license.support_until,
    )
