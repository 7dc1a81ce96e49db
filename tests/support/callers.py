"""Callers of the administration: an HTTP client for each role, over the application in this process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from typing import Any, Self
from uuid import UUID

import httpx
import pytest

from tests.support.house import House
from tillkey_server.app import create_app
from tillkey_server.usecases.api_key import create_api_key
from tillkey_server.usecases.services import Services

BASE = "http://administration.example"


class Callers:
    """Makes clients with API keys of their own; a context manager."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self._transport = httpx.ASGITransport(app=create_app(services))
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._open.aclose()

    async def key(self, role: str = "admin", **limits: Any) -> str:
        """Make an API key and return its secret."""
        made = await create_api_key(self.services, name=f"test {role}", role=role, actor="cli:test", **limits)
        return made.api_key

    async def client(
        self,
        role: str = "admin",
        *,
        customers: Sequence[UUID] | None = None,
        products: Sequence[str] | None = None,
    ) -> httpx.AsyncClient:
        """Return a client with a new API key of a role, limited to customers or products where they are given."""
        return await self.with_key(await self.key(role, customer_ids=customers, product_codes=products))

    async def with_key(self, key: str | None) -> httpx.AsyncClient:
        """Return a client that presents a key, or none."""
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        client = httpx.AsyncClient(transport=self._transport, base_url=BASE, headers=headers)
        return await self._open.enter_async_context(client)


@pytest.fixture
async def callers(house: House) -> AsyncIterator[Callers]:
    """Callers of the house's administration, on each engine."""
    async with Callers(house.services) as made:
        yield made
