"""What a database holds, as texts by table and column, for the search of secrets."""

import contextlib
import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

from tests.support import needles

Cell = tuple[str, str]

RIGHTFUL: Mapping[str, str] = {
    "customer.email": needles.EMAIL,  # a customer is found and written to by it
    "customer.email_key": needles.EMAIL,  # the same, folded, for uniqueness
    "lease.nonce": needles.NONCE,  # the next step of the chain presents it
    "lease.rid": needles.NONCE,  # a repeated request is known by it
    "chain.nonce": needles.NONCE,  # the current one of both, compared by the hot path
    "chain.rid": needles.NONCE,
}
"""The columns that hold a value of that kind by right; anything else that is found anywhere is a leak."""


def of_sqlite(path: Path) -> Iterator[Cell]:
    """Return every cell of a database file; one that is none, or is gone, has none."""
    if not path.is_file():
        return
    with contextlib.suppress(sqlite3.Error), closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            rows = connection.execute(f'SELECT * FROM "{table}"')
            columns = [column[0] for column in rows.description]
            for row in rows:
                for column, held in zip(columns, row, strict=True):
                    if isinstance(held, bytes):
                        yield f"{table}.{column}", held.hex()
                        yield f"{table}.{column}", held.decode("ascii", "replace")
                    elif isinstance(held, str):
                        yield f"{table}.{column}", held


def of_rows(rows: list[tuple[str, str]]) -> Iterator[Cell]:
    """Return the cells of rows, each a table's name and its JSON."""
    for table, text in rows:
        for column, held in json.loads(text).items():
            if held is not None and not isinstance(held, (int, float)):
                yield f"{table}.{column}", held if isinstance(held, str) else json.dumps(held)
