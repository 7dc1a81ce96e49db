"""The products on sale, in memory, for what never changes of one: its id and its code. Its price and terms may."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.store import products
from tillkey_server.store.products import ProductRow


class ProductBook:
    """Products by code. Safe to share between tasks: entries are only added, and are frozen."""

    def __init__(self) -> None:
        """Begin empty; what another process adds is read at the first question for it."""
        self._known: dict[str, ProductRow] = {}

    async def of(self, connection: AsyncConnection, code: str) -> ProductRow | None:
        """Return the product of that code, or None. An unknown code is asked for again each time."""
        known = self._known.get(code)
        if known is None:
            known = await products.by_code(connection, code)
            if known is not None:
                self._known[code] = known
        return known
