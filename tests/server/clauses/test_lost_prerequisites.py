"""NX-13 through the API: what a refund of the core does to its extensions, and what its failed payout undoes."""

from dataclasses import replace
from datetime import datetime

import pytest

from tests.support.house import AGENT
from tests.support.refunding import (  # noqa: F401 - fixture
    DAY,
    NX,
    Desk,
    Sold,
    desk,
    kinds,
    license_of,
)
from tillkey_server.rules.sale_policy import PrerequisiteLoss
from tillkey_server.store import tables
from tillkey_server.usecases.license import change_standing

STRANGE = "my_own_word"
DONE = {"decision": "grant", "reason": "a good customer"}


async def core_and_extension(desk: Desk) -> tuple[Sold, Sold]:  # noqa: F811
    """Sell a core and what requires it, whose terms suspend it when the core is lost."""
    dependent, core = "prestashop-click-collect", NX
    services = desk.house.services
    async with services.db.writing() as tx:
        statement = tables.product.update().where(tables.product.c.code == dependent)
        await tx.execute(statement.values(requires=[core]))
    policy = services.policies.offered("prestashop-care")
    assert policy.sale is not None
    suspends = replace(policy.sale, on_prereq_loss=PrerequisiteLoss.SUSPEND_DEPENDENTS)
    services.policies._known[policy.ref] = replace(policy, sale=suspends)
    return await desk.sell(core), await desk.sell(dependent)


async def change(desk: Desk, sold: Sold, event: str, until: datetime | None = None) -> None:  # noqa: F811
    """Suspend or resume a license as a person does."""
    services = desk.house.services
    done = await change_standing(services, sold.license_id, event=event, actor=AGENT, reason="a word", until=until)
    assert done.allowed


@pytest.mark.clause("NX-13")
@pytest.mark.parametrize(("reading", "status"), [("keep", "active"), ("suspend_dependents", "suspended")])
async def test_who_loses_a_prerequisite_is_told_and_suspended_only_by_the_terms(
    desk: Desk,  # noqa: F811
    reading: str,
    status: str,
) -> None:
    dependent, core = "prestashop-click-collect", NX
    services = desk.house.services
    async with services.db.writing() as tx:
        statement = tables.product.update().where(tables.product.c.code == dependent)
        await tx.execute(statement.values(requires=[core]))
    first, second, held = await desk.sell(core), await desk.sell(core), await desk.sell(dependent)
    policy = services.policies.offered("prestashop-care")
    assert policy.sale is not None
    read = replace(policy, sale=replace(policy.sale, on_prereq_loss=PrerequisiteLoss(reading)))
    services.policies._known[policy.ref] = read
    await desk.ask(first, "mistake")
    assert await kinds(desk, held.license_id) == []
    await desk.ask(second, "mistake")
    assert await kinds(desk, held.license_id) == ["prereq_lost"]
    assert (await license_of(desk, held))["status"] == status
    explained = (await desk.agent.get(f"/v1/licenses/{held.license_id}/explain")).json()
    [noticed] = [one for one in explained["decisions"] if one["code"] == "prereq_lost"]
    assert noticed["clauses"] == ["NX-13"]


@pytest.mark.clause("NX-13", "NX-36")
async def test_a_payout_that_fails_brings_back_what_was_suspended_for_the_loss(desk: Desk) -> None:  # noqa: F811
    core, held = await core_and_extension(desk)
    refund = await desk.ask(core, "mistake")
    assert (await license_of(desk, held))["status"] == "suspended"
    assert (await desk.act(refund, "payout-failed", failure="closed"))["status"] == "failed"
    assert [(await license_of(desk, one))["status"] for one in (core, held)] == ["active", "active"]
    assert await kinds(desk, held.license_id) == ["prereq_lost", "prereq_restored"]
    explained = (await desk.agent.get(f"/v1/licenses/{held.license_id}/explain")).json()
    [noticed] = [one for one in explained["decisions"] if one["code"] == "prereq_restored"]
    assert noticed["clauses"] == ["NX-13"]
    # Lost again it is suspended again, and comes back again.
    again = await desk.ask(core, "mistake")
    assert (await license_of(desk, held))["status"] == "suspended"
    await desk.act(again, "payout-failed", failure="closed")
    assert (await license_of(desk, held))["status"] == "active"


@pytest.mark.clause("NX-13", "NX-36", "K-13")
@pytest.mark.parametrize("when", ["before", "for_a_week_before", "since", "anew"])
async def test_a_payout_that_fails_leaves_what_a_person_suspended(desk: Desk, when: str) -> None:  # noqa: F811
    core, held = await core_and_extension(desk)
    if when in {"before", "for_a_week_before"}:
        await change(desk, held, "suspend", None if when == "before" else desk.now + 7 * DAY)
    refund = await desk.ask(core, "mistake")
    if when == "anew":
        await change(desk, held, "resume")
    if when in {"since", "anew"}:
        await change(desk, held, "suspend")
    await desk.act(refund, "payout-failed", failure="closed")
    assert [(await license_of(desk, one))["status"] for one in (core, held)] == ["active", "suspended"]
    assert "prereq_restored" not in await kinds(desk, held.license_id)


@pytest.mark.clause("NX-13", "NX-36")
async def test_what_a_person_suspended_until_a_time_that_is_over_comes_back_too(desk: Desk) -> None:  # noqa: F811
    core, held = await core_and_extension(desk)
    await change(desk, held, "suspend", desk.now + DAY)
    desk.house.clock.turn(days=1)
    refund = await desk.ask(core, "mistake")
    await desk.act(refund, "payout-failed", failure="closed")
    assert (await license_of(desk, held))["status"] == "active"


@pytest.mark.clause("NX-13", "NX-36")
async def test_a_core_that_came_back_revoked_brings_nothing_back(desk: Desk) -> None:  # noqa: F811
    core, held = await core_and_extension(desk)
    refund = await desk.ask(core, "mistake")
    await change(desk, core, "revoke")
    await desk.act(refund, "payout-failed", failure="closed")
    assert [(await license_of(desk, one))["status"] for one in (core, held)] == ["revoked", "suspended"]


@pytest.mark.clause("NX-13")
async def test_an_extension_that_was_refunded_before_its_core_is_not_told_of_its_loss(desk: Desk) -> None:  # noqa: F811
    core, held = await core_and_extension(desk)
    pending = await desk.ask(held, STRANGE)
    assert (await desk.act(pending, "decide", **DONE))["status"] == "granted"
    before = await license_of(desk, held)
    await desk.ask(core, "mistake")
    assert await license_of(desk, held) == before
    assert "prereq_lost" not in await kinds(desk, held.license_id)
