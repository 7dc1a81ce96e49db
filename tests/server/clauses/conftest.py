"""Callers with API keys over the house of a test."""

from collections.abc import AsyncIterator

import pytest

from tests.support.callers import Callers
from tests.support.house import House


@pytest.fixture
async def callers(house: House) -> AsyncIterator[Callers]:
    async with Callers(house.services) as made:
        yield made
