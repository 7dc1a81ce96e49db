"""Findings, decisions and devices of warranty claims through the API, where one fact meets another."""

from typing import Any

import pytest

from tests.support.callers import Callers
from tests.support.claiming import DEVICE, OWNER, Claim, claimed
from tests.support.house import AGENT, House
from tillkey_server.store import licenses
from tillkey_server.usecases.license import change_standing


@pytest.fixture
async def http(house: House):
    async with Callers(house.services) as callers:
        yield await callers.client()


async def change(house: House, claim: Claim, event: str) -> None:
    """Let something end or stop the claim's license."""
    license_id = claim.sold.license_id
    if event in {"revoke", "hold", "suspend"}:
        await change_standing(house.services, license_id, event=event, actor=AGENT, reason="a stolen batch")
        return
    field = {"refund": "refunded_at", "terminate": "terminated_at"}[event]
    async with house.services.db.writing() as tx:
        await licenses.set_moments(tx, license_id, {field: house.clock.now()})


async def explained(http: Any, claim: Claim) -> Any:
    """Return what an explanation says of the warranty."""
    told = (await http.get(f"/v1/licenses/{claim.sold.license_id}/explain")).json()
    [found] = [one["answer"] for one in told["possible"] if one["action"] == "warranty"]
    return found


ENDS = [
    ("revoke", "license_revoked", "NP-10"),
    ("hold", "legal_hold", "K-13"),
    ("refund", "license_revoked", "X-09"),
    ("terminate", "license_terminated", "K-13"),
]


@pytest.mark.clause("NP-10", "K-13", "X-13")
@pytest.mark.parametrize("event,code,clause", ENDS)
async def test_a_license_that_is_held_or_over_has_no_warranty_and_its_claims_stand_still(
    house, http, event, code, clause
):
    claim = await claimed(house, http, "quality", hardware=True)
    charged = Claim(http, house, claim.sold)
    await charged.open()
    await charged.find("misuse")
    await charged.do("decide", signed="chargeable")
    sent = await charged.do("quotes", amount="120.00 CNY", reason="a new board")
    await change(house, claim, event)
    for answer in (await claim.preview(), await explained(http, claim)):
        assert (answer["decision"], answer["code"], clause in answer["clauses"]) == ("deny", code, True)
    for refused in (
        await Claim(http, house, claim.sold).open(),
        await claim.do("decide", signed="free"),
        await claim.do("decide", signed="chargeable"),
        await claim.do("rma"),
        await claim.do("start", serial="S-1"),
        await claim.do("replace", new_serial="S-2"),
        await charged.do("quotes", amount="130.00 CNY", reason="and a screen"),
        await charged.do("accept", token=sent["token"], contact=OWNER),
        await charged.do("start"),
    ):
        assert (refused["code"], clause in refused["clauses"]) == (code, True)
    assert (await claim.find("quality", fault="screen"))["code"] == "finding_recorded"


@pytest.mark.clause("NP-02", "K-13")
async def test_a_suspension_stops_no_warranty(house, http):
    claim = await claimed(house, http, "quality")
    await change(house, claim, "suspend")
    assert (await claim.preview())["code"] == "warranty_active"
    assert (await claim.do("decide", signed="free"))["code"] == "service_free"


@pytest.mark.clause("NP-07", "NP-14")
async def test_of_two_causes_on_record_the_one_that_caused_nothing_does_not_wipe_out_the_other(house, http):
    claim = await claimed(house, http, "abnormal", cause="fall")
    await claim.find("abnormal", cause="heat", caused=False)
    signed = await claim.do("decide", signed="chargeable")
    assert (signed["facts"]["because"], signed["clauses"]) == (
        "warranty_excluded_abnormal",
        ["NP-14", "NP-07", "NP-03"],
    )
    assert [one["cause"] for one in signed["facts"]["grounds"]] == ["fall"]
    await claim.find("abnormal", cause="fall", caused=False)
    assert (await claim.do("decide", signed="free"))["facts"]["flipped"] is True


@pytest.mark.clause("NP-09", "NP-14")
async def test_work_of_somebody_authorized_does_not_wipe_out_work_of_somebody_else(house, http):
    claim = await claimed(house, http, "unauthorized_service", worked_by="backyard", worked_on="2026-02-01")
    await claim.find("unauthorized_service", worked_by="vendor", worked_on="2026-02-10")
    signed = await claim.do("decide", signed="chargeable")
    assert signed["facts"]["because"] == "warranty_excluded_unauthorized_service"


@pytest.mark.clause("NP-06", "NP-14")
async def test_a_fault_from_the_vendors_own_hotfix_is_repaired_free(house, http):
    for kind in ("vendor_hotfix", "vendor_beta", "public_api"):
        claim = await claimed(house, http, "foreign_software", cause=kind)
        signed = await claim.do("decide", signed="free")
        assert (signed["code"], signed["clauses"]) == ("service_free", ["NP-14", "NP-02", "NP-01"])


@pytest.mark.clause("NP-06", "NP-07")
@pytest.mark.parametrize(
    "field,found",
    [
        ("cause", {"ground": "abnormal", "caused": True}),
        ("cause", {"ground": "abnormal", "caused": True, "cause": "pirated"}),
        ("cause", {"ground": "foreign_software", "caused": True, "cause": "fall"}),
        ("cause", {"ground": "misuse", "caused": True, "cause": "fall"}),
        ("withdrawn", {"ground": "misuse", "caused": True, "withdrawn": True}),
    ],
)
async def test_an_abnormal_cause_is_named_and_no_other_ground_takes_one(house, http, field, found):
    claim = await claimed(house, http)
    told = {"fault": "board", "evidence": "a photograph", **found}
    refused = await http.post(f"{claim.path}/findings", json=told)
    assert (refused.status_code, refused.json()["detail"].partition(":")[0]) == (400, field)
    assert (await claim.show())["findings"] == []
    supposed = {name: value for name, value in told.items() if name != "evidence"}
    body = {"license_id": str(claim.sold.license_id), "findings": [supposed]}
    assert (await http.post("/v1/warranty-claims/preview", json=body)).status_code == 400


