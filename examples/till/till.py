"""The till itself: it opens a sale when the license allows, and closes every sale that it opened."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from tillkey import Verdict

from .goods import read_order
from .journal import Journal
from .licensing import LOYALTY, Setup, open_client
from .sale import Receipt, Sale


class Closed(Exception):
    """The till opens no new sale; `verdict` says why."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.notice or verdict.reason)
        self.verdict = verdict


class Till:
    """One till in its own folder: settings, journal and license state."""

    def __init__(self, folder: Path) -> None:
        self.setup = Setup.load(folder)
        self.journal = Journal(folder / "sales.sqlite")
        self.license = open_client(self.setup, folder)

    def open_sale(self) -> Sale:
        """Begin a sale. Raises `Closed` when the license has ended; a server that is down closes nothing."""
        verdict = self.license.check()
        if not verdict.usable:
            raise Closed(verdict)
        return Sale(loyalty=LOYALTY in verdict.entitlements)

    def close_sale(self, sale: Sale) -> Receipt:
        """Take the money and print. No license is asked here: a customer is never sent away in the middle of a sale."""
        at = datetime.now().astimezone()
        return Receipt(self.journal.record(sale, at), self.setup.shop, at, sale)

    def ring_up(self, sale: Sale, order: str) -> None:
        """Add an order like `2xESPRESSO` to a sale. `UnknownOrder` is raised for words that are none."""
        sale.add(*read_order(order))

    def sell(self, *orders: str) -> Receipt:
        """Open a sale, ring up the orders and close it. Raises as these do; then nothing was sold."""
        sale = self.open_sale()
        for order in orders:
            self.ring_up(sale, order)
        return self.close_sale(sale)
