"""Valid requests about licenses, and about what is done to them."""

from typing import Any

from tests.support.administration.example import NOBODY, Example, Make, Shelf
from tillkey_server.usecases.license import change_standing

CONCERNS = ("customer", "product")
BUYER = "buyer@else.example"
REASON = {"reason": "the owner called"}


async def licensed(shelf: Shelf) -> str:
    """Sell a license on the shelf and return its id."""
    return str((await shelf.house.license(shelf.product, shelf.customer)).license_id)


def about(body: dict[str, Any] | None = None) -> Make:
    """Return the maker of a request about a license."""

    async def make(shelf: Shelf) -> Example:
        place = {"license_id": await licensed(shelf)}
        return Example(place, body=body, missing={"license_id": NOBODY}, concerns=CONCERNS)

    return make


def after(event: str) -> Make:
    """Return the maker of a request about a license to which something was done before."""

    async def make(shelf: Shelf) -> Example:
        sold = await shelf.house.license(shelf.product, shelf.customer)
        await change_standing(shelf.house.services, sold.license_id, event=event, actor="cli:test", reason="a test")
        place = {"license_id": str(sold.license_id)}
        return Example(place, body=REASON, missing={"license_id": NOBODY}, concerns=CONCERNS)

    return make


async def _list(_shelf: Shelf) -> Example:
    return Example()


async def _search(shelf: Shelf) -> Example:
    await licensed(shelf)
    return Example(body={"text": shelf.customer, "limit": 10})


async def _transfer(shelf: Shelf) -> Example:
    await shelf.house.license(shelf.product, BUYER)
    place = {"license_id": await licensed(shelf)}
    body = {"customer": BUYER, "along": [await licensed(shelf)], **REASON}
    return Example(place, body=body, missing={"license_id": NOBODY}, concerns=CONCERNS)


EXAMPLES: dict[str, Make] = {
    "list_licenses": _list,
    "search_licenses": _search,
    "get_license": about(),
    "explain_license": about(),
    "suspend_license": about({"until": "2030-01-01T00:00:00Z", **REASON}),
    "resume_license": after("suspend"),
    "revoke_license": about(REASON),
    "hold_license": about(REASON),
    "release_hold_of_license": after("hold"),
    "rekey_license": about(REASON),
    "transfer_license": _transfer,
}