@pytest.mark.clause("NP-10", "NP-14")
async def test_a_finding_of_an_unofficial_channel_can_be_withdrawn(house, http):
    claim = await claimed(house, http, "unofficial_channel", fault="memory")
    signed = await claim.do("decide", signed="chargeable")
    assert (signed["facts"]["because"], "NP-10" in signed["clauses"]) == ("warranty_void_unofficial_channel", True)
    await claim.find("unofficial_channel", caused=False, withdrawn=True)
    await claim.find("quality")
    assert (await claim.do("decide", signed="free"))["code"] == "service_free"
    assert [one["withdrawn"] for one in (await claim.show())["findings"]] == [False, True, False]


@pytest.mark.clause("NP-14", "NP-01")
async def test_a_contract_that_is_found_later_turns_a_decision_around(house, http):
    claim = Claim(http, house, await house.license(DEVICE))
    await claim.contract("2026-01-31", warranty_months=1)
    await claim.open()
    await claim.find("quality")
    assert (await claim.do("decide", signed="chargeable"))["facts"]["because"] == "warranty_expired"
    await claim.contract("2026-01-31", warranty_months=24)
    turned = await claim.do("decide", signed="free")
    assert (turned["code"], turned["facts"]["flipped"], turned["clauses"]) == (
        "service_free",
        True,
        ["NP-14", "NP-02", "NP-01"],
    )


@pytest.mark.clause("NP-01", "NP-14")
async def test_a_warranty_that_has_not_begun_waits_for_a_person(house, http):
    claim = Claim(http, house, await house.license(DEVICE))
    await claim.contract("2027-01-01")
    for answer in (await claim.preview(), await explained(http, claim)):
        assert (answer["decision"], answer["code"], answer["clauses"]) == ("pend", "warranty_not_begun", ["NP-01"])
    await claim.contract("2026-02-02")
    back = await claim.preview(reported_at="2020-05-01T09:00:00Z")
    assert (back["code"], back["facts"]["starts_on"]) == ("warranty_not_begun", "2026-02-02")
    await claim.open(reported_at="2020-05-01T09:00:00Z", known_by="mail 17")
    await claim.find("quality")
    assert (await claim.do("decide", signed="free"))["code"] == "warranty_not_begun"


@pytest.mark.clause("NP-02", "NP-12")
async def test_a_contract_recorded_after_a_replacement_names_the_device_of_now(house, http):
    claim = await claimed(house, http, "quality")
    await claim.do("decide", signed="free")
    await claim.do("replace", new_serial="S-2")
    later = Claim(http, house, claim.sold)
    await claim.contract(contacts=["buyer@shop.example"])
    assert (await later.open())["code"] == "claim_serial_differs", "the contract of before names a device that is gone"
    assert (await later.open(serial="S-2"))["code"] == "claim_opened"
    await claim.contract(serial="S-3")
    assert (await later.open(serial="S-2"))["code"] == "claim_serial_differs"
    opened = await later.open(serial="S-3")
    assert (opened["code"], opened["clauses"]) == ("claim_opened", ["NP-12", "NP-11"])


@pytest.mark.clause("NP-13")
async def test_a_confirmed_fault_of_the_hardware_stays_confirmed_whatever_is_found_later(house, http):
    claim = await claimed(house, http, "quality", hardware=True)
    await claim.find("quality", fault="menu")
    await claim.do("decide", signed="free")
    required = await claim.do("start", serial="S-1")
    assert (required["code"], required["clauses"]) == ("rma_required", ["NP-13"])


@pytest.mark.clause("NP-15")
async def test_a_price_stands_until_the_day_that_the_agent_told(house, http):
    claim = await claimed(house, http, "misuse")
    await claim.do("decide", signed="chargeable")
    until = "2026-03-05T09:00:00Z"
    sent = await claim.do("quotes", amount="120.00 CNY", reason="a new board", valid_until=until)
    assert (sent["valid_until"], sent["facts"]["valid_until"], sent["clauses"]) == (until, until, ["NP-15"])
    assert [one["valid_until"] for one in (await claim.show())["quotes"]] == [until]
    house.clock.turn(days=3)
    assert (await claim.do("accept", token=sent["token"], contact=OWNER))["code"] == "quote_expired"


@pytest.mark.clause("NP-16")
async def test_a_word_accepts_nothing_at_another_claim(house, http):
    claim = await claimed(house, http, "misuse")
    other = await claimed(house, http, "misuse")
    for one in (claim, other):
        await one.do("decide", signed="chargeable")
    sent = await claim.do("quotes", amount="9000.00 CNY", reason="another device")
    small = await other.do("quotes", amount="1.00 CNY", reason="a screw")
    refused = await other.do("accept", token=sent["token"], contact=OWNER)
    assert (refused["code"], refused["clauses"]) == ("quote_token_invalid", ["NP-16"])
    for one in (claim, other):
        assert [quote["accepted_at"] for quote in (await one.show())["quotes"]] == [None]
    assert (await other.do("accept", token=small["token"], contact=OWNER))["code"] == "quote_accepted"
