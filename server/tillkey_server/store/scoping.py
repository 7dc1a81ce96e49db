"""A caller's limits as conditions of a query: what lies outside is not there (I13)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, exists, true

from tillkey_server.store import tables

if TYPE_CHECKING:
    from uuid import UUID

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


def customers_of(scope: Scope, customer_id: ColumnElement[UUID]) -> ColumnElement[bool]:
    """Return the condition under which a caller sees what belongs to the customer in a column.

    With a limit to products it is those customers that hold a license of one of them.
    """
    conditions: list[ColumnElement[bool]] = []
    if scope.customers is not None:
        conditions.append(customer_id.in_(scope.customers))
    if scope.products is not None:
        held = tables.license_.c
        conditions.append(exists().where(held.customer_id == customer_id, held.product_id.in_(scope.products)))
    return and_(true(), *conditions)


def orders_of(scope: Scope) -> ColumnElement[bool]:
    """Return the condition under which a caller sees an order: its customer, and at least one of its lines."""
    order, line = tables.purchase_order.c, tables.order_line.c
    conditions: list[ColumnElement[bool]] = []
    if scope.customers is not None:
        conditions.append(order.customer_id.in_(scope.customers))
    if scope.products is not None:
        conditions.append(exists().where(line.order_id == order.id, line.product_id.in_(scope.products)))
    return and_(true(), *conditions)
