"""A caller's limits as conditions of a query: what lies outside is not there (I13)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

    from tillkey_server.rules.access import Scope


def admitted(scope: Scope, *, customer: ColumnElement[Any], product: ColumnElement[Any]) -> list[ColumnElement[bool]]:
    """Return the conditions under which rows of these customer and product columns are seen; none without limits."""
    found: list[ColumnElement[bool]] = []
    if scope.customers is not None:
        found.append(customer.in_(scope.customers))
    if scope.products is not None:
        found.append(product.in_(scope.products))
    return found
