"""Orders: told by a shop or a payment provider, once or often, and answered with the licenses of their lines.

1. An order is known by its channel and number. Told again with the same content it gives the same licenses and no new
   ones; with other content it is refused (`order_differs`) and nothing changes.
2. All lines are issued in one transaction: an order has all of its licenses or none.
3. A line of another kind than a product gives no license; it stands beside a product's line (`rules.order_line`).
4. Whether it may be sold at all is decided once, when it is told first; what may not is on record and under review, and
   gives no license before a person released it (BC-37, decided reading 2).
5. `paid_at` is when the money came, and the clocks run from it (NX-14); it may lie in the past, never ahead. The lines
   keep the version of the terms that was offered then, however late we are told (K-09, `rules.policy_version`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.errors import BrokenInvariant, NotFound
from tillkey_server.ids import new_id
from tillkey_server.money import Money
from tillkey_server.rules.access import EVERYTHING, Scope
from tillkey_server.rules.decision import Decision, Refusal, instant
from tillkey_server.rules.order_line import MANUAL, CustomerType, LineKind, kind_of
from tillkey_server.rules.policy import Policy
from tillkey_server.store import customers, licenses, orders, products, reviews
from tillkey_server.store.customers import CustomerRow
from tillkey_server.store.orders import SORTS, OrderLineRow, OrderRow
from tillkey_server.store.products import ProductRow
from tillkey_server.usecases.answers import RefusalAnswer, told_of
from tillkey_server.usecases.cart import Line, Piece, check_lines, folded, pieces_of
from tillkey_server.usecases.channel import channel_of, number_of, paid_at_of
from tillkey_server.usecases.customer import address_of, ensured
from tillkey_server.usecases.issuing import IssuedLicense, Sale, issue_line
from tillkey_server.usecases.paging import DEFAULT_LIMIT, Page, page_of, paging_of
from tillkey_server.usecases.reviewing import decided_at_payment, put_under_review
from tillkey_server.usecases.sale import Cart, decide_cart
from tillkey_server.usecases.services import Raced, Services, settled


@dataclass(frozen=True, slots=True)
class Placed:
    """An order that is on record, and whether this call put it there."""

    is_new: bool
    shown: dict[str, object]


async def place_order(
    services: Services,
    *,
    number: str,
    customer_email: str,
    lines: Sequence[Line],
    actor: str,
    channel: str = MANUAL,
    paid_at: datetime | None = None,
    customer_type: CustomerType | None = None,
    renews: Sequence[UUID] = (),
    cart_at: datetime | None = None,
    under_review: bool = False,
    scope: Scope = EVERYTHING,
) -> Placed | RefusalAnswer:
    """Record a paid order and issue the licenses of its lines; each key is in the answer that made it.

    What may not be sold (`rules.sale`), or is told to be `under_review`, is on record and waits for a person: no key.
    `renews` are licenses that the same payment renews, `cart_at` is when the checkout was opened.

    Raises BadInput, naming the field, and NotFound for a product or, where the caller has limits, for a customer.
    """
    email = address_of(customer_email, "customer")
    named, of_channel = number_of(number), channel_of(channel)
    check_lines(lines)
    cart = Cart(lines, customer_type, renews, paid_at, cart_at)

    async def attempt() -> Placed | RefusalAnswer:
        now = services.clock.now()
        came_at = paid_at_of(paid_at, now)
        async with services.db.writing() as tx:
            known = await orders.by_external(tx, of_channel, named, lock=True)
            customer = await _buyer(tx, known, CustomerRow(new_id(), email, email.casefold(), now), scope)
            rows = {row.code: row for row in await products.all_of(tx)}
            _check_seen(lines, rows, scope)
            if known is None:
                row = OrderRow(new_id(), of_channel, named, customer.id, came_at, now, customer_type)
                return await _told_first(services, tx, row, customer, cart, rows, actor, held=under_review)
            differing = _differing(known, customer, await orders.lines_of(tx, known.id), rows, lines, paid_at)
            if differing:
                return await _differs(tx, known, differing, scope)
            return await placed_order(services, tx, known, customer, actor, None, is_new=False)

    return await settled(attempt)


async def _told_first(
    services: Services,
    tx: AsyncConnection,
    row: OrderRow,
    customer: CustomerRow,
    cart: Cart,
    rows: Mapping[str, ProductRow],
    actor: str,
    *,
    held: bool,
) -> Placed:
    """Decide about a new order, record it, and issue its licenses unless it waits. Raises Raced."""
    now = row.created_at
    decision = await decide_cart(services, tx, cart, customer.id, rows)
    pieces = pieces_of(cart.lines, rows)
    await _insert(services, tx, row, pieces, rows)
    decided = await decided_at_payment(services, tx, decision, rows[cart.lines[0].product], now, told=held)
    out = row if decided.allowed else await put_under_review(tx, row, decided, actor)
    return await placed_order(services, tx, out, customer, actor, decided, is_new=True)


async def list_orders(
    services: Services,
    *,
    customer_id: UUID | None = None,
    channel: str | None = None,
    number: str | None = None,
    after: str | None = None,
    limit: int = DEFAULT_LIMIT,
    sort: str | None = None,
    scope: Scope = EVERYTHING,
) -> Page:
    """Return a page of orders, narrowed by what is given. Raises BadInput."""
    paging = paging_of(after=after, limit=limit, sort=sort, sorts=SORTS)
    async with services.db.reading() as tx:
        found = await orders.page(tx, paging, scope, customer_id=customer_id, channel=channel, number=number)
    return page_of(found, paging, show=_head, key=lambda row: row.id, sorts=SORTS)


async def get_order(services: Services, order_id: UUID, *, scope: Scope = EVERYTHING) -> dict[str, object]:
    """Return one order with the lines that the caller sees, and their licenses. Raises NotFound."""
    async with services.db.reading() as tx:
        row = await orders.seen(tx, order_id, scope)
        if row is None:
            raise NotFound("order", str(order_id))
        shown = []
        for line in await orders.lines_of(tx, order_id):
            sold = await products.by_id(tx, line.product_id)
            if sold is not None and scope.admits_product(sold.id):
                given = [IssuedLicense(one.id, None, one.key_hint) for one in await licenses.of_order_line(tx, line.id)]
                shown.append(_shown(line, sold.code, given))
        steps = await _reviews(tx, order_id)
    return {**_head(row), "lines": shown, "reviews": steps}


async def _insert(
    services: Services, tx: AsyncConnection, row: OrderRow, pieces: Sequence[Piece], rows: Mapping[str, ProductRow]
) -> None:
    """Insert an order with its lines, under the terms of its payment. Raises Raced where it was told before."""
    if not await orders.insert_if_absent(tx, row):
        raise Raced
    for position, piece in enumerate(pieces):
        sold = rows[piece.line.product]
        policy = await services.policies.in_force(tx, sold.policy_name, row.paid_at)
        await orders.insert_line(tx, _line_row(row, sold, policy, piece, position))


def _check_seen(lines: Sequence[Line], rows: Mapping[str, ProductRow], scope: Scope) -> None:
    """Raise NotFound for a product that there is not, or that the caller does not see."""
    for line in lines:
        sold = rows.get(line.product)
        if sold is None or not scope.admits_product(sold.id):
            raise NotFound("product", line.product)


async def _buyer(tx: AsyncConnection, known: OrderRow | None, row: CustomerRow, scope: Scope) -> CustomerRow:
    """Return the customer of an address; only a new order makes one, since one that differs must leave nothing."""
    if known is None or scope.customers is not None:
        return await ensured(tx, row, scope)
    return await customers.by_email_key(tx, row.email_key) or row


def _line_row(order: OrderRow, sold: ProductRow, policy: Policy, piece: Piece, position: int) -> OrderLineRow:
    line = piece.line
    today = Money(sold.price_minor, sold.currency)
    price = line.price or today
    # What is listed in another currency has no list price in that of the line.
    listed = line.list_price or (today if today.currency == price.currency else None)
    return OrderLineRow(
        id=new_id(),
        order_id=order.id,
        position=position,
        product_id=sold.id,
        quantity=line.quantity,
        price_minor=price.minor,
        currency=price.currency,
        policy_name=policy.name,
        policy_version=policy.version,
        kind=None if line.kind is LineKind.PRODUCT else line.kind.value,
        beside=line.beside,
        list_price_minor=None if listed is None else listed.minor,
        tax_minor=None if line.tax is None else line.tax.minor,
        advertised=sold.advertised,
        refund_days=sold.refund_days,
        term_months=line.months,
        bundle=piece.bundle,
        bundle_line=piece.bundle_line,
        coupon_minor=None if line.coupon is None else line.coupon.minor,
    )


def _differing(
    known: OrderRow,
    customer: CustomerRow,
    held: Sequence[OrderLineRow],
    rows: Mapping[str, ProductRow],
    lines: Sequence[Line],
    paid_at: datetime | None,
) -> str:
    """Return the name of the first part in which an order that is told again differs; empty where it is the same."""
    if known.customer_id != customer.id:
        return "customer"
    if paid_at is not None and paid_at != known.paid_at:
        return "paid_at"
    stored = folded(held, {row.id: row.code for row in rows.values()})
    if [(one.product, one.quantity, one.kind, one.beside) for one in stored] != [
        (line.product, line.quantity, line.kind, line.beside) for line in lines
    ]:
        return "set of lines"
    told = list(zip(stored, lines, strict=True))
    if any(line.months not in {None, one.months} for one, line in told):
        return "months"
    if any(line.price is not None and one.price != _minor(line.price) for one, line in told):
        return "price"
    if any(line.coupon is not None and one.coupon_minor != line.coupon.minor for one, line in told):
        return "coupon"
    return ""


async def _differs(tx: AsyncConnection, known: OrderRow, differing: str, scope: Scope) -> RefusalAnswer:
    """Refuse other content for an order's number; to whom the order is hidden, no more is told (I13)."""
    is_seen = await orders.seen(tx, known.id, scope) is not None
    return RefusalAnswer(Refusal.ORDER_DIFFERS, f"The order is on record with another {differing}." if is_seen else "")


