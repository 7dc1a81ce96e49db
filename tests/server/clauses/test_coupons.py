"""NX-31, K-07 and CJ-13 through the API: what was paid with a gift card or a coupon goes back as one."""

from typing import Any
from uuid import UUID

import pytest

from tests.server.clauses.test_refund_effects import DONE, STRANGE, kinds
from tests.support.refunding import CJ, NX, OFFICIAL, Desk, Sold, desk  # noqa: F401 - fixture
from tillkey_server.ids import new_token
from tillkey_server.money import Money
from tillkey_server.store import outbox, tables
from tillkey_server.usecases.catalogue import add_product
from tillkey_server.usecases.license import change_standing

COPIES = {"statement": "All copies are destroyed."}


async def order(desk: Desk, *lines: dict[str, Any], number: str | None = None) -> dict[str, Any]:  # noqa: F811
    """Tell a paid order; the answer's status is under `http`."""
    body = {
        "number": number or new_token(),
        "channel": "shop",
        "customer": "owner@shop.example",
        "customer_type": "professional",
        "lines": list(lines),
    }
    told = await desk.integration.post("/v1/orders", json=body)
    return {**told.json(), "http": told.status_code}


async def sold(desk: Desk, product: str, coupon: str, **more: Any) -> list[Sold]:  # noqa: F811
    """Sell pieces of a product, some of whose price of 100.00 EUR each was paid with a coupon."""
    placed = await order(desk, {"product": product, "price": "100.00 EUR", "coupon": coupon, **more})
    assert placed["http"] == 201, placed
    return [Sold(UUID(one["license_id"]), one["license_key"]) for one in placed["licenses"]]


async def payloads(desk: Desk, refund: dict[str, Any], kind: str) -> list[dict[str, Any]]:  # noqa: F811
    """Return what the outbox tells about a refund."""
    async with desk.house.services.db.reading() as tx:
        return [dict(one.payload) for one in await outbox.of_subject(tx, refund["id"]) if one.kind == kind]


async def credited(desk: Desk, refund: dict[str, Any]) -> list[tuple[str, str]]:  # noqa: F811
    """Return the entries of the balance of whom a refund was granted, the newest first."""
    entries = (await desk.balance(refund["customer_id"]))["entries"]
    return [(one["kind"], one["amount"]) for one in entries]


def a_coupon(refund: dict[str, Any], minor: int) -> dict[str, Any]:
    """What tells the shop to issue a coupon again."""
    named = {"customer_id": refund["customer_id"], "refund_id": refund["id"]}
    return {"amount_minor": minor, "currency": "EUR", **named}


async def granted(desk: Desk, bought: Sold, **more: Any) -> dict[str, Any]:  # noqa: F811
    """Let a supervisor grant a refund."""
    return await desk.act(await desk.ask(bought, STRANGE, **OFFICIAL), "decide", **DONE, **more)


@pytest.mark.clause("NX-31", "K-07")
async def test_a_coupons_part_is_issued_again_and_only_the_rest_is_credited(desk: Desk) -> None:  # noqa: F811
    [bought] = await sold(desk, NX, "30.00 EUR", tax="19.00 EUR")
    told = (await desk.preview(bought, "mistake"))["facts"]
    assert (told["amount"], told["coupon"]) == ("119.00 EUR", "30.00 EUR")
    done = await desk.ask(bought, "mistake")
    assert "NX-31" in done["clauses"]
    assert (done["status"], done["facts"]["coupon"]) == ("paid_out", "30.00 EUR")
    assert (done["granted"]["amount"], done["granted"]["coupon"]) == ("119.00 EUR", "30.00 EUR")
    assert await credited(desk, done) == [("refund", "89.00 EUR")]
    assert await payloads(desk, done, "refund.coupon") == [a_coupon(done, 3000)]
    assert (await desk.show(done))["granted"]["coupon"] == "30.00 EUR"


@pytest.mark.clause("NX-31")
async def test_without_a_coupon_all_is_credited_and_no_coupon_is_told(desk: Desk) -> None:  # noqa: F811
    done = await desk.ask(await desk.sell(NX), "mistake")
    assert (done["granted"]["coupon"], "coupon" in done["facts"]) == (None, False)
    assert await credited(desk, done) == [("refund", "100.00 EUR")]
    assert await kinds(desk, done["id"]) == []


