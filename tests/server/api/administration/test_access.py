"""Each endpoint with each role, on an object of one's own, a foreign one and a missing one, as openapi.yaml says.

The table of what is expected is made from the document; a refused call leaves nothing behind.
"""

from typing import Any

import pytest
from sqlalchemy import select

from tests.support.administration import EXAMPLES, Shelf
from tests.support.administration.operations import ADDRESSED, NAMES, OPERATIONS, allowed, permission, send
from tests.support.callers import Callers
from tests.support.house import House
from tests.support.picture import picture
from tillkey_server.rules.access import SERVER_WIDE, Role
from tillkey_server.store import tables
from tillkey_server.usecases.license import issue

OTHER_PRODUCT = "prestashop-click-collect"
OTHER_CUSTOMER = "stranger@else.example"


def test_every_operation_of_the_document_has_an_example() -> None:
    assert sorted(EXAMPLES) == NAMES


@pytest.mark.clause("I13")
@pytest.mark.parametrize("name", NAMES)
async def test_a_role_may_what_the_document_says_and_nothing_else(
    one_house: House, one_callers: Callers, name: str
) -> None:
    told = OPERATIONS[name].told["x-tillkey-roles"]
    found, expected = {}, {}
    for role in Role:
        client = await one_callers.client(role)
        example = await EXAMPLES[name](Shelf(one_house))
        before = await picture(one_house)
        status = await send(client, name, example, example.path)
        found[role] = "allowed" if status in allowed(name) else status
        expected[role] = "allowed" if role in told else 403
        if status == 403:
            assert await picture(one_house) == before, role
    assert found == expected


@pytest.mark.clause("I13")
@pytest.mark.parametrize("name", ADDRESSED)
async def test_what_is_not_there_is_404_for_whoever_may_ask_and_403_for_the_rest(
    one_house: House, one_callers: Callers, name: str
) -> None:
    told = OPERATIONS[name].told["x-tillkey-roles"]
    example = await EXAMPLES[name](Shelf(one_house))
    found = {role: await send(await one_callers.client(role), name, example, example.missing) for role in Role}
    assert found == {role: 404 if role in told else 403 for role in Role}


@pytest.mark.clause("I13")
@pytest.mark.parametrize("name", NAMES)
async def test_what_lies_outside_a_callers_limits_is_not_there_for_it(
    one_house: House, one_callers: Callers, name: str
) -> None:
    stranger = await issue(one_house.services, product=OTHER_PRODUCT, customer_email=OTHER_CUSTOMER, actor="cli:test")
    async with one_house.services.db.reading() as tx:
        wanted = select(tables.license_.c.customer_id).where(tables.license_.c.id == stranger.licenses[0].license_id)
        elsewhere = (await tx.execute(wanted)).scalar_one()
    example = await EXAMPLES[name](Shelf(one_house))
    limits: dict[str, dict[str, Any]] = {
        "customer": {"customers": [elsewhere]},
        "product": {"products": [OTHER_PRODUCT]},
    }
    for concern in example.concerns:
        client = await one_callers.client("admin", **limits[concern])
        before = await picture(one_house)
        status = await send(client, name, example, example.path)
        assert status == (403 if permission(name) in SERVER_WIDE else 404), concern
        assert await picture(one_house) == before, concern


@pytest.mark.parametrize("name", NAMES)
async def test_without_a_key_nothing_is_told_and_nothing_is_left(
    one_house: House, one_callers: Callers, name: str
) -> None:
    example = await EXAMPLES[name](Shelf(one_house))
    before = await picture(one_house)
    nobody = await one_callers.with_key(None)
    stranger = await one_callers.with_key("tks_" + "A" * 43)
    assert [await send(one, name, example, example.path) for one in (nobody, stranger)] == [401, 401]
    assert await picture(one_house) == before
