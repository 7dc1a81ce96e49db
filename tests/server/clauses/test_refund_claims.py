"""CJ-02, CJ-03, CJ-05, CJ-09, CJ-12, CJ-14 and CJ-18 through the API: who claims what, when, and what came of it."""

from dataclasses import replace
from datetime import datetime

import pytest

from tests.server.clauses.test_refund_grounds import change_product
from tests.support.house import AGENT
from tests.support.refunding import (  # noqa: F401 - fixture
    CJ,
    DAY,
    MORNING,
    OFFICIAL,
    YEARLY,
    Desk,
    Sold,
    desk,
)
from tillkey_server.money import parse
from tillkey_server.rules.refund_policy import Repurchase
from tillkey_server.usecases.license import change_standing
from tillkey_server.usecases.order import Line

GRANT = {"decision": "grant", "reason": "a good customer"}


async def put_on_hold(desk: Desk, sold: Sold, event: str = "hold", **how: str) -> None:  # noqa: F811
    """Place a legal hold, or lift it."""
    await change_standing(desk.house.services, sold.license_id, event=event, actor=AGENT, reason="a claim", **how)


def deny_pending_too(desk: Desk) -> None:  # noqa: F811
    """Let the terms count earlier refunds that were asked for as well."""
    policies = desk.house.services.policies
    policy = policies.offered("crmjetty")
    assert policy.refund is not None
    terms = replace(policy.refund, repurchase=Repurchase.DENY_PENDING_TOO)
    policies._known[policy.ref] = replace(policy, refund=terms)


@pytest.mark.clause("CJ-03")
@pytest.mark.parametrize("how", ["by the request", "as a reason", "as a finding"])
async def test_a_conflict_that_support_found_to_be_a_third_partys_is_a_persons_whatever_else_holds(
    desk: Desk,  # noqa: F811
    how: str,
) -> None:
    sold = await desk.sell(CJ, paid_at=MORNING - 20 * DAY)
    found = ("malfunction", "third_party") if how == "by the request" else "malfunction"
    more = {"as a reason": {"found": ["third_party"]}, "as a finding": {"findings": ["third_party"]}}.get(how, {})
    request = await desk.issue(sold, MORNING - 15 * DAY, finding=found)
    told = await desk.preview(sold, "defect", support_request=request, **more, **OFFICIAL)
    assert (told["decision"], told["code"], told["clauses"]) == ("pend", "ref_pending_discretion", ["CJ-03"])


@pytest.mark.clause("CJ-03", "CJ-06")
async def test_the_customers_own_word_about_a_third_party_stops_no_defect(desk: Desk) -> None:  # noqa: F811
    sold = await desk.sell(CJ, paid_at=MORNING - 20 * DAY)
    request = await desk.issue(sold, MORNING - 15 * DAY, finding="malfunction")
    told = await desk.preview(sold, "defect", "third_party", support_request=request, **OFFICIAL)
    assert (told["code"], "CJ-12" in told["clauses"]) == ("ref_granted_one_time_full", True)


@pytest.mark.clause("CJ-18", "CJ-19", "CJ-17", "CJ-12")
async def test_a_year_that_is_reported_late_waits_for_what_is_missing_and_is_no_final_no(desk: Desk) -> None:  # noqa: F811
    sold = await desk.sell(YEARLY, "1000.00 EUR", paid_at=MORNING - 100 * DAY)
    unsatisfied = await desk.preview(sold, "unsatisfied", **OFFICIAL)
    assert (unsatisfied["code"], unsatisfied["clauses"]) == ("ref_pending_attempt", ["CJ-17"])
    defect = await desk.preview(sold, "defect", **OFFICIAL)
    assert (defect["code"], defect["clauses"]) == ("ref_pending_issue_required", ["CJ-12", "CJ-11"])
    request = await desk.issue(sold, finding="malfunction")
    waits = await desk.preview(sold, "defect", support_request=request, **OFFICIAL)
    assert (waits["code"], waits["retry_at"]) == ("ref_pending_resolution", "2026-03-09T18:30:00Z")


@pytest.mark.clause("CJ-18", "CJ-09", "CJ-20")
async def test_asked_again_in_the_next_month_the_rest_is_counted_from_when_it_was_asked_first(desk: Desk) -> None:  # noqa: F811
    """Three months were used then, and four are now; it was asked for in writing the first time."""
    sold = await desk.sell(YEARLY, "1000.00 EUR", paid_at=datetime.fromisoformat("2025-11-05T10:00:00Z"))
    request = await desk.issue(sold, finding="malfunction")
    first = await desk.ask(sold, "defect", support_request=request, **OFFICIAL)
    desk.house.clock.turn(days=10)
    again = await desk.ask(sold, "defect", support_request=request, sender_verified=True)
    assert (first["code"], first["id"]) == ("ref_pending_resolution", again["id"])
    assert (again["code"], again["granted"]["amount"]) == ("ref_granted_prorata", "700.00 EUR")
    assert {"CJ-18", "CJ-20"} <= set(again["clauses"])