@pytest.mark.clause("NX-31", "K-07")
async def test_each_of_several_pieces_gives_its_share_of_the_coupon_back(desk: Desk) -> None:  # noqa: F811
    """Of three pieces and a coupon of 100.00 the first one has the odd cent."""
    for bought, coupon, money in zip(
        await sold(desk, NX, "100.00 EUR", quantity=3), (3334, 3333, 3333), ("66.66", "66.67", "66.67"), strict=True
    ):
        done = await desk.ask(bought, "mistake")
        assert "NX-31" in done["clauses"]
        assert await payloads(desk, done, "refund.coupon") == [a_coupon(done, coupon)]
        assert (await credited(desk, done))[0] == ("refund", f"{money} EUR")
    assert (await desk.balance(done["customer_id"]))["balances"] == [{"currency": "EUR", "amount": "200.00 EUR"}]


@pytest.mark.clause("NX-31", "K-07")
async def test_parts_of_a_price_give_back_exactly_its_coupon_together(desk: Desk) -> None:  # noqa: F811
    [bought] = await sold(desk, NX, "50.01 EUR")
    coupons = []
    for more in ({"amount": "33.33 EUR"}, {"amount": "0.01 EUR"}, {"amount": "20.00 EUR"}, {}):
        done = await granted(desk, bought, **more)
        coupons += [one["amount_minor"] for one in await payloads(desk, done, "refund.coupon")]
    assert "NX-31" in done["clauses"]
    assert (sum(coupons), done["granted"]["ends"]) == (5001, "license")
    assert (await desk.balance(done["customer_id"]))["balances"] == [{"currency": "EUR", "amount": "49.99 EUR"}]


@pytest.mark.clause("NX-31")
async def test_what_was_paid_with_a_coupon_alone_is_paid_out_by_it_alone(desk: Desk) -> None:  # noqa: F811
    [bought] = await sold(desk, NX, "100.00 EUR")
    done = await desk.ask(bought, "mistake")
    assert (done["status"], done["granted"]["paid_out_at"]) == ("paid_out", "2026-03-02T09:00:00Z")
    assert "NX-31" in done["clauses"]
    assert await credited(desk, done) == []
    assert await payloads(desk, done, "refund.coupon") == [a_coupon(done, 10000)]
    failed = await desk.act(done, "payout-failed", failure="the coupon was never made")
    assert (failed["status"], await credited(desk, done)) == ("failed", [])


@pytest.mark.clause("NX-31", "NX-36", "X-10")
async def test_a_failed_payout_takes_back_the_money_and_the_coupon_counts_as_never_issued(
    desk: Desk,  # noqa: F811
) -> None:
    [bought] = await sold(desk, NX, "30.00 EUR")
    first = await desk.ask(bought, "mistake")
    await desk.act(first, "payout-failed", failure="a mistake of ours")
    assert await credited(desk, first) == [("refund_reversed", "-70.00 EUR"), ("refund", "70.00 EUR")]
    assert "refund.payout_failed" in await kinds(desk, bought.license_id)
    anew = await desk.ask(bought, "mistake")
    assert (anew["granted"]["amount"], anew["granted"]["coupon"]) == ("100.00 EUR", "30.00 EUR")


@pytest.mark.clause("CJ-13", "CJ-15", "NX-31")
async def test_where_money_goes_back_as_it_came_the_coupon_goes_with_its_payout(desk: Desk) -> None:  # noqa: F811
    first, second = await sold(desk, CJ, "60.00 EUR", quantity=2)
    done = await granted(desk, first)
    assert (done["granted"]["coupon"], "CJ-15" in done["clauses"]) == ("30.00 EUR", True)
    [owed] = await payloads(desk, done, "refund.payout")
    assert (owed["amount_minor"], await payloads(desk, done, "refund.coupon")) == (7000, [])
    assert (await desk.act(done, "payout"))["code"] == "ref_pending_attestation"
    assert await payloads(desk, done, "refund.coupon") == []
    await desk.act(done, "attest", **COPIES)
    assert (await desk.act(done, "payout"))["status"] == "paid_out"
    assert await payloads(desk, done, "refund.coupon") == [a_coupon(done, 3000)]
    assert (await desk.act(done, "payout"))["code"] == "ref_payout_closed"
    assert len(await payloads(desk, done, "refund.coupon")) == 1
    part = await granted(desk, second, amount="10.00 EUR")
    assert (part["granted"]["amount"], part["granted"]["coupon"]) == ("10.00 EUR", "3.00 EUR")


@pytest.mark.clause("CJ-13", "NX-31")
async def test_a_coupon_alone_waits_for_what_a_payout_waits_for(desk: Desk) -> None:  # noqa: F811
    """No money is owed, and the statement that no copy is left is asked for all the same."""
    [bought] = await sold(desk, CJ, "100.00 EUR")
    done = await granted(desk, bought)
    assert (done["status"], done["granted"]["paid_out_at"]) == ("granted", None)
    assert await kinds(desk, done["id"]) == []
    await desk.act(done, "attest", **COPIES)
    assert (await desk.act(done, "payout"))["status"] == "paid_out"
    assert await kinds(desk, done["id"]) == ["refund.coupon"]


