"""Valid requests about API keys."""

from tests.support.administration.example import NOBODY, Example, Make, Shelf
from tillkey_server.usecases.api_key import create_api_key


async def _known(shelf: Shelf) -> dict[str, str]:
    made = await create_api_key(shelf.house.services, name="known", role="agent", actor="cli:test")
    return {"api_key_id": str(made.shown["id"])}


async def _create(_shelf: Shelf) -> Example:
    return Example(body={"name": "Help desk", "role": "agent"})


async def _me(_shelf: Shelf) -> Example:
    return Example()


async def _list(_shelf: Shelf) -> Example:
    return Example()


async def _get(shelf: Shelf) -> Example:
    return Example(await _known(shelf), missing={"api_key_id": NOBODY})


async def _revoke(shelf: Shelf) -> Example:
    return Example(await _known(shelf), body={}, missing={"api_key_id": NOBODY})


EXAMPLES: dict[str, Make] = {
    "who_am_i": _me,
    "create_api_key": _create,
    "list_api_keys": _list,
    "get_api_key": _get,
    "revoke_api_key": _revoke,
}