def _minor(price: Money) -> tuple[int, str]:
    return price.minor, price.currency


async def placed_order(
    services: Services,
    tx: AsyncConnection,
    row: OrderRow,
    customer: CustomerRow,
    actor: str,
    decision: Decision | None,
    *,
    is_new: bool,
    clocks_from: datetime | None = None,
) -> Placed:
    """Issue what an order's lines still need, unless it is under review, and show the order with its licenses.

    `clocks_from` is where clocks begin that do not run from the payment; `decision` what was decided about the order.
    """
    now = services.clock.now()
    shown: list[dict[str, object]] = []
    given: list[IssuedLicense] = []
    for line in await orders.lines_of(tx, row.id):
        sold = await products.by_id(tx, line.product_id)
        if sold is None:
            raise BrokenInvariant("a line of no product")
        issued: tuple[IssuedLicense, ...] = ()
        if kind_of(line.kind) is LineKind.PRODUCT and row.held_since is None:
            policy = await services.policies.of(tx, line.policy_ref)
            sale = Sale(sold, customer, policy, line.quantity, now, clocks_from or row.paid_at)
            issued = (await issue_line(services, tx, sale, line, actor)).licenses
        given += issued
        shown.append(_shown(line, sold.code, issued))
    decided = {
        "decision": None if decision is None else told_of(decision),
        "reviews": await _reviews(tx, row.id),
    }
    return Placed(is_new, {**_head(row), "lines": shown, "licenses": [_license(one) for one in given], **decided})


