"""Valid requests about trials."""

from tests.support.administration.example import Example, Make, Shelf
from tillkey_server.ids import new_token
from tillkey_server.usecases.catalogue import change_product


async def _start(shelf: Shelf) -> Example:
    await change_product(shelf.house.services, shelf.product, policy="trying", actor="cli:test")
    body = {"product": shelf.product, "customer": f"{new_token()}@shop.example"}
    return Example(body=body, concerns=("customer", "product"))


EXAMPLES: dict[str, Make] = {"start_trial": _start}
