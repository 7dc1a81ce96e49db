"""Erasing what a customer left about persons, places and machines; ids, amounts and instants stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Text, cast, func, select

from tillkey_server.store import account_tables, tables

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncConnection

NOWHERE = "erased.invalid"
"""The domain of addresses that were erased: `.invalid` is nobody's (RFC 2606)."""

CODED = frozenset({"finding", "in_tool", "missing"})
"""What of an event of a request for support is a code that its clocks rest on, and no text about anybody."""


async def erase(conn: AsyncConnection, customer_id: UUID) -> None:
    """Erase a customer's address, the names and sites of its projects, fingerprints, and what agents wrote about it.

    Its licenses are terminated and its chains' revisions raised by the caller, in the same transaction.
    """
    address = f"{customer_id}@{NOWHERE}"
    customer, project, activation = tables.customer, tables.project, tables.activation
    await conn.execute(customer.update().where(customer.c.id == customer_id).values(email=address, email_key=address))
    its_projects = select(project.c.id).where(project.c.customer_id == customer_id)
    its_licenses = select(tables.license_.c.id).where(tables.license_.c.customer_id == customer_id)
    its_orders = select(tables.purchase_order.c.id).where(tables.purchase_order.c.customer_id == customer_id)
    await conn.execute(
        activation.update()
        .where(activation.c.project_id.in_(its_projects))
        .values(fingerprint={}, site=None, platform_version=None)
    )
    # The id as text: a name of its own for each, since a customer has no two projects of one name.
    named = func.lower(cast(project.c.id, Text))
    await conn.execute(
        project.update().where(project.c.customer_id == customer_id).values(name=named, name_key=named, site=None)
    )
    forced, review, suspension = (
        tables.forced_deactivation,
        account_tables.order_review,
        account_tables.account_suspension,
    )
    await conn.execute(forced.update().where(forced.c.license_id.in_(its_licenses)).values(reason=""))
    await conn.execute(
        forced.update()
        .where(forced.c.license_id.in_(its_licenses), forced.c.override_reason.is_not(None))
        .values(override_reason="")
    )
    await conn.execute(review.update().where(review.c.order_id.in_(its_orders)).values(reason="", facts={}))
    await conn.execute(suspension.update().where(suspension.c.customer_id == customer_id).values(evidence=""))
    await _erase_support(conn, customer_id)


async def _erase_support(conn: AsyncConnection, customer_id: UUID) -> None:
    """Erase what was noted about a customer's requests for support; their instants stay."""
    request, event, access = tables.support_request, tables.support_event, tables.remote_access_grant
    its_requests = select(request.c.id).where(request.c.customer_id == customer_id)
    found = await conn.execute(select(event.c.id, event.c.details).where(event.c.request_id.in_(its_requests)))
    for event_id, details in found.all():
        kept = {name: value for name, value in details.items() if name in CODED}
        if kept != details:
            await conn.execute(event.update().where(event.c.id == event_id).values(details=kept))
    await conn.execute(access.update().where(access.c.request_id.in_(its_requests)).values(scope=""))
    await conn.execute(
        request.update()
        .where(request.c.customer_id == customer_id)
        .values(reference=None, matter=None, platform_version=None)
    )
