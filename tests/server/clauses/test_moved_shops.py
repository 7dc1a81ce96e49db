"""BC-09, BC-32 and NX-17: one store for each license, and a store whose move to another domain was approved."""

from dataclasses import replace

import pytest

from tests.support.callers import Callers
from tests.support.help_desk import CARE, help_desk
from tests.support.house import House

OLD, NEW = "https://shop.example", "https://new.example"


@pytest.mark.clause("BC-32")
async def test_a_second_store_under_the_same_projects_name_needs_a_license_of_its_own(
    house: House, callers: Callers
) -> None:
    desk = await help_desk(house, callers, CARE)
    first = house.till(product=CARE)
    assert (await first.activate(desk.sold.license_key, project="Corner Shop", site=OLD)).status == 201
    await first.deactivate()
    refused = await house.till(product=CARE).activate(desk.sold.license_key, project="Corner Shop", site=NEW)
    assert (refused.status, refused.code, refused.body["clauses"]) == (409, "bound_to_other_project", ["BC-32"])


@pytest.mark.clause("BC-09", "BC-32")
async def test_a_store_whose_move_was_approved_is_activated_and_supported_on_its_new_domain(
    house: House, callers: Callers
) -> None:
    desk = await help_desk(house, callers, CARE)
    old, new = house.till(product=CARE), house.till(product=CARE)
    await old.activate(desk.sold.license_key, project="Corner Shop", site=OLD)
    await old.deactivate()
    assert (await desk.preview(site=NEW))["code"] == "nosup_other_site"
    agent = await callers.client("agent")
    shown = (await agent.get(f"/v1/licenses/{desk.sold.license_id}")).json()
    place = f"/v1/projects/{shown['project_id']}"
    unexplained = await agent.post(f"{place}/site", json={"site": NEW, "reason": " "})
    assert unexplained.status_code == 400
    moved = (await agent.post(f"{place}/site", json={"site": NEW, "reason": "a new domain"})).json()
    assert (moved["decision"], moved["code"], moved["clauses"]) == ("allow", "project_site_changed", ["BC-32", "BC-09"])
    assert (await agent.get(place)).json()["site"] == NEW
    assert (await desk.preview(site=NEW))["decision"] == "allow"
    assert (await desk.preview(site=OLD))["code"] == "nosup_other_site"
    assert (await new.activate(desk.sold.license_key, project="Corner Shop", site=NEW)).status == 201
    admin = await callers.client("admin")
    [noted] = (await admin.get("/v1/audit", params={"code": "project_site_changed"})).json()["items"]
    assert (noted["clauses"], noted["facts"]["reason"]) == (["BC-32", "BC-09"], "a new domain")


@pytest.mark.clause("BC-09")
async def test_the_terms_may_leave_the_staging_of_a_shop_out(house: House, callers: Callers) -> None:
    policies = house.services.policies
    policy = policies.offered("prestashop-care")
    desk = await help_desk(house, callers, CARE)
    await house.till(product=CARE).activate(desk.sold.license_key, environment="staging", site="staging.shop.example")
    assert (await desk.preview(site="staging.shop.example"))["decision"] == "allow"
    policies._known[policy.ref] = replace(policy, support=replace(policy.support, staging_is_site=False))
    found = await desk.preview(site="staging.shop.example")
    assert (found["code"], "BC-09" in found["clauses"]) == ("nosup_other_site", True)
