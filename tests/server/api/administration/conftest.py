"""What the tests of the administration share: a house, and callers with API keys."""

import zlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.support.callers import Callers
from tests.support.databases import DIALECTS
from tests.support.house import House, TurnedClock, opened_house


@pytest.fixture
async def one_house(
    request: pytest.FixtureRequest, fresh_database: Callable[..., str], tmp_path: Path
) -> AsyncIterator[House]:
    """A house on one of the engines, which the test's own name chooses: for tests that are made for every endpoint."""
    dialect = DIALECTS[zlib.crc32(request.node.name.encode()) % len(DIALECTS)]
    async with opened_house(dialect, fresh_database, tmp_path, TurnedClock()) as opened:
        yield opened


@pytest.fixture
async def one_callers(one_house: House) -> AsyncIterator[Callers]:
    async with Callers(one_house.services) as made:
        yield made
