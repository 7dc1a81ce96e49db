"""The lines of an order: what they must be, and the lines that a bundle becomes.

A bundle is recorded as its parts, each with its share of the price (K-07), so that everything that follows (support,
renewal, refund) finds an ordinary line. `folded` turns them back into what was told, so that an order that is told
again is recognized even where the bundle consists of something else by then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tillkey_server.errors import BadInput, NotFound
from tillkey_server.money import Money
from tillkey_server.rules.order_line import ADD_ONS, LineKind, kind_of
from tillkey_server.rules.product import leaves, shares
from tillkey_server.store.orders import OrderLineRow
from tillkey_server.store.products import ProductRow
from tillkey_server.usecases.catalogue import check_price
from tillkey_server.usecases.product_facts import catalogue_of

MAX_LINES = 50
MAX_QUANTITY = 500


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an order: pieces of a product, at a price for each without tax (None: the product's).

    `tax` is that of the whole line, `list_price` what a piece is listed at (None: the product's price), `beside` the
    position, from 0, of the line that an add-on was bought beside. `months` is a length that the buyer chose (NX-44).
    `coupon` is what of the whole line's price was paid with a gift card or a coupon that is worth money (NX-31).
    """

    product: str
    quantity: int = 1
    price: Money | None = None
    kind: LineKind = LineKind.PRODUCT
    beside: int | None = None
    list_price: Money | None = None
    tax: Money | None = None
    months: int | None = None
    coupon: Money | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """A line as it is recorded; of a bundle's part, the bundle's code and the position of the line that was told."""

    line: Line
    bundle: str | None = None
    bundle_line: int | None = None


@dataclass(frozen=True, slots=True)
class ToldLine:
    """A recorded line, or the parts of a bundle together, as it was told: prices are of a piece, a coupon of all."""

    product: str
    quantity: int
    kind: LineKind
    beside: int | None
    price: tuple[int, str]
    months: int | None
    coupon_minor: int


def check_lines(lines: Sequence[Line]) -> None:
    """Raise BadInput for lines that cannot be."""
    if not 1 <= len(lines) <= MAX_LINES:
        raise BadInput("lines", f"an order has 1 to {MAX_LINES} lines")
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
    amounts = (("lines.list_price", line.list_price), ("lines.tax", line.tax), ("lines.coupon", line.coupon))
    for field, amount in amounts:
        if amount is not None:
            check_price(amount, field)
            if line.price is None or amount.currency != line.price.currency:
                raise BadInput(field, "needs the line's price beside it, in the same currency")
    if line.coupon is not None and line.price is not None and line.coupon.minor > line.price.minor * line.quantity:
        raise BadInput("lines.coupon", "must not be more than the price of all pieces")


def pieces_of(lines: Sequence[Line], rows: Mapping[str, ProductRow]) -> tuple[Piece, ...]:
    """Return what is recorded of an order's lines. Raises NotFound for a product that there is not."""
    found: list[Piece] = []
    first: list[int] = []
    for told, line in enumerate(lines):
        row = rows.get(line.product)
        if row is None:
            raise NotFound("product", line.product)
        first.append(len(found))
        if line.kind is LineKind.PRODUCT and row.parts:
            found += _parts(told, line, row, rows)
        else:
            found.append(Piece(line))
    return tuple(
        replace(one, line=replace(one.line, beside=first[one.line.beside])) if one.line.beside is not None else one
        for one in found
    )


def _parts(told: int, line: Line, bundle: ProductRow, rows: Mapping[str, ProductRow]) -> list[Piece]:
    codes = leaves(bundle.code, catalogue_of(rows.values()))
    weights = [rows[code].price_minor for code in codes]
    price = line.price or Money(bundle.price_minor, bundle.currency)
    prices = shares(price.minor, weights)
    taxes: Sequence[int | None] = [None] * len(codes) if line.tax is None else shares(line.tax.minor, weights)
    # By the prices themselves, so that no part's coupon is more than its price.
    coupons: Sequence[int | None] = [None] * len(codes) if line.coupon is None else shares(line.coupon.minor, prices)
    return [
        Piece(
            Line(
                product=code,
                quantity=line.quantity,
                price=Money(share, price.currency),
                # A part that is listed in another currency has no list price in this one.
                list_price=Money(rows[code].price_minor, price.currency)
                if rows[code].currency == price.currency
                else None,
                tax=None if tax is None else Money(tax, price.currency),
                months=line.months,
                coupon=None if coupon is None else Money(coupon, price.currency),
            ),
            bundle.code,
            told,
        )
        for code, share, tax, coupon in zip(codes, prices, taxes, coupons, strict=True)
    ]


def folded(held: Sequence[OrderLineRow], codes: Mapping[object, str]) -> tuple[ToldLine, ...]:
    """Return recorded lines as they were told; `codes` are those of products by id."""
    found: list[ToldLine] = []
    told_at: dict[int, int] = {}
    open_bundle: int | None = None
    for row in held:
        if row.bundle_line is not None and row.bundle_line == open_bundle:
            last = found[-1]
            price = (last.price[0] + row.price_minor, row.currency)
            found[-1] = replace(last, price=price, coupon_minor=last.coupon_minor + (row.coupon_minor or 0))
        else:
            code = codes[row.product_id] if row.bundle is None else row.bundle
            price = (row.price_minor, row.currency)
            told = (code, row.quantity, kind_of(row.kind), row.beside, price, row.term_months, row.coupon_minor or 0)
            found.append(ToldLine(*told))
        open_bundle = row.bundle_line
        told_at[row.position] = len(found) - 1
    return tuple(one if one.beside is None else replace(one, beside=told_at[one.beside]) for one in found)
