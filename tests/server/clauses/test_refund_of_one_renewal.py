"""ZG-04 and BC-23 through the API: one renewal of a license is paid back, its own months go, and nothing else does."""

import pytest

from tests.support.refunding import BC, NX, OFFICIAL, YEARLY, ZG, Desk, Sold, desk  # noqa: F401 - fixture
from tests.support.renewing import last_days, renew, withdraw

GRANT = {"decision": "grant", "reason": "paid by mistake"}


async def stacked(desk: Desk, product: str, count: int = 3) -> tuple[Sold, list[str]]:  # noqa: F811
    """Sell a license and renew it several times, an hour apart; return the renewals' ids."""
    sold, paid = await desk.sell(product), []
    for _ in range(count):
        desk.house.clock.turn(hours=1)
        told = await renew(desk.integration, str(sold.license_id), amount="52.00 EUR", tax="10.40 EUR")
        paid.append(str(told.json()["renewal_id"]))
    return sold, paid


async def support_until(desk: Desk, sold: Sold) -> str | None:  # noqa: F811
    """Return the last day of support."""
    return (await last_days(desk.agent, str(sold.license_id)))["support"]


@pytest.mark.clause("ZG-04", "ZG-03")
@pytest.mark.parametrize("which", [0, 1, 2])
async def test_a_person_pays_one_stacked_renewal_back_and_its_own_months_go(desk: Desk, which: int) -> None:  # noqa: F811
    sold, paid = await stacked(desk, ZG)
    before = await support_until(desk, sold)
    preview = await desk.preview(sold, renewal=paid[which])
    asked = await desk.ask(sold, renewal=paid[which])
    assert (preview["code"], asked["code"], asked["http"]) == ("ref_pending_review", "ref_pending_review", 201)
    assert "ZG-04" in asked["clauses"]
    done = await desk.act(asked, "decide", **GRANT)
    given = done["granted"]
    assert (given["amount"], given["tax"], given["ends"]) == ("62.40 EUR", "10.40 EUR", "renewal")
    assert (before, await support_until(desk, sold)) == ("2027-03-02", "2026-12-02")
    shown = (await desk.agent.get(f"/v1/licenses/{sold.license_id}")).json()
    assert shown["status"] == "active"
    again = await desk.ask(sold, renewal=paid[which])
    assert (again["http"], again["code"]) == (409, "ref_denied_already_refunded")
    other = await desk.ask(sold, renewal=paid[which - 1])
    assert other["code"] == "ref_pending_review"


@pytest.mark.clause("ZG-03", "ZG-04")
async def test_what_was_paid_after_a_renewal_that_goes_back_is_laid_as_if_that_had_never_been_paid(
    desk: Desk,  # noqa: F811
) -> None:
    """The later one came within the time that the earlier one gave: without that it begins with its own payment."""
    sold, [first] = await stacked(desk, ZG, 1)
    desk.house.clock.turn(days=120)
    await renew(desk.integration, str(sold.license_id))
    assert await support_until(desk, sold) == "2026-12-02"
    asked = await desk.ask(sold, renewal=first)
    await desk.act(asked, "decide", **GRANT)
    assert await support_until(desk, sold) == "2026-09-30"


@pytest.mark.clause("ZG-04", "K-07")
async def test_a_part_of_a_renewal_leaves_its_months_until_the_rest_is_back_and_a_failed_payout_gives_them_again(
    desk: Desk,  # noqa: F811
) -> None:
    sold, [renewal] = await stacked(desk, ZG, 1)
    part = await desk.act(await desk.ask(sold, renewal=renewal), "decide", **GRANT, amount="12.40 EUR")
    assert (part["granted"]["ends"], await support_until(desk, sold)) == ("nothing", "2026-09-02")
    rest = await desk.act(await desk.ask(sold, renewal=renewal), "decide", **GRANT)
    assert (rest["granted"]["amount"], rest["granted"]["ends"]) == ("50.00 EUR", "renewal")
    assert await support_until(desk, sold) == "2026-06-02"
    await desk.act(rest, "payout-failed", failure="closed")
    assert await support_until(desk, sold) == "2026-09-02"
    product = await desk.act(await desk.ask(sold, "my_own_word"), "decide", **GRANT)
    assert product["granted"]["ends"] == "license"


@pytest.mark.clause("BC-23", "X-10")
async def test_what_was_paid_after_the_retirement_and_did_not_arrive_can_be_asked_back_by_its_name(
    desk: Desk,  # noqa: F811
) -> None:
    sold = await desk.sell(BC)
    desk.house.clock.turn(days=1)
    await withdraw(desk.house, BC)
    desk.house.clock.turn(days=1)
    late = (await renew(desk.integration, str(sold.license_id), amount="52.00 EUR", tax="10.40 EUR")).json()
    given = {"id": late["facts"]["refund_id"]}
    twice = await desk.ask(sold, renewal=late["renewal_id"])
    assert twice["code"] == "ref_denied_already_refunded"
    await desk.act(given, "payout-failed", failure="closed")
    asked = await desk.ask(sold, "my_own_word", renewal=late["renewal_id"])
    assert (asked["code"], "BC-23" in asked["clauses"]) == ("ref_pending_review", True)
    done = await desk.act(asked, "decide", **GRANT)
    assert (done["granted"]["amount"], done["granted"]["ends"]) == ("62.40 EUR", "renewal")
    shown = (await desk.agent.get(f"/v1/licenses/{sold.license_id}")).json()
    assert shown["status"] == "active"


@pytest.mark.clause("CJ-26")
async def test_the_vendors_own_terms_about_renewals_hold_for_one_that_is_named(desk: Desk) -> None:  # noqa: F811
    sold, paid = await stacked(desk, YEARLY, 2)
    notice = {**OFFICIAL, "order_number": "A-1", "explanation": "enough"}
    earlier = await desk.ask(sold, "cancel_renewal", renewal=paid[0], **notice)
    assert (earlier["code"], earlier["clauses"]) == ("ref_denied_no_renewal", ["CJ-26"])
    last = await desk.ask(sold, "cancel_renewal", renewal=paid[1], **notice)
    assert (last["code"], last["granted"]["ends"]) == ("ref_granted_renewal_full", "renewal")


@pytest.mark.clause("ZG-04")
async def test_a_renewal_of_another_license_or_beside_another_item_or_none_at_all_is_no_request(
    desk: Desk,  # noqa: F811
) -> None:
    sold, [mine] = await stacked(desk, ZG, 1)
    other, _ = await stacked(desk, ZG, 1)
    answers = [
        await desk.ask(other, renewal=mine),
        await desk.ask(sold, renewal=mine, item="tax"),
        await desk.ask(sold, item="renewal"),
    ]
    assert [(one["http"], one["code"]) for one in answers] == [(400, "malformed")] * 3
    assert (await desk.ask(sold, renewal=mine, item="renewal"))["code"] == "ref_pending_review"


@pytest.mark.clause("X-10")
async def test_another_renewal_is_another_request_and_the_same_one_is_the_same(desk: Desk) -> None:  # noqa: F811
    sold, paid = await stacked(desk, NX, 2)
    asked = [await desk.ask(sold, renewal=one) for one in (paid[0], paid[0], paid[1])]
    assert asked[0]["id"] == asked[1]["id"] != asked[2]["id"]
    assert (await desk.show(asked[0]))["status"] == "superseded"
