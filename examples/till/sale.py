"""A sale: lines, a total, the VAT inside it, and the receipt as text."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from .goods import CURRENCY, Item, amount

WIDTH = 40


@dataclass(frozen=True)
class Line:
    """So many of one item."""

    quantity: int
    item: Item

    @property
    def total(self) -> int:
        """The line's price in cents, VAT included."""
        return self.quantity * self.item.price


@dataclass
class Sale:
    """What the customer at the counter is buying; `points` are the loyalty points it earns, 0 with that extra off."""

    lines: list[Line] = field(default_factory=list)
    loyalty: bool = False

    def add(self, quantity: int, item: Item) -> None:
        """Put items on the counter."""
        self.lines.append(Line(quantity, item))

    @property
    def total(self) -> int:
        """What is to be paid, in cents."""
        return sum(line.total for line in self.lines)

    @property
    def points(self) -> int:
        """One loyalty point for each full unit of money."""
        return self.total // 100 if self.loyalty else 0

    def vat(self) -> dict[int, int]:
        """Return the VAT inside the total, in cents by rate: rounded half up, once per rate."""
        gross: dict[int, int] = {}
        for line in self.lines:
            gross[line.item.vat] = gross.get(line.item.vat, 0) + line.total
        return {rate: (2 * cents * rate + 100 + rate) // (2 * (100 + rate)) for rate, cents in sorted(gross.items())}


@dataclass(frozen=True)
class Receipt:
    """A sale that was paid: its number in this till's journal, and when (local time)."""

    number: int
    shop: str
    at: datetime
    sale: Sale

    def text(self) -> str:
        """Return the receipt as it is printed."""
        rule = "-" * WIDTH
        rows = [self.shop.center(WIDTH).rstrip(), _two(f"Receipt {self.number}", f"{self.at:%Y-%m-%d %H:%M}"), rule]
        rows += [_two(f"{line.quantity:>3} x {line.item.name}", amount(line.total)) for line in self.sale.lines]
        rows += [rule, _two(f"TOTAL {CURRENCY}", amount(self.sale.total))]
        rows += [_two(f"  VAT {rate} % included", amount(cents)) for rate, cents in self.sale.vat().items()]
        if self.sale.loyalty:
            rows.append(_two("Loyalty points earned", str(self.sale.points)))
        return "\n".join(rows)


def _two(left: str, right: str) -> str:
    return left + right.rjust(WIDTH - len(left))
