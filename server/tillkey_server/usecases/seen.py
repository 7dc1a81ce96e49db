"""One customer, license or activation by its id, for a caller that may be limited: unseen is not there (I13)."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.errors import BrokenInvariant, NotFound
from tillkey_server.rules.access import Scope
from tillkey_server.store import activations, customers, licenses, terminations
from tillkey_server.store.activations import ActivationRow
from tillkey_server.store.customers import CustomerRow
from tillkey_server.store.licenses import LicenseRow


async def customer_of(tx: AsyncConnection, customer_id: UUID, scope: Scope, *, lock: bool = False) -> CustomerRow:
    """Return a customer, erased or not; `lock` its row before changing anything of its. Raises NotFound."""
    row = await customers.seen(tx, customer_id, scope, lock=lock)
    if row is None:
        raise NotFound("customer", str(customer_id))
    return row


async def living(tx: AsyncConnection, customer_id: UUID, scope: Scope, *, lock: bool = False) -> CustomerRow:
    """Return a customer that was not erased (NX-38); `lock` as in `customer_of`. Raises NotFound."""
    row = await customer_of(tx, customer_id, scope, lock=lock)
    if await terminations.stone_of(tx, customer_id) is not None:
        raise NotFound("customer", str(customer_id))
    return row


async def license_of(tx: AsyncConnection, license_id: UUID, scope: Scope, *, lock: bool = False) -> LicenseRow:
    """Return a license; `lock` its row before deciding about it. Raises NotFound."""
    row = await licenses.by_id(tx, license_id, lock=lock)
    if row is None or not scope.admits(customer=row.customer_id, product=row.product_id):
        raise NotFound("license", str(license_id))
    return row


async def activation_of(tx: AsyncConnection, activation_id: UUID, scope: Scope) -> ActivationRow:
    """Return an activation, ended or not; it is seen by whoever sees its license. Raises NotFound."""
    row = await activations.by_id(tx, activation_id)
    if row is None:
        raise NotFound("activation", str(activation_id))
    held = await licenses.by_id(tx, row.license_id)
    if held is None:
        raise BrokenInvariant(f"activation {activation_id} has no license")
    if not scope.admits(customer=held.customer_id, product=held.product_id):
        raise NotFound("activation", str(activation_id))
    return row
