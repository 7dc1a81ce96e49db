"""Valid requests about activations, and about what agents do to them."""

from uuid import UUID

from tests.support.administration.example import NOBODY, Example, Make, Shelf
from tests.support.administration.licenses import CONCERNS, REASON
from tillkey_server.store import licenses
from tillkey_server.usecases.project import add_project

MISSING = {"activation_id": NOBODY}


async def activated(shelf: Shelf, environment: str = "production") -> tuple[str, str]:
    """Sell a license on the shelf, let a till activate it, and return the ids of both: license and activation."""
    sold = await shelf.house.license(shelf.product, shelf.customer)
    till = shelf.house.till(product=shelf.product)
    granted = (await till.activate(sold.license_key, environment=environment)).granted
    return str(sold.license_id), granted.sub


async def _nothing(_shelf: Shelf) -> Example:
    return Example()


async def _get(shelf: Shelf) -> Example:
    _, held = await activated(shelf)
    return Example({"activation_id": held}, missing=MISSING, concerns=CONCERNS)


async def _release(shelf: Shelf) -> Example:
    _, held = await activated(shelf)
    return Example({"activation_id": held}, body=REASON, missing=MISSING, concerns=CONCERNS)


async def _force(shelf: Shelf) -> Example:
    _, held = await activated(shelf)
    body = {"confirm": True, "vendor_fault": False, "force_majeure": False, **REASON}
    return Example({"activation_id": held}, body=body, missing=MISSING, concerns=CONCERNS)


async def _ticket(shelf: Shelf) -> Example:
    license_id, _ = await activated(shelf, "staging")
    body = {"environment": "production", **REASON}
    return Example({"license_id": license_id}, body=body, missing={"license_id": NOBODY}, concerns=CONCERNS)


async def _move_license(shelf: Shelf) -> Example:
    license_id, _ = await activated(shelf)
    async with shelf.house.services.db.reading() as tx:
        row = await licenses.by_id(tx, UUID(license_id))
    assert row is not None
    project = await add_project(shelf.house.services, row.customer_id, name="Another Shop")
    body = {"project_id": str(project.shown["id"]), **REASON}
    return Example({"license_id": license_id}, body=body, missing={"license_id": NOBODY}, concerns=CONCERNS)


EXAMPLES: dict[str, Make] = {
    "list_activations": _nothing,
    "get_activation": _get,
    "release_activation": _release,
    "force_deactivate": _force,
    "list_forced_deactivations": _nothing,
    "move_license": _move_license,
    "create_move_ticket": _ticket,
    "list_move_tickets": _nothing,
}
