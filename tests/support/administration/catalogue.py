"""Valid requests about products, customers, projects and orders."""

from uuid import UUID

from tests.support.administration.example import NOBODY, Example, Make, Shelf
from tillkey_server.ids import new_token
from tillkey_server.rules.access import Scope
from tillkey_server.usecases.customer import add_customer
from tillkey_server.usecases.order import Line, place_order
from tillkey_server.usecases.project import add_project
from tillkey_server.usecases.project_member import add_member

BOTH = ("customer", "product")


async def ordered(shelf: Shelf) -> dict[str, str]:
    """Sell one license of the shelf's product to its customer; return the ids of all that came of it."""
    placed = await place_order(
        shelf.house.services,
        number=new_token(),
        customer_email=shelf.customer,
        lines=[Line(shelf.product)],
        actor="cli:test",
        scope=Scope(),
    )
    shown = placed.shown
    project = await add_project(shelf.house.services, UUID(shown["customer_id"]), name="Corner Shop")
    return {
        "order_id": shown["id"],
        "customer_id": shown["customer_id"],
        "license_id": shown["licenses"][0]["license_id"],
        "project_id": project.shown["id"],
    }


async def _nothing(_shelf: Shelf) -> Example:
    return Example()


async def _product(shelf: Shelf) -> Example:
    return Example({"product_code": shelf.product}, missing={"product_code": "nothing"}, concerns=("product",))


async def _add_product(_shelf: Shelf) -> Example:
    return Example(body={"code": "new-one", "name": "New", "key_prefix": "NEW", "price": "5.00 EUR"})


async def _change_product(shelf: Shelf) -> Example:
    body = {"name": "Another name", "price": "6.00 EUR", "policy": "default"}
    return Example({"product_code": shelf.product}, body, missing={"product_code": "nothing"}, concerns=("product",))


async def _add_customer(shelf: Shelf) -> Example:
    await ordered(shelf)
    return Example(body={"email": shelf.customer}, concerns=BOTH)


async def _find_customer(shelf: Shelf) -> Example:
    await ordered(shelf)
    return Example(body={"email": shelf.customer})


async def _customer(shelf: Shelf) -> Example:
    held = await ordered(shelf)
    return Example({"customer_id": held["customer_id"]}, missing={"customer_id": NOBODY}, concerns=BOTH)


async def _change_customer(shelf: Shelf) -> Example:
    held = await ordered(shelf)
    body = {"email": f"{new_token()}@shop.example"}
    return Example({"customer_id": held["customer_id"]}, body, missing={"customer_id": NOBODY}, concerns=BOTH)


async def _add_project(shelf: Shelf) -> Example:
    held = await ordered(shelf)
    body = {"customer_id": held["customer_id"], "name": "Second Shop", "site": "shop.example"}
    return Example(body=body, concerns=BOTH)


async def _project(shelf: Shelf) -> Example:
    held = await ordered(shelf)
    return Example({"project_id": held["project_id"]}, missing={"project_id": NOBODY}, concerns=BOTH)


async def _rename_project(shelf: Shelf) -> Example:
    held = await ordered(shelf)
    body = {"name": f"Shop {new_token()}"}
    return Example({"project_id": held["project_id"]}, body, missing={"project_id": NOBODY}, concerns=BOTH)


async def _add_member(shelf: Shelf) -> Example:
    held = await ordered(shelf)
    body = {"customer_id": (await _staff(shelf))}
    return Example({"project_id": held["project_id"]}, body, missing={"project_id": NOBODY}, concerns=BOTH)


async def _remove_member(shelf: Shelf) -> Example:
    held = await ordered(shelf)
    staff = await _staff(shelf)
    await add_member(
        shelf.house.services, UUID(held["project_id"]), customer_id=UUID(staff), actor="cli:test", scope=Scope()
    )
    body = {"customer_id": staff}
    return Example({"project_id": held["project_id"]}, body, missing={"project_id": NOBODY}, concerns=BOTH)


async def _staff(shelf: Shelf) -> str:
    """Return a customer of his own, who works for the shelf's."""
    added = await add_customer(shelf.house.services, f"{new_token()}@staff.example")
    return str(added.shown["id"])


async def _change_site(shelf: Shelf) -> Example:
    held = await ordered(shelf)
    body = {"site": "new.example", "reason": "the shop has a new domain"}
    return Example({"project_id": held["project_id"]}, body, missing={"project_id": NOBODY}, concerns=BOTH)


async def _place_order(shelf: Shelf) -> Example:
    body = {
        "number": "2026-1",
        "channel": "web",
        "customer": shelf.customer,
        "paid_at": "2026-03-01T10:00:00Z",
        "lines": [{"product": shelf.product, "quantity": 2, "price": "1.00 EUR"}],
    }
    return Example(body=body, concerns=BOTH)


async def _order(shelf: Shelf) -> Example:
    held = await ordered(shelf)
    return Example({"order_id": held["order_id"]}, missing={"order_id": NOBODY}, concerns=BOTH)


async def _issue(shelf: Shelf) -> Example:
    body = {"product": shelf.product, "customer": shelf.customer, "quantity": 2, "order": "A-1"}
    return Example(body=body, concerns=BOTH)


EXAMPLES: dict[str, Make] = {
    "list_products": _nothing,
    "add_product": _add_product,
    "get_product": _product,
    "change_product": _change_product,
    "list_customers": _nothing,
    "search_customers": _find_customer,
    "add_customer": _add_customer,
    "get_customer": _customer,
    "change_customer": _change_customer,
    "list_projects": _nothing,
    "add_project": _add_project,
    "get_project": _project,
    "rename_project": _rename_project,
    "list_project_members": _project,
    "add_project_member": _add_member,
    "remove_project_member": _remove_member,
    "change_site": _change_site,
    "list_orders": _nothing,
    "place_order": _place_order,
    "get_order": _order,
    "issue_license": _issue,
}
