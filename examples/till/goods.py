"""What the shop sells. Prices are integer cents with VAT inside; rates are whole percents."""

from __future__ import annotations

import re
from dataclasses import dataclass

CURRENCY = "EUR"


@dataclass(frozen=True)
class Item:
    """One thing on the price list: `price` in cents, VAT included, `vat` in percent."""

    code: str
    name: str
    price: int
    vat: int


PRICE_LIST = {
    item.code: item
    for item in (
        Item("ESPRESSO", "Espresso", 220, 20),
        Item("LATTE", "Caffe latte", 340, 20),
        Item("TEA", "Pot of tea", 290, 20),
        Item("CROISSANT", "Croissant", 190, 10),
        Item("SANDWICH", "Cheese sandwich", 460, 10),
        Item("BEANS", "Coffee beans 250 g", 890, 10),
    )
}

MOST_OF_ONE = 999
_ORDER = re.compile(r"(?:(?P<quantity>[1-9][0-9]{0,2})[x*])?(?P<code>[A-Z]+)", re.ASCII | re.IGNORECASE)


class UnknownOrder(ValueError):
    """The cashier's words name nothing on the price list."""


def read_order(text: str) -> tuple[int, Item]:
    """Return quantity (1 to `MOST_OF_ONE`) and item of an order like `2xESPRESSO` or `tea`.

    Raises `UnknownOrder` with a sentence for the cashier.
    """
    found = _ORDER.fullmatch(text)
    if found is None:
        raise UnknownOrder(f"{text!r} is no order; write 2xESPRESSO, at most {MOST_OF_ONE} of one item")
    code = found["code"].upper()
    item = PRICE_LIST.get(code)
    if item is None:
        raise UnknownOrder(f"{code} is not on the price list: {', '.join(PRICE_LIST)}")
    return int(found["quantity"] or 1), item


def amount(cents: int) -> str:
    """Return cents as people write them: 1230 is `12.30`."""
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02d}"
