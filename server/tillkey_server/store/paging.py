"""Keyset pagination: a page begins after a place in the order, not after a number of rows.

Rows that come and go between two pages therefore neither repeat nor hide others. Every order ends in the row's own key,
which decides ties.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from sqlalchemy import and_, or_

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Select

BY_KEY = "id"
"""The order of the rows' own keys, which every list has: by age."""

Selected = TypeVar("Selected", bound="Select[Any]")


@dataclass(frozen=True, slots=True)
class Sort:
    """One order of a list: the column, which is never null, and its value in a fetched row."""

    column: ColumnElement[Any]
    of: Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ended: the last row's key, and its value in the order where that is another than the key."""

    key: UUID | int
    value: Any = None


@dataclass(frozen=True, slots=True)
class Paging:
    """Which page is wanted; `limit` rows and one more are fetched, which tells whether there is a next page."""

    limit: int
    sort: str = BY_KEY
    descending: bool = False
    after: Place | None = None


def paged(
    statement: Selected, paging: Paging, *, key: ColumnElement[Any], sorts: Mapping[str, Sort] | None = None
) -> Selected:
    """Return the statement of one page. In: the key's column, and the orders of `sorts`; KeyError for another."""
    column = None if paging.sort == BY_KEY else (sorts or {})[paging.sort].column
    by = [key] if column is None else [column, key]
    if paging.after is not None:
        statement = statement.where(_beyond(column, key, paging.after, descending=paging.descending))
    ordered = statement.order_by(*[one.desc() if paging.descending else one.asc() for one in by])
    return ordered.limit(paging.limit + 1)


def _beyond(
    column: ColumnElement[Any] | None, key: ColumnElement[Any], place: Place, *, descending: bool
) -> ColumnElement[bool]:
    def further(one: ColumnElement[Any], value: Any) -> ColumnElement[bool]:
        compared: ColumnElement[bool] = one < value if descending else one > value
        return compared

    if column is None:
        return further(key, place.key)
    return or_(further(column, place.value), and_(column == place.value, further(key, place.key)))
