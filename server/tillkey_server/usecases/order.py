"""Orders: told by a shop or a payment provider, once or often, and answered with the licenses of their lines.

1. An order is known by its channel and number. Told again with the same content it gives the same licenses and no new
   ones; with other content it is refused (`order_differs`) and nothing changes.
2. All lines are issued in one transaction: an order has all of its licenses or none.
3. A line of another kind than a product gives no license; it stands beside a product's line (`rules.order_line`).
4. `paid_at` is when the money came, and the clocks run from it (NX-14); it may lie in the past, never ahead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.errors import BadInput, NotFound
from tillkey_server.ids import new_id
from tillkey_server.money import Money
from tillkey_server.rules.access import EVERYTHING, Scope
from tillkey_server.rules.decision import Refusal, instant
from tillkey_server.rules.order_line import ADD_ONS, CustomerType, LineKind, kind_of
from tillkey_server.rules.policy import Policy
from tillkey_server.store import customers, licenses, orders, products
from tillkey_server.store.customers import CustomerRow
from tillkey_server.store.orders import SORTS, OrderLineRow, OrderRow
from tillkey_server.usecases.answers import RefusalAnswer
from tillkey_server.usecases.catalogue import check_price
from tillkey_server.usecases.customer import address_of, ensured
from tillkey_server.usecases.issuing import IssuedLicense, Sale, issue_line
from tillkey_server.usecases.paging import DEFAULT_LIMIT, Page, page_of, paging_of
from tillkey_server.usecases.services import Raced, Services, settled

CHANNEL = "manual"
"""The channel of an order that names none."""
MAX_LINES = 50
MAX_QUANTITY = 500
MAX_NUMBER = 100
MAX_CHANNEL = 64
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""No order was paid before; further back a calendar of another time zone ends."""
RESERVED = frozenset({"direct", "trial"})
"""The channels whose numbers the server makes itself."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an order: pieces of a product, at a price for each without tax (None: the product's).

    `tax` is that of the whole line, `list_price` what a piece is listed at (None: the product's price), `beside` the
    position, from 0, of the line that an add-on was bought beside. `months` is a length that the buyer chose (NX-44).
    """

    product: str
    quantity: int = 1
    price: Money | None = None
    kind: LineKind = LineKind.PRODUCT
    beside: int | None = None
    list_price: Money | None = None
    tax: Money | None = None
    months: int | None = None


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
    channel: str = CHANNEL,
    paid_at: datetime | None = None,
    customer_type: CustomerType | None = None,
    scope: Scope = EVERYTHING,
) -> Placed | RefusalAnswer:
    """Record a paid order and issue the licenses of its lines; each key is in the answer that made it.

    Raises BadInput, naming the field, and NotFound for a product or, where the caller has limits, for a customer.
    """
    email = address_of(customer_email, "customer")
    if channel.strip() in RESERVED:
        raise BadInput("channel", f"must be none of {', '.join(sorted(RESERVED))}: the server numbers those itself")
    named, of_channel = _word("number", number, MAX_NUMBER), _word("channel", channel, MAX_CHANNEL)
    if not 1 <= len(lines) <= MAX_LINES:
        raise BadInput("lines", f"an order has 1 to {MAX_LINES} lines")
    _check(lines)

    async def attempt() -> Placed | RefusalAnswer:
        now = services.clock.now()
        if paid_at is not None and not EARLIEST <= paid_at <= now:
            raise BadInput("paid_at", f"lies ahead, or before {EARLIEST.year}: give the time at which the money came")
        async with services.db.writing() as tx:
            known = await orders.by_external(tx, of_channel, named, lock=True)
            customer = await _buyer(tx, known, CustomerRow(new_id(), email, email.casefold(), now), scope)
            sales = [await _sale(services, tx, line, customer, paid_at, now, scope) for line in lines]
            if known is None:
                row = OrderRow(new_id(), of_channel, named, customer.id, paid_at or now, now, customer_type)
                await _insert(tx, row, sales, lines)
                return await _placed(services, tx, row, sales, actor, is_new=True)
            differing = _differing(known, await orders.lines_of(tx, known.id), sales, lines, paid_at)
            if differing:
                return await _differs(tx, known, differing, scope)
            return await _placed(services, tx, known, sales, actor, is_new=False)

    return await settled(attempt)


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
    return {**_head(row), "lines": shown}


async def _insert(tx: AsyncConnection, row: OrderRow, sales: Sequence[Sale], lines: Sequence[Line]) -> None:
    """Insert an order with its lines. Raises Raced where somebody else told it first."""
    if not await orders.insert_if_absent(tx, row):
        raise Raced
    for position, (sale, line) in enumerate(zip(sales, lines, strict=True)):
        await orders.insert_line(tx, _line_row(row, sale, line, position))


async def _buyer(tx: AsyncConnection, known: OrderRow | None, row: CustomerRow, scope: Scope) -> CustomerRow:
    """Return the customer of an address; only a new order makes one, since one that differs must leave nothing."""
    if known is None or scope.customers is not None:
        return await ensured(tx, row, scope)
    return await customers.by_email_key(tx, row.email_key) or row


def _check(lines: Sequence[Line]) -> None:
    """Raise BadInput for a line that cannot be."""
    for line in lines:
        if not 1 <= line.quantity <= MAX_QUANTITY:
            raise BadInput("lines.quantity", f"must be from 1 to {MAX_QUANTITY}")
        if line.price is not None:
            check_price(line.price, "lines.price")
        _check_kind(line, lines)
    if sum(line.quantity for line in lines) > MAX_QUANTITY:
        raise BadInput("lines", f"must be {MAX_QUANTITY} pieces at most: tell the rest as an order of its own")


