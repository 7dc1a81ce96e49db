"""Issuing the licenses of one paid line, within the transaction of whoever sells: an order, an agent, a trial."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey.wire.license_key import format_key, hint, normalize
from tillkey_server.ids import new_id
from tillkey_server.rules.account import Span
from tillkey_server.rules.clocks import Clocks, clocks_at_issue
from tillkey_server.rules.issue import decide_issue
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.product import ProductKind
from tillkey_server.store import audit, customers, install_credits, licenses, orders, products
from tillkey_server.store.install_credits import CreditRow
from tillkey_server.usecases import accounts
from tillkey_server.usecases.pause import pause_clocks
from tillkey_server.usecases.services import Services
from tillkey_server.usecases.terms import support_beside


@dataclass(frozen=True, slots=True)
class Sale:
    """What is sold to whom: `quantity` pieces of a product under today's terms, paid at `paid_at` (None: now)."""

    product: products.ProductRow
    customer: customers.CustomerRow
    policy: Policy
    quantity: int
    now: datetime
    paid_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class IssuedLicense:
    """One license of an order line.

    `license_key` is there only in the answer that made it, since a keyed hash alone is stored.
    """

    license_id: UUID
    license_key: str | None = field(repr=False)
    key_hint: str


@dataclass(frozen=True, slots=True)
class IssuedLine:
    """What a line has: `license_issued` where some are new, else `license_already_issued`."""

    code: str
    licenses: tuple[IssuedLicense, ...]


async def issue_line(
    services: Services, tx: AsyncConnection, sale: Sale, line: orders.OrderLineRow, actor: str
) -> IssuedLine:
    """Issue what a line still needs (NX-01); its order's row is locked, or new in this transaction.

    With the first license of a core comes its free installation, where the terms give one (NX-19).

    The clocks run from the payment, not from when we were told of it (NX-14).
    """
    known = await licenses.of_order_line(tx, line.id)
    policy = await services.policies.of(tx, line.policy_ref)
    beside = await support_beside(tx, line, policy)
    clocks = clocks_at_issue(sale.paid_at or sale.now, policy, line.term_months, line.refund_days, beside)
    decision = decide_issue(line.quantity, len(known), policy, sale.now, clocks, line.term_months)
    made = await insert_licenses(services, tx, sale, line, clocks, range(len(known), line.quantity))
    for one in made:
        await audit.record(tx, decision, actor=actor, action="license_issue", license_id=one.license_id)
    given = (*(IssuedLicense(row.id, None, row.key_hint) for row in known), *made)
    is_core = sale.product.kind == ProductKind.CORE
    if is_core and policy.sale is not None and policy.sale.install_service and not known:
        credit = CreditRow(new_id(), line.id, sale.customer.id, sale.now)
        await install_credits.grant(tx, credit)
    return IssuedLine(decision.code.value, given)


async def insert_licenses(
    services: Services,
    tx: AsyncConnection,
    sale: Sale,
    line: orders.OrderLineRow,
    clocks: Clocks,
    positions: Iterable[int] = (0,),
) -> tuple[IssuedLicense, ...]:
    """Insert licenses of a line, each with a new key, which is in what is returned and nowhere else."""
    suspended = await accounts.span_for(tx, sale.customer.id, sale.now)
    keys = {position: format_key(sale.product.key_prefix, secrets.token_bytes) for position in positions}
    made = [_row(services, sale, line, position, key, clocks, suspended) for position, key in keys.items()]
    await licenses.insert(tx, *made)
    for row in made if suspended is not None else ():
        await pause_clocks(tx, services.policies, row, suspended, sale.now)
    return tuple(IssuedLicense(row.id, keys[row.position], row.key_hint) for row in made)


def _row(
    services: Services,
    sale: Sale,
    line: orders.OrderLineRow,
    position: int,
    key: str,
    clocks: Clocks,
    suspended: Span | None,
) -> licenses.LicenseRow:
    return licenses.LicenseRow(
        id=new_id(),
        order_line_id=line.id,
        position=position,
        product_id=sale.product.id,
        customer_id=sale.customer.id,
        key_hash=services.pepper.hash_key(normalize(key)),
        key_hint=hint(key),
        policy_name=line.policy_name,
        policy_version=line.policy_version,
        issued_at=sale.now,
        clocks_from=sale.paid_at or sale.now,
        use_until=clocks.use_until,
        updates_until=clocks.updates_until,
        support_until=clocks.support_until,
        refund_until=clocks.refund_until,
        account_suspended_at=None if suspended is None else suspended.at,
        account_stops_at=None if suspended is None else suspended.stops_at,
        account_suspended_until=None if suspended is None else suspended.until,
    )
