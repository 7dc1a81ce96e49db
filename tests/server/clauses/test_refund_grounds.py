"""NX-31 to NX-35, ZG-09, ZG-18, CJ-01 to CJ-12 and BC-07, BC-27 to BC-31 through the API: what is answered, and why."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.server.clauses.test_refund_plans import renew
from tests.support.callers import Callers
from tests.support.house import AGENT
from tests.support.refunding import (  # noqa: F401 - fixture
    BC,
    CJ,
    DAY,
    MORNING,
    NX,
    OFFICIAL,
    YEARLY,
    ZG,
    Desk,
    an_add_on,
    desk,
)
from tillkey_server.rules.order_line import CustomerType, LineKind
from tillkey_server.rules.refund_policy import Core
from tillkey_server.store import tables
from tillkey_server.usecases.license import change_standing


async def change_product(desk: Desk, code: str, **values: object) -> None:  # noqa: F811
    """Write what a catalogue says of a product."""
    async with desk.house.services.db.writing() as tx:
        await tx.execute(tables.product.update().where(tables.product.c.code == code).values(values))


@pytest.mark.clause("NX-33", "V-17", "NX-31", "NX-36")
async def test_a_mistake_is_refunded_unless_the_license_was_ever_activated(desk: Desk) -> None:  # noqa: F811
    """Activate, deactivate, ask: denied. Never activated: granted, and credited."""
    used, unused = await desk.sell(NX), await desk.sell(NX)
    till = desk.house.till(product=NX)
    await till.activate(used.license_key)
    await till.deactivate()
    denied, granted = await desk.ask(used, "mistake"), await desk.ask(unused, "mistake")
    assert (denied["http"], denied["code"], denied["clauses"]) == (409, "ref_denied_mistake_activated", ["NX-33"])
    assert (granted["http"], granted["code"], granted["status"]) == (201, "ref_granted_mistake", "paid_out")
    assert {"NX-31", "NX-33", "NX-36"} <= set(granted["clauses"])
    assert (await desk.balance(granted["customer_id"]))["balances"] == [{"currency": "EUR", "amount": "100.00 EUR"}]


@pytest.mark.clause("V-18", "CJ-06")
async def test_the_same_mistake_is_no_reason_under_other_terms(desk: Desk) -> None:  # noqa: F811
    told = await desk.preview(await desk.sell(CJ), "mistake", **OFFICIAL)
    assert (told["code"], told["decision"], told["clauses"]) == ("ref_denied_invalid_reason", "deny", ["CJ-06"])
    assert "mistake" in told["words"]


@pytest.mark.clause("NX-32", "NX-34", "NX-35")
async def test_a_question_leaves_nothing_behind_and_tells_every_ground(desk: Desk) -> None:  # noqa: F811
    sold = await desk.sell(NX, paid_at=MORNING - 40 * DAY)
    request = await desk.issue(sold, MORNING - 30 * DAY, finding="not_as_described")
    reasons = ("no_support", "not_as_described", "change_of_mind", "my_own_word")
    told = await desk.preview(sold, *reasons, support_request=request)
    grounds = told["facts"]["grounds"]
    assert [one["decision"] for one in grounds] == ["allow", "allow", "deny", "pend"]
    assert (told["decision"], told["code"]) == ("allow", "ref_granted_no_support")
    assert {"NX-34", "NX-32"} <= set(told["clauses"])
    assert {clause for one in grounds for clause in one["clauses"]} == {"NX-34", "NX-32", "NX-35"}
    assert (await desk.agent.get("/v1/refunds")).json()["items"] == []


@pytest.mark.clause("NX-35")
async def test_a_bar_beats_a_ground_and_an_unheard_reason_is_a_persons(desk: Desk) -> None:  # noqa: F811
    sold = await desk.sell(NX)
    barred = await desk.preview(sold, "mistake", found=["service_consumed"])
    assert (barred["code"], barred["clauses"]) == ("ref_denied_service_consumed", ["NX-35", "NX-19"])
    unheard = await desk.ask(sold, "my_own_word")
    assert (unheard["http"], unheard["status"], unheard["clauses"]) == (201, "pending", ["NX-35"])
    consumer = await desk.sell(NX, customer_type=CustomerType.CONSUMER)
    lawful = await desk.preview(consumer, "change_of_mind", found=["service_consumed"])
    assert (lawful["code"], "NX-35" in lawful["clauses"]) == ("ref_granted_statutory", True)


@pytest.mark.clause("NX-19", "NX-35")
async def test_an_installation_that_was_used_is_on_record_when_a_refund_is_asked_for(desk: Desk) -> None:  # noqa: F811
    await change_product(desk, NX, kind="core")
    sold, other = await desk.sell(NX), await desk.sell(NX)
    customer = (await desk.agent.get(f"/v1/licenses/{sold.license_id}")).json()["customer_id"]
    used = await desk.agent.post(f"/v1/customers/{customer}/install-credits/use", json={})
    assert used.json()["code"] == "install_credit_used"
    # Of a core a person decides, who is told.
    told = await desk.preview(sold, "mistake")
    assert (told["code"], told["facts"]["installed_at"]) == ("ref_pending_review", "2026-03-02T09:00:00Z")
    policies = desk.house.services.policies
    policy = policies.offered("nexopos")
    assert policy.refund is not None
    policies._known[policy.ref] = replace(policy, refund=replace(policy.refund, core=Core.SAME))
    barred = await desk.preview(sold, "mistake")
    assert (barred["code"], barred["clauses"]) == ("ref_denied_service_consumed", ["NX-35", "NX-19"])
    assert (await desk.preview(other, "mistake"))["code"] == "ref_granted_mistake"


@pytest.mark.clause("NX-35", "NX-31")
async def test_what_the_law_gives_a_consumer_stands_above_the_terms_about_the_core(desk: Desk) -> None:  # noqa: F811
    await change_product(desk, NX, kind="core")
    sold = await desk.sell(NX, customer_type=CustomerType.CONSUMER)
    told = await desk.preview(sold, "change_of_mind")
    assert (told["code"], "NX-35" in told["clauses"]) == ("ref_granted_statutory", True)


@pytest.mark.clause("NX-31")
async def test_the_core_is_no_module_and_a_person_decides(desk: Desk) -> None:  # noqa: F811
    await change_product(desk, NX, kind="core")
    told = await desk.preview(await desk.sell(NX), "mistake")
    assert (told["decision"], told["code"], told["clauses"]) == ("pend", "ref_pending_review", ["NX-31"])


@pytest.mark.clause("ZG-09", "ZG-18")
async def test_a_defect_uncorrected_after_thirty_working_days_gives_the_price_back(desk: Desk) -> None:  # noqa: F811
    """Long after the refund period, which the same request does not extend; the tax goes back by law (reading 9)."""
    sold = await desk.sell(ZG, "19.99 EUR", tax="4.80 EUR", paid_at=MORNING - 80 * DAY)
    request = await desk.issue(sold, MORNING - 60 * DAY, finding="malfunction")
    told = await desk.preview(sold, support_request=request)
    assert (told["code"], told["facts"]["amount"]) == ("ref_granted_sla_breach", "24.79 EUR")
    assert "ZG-09" in told["clauses"]
    closed = await desk.preview(sold, "not_as_described", support_request=request)
    assert (closed["code"], closed["clauses"]) == ("ref_denied_window_closed", ["ZG-18"])


@pytest.mark.clause("ZG-09", "K-08", "BC-07")
@pytest.mark.parametrize(("product", "calendar"), [(ZG, "01generator 3"), (BC, "prestashop-care 3")])
async def test_a_breach_names_the_request_and_what_was_due_by_which_calendar(
    desk: Desk,  # noqa: F811
    product: str,
    calendar: str,
) -> None:
    sold = await desk.sell(product, paid_at=MORNING - 80 * DAY)
    request = await desk.issue(sold, MORNING - 60 * DAY)
    told = await desk.preview(sold, "sla_breach", support_request=request)
    missed = told["facts"]["support_request"]
    assert (told["code"], missed["id"], missed["calendar"]) == ("ref_granted_sla_breach", request, calendar)
    shown = (await desk.agent.get(f"/v1/support-requests/{request}")).json()
    [fix] = [one for one in shown["clocks"] if one["clock"] == "fix"]
    assert (missed["fix_due_at"], fix["code"]) == (fix["due_at"], "sla_fix_breached")


@pytest.mark.clause("ZG-09", "ZG-08", "BC-07")
@pytest.mark.parametrize("product", [ZG, BC])
async def test_who_was_late_does_not_undo_the_refund_by_refusing(desk: Desk, product: str) -> None:  # noqa: F811
    sold = await desk.sell(product, paid_at=MORNING - 80 * DAY)
    late = await desk.issue(sold, MORNING - 60 * DAY)
    early = await desk.issue(sold, MORNING - 20 * DAY)
    body = {"kind": "refused", "code": "nosup_code_modified", "evidence": "line 7"}
    for request in (late, early):
        assert (await desk.agent.post(f"/v1/support-requests/{request}/events", json=body)).status_code == 201
    told = [await desk.preview(sold, "sla_breach", support_request=one) for one in (late, early)]
    codes = [ground["code"] for one in told for ground in one["facts"]["grounds"]]
    assert codes == ["ref_granted_sla_breach", "ref_denied_no_breach"]
    assert [one["decision"] == "allow" for one in told] == [True, False]


@pytest.mark.clause("ZG-09", "ZG-13", "BC-07")
@pytest.mark.parametrize(("product", "task"), [(ZG, "usage"), (ZG, "technical_issue"), (BC, "configure")])
async def test_what_was_answered_and_closed_gives_nothing_back_unless_a_fault_was_found(
    desk: Desk,  # noqa: F811
    product: str,
    task: str,
) -> None:
    """A question of usage, and what was reported as a fault and closed when it had been answered."""
    sold = await desk.sell(product, paid_at=MORNING - 90 * DAY)
    question = {"license_id": str(sold.license_id), "task": task, "received_at": (MORNING - 85 * DAY).isoformat()}
    opened = await desk.agent.post("/v1/support-requests", json=question)
    assert opened.status_code == 201, opened.text
    request = opened.json()["request"]["id"]
    for kind, days in (("human_reply", 84), ("closed", 83)):
        body = {"kind": kind, "at": (MORNING - days * DAY).isoformat()}
        assert (await desk.agent.post(f"/v1/support-requests/{request}/events", json=body)).status_code == 201
    for reasons in ((), ("sla_breach",)):
        told = await desk.preview(sold, *reasons, support_request=request)
        [ground] = [one for one in told["facts"]["grounds"] if one["reason"] == "sla_breach"]
        assert (ground["decision"], ground["code"]) == ("pend", "ref_pending_finding")
        assert told["decision"] == "pend"


@pytest.mark.clause("CJ-12", "CJ-11", "CJ-15")
async def test_a_defect_is_granted_once_every_fact_is_there_and_each_missing_one_is_told(desk: Desk) -> None:  # noqa: F811
    sold = await desk.sell(CJ)
    first = await desk.ask(sold, "defect", sender_verified=True)
    assert (first["status"], first["code"]) == ("pending", "ref_pending_issue_required")
    request = await desk.issue(sold, MORNING + 2 * DAY, finding="malfunction")
    codes = []
    for days, more in ((3, {}), (10, {}), (0, {"by_email": True})):
        desk.house.clock.turn(days=days)
        told = await desk.ask(sold, "defect", sender_verified=True, support_request=request, **more)
        codes.append(told["code"])
    assert codes == ["ref_pending_resolution", "ref_pending_email_request", "ref_granted_one_time_full"]
    assert {"CJ-12", "CJ-11", "CJ-15"} <= set(told["clauses"])
    statuses = [one["status"] for one in (await desk.agent.get("/v1/refunds")).json()["items"]]
    assert statuses == ["superseded", "granted"]


@pytest.mark.clause("CJ-01", "CJ-12", "ZG-18")
async def test_reported_after_the_window_it_is_closed(desk: Desk) -> None:  # noqa: F811
    sold = await desk.sell(CJ, paid_at=MORNING - 60 * DAY)
    request = await desk.issue(sold, MORNING - 20 * DAY, finding="malfunction")
    told = await desk.preview(sold, "defect", support_request=request, **OFFICIAL)
    assert (told["code"], set(told["clauses"])) == ("ref_denied_window_closed", {"CJ-12", "CJ-11", "CJ-01"})
    await change_product(desk, CJ, refund_days=0)
    never = await desk.preview(await desk.sell(CJ), "defect", **OFFICIAL)
    assert (never["code"], never["clauses"]) == ("ref_denied_product_not_refundable", ["CJ-01"])


@pytest.mark.clause("CJ-03", "CJ-07")
async def test_third_parties_and_a_lack_of_expertise(desk: Desk) -> None:  # noqa: F811
    sold = await desk.sell(CJ)
    discretion = await desk.preview(sold, "third_party", **OFFICIAL)
    assert (discretion["decision"], discretion["clauses"]) == ("pend", ["CJ-03"])
    helped = await desk.preview(sold, "lack_of_expertise", **OFFICIAL)
    assert (helped["options"], helped["clauses"]) == (["manuals", "videos", "demo"], ["CJ-07"])


@pytest.mark.clause("CJ-04", "CJ-08", "CJ-16")
async def test_some_lines_and_the_tax_stay_paid(desk: Desk) -> None:  # noqa: F811
    beside = [an_add_on(kind) for kind in (LineKind.CUSTOMIZATION, LineKind.SUPPORT, LineKind.EXTRA_DOMAIN)]
    sold = await desk.sell(CJ, tax="19.00 EUR", beside=beside, paid_at=MORNING - 20 * DAY)
    request = await desk.issue(sold, MORNING - 19 * DAY, finding="corrupt")
    told = await desk.preview(sold, "defect", support_request=request, **OFFICIAL)
    assert told["facts"]["amount"] == "100.00 EUR"
    assert {"CJ-04", "CJ-08", "CJ-16"} <= set(told["clauses"])
    alone = {}
    for item in ("tax", "support", "customization", "extra_domain"):
        only = await desk.preview(sold, "defect", item=item, **OFFICIAL)
        alone[only["code"]] = only["clauses"]
    assert alone == {
        "ref_line_not_refundable_tax": ["CJ-08"],
        "ref_line_not_refundable_support": ["CJ-16"],
        "ref_line_not_refundable_customization": ["CJ-04"],
        "ref_line_not_refundable_extra_domain": ["CJ-16"],
    }


@pytest.mark.clause("CJ-02", "K-13")
async def test_a_legal_hold_stops_a_refund_and_its_outcome_lengthens_the_window_or_denies_for_good(
    desk: Desk,  # noqa: F811
) -> None:
    services, sold = desk.house.services, await desk.sell(CJ)
    other = await desk.sell(CJ)
    for one in (sold, other):
        await change_standing(services, one.license_id, event="hold", actor=AGENT, reason="a claim")
    held = await desk.ask(sold, "defect", **OFFICIAL)
    assert (held["http"], held["code"], "CJ-02" in held["clauses"]) == (403, "legal_hold", True)
    desk.house.clock.turn(days=20)
    await change_standing(services, sold.license_id, event="release_hold", actor=AGENT, reason="settled")
    violated = {"outcome": "violation_confirmed"}
    await change_standing(services, other.license_id, event="release_hold", actor=AGENT, reason="settled", **violated)
    desk.house.clock.turn(days=25)
    request = await desk.issue(sold, finding="malfunction")
    desk.house.clock.turn(days=10)
    told = await desk.preview(sold, "defect", support_request=request, **OFFICIAL)
    assert told["code"] == "ref_granted_one_time_full"
    denied = await desk.preview(other, "defect", **OFFICIAL)
    assert (denied["code"], denied["clauses"]) == ("ref_denied_copyright", ["CJ-02"])


@pytest.mark.clause("CJ-05", "X-09")
async def test_bought_again_after_a_refund_it_is_another_license_that_is_not_refunded_again(desk: Desk) -> None:  # noqa: F811
    first = await desk.sell(CJ)
    pending = await desk.ask(first, "third_party", **OFFICIAL)
    assert (await desk.act(pending, "decide", decision="grant", reason="a good customer"))["status"] == "granted"
    desk.house.clock.turn(days=1)
    again = await desk.sell(CJ)
    assert again.license_key != first.license_key
    told = await desk.preview(again, "defect", **OFFICIAL)
    assert (told["code"], told["clauses"]) == ("ref_denied_repurchase", ["CJ-05"])
    assert (await desk.house.till(product=CJ).activate(again.license_key)).status == 201
    anothers = await desk.sell(CJ, customer="other@shop.example")
    assert (await desk.preview(anothers, "defect", **OFFICIAL))["code"] == "ref_pending_issue_required"


@pytest.mark.clause("CJ-31")
async def test_a_request_counts_only_from_the_official_address(desk: Desk) -> None:  # noqa: F811
    told = await desk.ask(await desk.sell(CJ), "defect", by_email=True)
    assert (told["http"], told["code"]) == (409, "request_not_from_official_address")
    assert told["clauses"] == ["CJ-31"]


@pytest.mark.clause("CJ-31")
async def test_an_address_that_was_changed_yesterday_is_believed_after_seven_days(desk: Desk) -> None:  # noqa: F811
    """What came before the change came from the address that was the official one then."""
    sold = await desk.sell(CJ)
    owner = (await desk.agent.get(f"/v1/licenses/{sold.license_id}")).json()["customer_id"]
    written_at = desk.now.isoformat()
    desk.house.clock.turn(hours=1)
    for address in ("thief@shop.example", "Thief@shop.example"):
        assert (await desk.supervisor.patch(f"/v1/customers/{owner}", json={"email": address})).status_code == 200
        desk.house.clock.turn(hours=12)
    told = await desk.preview(sold, "defect", **OFFICIAL)
    assert (told["code"], told["clauses"]) == ("ref_pending_sender", ["CJ-31"])
    assert told["retry_at"] == "2026-03-09T10:00:00Z"
    before = await desk.preview(sold, "defect", received_at=written_at, **OFFICIAL)
    desk.house.clock.turn(days=6)
    after = await desk.preview(sold, "defect", **OFFICIAL)
    assert {one["code"] for one in (before, after)} == {"ref_pending_issue_required"}


@pytest.mark.clause("CJ-05")
async def test_who_was_refunded_before_is_whose_money_it_was_then_wherever_the_license_went(
    desk: Desk,  # noqa: F811
) -> None:
    """A part went back to the first owner, who then gave the license away; both buy the product for themselves."""
    other = "other@shop.example"
    given = await desk.sell(CJ, paid_at=MORNING - DAY)
    await desk.act(
        await desk.ask(given, "my_own_word", **OFFICIAL), "decide", decision="grant", reason="a dent", amount="5.00 EUR"
    )
    desk.house.clock.turn(hours=1)
    of_other, again = await desk.sell(CJ, customer=other), await desk.sell(CJ)
    moved = await desk.supervisor.post(
        f"/v1/licenses/{given.license_id}/transfer", json={"customer": other, "reason": "the shop was sold"}
    )
    assert moved.status_code == 200, moved.text
    codes = [(await desk.preview(one, "my_own_word", **OFFICIAL))["code"] for one in (of_other, again)]
    assert codes == ["ref_pending_review", "ref_denied_repurchase"]


@pytest.mark.clause("CJ-05", "CJ-26")
async def test_a_renewal_that_went_back_is_no_refund_of_the_product(desk: Desk) -> None:  # noqa: F811
    sold = await desk.sell(YEARLY, paid_at=MORNING - 100 * DAY)
    await renew(desk, sold, 12, MORNING - DAY)
    assert (await desk.ask(sold, "cancel_renewal", **OFFICIAL))["code"] == "ref_granted_renewal_full"
    desk.house.clock.turn(hours=1)
    again = await desk.sell(YEARLY)
    assert (await desk.preview(again, "my_own_word", **OFFICIAL))["code"] == "ref_pending_review"


@pytest.mark.clause("BC-07", "BC-28", "BC-31")
async def test_care_that_fails_is_refunded_whenever(desk: Desk) -> None:  # noqa: F811
    sold = await desk.sell(BC, paid_at=MORNING - 300 * DAY)
    late = await desk.issue(sold, MORNING - 60 * DAY, finding="malfunction")
    told = await desk.preview(sold, "sla_breach", support_request=late)
    assert (told["code"], "BC-07" in told["clauses"]) == ("ref_granted_sla_breach", True)
    singular = await desk.issue(sold, MORNING - DAY, finding="unsolvable_singular")
    unsolvable = await desk.preview(sold, "unsolvable", support_request=singular)
    assert (unsolvable["code"], "BC-31" in unsolvable["clauses"]) == ("ref_granted_unsolvable", True)
    pending = await desk.ask(sold, "unanswered", support_request=late)
    assert (pending["code"], pending["clauses"]) == ("ref_pending_platform", ["BC-28"])
    done = await desk.act(pending, "decide", decision="grant", reason="unanswered", as_platform=True)
    assert (done["code"], "BC-28" in done["clauses"]) == ("ref_granted_by_platform", True)


@pytest.mark.clause("BC-27", "BC-26")
async def test_one_month_with_a_ground_six_months_at_the_sellers_discretion(desk: Desk) -> None:  # noqa: F811
    codes = {}
    for days in (20, 40, 200):
        sold = await desk.sell(BC, paid_at=MORNING - timedelta(days=days))
        told = await desk.preview(sold, "not_downloaded")
        codes[days] = told["code"]
        assert "BC-27" in told["clauses"]
    assert codes == {20: "ref_granted_marketplace", 40: "ref_pending_seller", 200: "ref_denied_window_closed"}


@pytest.mark.clause("BC-27")
async def test_what_was_bought_by_mistake_and_never_downloaded_goes_back_within_the_month(desk: Desk) -> None:  # noqa: F811
    codes = {}
    for days in (3, 40):
        told = await desk.preview(await desk.sell(BC, paid_at=MORNING - timedelta(days=days)), "mistake")
        codes[days] = told["code"]
        assert "BC-27" in told["clauses"]
    assert codes == {3: "ref_granted_marketplace", 40: "ref_pending_seller"}


@pytest.mark.clause("BC-27")
async def test_whoever_was_handed_the_file_is_not_told_that_it_was_not_downloaded(desk: Desk) -> None:  # noqa: F811
    """A grant that nobody used is no download; once it is redeemed, by whatever channel, the ground is gone."""
    async with Callers(desk.house.services) as callers:
        admin = await callers.client("admin")
        release = {
            "version": "1.0",
            "kind": "feature",
            "sha256": "ab" * 32,
            "size": 1,
            "url": "https://files.example/x",
        }
        assert (await admin.post(f"/v1/products/{BC}/releases", json=release)).status_code == 201
        sold = await desk.sell(BC)
        granted = await admin.post(f"/v1/licenses/{sold.license_id}/downloads", json={"version": "1.0"})
        assert (await desk.preview(sold, "not_downloaded"))["code"] == "ref_granted_marketplace"
        taken = await admin.post("/v1/downloads/redeem", json={"grant": granted.json()["grant"]})
        assert taken.status_code == 200, taken.text
    told = await desk.preview(sold, "not_downloaded")
    ground = told["facts"]["grounds"][0]
    assert (told["code"], ground["decision"], ground["clauses"]) == ("ref_pending_seller", "deny", ["BC-27"])