def _check_kind(line: Line, lines: Sequence[Line]) -> None:
    """Raise BadInput where a line cannot be of its kind, or its amounts are of several currencies."""
    if line.kind is LineKind.RENEWAL:
        raise BadInput("lines.kind", "renewals are told to the license that they renew: see `license renew`")
    if line.kind in ADD_ONS:
        is_there = line.beside is not None and 0 <= line.beside < len(lines)
        if not (is_there and lines[line.beside or 0].kind is LineKind.PRODUCT):
            raise BadInput("lines.beside", "name the position, from 0, of the product's line that it was bought beside")
    elif line.beside is not None:
        raise BadInput("lines.beside", "is for what was bought beside a product: leave it out, or tell the kind")
    for field, amount in (("lines.list_price", line.list_price), ("lines.tax", line.tax)):
        if amount is not None:
            check_price(amount, field)
            if line.price is None or amount.currency != line.price.currency:
                raise BadInput(field, "needs the line's price beside it, in the same currency")


async def _sale(
    services: Services,
    tx: AsyncConnection,
    line: Line,
    customer: CustomerRow,
    paid_at: datetime | None,
    now: datetime,
    scope: Scope,
) -> Sale:
    sold = await products.by_code(tx, line.product)
    if sold is None or not scope.admits_product(sold.id):
        raise NotFound("product", line.product)
    policy = services.policies.offered(sold.policy_name)
    _check_months(line, policy)
    return Sale(sold, customer, policy, line.quantity, now, paid_at)


def _check_months(line: Line, policy: Policy) -> None:
    """Raise BadInput for a length that the terms let nobody choose (NX-44)."""
    offered = () if policy.terms is None or line.kind is not LineKind.PRODUCT else policy.terms.purchase_months
    if line.months is not None and line.months not in offered:
        listed = ", ".join(str(months) for months in offered)
        raise BadInput("lines.months", f"may be {listed}, by the terms" if listed else "may not be chosen here")


def _line_row(order: OrderRow, sale: Sale, line: Line, position: int) -> OrderLineRow:
    price = line.price or Money(sale.product.price_minor, sale.product.currency)
    return OrderLineRow(
        id=new_id(),
        order_id=order.id,
        position=position,
        product_id=sale.product.id,
        quantity=sale.quantity,
        price_minor=price.minor,
        currency=price.currency,
        policy_name=sale.policy.name,
        policy_version=sale.policy.version,
        kind=None if line.kind is LineKind.PRODUCT else line.kind.value,
        beside=line.beside,
        list_price_minor=sale.product.price_minor if line.list_price is None else line.list_price.minor,
        tax_minor=None if line.tax is None else line.tax.minor,
        advertised=sale.product.advertised,
        term_months=line.months,
    )


def _differing(
    known: OrderRow,
    held: Sequence[OrderLineRow],
    sales: Sequence[Sale],
    lines: Sequence[Line],
    paid_at: datetime | None,
) -> str:
    """Return the name of the first part in which an order that is told again differs; empty where it is the same."""
    if known.customer_id != sales[0].customer.id:
        return "customer"
    if paid_at is not None and paid_at != known.paid_at:
        return "paid_at"
    stored = [(row.product_id, row.quantity, kind_of(row.kind), row.beside) for row in held]
    if stored != [
        (sale.product.id, sale.quantity, line.kind, line.beside) for sale, line in zip(sales, lines, strict=True)
    ]:
        return "set of lines"
    told = list(zip(held, lines, strict=True))
    if any(line.months not in {None, row.term_months} for row, line in told):
        return "months"
    if any(line.price is not None and (row.price_minor, row.currency) != _minor(line.price) for row, line in told):
        return "price"
    return ""


async def _differs(tx: AsyncConnection, known: OrderRow, differing: str, scope: Scope) -> RefusalAnswer:
    """Refuse other content for an order's number; to whom the order is hidden, no more is told (I13)."""
    is_seen = await orders.seen(tx, known.id, scope) is not None
    return RefusalAnswer(Refusal.ORDER_DIFFERS, f"The order is on record with another {differing}." if is_seen else "")


def _minor(price: Money) -> tuple[int, str]:
    return price.minor, price.currency


async def _placed(
    services: Services, tx: AsyncConnection, row: OrderRow, sales: Sequence[Sale], actor: str, *, is_new: bool
) -> Placed:
    shown: list[dict[str, object]] = []
    given: list[IssuedLicense] = []
    for line, sale in zip(await orders.lines_of(tx, row.id), sales, strict=True):
        issued: tuple[IssuedLicense, ...] = ()
        if kind_of(line.kind) is LineKind.PRODUCT:
            issued = (await issue_line(services, tx, sale, line, actor)).licenses
        given += issued
        shown.append(_shown(line, sale.product.code, issued))
    return Placed(is_new, {**_head(row), "lines": shown, "licenses": [_license(one) for one in given]})


def _head(row: OrderRow) -> dict[str, object]:
    return {
        "id": str(row.id),
        "channel": row.channel,
        "number": row.external_id,
        "customer_id": str(row.customer_id),
        "paid_at": instant(row.paid_at),
        "created_at": instant(row.created_at),
        "customer_type": row.customer_type,
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
        "months": line.term_months,
        "policy": {"name": line.policy_name, "version": line.policy_version},
        "license_ids": [str(one.license_id) for one in given],
    }


def _amount(minor: int | None, currency: str) -> str | None:
    return None if minor is None else Money(minor, currency).display()


def _license(one: IssuedLicense) -> dict[str, object]:
    return {"license_id": str(one.license_id), "license_key": one.license_key, "key_hint": one.key_hint}


def _word(field: str, text: str, most: int) -> str:
    word = text.strip()
    if not (word and len(word) <= most and word.isprintable()):
        raise BadInput(field, f"must be 1 to {most} printable characters")
    return word
