"""A shop is sold with its tills: what runs goes on, and everything of it is the new customer's (NX-06, NX-49)."""

from uuid import UUID

import pytest
from sqlalchemy import select

from tests.support.picture import picture
from tillkey_server.store import tables

OWNER, BUYER = "owner@shop.example", "buyer@else.example"
SOLD = {"customer": BUYER, "reason": "the shop is sold"}


@pytest.fixture
async def buyer(house):
    """The new owner, who has a license of something else already."""
    bought = await house.license("prestashop-click-collect", BUYER)
    async with house.services.db.reading() as tx:
        wanted = select(tables.license_.c.customer_id).where(tables.license_.c.id == bought.license_id)
        return (await tx.execute(wanted)).scalar_one()


async def transferred(client, sold, **more):
    return await client.post(f"/v1/licenses/{sold.license_id}/transfer", json={**SOLD, **more})


async def used(house, product="pos-core", till=None, **how):
    sold = await house.license(product, OWNER)
    seller = till or house.till(product=product)
    seller.product = product
    assert (await seller.activate(sold.license_key, **how)).status == 201
    return sold, seller


@pytest.mark.clause("NX-06", "NX-49")
async def test_the_till_goes_on_selling_in_the_project_of_the_same_name(house, callers, buyer):
    admin = await callers.client()
    sold, till = await used(house)
    before = till.held
    done = await transferred(admin, sold)
    assert done.status_code == 200, done.text
    assert (done.json()["customer_id"], done.json()["activations"]) == (str(buyer), [before.sub])
    beat = await till.heartbeat()
    assert (beat.status, beat.granted.sub, beat.granted.seq) == (200, before.sub, before.seq + 1)
    assert beat.granted.project != before.project
    shown = (await admin.get(f"/v1/licenses/{sold.license_id}")).json()
    assert (shown["customer_email"], shown["project"], shown["project_id"]) == (
        BUYER,
        "Corner Shop",
        beat.granted.project,
    )
    listed = (await admin.get("/v1/activations", params={"customer": str(buyer)})).json()["items"]
    assert [(one["id"], one["project_id"]) for one in listed] == [(before.sub, beat.granted.project)]
    assert (await till.activate()).granted.project == beat.granted.project
    assert (await till.activate(sold.license_key)).status == 200


@pytest.mark.clause("NX-06", "NX-49")
async def test_afterwards_the_installation_and_the_project_are_the_buyers(house, callers, buyer):
    admin = await callers.client()
    sold, till = await used(house)
    await transferred(admin, sold)
    await till.deactivate()
    again = await till.activate(sold.license_key)
    elsewhere = await house.till().activate(sold.license_key, project="Another Shop")
    assert (again.status, elsewhere.code) == (201, "bound_to_other_project")
    other = house.till(product="pos-loyalty")
    other.key = till.key
    foreign = await other.activate(await house.key("pos-loyalty", OWNER))
    own = await other.activate(await house.key("pos-loyalty", BUYER))
    assert (foreign.code, own.status) == ("installation_key_in_use", 201)


@pytest.mark.clause("NX-49")
async def test_what_lives_on_the_same_installation_goes_along_or_nothing_goes(house, callers, buyer):
    admin = await callers.client()
    sold, till = await used(house)
    beside = house.till(product="pos-loyalty")
    beside.key = till.key
    extra, _ = await used(house, "pos-loyalty", beside)
    before = await picture(house)
    refused = await transferred(admin, sold)
    after = await picture(house)
    assert (refused.status_code, refused.json()["code"]) == (409, "installation_shared")
    assert refused.json()["facts"] == {"licenses": [str(extra.license_id)], "hidden": 0}
    assert {name for name in after if after[name] != before[name]} == {"audit_event"}
    done = await transferred(admin, sold, along=[str(extra.license_id)])
    assert sorted(done.json()["licenses"]) == sorted([str(sold.license_id), str(extra.license_id)])
    beats = [await till.heartbeat(), await beside.heartbeat()]
    assert [beat.status for beat in beats] == [200, 200]
    assert len({beat.granted.project for beat in beats}) == 1
    told = (await admin.get(f"/v1/licenses/{extra.license_id}/explain")).json()["decisions"][-1]
    assert (told["code"], told["facts"]["to_customer"]) == ("license_transferred", str(buyer))


@pytest.mark.clause("I13")
async def test_a_caller_who_does_not_see_what_lives_beside_is_told_how_many_and_not_which(house, callers, buyer):
    sold, till = await used(house)
    beside = house.till(product="pos-loyalty")
    beside.key = till.key
    await used(house, "pos-loyalty", beside)
    await house.license("pos-core", BUYER)
    limited = await callers.client(products=["pos-core"])
    refused = await transferred(limited, sold)
    assert refused.json()["facts"] == {"licenses": [], "hidden": 1}


@pytest.mark.clause("I13")
async def test_nobody_transfers_to_or_along_what_it_does_not_see(house, callers, buyer):
    admin = await callers.client()
    sold = await house.license()
    foreign = await house.license("prestashop-click-collect", BUYER)
    owner = (await admin.get(f"/v1/licenses/{sold.license_id}")).json()["customer_id"]
    limited = await callers.client(customers=[UUID(owner)])
    before = await picture(house)
    told = [
        await transferred(limited, sold),
        await transferred(limited, sold, customer=str(buyer)),
        await transferred(limited, sold, customer=owner, along=[str(foreign.license_id)]),
        await transferred(admin, sold, customer="nobody@else.example"),
    ]
    assert [one.status_code for one in told] == [404] * 4
    assert "nobody@else.example" not in told[-1].text
    assert await picture(house) == before


