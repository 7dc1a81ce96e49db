"""I8 through the API: six facts about a license are told in any order, too soon and twice; one state comes of it."""

import os
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import permutations

import pytest

from tests.support.refunding import BC, Desk, Sold, desk  # noqa: F401 - fixture
from tests.support.renewing import last_days, renew, terms
from tillkey_server.rules.decision import instant

FACTS = ("order", "first renewal", "second renewal", "refund", "cancellation", "dispute")
ORDERS = list(permutations(FACTS))[:: int(os.environ.get("TILLKEY_ORDERS_STEP", "30"))]
"""Every thirtieth of the 720, the first and the last fact in each of their places; TILLKEY_ORDERS_STEP=1: all."""


@dataclass
class Story:
    """One license, and what was told of it."""

    desk: Desk
    began: datetime
    customer: str
    sold: Sold | None = None
    told: list[str] = field(default_factory=list)

    async def tell(self, fact: str) -> bool:
        """Tell one fact; return whether it could be taken in yet."""
        if fact == "order":
            return await self._order()
        if self.sold is None:
            return False
        license_id = str(self.sold.license_id)
        if fact.endswith("renewal"):
            return await self._renewal(license_id, fact)
        if fact == "refund":
            return await self._refund(license_id)
        if fact == "cancellation":
            path, body = f"/v1/licenses/{license_id}/subscription/cancel", {}
        else:
            path, body = f"/v1/licenses/{license_id}/suspend", {"reason": "the payment is disputed"}
        return (await self.desk.supervisor.post(path, json=body)).status_code == 200

    async def _order(self) -> bool:
        if self.sold is None:
            self.sold = await self.desk.sell(BC, paid_at=self.began, customer=self.customer)
            body = {"months": 12, "channel": "shop"}
            answer = await self.desk.integration.post(f"/v1/licenses/{self.sold.license_id}/subscription", json=body)
            assert answer.status_code == 201, answer.text
        return True

    async def _renewal(self, license_id: str, fact: str) -> bool:
        paid_at = self.began + timedelta(days=3 if fact.startswith("first") else 10)
        number = f"{license_id}-{fact}"
        answer = await renew(
            self.desk.integration, license_id, number=number, paid_at=paid_at.isoformat(), amount="52.00 EUR"
        )
        return answer.status_code in {200, 201}

    async def _refund(self, license_id: str) -> bool:
        assert self.sold is not None
        paid = (await terms(self.desk.agent, license_id))["renewals"]
        first = [one["id"] for one in paid if one["number"].endswith("first renewal")]
        if not first:
            return False
        asked = await self.desk.ask(self.sold, renewal=first[0])
        if asked["code"] == "ref_denied_already_refunded":
            return True
        done = await self.desk.act(asked, "decide", decision="grant", reason="the bank took it back")
        return bool(done["granted"]["ends"] == "renewal")

    async def state(self) -> dict[str, object]:
        """Return all that the facts leave: how it stands, its clocks, its renewals, and what was paid back."""
        assert self.sold is not None
        license_id = str(self.sold.license_id)
        shown = (await self.desk.agent.get(f"/v1/licenses/{license_id}")).json()
        renewing = (await self.desk.agent.get(f"/v1/licenses/{license_id}/subscription")).json()["subscription"]
        told = await terms(self.desk.agent, license_id)
        return {
            "status": shown["status"],
            "days": await last_days(self.desk.agent, license_id),
            "renewals": sorted((one["paid_at"], one["refunded_at"] is not None) for one in told["renewals"]),
            "cancelled": (renewing["cancel_reason"], renewing["cancelled_at"] is not None, renewing["next_due_at"]),
        }


@pytest.mark.clause("I8", "K-13", "ZG-04")
async def test_six_facts_in_any_order_told_too_soon_and_twice_leave_one_state(desk: Desk) -> None:  # noqa: F811
    began = desk.now
    desk.house.clock.turn(days=20)
    found = []
    for number, order in enumerate(ORDERS):
        story = Story(desk, began, f"owner{number}@shop.example")
        waiting = list(order)
        for fact in waiting:
            assert len(waiting) < 40, f"{fact} is never taken in: {order}"
            if not await story.tell(fact):
                waiting.append(fact)
        assert await story.tell(order[number % len(FACTS)])
        found.append(await story.state())
    assert [one for one in found if one != found[0]] == []
    assert (found[0]["status"], found[0]["days"]["support"]) == ("suspended", "2028-03-02")


@pytest.mark.clause("I8", "K-13", "BC-26")
@pytest.mark.parametrize("order", [("renewal", "refund"), ("refund", "renewal")], ids="-".join)
async def test_a_renewal_that_is_told_after_the_product_went_back_goes_back_by_a_person_and_all_is_the_same(
    desk: Desk,  # noqa: F811
    order: tuple[str, str],
) -> None:
    began = desk.now
    sold = await desk.sell(BC, paid_at=began)
    license_id = str(sold.license_id)
    desk.house.clock.turn(days=5)
    for fact in order:
        if fact == "refund":
            await _granted(desk, await desk.ask(sold, "my_own_word"))
            continue
        paid_at = (began + timedelta(days=1)).isoformat()
        told = (await renew(desk.integration, license_id, paid_at=paid_at, amount="52.00 EUR")).json()
        if order[0] == "refund":
            assert (told["code"], told["options"]) == ("renewal_pending_review", ["refund_payment"])
            await _granted(desk, await desk.ask(sold, "my_own_word", renewal=told["renewal_id"]))
    back = (await desk.agent.get("/v1/refunds", params={"license": license_id})).json()["items"]
    assert sum(int(one["granted"]["amount"].removesuffix(".00 EUR")) for one in back) == 152
    [renewal] = (await terms(desk.agent, license_id))["renewals"]
    shown = (await desk.agent.get(f"/v1/licenses/{license_id}")).json()
    assert (shown["status"], renewal["refunded_at"]) == ("refunded", instant(desk.now))
    assert (await last_days(desk.agent, license_id))["support"] == "2026-03-07"


async def _granted(desk: Desk, asked: dict) -> None:  # noqa: F811
    done = await desk.act(asked, "decide", decision="grant", reason="it goes back")
    assert done["code"] == "ref_granted_by_person"
