"""Valid requests about policies."""

from tests.support.administration.example import Example, Make, Shelf
from tillkey_server.policies.loader import bundled_policies

MISSING = {"policy_name": "nothing"}


async def _nothing(_shelf: Shelf) -> Example:
    return Example()


async def _get(_shelf: Shelf) -> Example:
    return Example({"policy_name": "default"}, missing=MISSING)


async def _check(_shelf: Shelf) -> Example:
    return Example(body={"source": bundled_policies()["nexopos"].source})


async def _diff(_shelf: Shelf) -> Example:
    return Example({"policy_name": "default"}, body={"other": "nexopos"}, missing=MISSING)


EXAMPLES: dict[str, Make] = {
    "list_policies": _nothing,
    "get_policy": _get,
    "check_policy": _check,
    "diff_policy": _diff,
}
