"""BC-28 over HTTP: who speaks for the marketplace, and who only for one of its sellers."""

import pytest

from tests.support.administration import EXAMPLES, Shelf
from tests.support.administration.operations import OPERATIONS
from tests.support.callers import Callers
from tests.support.house import House
from tests.support.picture import picture
from tillkey_server.rules.access import Role

PRODUCT = "nexopos-multistore"


@pytest.mark.clause("BC-28")
@pytest.mark.parametrize("decision", ["grant", "deny"])
async def test_only_a_key_that_speaks_for_the_marketplace_decides_as_it(
    one_house: House, one_callers: Callers, decision: str
) -> None:
    told = OPERATIONS["decide_refund"].told["x-tillkey-roles"]
    callers = {role.value: await one_callers.client(role) for role in Role}
    callers["a seller's admin"] = await one_callers.client("admin", products=[PRODUCT])
    found = {}
    for name, client in callers.items():
        example = await EXAMPLES["decide_refund"](Shelf(one_house, product=PRODUCT))
        body = {"decision": decision, "reason": "unanswered", "as_platform": True}
        before = await picture(one_house)
        answer = await client.post(f"/v1/refunds/{example.path['refund_id']}/decide", json=body)
        shown = answer.json()
        found[name] = answer.status_code
        if answer.status_code == 403:
            assert shown["code"] == "permission_denied"
            assert await picture(one_house) == before, name
            # Who may decide refunds, and not so, is told by which clause.
            assert shown["clauses"] == (["BC-28"] if name in {*told, "a seller's admin"} else [])
    assert {name for name, status in found.items() if status != 403} == {Role.ADMIN.value}
