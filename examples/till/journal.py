"""The till's own book of sales: one SQLite file in the till's folder. It knows nothing of licenses."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from .sale import Sale

_TABLE = """
CREATE TABLE IF NOT EXISTS sale (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    lines TEXT NOT NULL,
    total_cents INTEGER NOT NULL,
    points INTEGER NOT NULL
)
"""


class Journal:
    """Sales in the order of their numbers; a number is given once and never again."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def record(self, sale: Sale, at: datetime) -> int:
        """Write a paid sale down, durably, and return its receipt number."""
        lines = json.dumps([[line.quantity, line.item.code, line.item.price] for line in sale.lines])
        with self._open() as book:
            row = book.execute(
                "INSERT INTO sale (at, lines, total_cents, points) VALUES (?, ?, ?, ?)",
                (at.isoformat(timespec="seconds"), lines, sale.total, sale.points),
            )
            assert row.lastrowid is not None
            return row.lastrowid

    def sold(self) -> tuple[int, int]:
        """Return how many sales were made and their total in cents."""
        with self._open() as book:
            count, total = book.execute("SELECT count(*), coalesce(sum(total_cents), 0) FROM sale").fetchone()
        return int(count), int(total)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        book = sqlite3.connect(self._path)
        try:
            with book:
                book.execute(_TABLE)
                yield book
        finally:
            book.close()
