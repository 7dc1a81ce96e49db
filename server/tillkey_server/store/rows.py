"""The few helpers every query module shares: rows in, frozen dataclasses out.

A row class has one field per selected column, with the column's name; `columns_of` selects them in that order.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy.dialects import postgresql, sqlite

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import ColumnElement, Select, Table, Update
    from sqlalchemy.ext.asyncio import AsyncConnection

Fact = TypeVar("Fact")


def columns_of(table: Table, row_class: type[Any]) -> tuple[ColumnElement[Any], ...]:
    """Return the columns of `table` that the row class has fields for, in the fields' order."""
    return tuple(table.c[field.name] for field in fields(row_class))


def values_of(row: Any) -> dict[str, Any]:
    """Return a row object as the values of an INSERT; not `asdict`, which would copy the JSON columns deeply."""
    return {field.name: getattr(row, field.name) for field in fields(row)}


async def one(conn: AsyncConnection, statement: Select[Any], fact: Callable[..., Fact]) -> Fact | None:
    """Return the only row of a query as `fact(*row)`, or None."""
    row = (await conn.execute(statement)).one_or_none()
    return None if row is None else fact(*row)


async def many(conn: AsyncConnection, statement: Select[Any], fact: Callable[..., Fact]) -> tuple[Fact, ...]:
    """Return every row of a query as `fact(*row)`, in the query's order."""
    return tuple(fact(*row) for row in await conn.execute(statement))


def locked(statement: Select[Any], table: Table, *, lock: bool) -> Select[Any]:
    """Lock the selected rows of `table` until the transaction ends, if `lock`.

    PostgreSQL takes FOR NO KEY UPDATE: plain FOR UPDATE would also block the foreign keys of a heartbeat that holds
    the chain row which this transaction wants next, a deadlock. SQLite renders nothing: `BEGIN IMMEDIATE` already
    holds the only write lock.
    """
    return statement.with_for_update(of=table, key_share=True) if lock else statement


def unchanged(statement: Select[Any], table: Table) -> Select[Any]:
    """Keep the selected rows of `table` from being changed until the transaction ends, by a lock that many may hold.

    For a row that decides and is not written, as a product's: two who renew licenses of one do not wait for each other.
    """
    return statement.with_for_update(of=table, read=True)


async def insert(conn: AsyncConnection, table: Table, *made: Any) -> None:
    """Insert row objects, if there are any, in one statement; IntegrityError when a rule of the table forbids one."""
    if made:
        await conn.execute(table.insert(), [values_of(row) for row in made])


async def insert_if_absent(conn: AsyncConnection, table: Table, row: Any, key: Sequence[str]) -> bool:
    """Insert one row object unless a row with the same `key` columns is there; return whether it was inserted.

    Two transactions at once are safe: the later one waits for the earlier. A plain INSERT that fails would end
    PostgreSQL's whole transaction.
    """
    make = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
    statement = make(table).values(values_of(row)).on_conflict_do_nothing(index_elements=list(key))
    return bool((await conn.execute(statement)).rowcount)


async def changed(conn: AsyncConnection, statement: Update) -> int:
    """Run an UPDATE and return how many rows it changed."""
    return (await conn.execute(statement)).rowcount
