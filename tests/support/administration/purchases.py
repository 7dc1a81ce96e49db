"""Valid requests about what comes with a purchase."""

from tests.support.administration.catalogue import BOTH, ordered
from tests.support.administration.example import NOBODY, Example, Make, Shelf
from tests.support.house import AGENT
from tillkey_server.ids import new_token
from tillkey_server.rules.product import ProductKind
from tillkey_server.usecases.catalogue import change_product
from tillkey_server.usecases.product_facts import Told


async def _listed(shelf: Shelf) -> Example:
    held = await ordered(shelf)
    return Example({"customer_id": held["customer_id"]}, missing={"customer_id": NOBODY}, concerns=BOTH)


async def _use(shelf: Shelf) -> Example:
    told = Told(kind=ProductKind.CORE)
    await change_product(shelf.house.services, shelf.product, policy="nexopos", actor=AGENT, told=told)
    held = await ordered(shelf)
    return Example({"customer_id": held["customer_id"]}, {}, missing={"customer_id": NOBODY}, concerns=BOTH)


async def _import(shelf: Shelf) -> Example:
    await change_product(shelf.house.services, shelf.product, policy="nexopos", actor=AGENT)
    await ordered(shelf)
    body = {
        "channel": "envato",
        "code": f"code-{new_token().lower().replace('_', '-')}",
        "product": shelf.product,
        "customer": shelf.customer,
        "support_months": 6,
        "purchased_at": "2026-02-01T10:00:00Z",
    }
    return Example(body=body, concerns=BOTH)


async def _reconcile(shelf: Shelf) -> Example:
    await ordered(shelf)
    listed = {"code": f"code-{new_token().lower().replace('_', '-')}", "state": "refunded"}
    return Example(body={"channel": "envato", "codes": [listed]})


async def _entitlements(shelf: Shelf) -> Example:
    held = await ordered(shelf)
    return Example({"project_id": held["project_id"]}, missing={"project_id": NOBODY}, concerns=BOTH)


EXAMPLES: dict[str, Make] = {
    "list_install_credits": _listed,
    "use_install_credit": _use,
    "import_license": _import,
    "reconcile_codes": _reconcile,
    "project_entitlements": _entitlements,
}
