"""One license or activation by its id, for a caller that may be limited: what it does not see is not there (I13)."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.errors import BrokenInvariant, NotFound
from tillkey_server.rules.access import Scope
from tillkey_server.store import activations, licenses
from tillkey_server.store.activations import ActivationRow
from tillkey_server.store.licenses import LicenseRow


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