@pytest.mark.clause("CJ-12", "CJ-09")
@pytest.mark.parametrize(
    ("received", "solved", "code"),
    [
        (-3, -1, "ref_granted_one_time_full"),
        (-12, -1, "ref_granted_one_time_full"),
        (-12, -11, "ref_denied_solved"),
        (-1, -3, "ref_pending_objection"),
        (-1, -9, "ref_denied_solved"),
    ],
)
async def test_a_fix_ends_a_claim_only_in_time_or_before_the_refund_was_asked_for(
    desk: Desk,  # noqa: F811
    received: int,
    solved: int,
    code: str,
) -> None:
    """Reported on day -15, so that it was to be solved by the end of day -10; recorded today, within days to object."""
    sold = await desk.sell(CJ, paid_at=MORNING - 20 * DAY)
    request = await desk.issue(sold, MORNING - 15 * DAY, finding="malfunction", resolved=MORNING + solved * DAY)
    came = (MORNING + received * DAY).isoformat()
    told = await desk.preview(sold, "defect", support_request=request, received_at=came, **OFFICIAL)
    assert (told["code"], {"CJ-12", "CJ-11"} <= set(told["clauses"])) == (code, True)


@pytest.mark.clause("CJ-12")
async def test_a_claim_that_is_put_in_writing_after_the_fix_is_solved(desk: Desk) -> None:  # noqa: F811
    """By telephone it was asked for before."""
    sold = await desk.sell(CJ, paid_at=MORNING - 20 * DAY)
    request = await desk.issue(sold, MORNING - 15 * DAY, finding="malfunction", resolved=MORNING + DAY)
    spoken = await desk.ask(sold, "defect", support_request=request, sender_verified=True)
    desk.house.clock.turn(days=9)
    written = await desk.ask(sold, "defect", support_request=request, **OFFICIAL)
    assert (spoken["code"], written["code"]) == ("ref_pending_email_request", "ref_denied_solved")
    assert written["clauses"] == ["CJ-12", "CJ-11"]


@pytest.mark.clause("CJ-05")
@pytest.mark.parametrize(
    ("became", "code"),
    [
        ("open", "ref_denied_repurchase"),
        ("grant", "ref_denied_repurchase"),
        ("replaced", "ref_denied_repurchase"),
        ("deny", "ref_pending_review"),
        ("failed", "ref_pending_review"),
    ],
)
async def test_a_refund_that_was_pending_at_the_second_purchase_bars_it_unless_it_came_to_nothing(
    desk: Desk,  # noqa: F811
    became: str,
    code: str,
) -> None:
    """Decided reading 6, by setting."""
    deny_pending_too(desk)
    first = await desk.sell(CJ)
    pending = await desk.ask(first, "third_party", **OFFICIAL)
    desk.house.clock.turn(hours=1)
    second = await desk.sell(CJ)
    desk.house.clock.turn(hours=1)
    if became == "replaced":
        pending = await desk.ask(first, "my_own_word", **OFFICIAL)
    if became != "open":
        decision = "deny" if became == "deny" else "grant"
        decided = await desk.act(pending, "decide", decision=decision, reason="a good customer")
        assert decided["http"] == 200
    if became == "failed":
        assert (await desk.act(pending, "payout-failed", failure="the account is closed"))["status"] == "failed"
    told = await desk.preview(second, "my_own_word", **OFFICIAL)
    assert (told["code"], "CJ-05" in told["clauses"]) == (code, code == "ref_denied_repurchase")


@pytest.mark.clause("CJ-05")
async def test_what_was_asked_for_or_granted_after_the_second_purchase_bars_nothing(desk: Desk) -> None:  # noqa: F811
    """Decided reading 6; once without the setting, once with it."""
    first = await desk.sell(CJ)
    desk.house.clock.turn(hours=1)
    second = await desk.sell(CJ)
    desk.house.clock.turn(hours=1)
    pending = await desk.ask(first, "third_party", **OFFICIAL)
    codes = [(await desk.preview(second, "my_own_word", **OFFICIAL))["code"]]
    await desk.act(pending, "decide", **GRANT)
    codes.append((await desk.preview(second, "my_own_word", **OFFICIAL))["code"])
    deny_pending_too(desk)
    codes.append((await desk.preview(second, "my_own_word", **OFFICIAL))["code"])
    assert codes == ["ref_pending_review"] * 3


@pytest.mark.clause("CJ-05")
@pytest.mark.parametrize(("of_first", "of_second"), [("portal", "portal"), (None, CJ), (YEARLY, None)])
async def test_another_edition_of_what_was_refunded_is_the_same_product(
    desk: Desk,  # noqa: F811
    of_first: str | None,
    of_second: str | None,
) -> None:
    """Both name one family, or one names the other as its family."""
    await change_product(desk, CJ, family=of_first)
    await change_product(desk, YEARLY, family=of_second)
    await desk.act(await desk.ask(await desk.sell(CJ), "third_party", **OFFICIAL), "decide", **GRANT)
    desk.house.clock.turn(hours=1)
    told = await desk.preview(await desk.sell(YEARLY), "my_own_word", **OFFICIAL)
    assert (told["code"], told["clauses"]) == ("ref_denied_repurchase", ["CJ-05"])


