"""Orders on both engines: told twice, told by two at once, and told otherwise."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select

from tests.support.house import MORNING
from tests.support.statements import counted
from tillkey_server.errors import BadInput
from tillkey_server.money import Money
from tillkey_server.rules.decision import Refusal
from tillkey_server.rules.order_line import LineKind
from tillkey_server.store import tables
from tillkey_server.usecases.answers import RefusalAnswer
from tillkey_server.usecases.license import issue
from tillkey_server.usecases.licenses import get_license
from tillkey_server.usecases.order import Line, place_order
from tillkey_server.usecases.services import open_services

LINES = (Line("pos-core", 2), Line("pos-loyalty"))
BUYER = "owner@shop.example"
PRICE = Money(14900, "EUR")
"""What the first product is listed at."""


async def placed(services, lines=LINES, customer=BUYER, **more):
    told = {"number": "A-1", "channel": "web", **more}
    return await place_order(services, customer_email=customer, lines=lines, actor="cli:test", **told)


async def rows(house):
    """Return how many customers, orders, lines and licenses there are."""
    counted = (tables.customer, tables.purchase_order, tables.order_line, tables.license_)
    async with house.services.db.reading() as tx:
        return [await tx.scalar(select(func.count()).select_from(table)) for table in counted]


def ids(answer):
    return [one["license_id"] for one in answer.shown["licenses"]]


@pytest.mark.clause("NX-01", "K-10")
async def test_an_order_told_by_two_servers_at_once_gives_one_set_of_licenses(house):
    other = await open_services(house.services.settings, house.clock)
    try:
        answers = await asyncio.gather(*[placed(one) for one in (house.services, other) * 3])
    finally:
        await other.close()
    assert await rows(house) == [1, 1, 2, 3]
    assert [answer.is_new for answer in answers].count(True) == 1
    assert {tuple(ids(answer)) for answer in answers} == {tuple(ids(answers[0]))}
    keys = [one["license_key"] for answer in answers for one in answer.shown["licenses"] if one["license_key"]]
    assert len(keys) == len(set(keys)) == 3


@pytest.mark.parametrize(
    ("otherwise", "part"),
    [
        ({"lines": (Line("pos-core", 3), Line("pos-loyalty"))}, "lines"),
        ({"lines": LINES[:1]}, "lines"),
        ({"lines": (Line("pos-core", 2, Money(1, "EUR")), Line("pos-loyalty"))}, "price"),
        ({"lines": (Line("pos-core", 2, PRICE, coupon=Money(1, "EUR")), Line("pos-loyalty"))}, "coupon"),
        ({"customer": "somebody@else.example"}, "customer"),
        ({"paid_at": MORNING - timedelta(days=1)}, "paid_at"),
    ],
)
async def test_an_order_told_otherwise_is_refused_and_leaves_nothing(house, otherwise, part):
    await placed(house.services)
    before = await rows(house)
    refused = await placed(house.services, **otherwise)
    assert isinstance(refused, RefusalAnswer)
    assert refused.decision_code is Refusal.ORDER_DIFFERS
    assert part in refused.detail
    assert await rows(house) == before


@pytest.mark.clause("NX-14")
async def test_the_clocks_run_from_the_payment(house):
    paid = datetime(2026, 1, 31, 12, tzinfo=UTC)
    made = await placed(house.services, paid_at=paid)
    shown = await get_license(house.services, UUID(ids(made)[0]))
    assert (shown["support_until"], shown["refund_until"]) == ("2027-02-01T00:00:00Z", "2026-03-03T00:00:00Z")


@pytest.mark.clause("K-09", "I8")
@pytest.mark.parametrize(("days", "version", "refund_days"), [(10, 3, 30), (0, 4, 5)])
async def test_an_order_has_the_terms_that_were_offered_when_it_was_paid_however_late_it_is_told(
    house, days, version, refund_days
):
    house.clock.turn(days=20)
    await house.new_terms("default", ("refund_days = 30", "refund_days = 5"))
    paid = house.clock.now() - timedelta(days=days)
    made = await placed(house.services, paid_at=paid)
    assert {one["policy"]["version"] for one in made.shown["lines"]} == {version}
    assert made.shown["decision"]["policy"]["version"] == version
    shown = await get_license(house.services, UUID(ids(made)[0]))
    until = (paid + timedelta(days=refund_days + 1)).replace(hour=0)
    assert shown["refund_until"] == until.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.clause("K-09")
async def test_what_was_paid_before_any_terms_were_on_record_has_the_oldest(house):
    house.clock.turn(days=20)
    await house.new_terms("default", ("refund_days = 30", "refund_days = 5"))
    made = await placed(house.services, paid_at=MORNING - timedelta(days=400))
    assert {one["policy"]["version"] for one in made.shown["lines"]} == {3}


@pytest.mark.clause("K-09")
async def test_terms_that_are_not_in_effect_yet_are_not_sold_under(house):
    await house.new_terms("default", ("effective_from = 2026-01-01", "effective_from = 2026-04-01"))
    versions = []
    for number in ("A-1", "A-2"):
        made = await placed(house.services, number=number)
        one = await issue(house.services, product="pos-core", customer_email=BUYER, actor="cli:test")
        held = await get_license(house.services, one.licenses[0].license_id)
        versions.append((made.shown["lines"][0]["policy"]["version"], held["policy"]["version"]))
        house.clock.turn(days=30)
    assert versions == [(3, 3), (4, 4)]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"paid_at": MORNING + timedelta(seconds=1)}, "paid_at"),
        ({"paid_at": datetime(1, 1, 1, tzinfo=UTC)}, "paid_at"),
        ({"lines": ()}, "lines"),
        ({"lines": (Line("pos-core", 251),) * 2}, "lines"),
        ({"lines": (Line("pos-core", 0),)}, "lines.quantity"),
        ({"lines": (Line("pos-core", 1, Money(-1, "EUR")),)}, "lines.price"),
        ({"lines": (Line("pos-core", 1, Money(10**19, "CLF")),)}, "lines.price"),
        ({"lines": (Line("pos-core", 2, PRICE, coupon=Money(2 * PRICE.minor + 1, "EUR")),)}, "lines.coupon"),
        ({"lines": (Line("pos-core", 2, PRICE, coupon=Money(1, "USD")),)}, "lines.coupon"),
        ({"lines": (Line("pos-core", 2, PRICE, coupon=Money(-1, "EUR")),)}, "lines.coupon"),
        ({"lines": (Line("pos-core", 2, coupon=Money(1, "EUR")),)}, "lines.coupon"),
        ({"channel": "direct"}, "channel"),
        ({"channel": "trial"}, "channel"),
        ({"number": " "}, "number"),
    ],
)
async def test_a_value_that_cannot_be_is_refused_by_its_field(house, wrong, field):
    with pytest.raises(BadInput) as refused:
        await placed(house.services, **wrong)
    assert refused.value.field == field
    assert await rows(house) == [0, 0, 0, 0]


@pytest.mark.clause("NX-01")
async def test_a_line_that_gives_no_license_gives_none_by_the_orders_number_either(house):
    support = Line("pos-core", 3, kind=LineKind.SUPPORT, beside=1)
    await placed(house.services, (support, Line("pos-core")), channel="manual")
    before = await rows(house)
    with pytest.raises(BadInput, match="order"):
        await issue(house.services, product="pos-core", customer_email=BUYER, actor="cli:test", quantity=3, order="A-1")
    assert await rows(house) == before


async def test_an_order_asks_for_the_buyers_account_once_however_many_licenses_it_gives(house):
    asked = []
    for number, pieces in (("A-1", 1), ("A-2", 9)):
        with counted(house.services.db) as sent:
            answer = await placed(house.services, (Line("pos-core", pieces),), number=number)
        assert len(ids(answer)) == pieces
        asked.append(
            [len([one for one in sent if table in one]) for table in ("FROM account_suspension", "INTO license ")]
        )
    assert asked[0] == asked[1]