async def _reviews(tx: AsyncConnection, order_id: UUID) -> list[dict[str, object]]:
    """Return what put an order under review and what came of it, oldest first."""
    return [
        {"kind": one.kind, "at": instant(one.at), "code": one.code, "reason": one.reason}
        for one in await reviews.of_order(tx, order_id)
    ]


def _head(row: OrderRow) -> dict[str, object]:
    return {
        "id": str(row.id),
        "channel": row.channel,
        "number": row.external_id,
        "customer_id": str(row.customer_id),
        "paid_at": instant(row.paid_at),
        "created_at": instant(row.created_at),
        "customer_type": row.customer_type,
        "held_at": instant(row.held_at),
        "released_at": instant(row.released_at),
        "refunded_at": instant(row.refunded_at),
        "under_review": row.under_review,
    }


def _shown(line: OrderLineRow, product: str, given: Sequence[IssuedLicense]) -> dict[str, object]:
    return {
        "product": product,
        "quantity": line.quantity,
        "kind": kind_of(line.kind).value,
        "beside": line.beside,
        "price": Money(line.price_minor, line.currency).display(),
        "list_price": _amount(line.list_price_minor, line.currency),
        "tax": _amount(line.tax_minor, line.currency),
        "coupon": _amount(line.coupon_minor, line.currency),
        "months": line.term_months,
        "bundle": line.bundle,
        "advertised": None if line.advertised is None else dict(line.advertised),
        "policy": {"name": line.policy_name, "version": line.policy_version},
        "license_ids": [str(one.license_id) for one in given],
    }


def _amount(minor: int | None, currency: str) -> str | None:
    return None if minor is None else Money(minor, currency).display()


def _license(one: IssuedLicense) -> dict[str, object]:
    return {"license_id": str(one.license_id), "license_key": one.license_key, "key_hint": one.key_hint}