@pytest.mark.clause("I13")
async def test_who_sees_some_products_transfers_to_nobody_who_has_none_of_them_and_learns_of_none(
    house, callers, buyer
):
    sold = await house.license()
    limited = await callers.client("supervisor", products=["pos-core"])
    before = await picture(house)
    told = [
        await transferred(limited, sold, customer=customer, reason=reason)
        for customer in (BUYER, "nobody@else.example")
        for reason in (" ", "mine now")
    ]
    assert [(one.status_code, one.json()["detail"]) for one in told] == [(404, told[0].json()["detail"])] * 4
    assert (await transferred(limited, sold, customer=str(buyer))).status_code == 404
    assert await picture(house) == before
    await house.license("pos-core", BUYER)
    assert (await transferred(limited, sold)).status_code == 200


@pytest.mark.clause("I13")
async def test_a_transferred_license_is_not_found_by_the_order_that_its_owner_does_not_see(house, callers, buyer):
    admin = await callers.client()
    order = {"number": "N-1", "customer": OWNER, "lines": [{"product": "pos-core"}]}
    placed = (await admin.post("/v1/orders", json=order)).json()
    [sold] = placed["licenses"]
    await admin.post(f"/v1/licenses/{sold['license_id']}/transfer", json=SOLD)
    limited = await callers.client(customers=[buyer])
    questions = [{name: asked} for name in ("order", "text") for asked in ("N-1", placed["id"])]
    for question in questions:
        hidden = (await limited.post("/v1/licenses/search", json=question)).json()["items"]
        shown = (await admin.post("/v1/licenses/search", json=question)).json()["items"]
        assert ([one["id"] for one in hidden], [one["id"] for one in shown]) == ([], [sold["license_id"]]), question
    by_id = (await limited.post("/v1/licenses/search", json={"text": sold["license_id"]})).json()["items"]
    assert [one["id"] for one in by_id] == [sold["license_id"]]


@pytest.mark.clause("I13")
async def test_the_buyer_does_not_see_the_sellers_order_and_former_shop(house, callers, buyer):
    admin = await callers.client()
    sold, till = await used(house)
    await till.deactivate()
    await transferred(admin, sold)
    limited = await callers.client(customers=[buyer])
    shown = (await limited.get(f"/v1/licenses/{sold.license_id}")).json()
    assert (shown["order"], shown["order_id"], shown["customer_email"]) == (None, None, BUYER)
    [former] = (await limited.get(f"/v1/licenses/{sold.license_id}/explain")).json()["activations"]
    assert (former["project"], former["project_id"], former["site"]) == (None, None, None)


@pytest.mark.clause("I13")
async def test_the_buyer_sees_that_the_seller_renewed_and_not_by_which_order(house, callers, buyer):
    admin = await callers.client()
    sold = await house.license("prestashop-click-collect")
    paid = {"channel": "shop", "number": "R-1", "amount": "52.00 EUR"}
    assert (await admin.post(f"/v1/licenses/{sold.license_id}/renewals", json=paid)).status_code == 201
    await transferred(admin, sold)
    path = f"/v1/licenses/{sold.license_id}/terms"
    [whole] = (await admin.get(path)).json()["renewals"]
    [hidden] = (await (await callers.client(customers=[buyer])).get(path)).json()["renewals"]
    paid_by = ("order_id", "channel", "number", "amount")
    assert (whole["number"], whole["amount"]) == ("R-1", "52.00 EUR")
    assert hidden == {**whole, **dict.fromkeys(paid_by)}


@pytest.mark.clause("K-13")
@pytest.mark.parametrize(("verb", "code"), [("revoke", "license_revoked"), ("hold", "legal_hold")])
async def test_what_ended_for_good_or_is_on_hold_is_not_transferred(house, callers, buyer, verb, code):
    admin = await callers.client()
    sold = await house.license()
    await admin.post(f"/v1/licenses/{sold.license_id}/{verb}", json={"reason": "a test"})
    refused = await transferred(admin, sold)
    assert (refused.status_code, refused.json()["code"]) == (403, code)


async def test_a_wrong_customer_is_refused_by_name_and_the_same_one_has_it_already(house, callers, buyer):
    admin = await callers.client()
    sold = await house.license()
    wrong = await transferred(admin, sold, customer="nobody")
    mixed = await transferred(admin, sold, along=[str((await house.license("pos-core", "third@x.example")).license_id)])
    same = await transferred(admin, sold, customer=OWNER)
    assert (wrong.status_code, wrong.json()["detail"].partition(":")[0]) == (400, "customer")
    assert (mixed.status_code, mixed.json()["detail"].partition(":")[0]) == (400, "along")
    assert (same.status_code, same.json()["code"]) == (409, "nothing_to_transfer")


@pytest.mark.clause("I3")
async def test_a_beat_that_was_judged_before_the_transfer_is_judged_again(house, callers, buyer):
    """Its swap fails on the revision, so that no lease for the old project comes after the transfer."""
    admin = await callers.client()
    sold, till = await used(house)
    revision = select(tables.chain.c.revision).where(tables.chain.c.activation_id == UUID(till.held.sub))
    async with house.services.db.reading() as tx:
        before = (await tx.execute(revision)).scalar_one()
    await transferred(admin, sold)
    async with house.services.db.reading() as tx:
        assert (await tx.execute(revision)).scalar_one() == before + 1