@pytest.mark.clause("NX-31", "K-13")
@pytest.mark.parametrize("held", [False, True])
async def test_a_coupon_alone_goes_at_the_grant_where_a_payout_would(desk: Desk, held: bool) -> None:  # noqa: F811
    """The terms make nothing wait; a legal hold on anything else of the customer's does."""
    services = desk.house.services
    await add_product(
        services, code="plain", name="plain", key_prefix="PLN", policy="default", price=Money(10000, "EUR")
    )
    other = await desk.sell(NX)
    [bought] = await sold(desk, "plain", "100.00 EUR")
    if held:
        await change_standing(services, other.license_id, event="hold", actor="cli:test", reason="a court's order")
    done = await granted(desk, bought)
    expected = ("granted", []) if held else ("paid_out", ["refund.coupon"])
    assert (done["status"], await kinds(desk, done["id"])) == expected
    assert done["granted"]["paid_out_at"] == (None if held else "2026-03-02T09:00:00Z")


@pytest.mark.clause("NX-31", "K-07")
async def test_tax_alone_has_no_coupon(desk: Desk) -> None:  # noqa: F811
    """The price's coupon is left for the price: tax was paid with money."""
    [bought] = await sold(desk, NX, "30.00 EUR", tax="19.00 EUR")
    taxed = await desk.act(await desk.ask(bought, item="tax"), "decide", **DONE)
    assert (taxed["granted"]["amount"], taxed["granted"]["coupon"]) == ("19.00 EUR", None)
    assert "NX-31" in taxed["clauses"]
    rest = await granted(desk, bought)
    assert (rest["granted"]["amount"], rest["granted"]["coupon"]) == ("100.00 EUR", "30.00 EUR")


@pytest.mark.clause("NX-31")
async def test_an_order_shows_its_coupon_and_told_with_another_one_it_differs(desk: Desk) -> None:  # noqa: F811
    line = {"product": NX, "price": "100.00 EUR", "quantity": 2}
    first = await order(desk, {**line, "coupon": "30.00 EUR"}, number="A-1")
    assert (first["http"], first["lines"][0]["coupon"]) == (201, "30.00 EUR")
    answers = [
        await order(desk, {**line, **more}, number="A-1")
        for more in ({"coupon": "30.00 EUR"}, {}, {"coupon": "30.01 EUR"}, {"coupon": "0.00 EUR"})
    ]
    assert [(one["http"], one.get("code")) for one in answers] == [
        (200, None),
        (200, None),
        (409, "order_differs"),
        (409, "order_differs"),
    ]


@pytest.mark.clause("NX-31", "K-07")
async def test_a_bundles_coupon_is_split_by_the_prices_of_its_parts(desk: Desk) -> None:  # noqa: F811
    """No part has more than its price. Told again it is the same order, by the sum of its parts."""
    services = desk.house.services
    for code, prefix, minor in (("one", "ONE", 3000), ("two", "TWO", 1500), ("both", "BTH", 5000)):
        price = Money(minor, "EUR")
        await add_product(services, code=code, name=code, key_prefix=prefix, policy="nexopos", price=price)
    async with services.db.writing() as tx:
        bundle = tables.product.update().where(tables.product.c.code == "both")
        await tx.execute(bundle.values(parts=["one", "two"]))
    line = {"product": "both", "price": "50.00 EUR", "quantity": 2, "coupon": "100.00 EUR"}
    placed = await order(desk, line, number="B-1")
    assert [(one["price"], one["coupon"]) for one in placed["lines"]] == [
        ("33.33 EUR", "66.66 EUR"),
        ("16.67 EUR", "33.34 EUR"),
    ]
    assert (await order(desk, line, number="B-1"))["http"] == 200
    assert (await order(desk, {**line, "coupon": "99.99 EUR"}, number="B-1"))["code"] == "order_differs"


@pytest.mark.clause("K-07")
@pytest.mark.parametrize(
    "more",
    [
        {"price": "10.00 EUR", "coupon": "20.01 EUR"},
        {"price": "10.00 EUR", "coupon": "1.00 USD"},
        {"price": "10.00 EUR", "coupon": "-0.01 EUR"},
        {"coupon": "1.00 EUR"},
    ],
)
async def test_a_coupon_is_never_more_than_what_was_paid_nor_of_another_currency(
    desk: Desk,  # noqa: F811
    more: dict[str, str],
) -> None:
    assert (await order(desk, {"product": NX, "quantity": 2, **more}))["http"] == 400
    whole = {"product": NX, "quantity": 2, "price": "10.00 EUR", "coupon": "20.00 EUR"}
    assert (await order(desk, whole))["http"] == 201
