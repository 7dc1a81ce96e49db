"""Valid requests about carts, orders under review and the sale of products."""

from tests.support.administration.catalogue import BOTH, ordered
from tests.support.administration.example import NOBODY, Example, Make, Shelf
from tests.support.house import AGENT
from tillkey_server.ids import new_token
from tillkey_server.usecases.order import Line, place_order
from tillkey_server.usecases.product_facts import ProductState, set_state


async def _preview(shelf: Shelf) -> Example:
    held = await ordered(shelf)
    body = {"customer": shelf.customer, "renews": [held["license_id"]], "lines": [{"product": shelf.product}]}
    return Example(body=body, concerns=BOTH)


async def _hold(shelf: Shelf) -> Example:
    held = await ordered(shelf)
    return Example({"order_id": held["order_id"]}, {"reason": "looks odd"}, missing={"order_id": NOBODY}, concerns=BOTH)


async def _release(shelf: Shelf) -> Example:
    placed = await place_order(
        shelf.house.services,
        number=new_token(),
        customer_email=shelf.customer,
        lines=[Line(shelf.product)],
        actor=AGENT,
        under_review=True,
    )
    path = {"order_id": placed.shown["id"]}
    return Example(path, {"reason": "all is well"}, missing={"order_id": NOBODY}, concerns=BOTH)


async def _state(shelf: Shelf) -> Example:
    return Example({"product_code": shelf.product}, {}, missing={"product_code": "nothing"}, concerns=("product",))


async def _online(shelf: Shelf) -> Example:
    await set_state(shelf.house.services, shelf.product, ProductState.OFFLINE, actor=AGENT)
    return await _state(shelf)


EXAMPLES: dict[str, Make] = {
    "preview_order": _preview,
    "hold_order": _hold,
    "release_order": _release,
    "refund_order": _release,
    "take_product_offline": _state,
    "put_product_online": _online,
    "retire_product": _state,
}