@pytest.mark.clause("CJ-05")
async def test_a_product_of_no_family_is_none_but_itself(desk: Desk) -> None:  # noqa: F811
    await desk.act(await desk.ask(await desk.sell(CJ), "third_party", **OFFICIAL), "decide", **GRANT)
    desk.house.clock.turn(hours=1)
    assert (await desk.preview(await desk.sell(YEARLY), "my_own_word", **OFFICIAL))["code"] == "ref_pending_review"


@pytest.mark.clause("CJ-02")
async def test_under_a_hold_a_pending_refund_is_not_granted_and_stays_open_with_its_date(desk: Desk) -> None:  # noqa: F811
    sold = await desk.sell(CJ)
    pending = await desk.ask(sold, "third_party", **OFFICIAL)
    desk.house.clock.turn(days=1)
    await put_on_hold(desk, sold)
    for told in (
        await desk.act(pending, "decide", **GRANT),
        await desk.ask(sold, "third_party", **OFFICIAL),
        await desk.ask(sold, "my_own_word", **OFFICIAL),
    ):
        assert (told["http"], told["code"], "K-13" in told["clauses"]) == (403, "legal_hold", True)
        assert (await desk.show(pending))["status"] == "pending"
    await put_on_hold(desk, sold, "release_hold")
    granted = await desk.act(pending, "decide", **GRANT)
    assert (granted["status"], granted["asked_at"]) == ("granted", "2026-03-02T09:00:00Z")


@pytest.mark.clause("CJ-02")
async def test_a_violation_denies_every_license_of_its_order_and_no_other(desk: Desk) -> None:  # noqa: F811
    """It was confirmed of the order's second line."""
    lines = [Line(CJ, price=parse("100.00 EUR")), Line(YEARLY, price=parse("100.00 EUR"))]
    first, second = await desk.sell_all(*lines)
    other = await desk.sell(CJ)
    await put_on_hold(desk, second)
    await put_on_hold(desk, second, "release_hold", outcome="violation_confirmed")
    told = [await desk.preview(one, "my_own_word", **OFFICIAL) for one in (first, second, other)]
    assert [one["code"] for one in told] == ["ref_denied_copyright", "ref_denied_copyright", "ref_pending_review"]
    assert told[0]["clauses"] == ["CJ-02"]


@pytest.mark.clause("CJ-09", "CJ-12")
async def test_a_claim_whose_request_was_closed_unanswered_waits_for_the_customer(desk: Desk) -> None:  # noqa: F811
    sold = await desk.sell(CJ, paid_at=MORNING - 20 * DAY)
    request = await desk.issue(
        sold,
        MORNING - 19 * DAY,
        finding="malfunction",
        waiting_for_customer=MORNING - 18 * DAY,
        closed=MORNING - DAY,
    )
    told = await desk.preview(sold, "defect", support_request=request, **OFFICIAL)
    assert (told["decision"], told["code"]) == ("pend", "ref_pending_cooperation")
    assert told["clauses"] == ["CJ-12", "CJ-11"]


@pytest.mark.clause("CJ-14")
async def test_an_attempt_to_activate_what_was_refunded_is_noticed_by_itself(desk: Desk) -> None:  # noqa: F811
    """No till of it ever beat."""
    sold = await desk.sell(CJ)
    refund = await desk.act(await desk.ask(sold, "third_party", **OFFICIAL), "decide", **GRANT)
    desk.house.clock.turn(days=14)
    assert (await desk.house.till(product=CJ).activate(sold.license_key)).code == "license_revoked"
    assert (await desk.show(refund))["granted"]["used_after_at"] == "2026-03-16T09:00:00Z"


@pytest.mark.clause("CJ-12")
@pytest.mark.parametrize(("reference", "code"), [("ticket 17", "ref_granted_one_time_full"), (None, None)])
async def test_a_defect_that_is_said_to_be_reported_in_time_is_shown_by_its_ticket(
    desk: Desk,  # noqa: F811
    reference: str | None,
    code: str | None,
) -> None:
    """Sold 40 days ago, recorded today as told 20 days ago: within the window only by its ticket."""
    sold = await desk.sell(CJ, paid_at=MORNING - 40 * DAY)
    body = {"task": "technical_issue", "described": ["problem", "store_access"], "license_id": str(sold.license_id)}
    named = {} if reference is None else {"reference": reference}
    received = {"received_at": (MORNING - 20 * DAY).isoformat()}
    opened = await desk.agent.post("/v1/support-requests", json=body | received | named)
    assert opened.status_code == 201, opened.text
    request = opened.json()["request"]
    found = {"kind": "finding", "finding": "malfunction", "evidence": "the log"}
    assert (await desk.agent.post(f"/v1/support-requests/{request['id']}/events", json=found)).status_code == 201
    told = await desk.preview(sold, "defect", support_request=request["id"], **OFFICIAL)
    assert (told["code"], "CJ-12" in told["clauses"]) == (code or "ref_denied_window_closed", True)
    [resolve] = [one for one in request["clocks"] if one["clock"] == "resolve"]
    assert resolve["code"] == "sla_resolve_breached"
