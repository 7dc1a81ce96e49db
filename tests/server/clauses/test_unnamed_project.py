"""A policy that asks for no project: whoever names none is in one project all the same (NX-02)."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.support.house import House, TurnedClock, opened_house
from tillkey_server.money import Money
from tillkey_server.policies.loader import bundled_policies
from tillkey_server.usecases.catalogue import add_product


@pytest.fixture(params=["sqlite", "postgresql"])
async def lax_house(
    request: pytest.FixtureRequest, fresh_database: Callable[..., str], tmp_path: Path
) -> AsyncIterator[House]:
    """A server whose own policy asks for no project."""
    source = bundled_policies()["default"].source
    changed = source.replace("require_project = true", "require_project = false")
    changed = changed.replace('name = "default"', 'name = "lax"')
    (tmp_path / "data" / "policies").mkdir(parents=True)
    (tmp_path / "data" / "policies" / "lax.toml").write_text(changed, "utf-8")
    async with opened_house(request.param, fresh_database, tmp_path, TurnedClock()) as house:
        product = {"code": "pos-lax", "name": "Lax", "key_prefix": "LAX", "policy": "lax", "price": Money(100, "EUR")}
        await add_product(house.services, **product)
        yield house


@pytest.mark.clause("NX-02")
async def test_a_till_that_names_no_project_may_come_back_and_so_may_a_second_one(lax_house: House) -> None:
    first, second = await lax_house.key("pos-lax"), await lax_house.key("pos-lax")
    till, other = lax_house.till(product="pos-lax"), lax_house.till(product="pos-lax")
    assert (await till.activate(first, project=None)).status == 201
    assert (await till.activate(first, project=None)).status == 200
    assert (await other.activate(second, project=None)).granted.project == till.held.project
