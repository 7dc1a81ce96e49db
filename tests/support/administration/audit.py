"""Valid requests about the audit log."""

from tests.support.administration.catalogue import ordered
from tests.support.administration.example import Example, Make, Shelf
from tillkey_server.ids import new_token
from tillkey_server.usecases.audit import audit_checkpoint
from tillkey_server.usecases.sealing import seal


async def _list(shelf: Shelf) -> Example:
    await ordered(shelf)
    return Example()


async def _checkpoint(_shelf: Shelf) -> Example:
    return Example()


async def _verify(shelf: Shelf) -> Example:
    await ordered(shelf)
    await seal(shelf.house.services, holder=new_token())
    kept = await audit_checkpoint(shelf.house.services)
    return Example(body={"checkpoint": kept["checkpoint"]})


EXAMPLES: dict[str, Make] = {
    "list_audit": _list,
    "audit_checkpoint": _checkpoint,
    "verify_audit": _verify,
}
