"""Warranty through the API, under the terms of the vendor whose clauses they are."""

from typing import Any

import pytest

from tests.support.callers import Callers
from tests.support.claiming import DEVICE, OWNER, Claim, claimed
from tests.support.house import House
from tests.support.picture import picture
from tillkey_server.store import forced
from tillkey_server.usecases.order import Line, place_order

PORTAL = "crmjetty-customer-portal"
BUYER = "buyer@shop.example"


@pytest.fixture
async def http(house: House):
    async with Callers(house.services) as callers:
        yield await callers.client()


@pytest.mark.clause("NP-01", "NP-03", "NP-04")
async def test_the_contract_says_how_long_and_the_day_of_the_report_counts(house, http):
    claim = Claim(http, house, await house.license(DEVICE))
    unknown = await claim.preview()
    assert (unknown["decision"], unknown["code"], unknown["clauses"]) == (
        "pend",
        "warranty_contract_unknown",
        ["NP-01"],
    )
    await claim.open()
    await claim.find("quality")
    pending = await claim.do("decide", signed="free")
    assert (pending["decision"], pending["code"]) == ("pend", "warranty_contract_unknown")
    recorded = await claim.contract("2025-01-31", warranty_months=13, start_basis="acceptance")
    assert (recorded["code"], recorded["clauses"]) == ("contract_recorded", ["NP-01"])
    active = await claim.preview(reported_at="2026-02-28T15:59:59Z")
    assert (active["code"], active["clauses"]) == ("warranty_active", ["NP-01"])
    assert (active["facts"]["last_day"], active["facts"]["start_basis"]) == ("2026-02-28", "acceptance")
    expired = await claim.preview(reported_at="2026-02-28T16:00:00Z")
    assert (expired["code"], expired["clauses"]) == ("warranty_expired", ["NP-04", "NP-03", "NP-01"])
    early = Claim(http, house, claim.sold)
    await early.open(reported_at="2026-02-28T15:00:00Z", known_by="ticket 17")
    await early.find("quality")
    assert (await early.do("decide", signed="free"))["code"] == "service_free"
    assert (await claim.do("decide", signed="chargeable"))["facts"]["because"] == "warranty_expired"


@pytest.mark.clause("NP-01", "NP-03")
async def test_a_report_counts_from_before_its_record_only_where_something_shows_it(house, http):
    """The warranty's last day is over: what was told on it is covered, if a mail shows that it was."""
    claim = Claim(http, house, await house.license(DEVICE))
    await claim.contract("2025-01-31", warranty_months=13)
    said, now = "2026-02-28T15:00:00Z", "2026-03-02T09:00:00Z"
    for known, counted, code in ((None, now, "warranty_expired"), ("mail 17", said, "service_free")):
        more = {} if known is None else {"known_by": known}
        opened = await claim.open(reported_at=said, **more)
        assert (opened["code"], "NP-01" in opened["clauses"]) == ("claim_opened", True)
        assert (opened["facts"]["reported_at"], opened["facts"]["is_shown"]) == (counted, known is not None)
        shown = await claim.show()
        assert (shown["reported_at"], shown["known_by"], shown["opened_at"]) == (counted, known, now)
        await claim.find("quality")
        signed = await claim.do("decide", signed="free" if known else "chargeable")
        assert (signed["code"] if known else signed["facts"]["because"]) == code
    plain = await claim.open()
    assert "reported_at" not in plain["facts"]
    ahead = {"license_id": str(claim.sold.license_id), "reported_at": "2026-03-02T09:00:01Z", "known_by": "mail 18"}
    device = {"serial": "S-1", "symptoms": "dead", "diagnostics": "boot.log"}
    refused = await http.post("/v1/warranty-claims", json=ahead | device)
    assert (refused.status_code, refused.json()["code"]) == (400, "malformed")


@pytest.mark.clause("NP-02", "NP-14")
async def test_a_fault_of_quality_is_free_and_the_agent_signs_it(house, http):
    claim = await claimed(house, http, "quality")
    differing = await claim.do("decide", signed="chargeable")
    assert (differing["code"], differing["clauses"]) == ("service_decision_differs", ["NP-14", "NP-02", "NP-01"])
    signed = await claim.do("decide", signed="free")
    assert (signed["decision"], signed["code"], signed["clauses"]) == (
        "allow",
        "service_free",
        ["NP-14", "NP-02", "NP-01"],
    )
    assert (await claim.do("start"))["code"] == "work_started"
    assert (await claim.show())["status"] == "in_work"


EXCLUSIONS = [
    ("misuse", "warranty_excluded_misuse", "NP-05", {}),
    ("foreign_software", "warranty_excluded_software", "NP-06", {}),
    ("abnormal", "warranty_excluded_abnormal", "NP-07", {"cause": "fall"}),
    ("force_majeure", "warranty_excluded_force_majeure", "NP-08", {}),
    ("unauthorized_service", "warranty_excluded_unauthorized_service", "NP-09", {"worked_by": "somebody"}),
]


@pytest.mark.clause("NP-05", "NP-06", "NP-07", "NP-08", "NP-09", "NP-14")
async def test_each_exclusion_charges_what_it_caused_and_its_presence_alone_nothing(house, http):
    for ground, code, clause, more in EXCLUSIONS:
        claim = await claimed(house, http, ground, **more)
        supposed = {"fault": "board", "ground": ground, "caused": True, **more}
        cover = await claim.preview(findings=[supposed])
        assert (cover["decision"], cover["code"], cover["clauses"]) == ("deny", code, [clause, "NP-03"])
        present = await claim.preview(findings=[supposed | {"caused": False}])
        assert present["code"] == "service_free"
        signed = await claim.do("decide", signed="chargeable")
        assert (signed["code"], signed["facts"]["because"]) == ("service_chargeable", code)
        assert {"NP-14", clause} <= set(signed["clauses"])


@pytest.mark.clause("NP-10")
async def test_an_unofficial_channel_and_a_key_that_is_not_ours_have_no_warranty(house, http):
    placed: Any = await place_order(
        house.services,
        number="G-1",
        channel="gray",
        customer_email=OWNER,
        lines=[Line(DEVICE)],
        actor="cli:test",
    )
    license_id = placed.shown["licenses"][0]["license_id"]
    void = (await http.post("/v1/warranty-claims/preview", json={"license_id": license_id})).json()
    assert (void["code"], void["clauses"]) == ("warranty_void_unofficial_channel", ["NP-10"])
    body = {"serial": "S-1", "symptoms": "dead", "diagnostics": "none", "license_key": "NTP-AAAAA-AAAAA-AAAAA-AAAAA"}
    assert (await http.post("/v1/warranty-claims", json=body)).json()["code"] == "license_invalid"
    sold = await house.license(DEVICE)
    ours = await http.post("/v1/warranty-claims", json=body | {"license_key": sold.license_key})
    assert ours.json()["license_id"] == str(sold.license_id)


@pytest.mark.clause("NP-11", "NP-12")
async def test_the_intake_asks_for_what_is_missing_and_leads_to_the_vendor_where_no_partner_is(house, http):
    claim = Claim(http, house, await house.license(DEVICE))
    await claim.contract()
    refused = await claim.open(diagnostics=None)
    assert (refused["code"], refused["facts"]["missing"]) == ("claim_needs_info", ["diagnostics"])
    assert refused["clauses"] == ["NP-12"]
    assert refused["detail"] == "The claim has to tell more: diagnostics."
    assert (await claim.open(serial="S-9"))["code"] == "claim_serial_differs"
    opened = await claim.open(region="south")
    assert (opened["code"], opened["facts"]["route"]) == ("claim_opened", "vendor")
    assert opened["clauses"] == ["NP-12", "NP-11"]


@pytest.mark.clause("NP-13")
async def test_a_device_is_sent_in_under_a_number_with_an_address_and_an_end(house, http):
    claim = await claimed(house, http, "quality", hardware=True)
    await claim.do("decide", signed="free")
    refused = await claim.do("start", serial="S-1")
    assert (refused["code"], refused["clauses"]) == ("rma_required", ["NP-13"])
    issued = await claim.do("rma")
    assert (issued["code"], issued["clauses"], issued["facts"]["expires_at"]) == (
        "rma_issued",
        ["NP-13"],
        "2026-04-01T09:00:00Z",
    )
    address = "The address for service that the sales contract names."
    assert issued["facts"]["address"] == address
    assert [(one["number"], one["address"]) for one in (await claim.show())["rma"]] == [
        (issued["facts"]["rma_number"], address)
    ]
    assert (await claim.do("rma"))["facts"]["rma_number"] == issued["facts"]["rma_number"]
    wrong = await claim.do("start", serial="S-9")
    assert (wrong["code"], wrong["clauses"], wrong["options"]) == ("rma_wrong_device", ["NP-13"], ["return_device"])
    house.clock.turn(days=30)
    assert (await claim.do("start", serial="S-1"))["code"] == "rma_expired"
    assert (await claim.do("rma"))["facts"]["rma_number"] != issued["facts"]["rma_number"]
    assert (await claim.do("start", serial="S-1"))["code"] == "work_started"


@pytest.mark.clause("NP-15", "NP-16")
async def test_charged_work_waits_for_a_word_that_works_once(house, http):
    claim = await claimed(house, http, "misuse")
    await claim.contract(contacts=[BUYER])
    await claim.do("decide", signed="chargeable")
    assert (await claim.do("start"))["code"] == "quote_approval_required"
    first = await claim.do("quotes", amount="120.00 CNY", reason="a new board")
    assert (first["code"], first["clauses"], first["valid_until"]) == (
        "quote_sent",
        ["NP-15"],
        "2026-03-16T09:00:00Z",
    )
    assert (await claim.do("accept", token=first["token"], contact="stranger@else.example"))[
        "code"
    ] == "quote_contact_not_authorized"
    second = await claim.do("quotes", amount="150.00 CNY", reason="and a screen")
    assert (await claim.do("accept", token=first["token"], contact=OWNER))["code"] == "quote_superseded"
    assert (await claim.do("accept", token=second["token"] + "x", contact=OWNER))["code"] == "quote_token_invalid"
    accepted = await claim.do("accept", token=second["token"], contact=BUYER.upper())
    assert (accepted["code"], accepted["clauses"]) == ("quote_accepted", ["NP-16"])
    assert (await claim.do("accept", token=second["token"], contact=OWNER))["code"] == "quote_already_accepted"
    house.clock.turn(days=100)
    started = await claim.do("start")
    assert (started["code"], started["clauses"]) == ("work_started", ["NP-16"])
    grown = await claim.do("quotes", amount="200.00 CNY", reason="the printer too")
    assert (await claim.show())["status"] == "waiting_for_approval"
    assert (await claim.do("start"))["code"] == "quote_approval_required"
    house.clock.turn(days=14)
    assert (await claim.do("accept", token=grown["token"], contact=OWNER))["code"] == "quote_expired"
    late = await claim.do("start")
    assert (late["code"], late["options"]) == ("quote_expired", ["return_device"])
    assert [one["accepted_at"] is None for one in (await claim.show())["quotes"]] == [True, False, True]


@pytest.mark.clause("NP-15", "X-11")
async def test_neither_the_word_nor_a_contacts_address_is_stored(house, http):
    claim = await claimed(house, http, "misuse")
    await claim.contract(contacts=[BUYER])
    await claim.do("decide", signed="chargeable")
    sent = await claim.do("quotes", amount="120.00 CNY", reason="a new board")
    stored = str(await picture(house))
    assert sent["token"] not in stored
    assert BUYER not in stored


@pytest.mark.clause("NP-01")
@pytest.mark.parametrize("day", ["0001-01-01", "1899-12-31", "3000-01-01", "9999-12-31"])
async def test_a_contract_names_a_day_from_which_a_warranty_can_be_counted(house, http, day):
    sold = await house.license(DEVICE)
    body = {"number": "C-1", "serial": "S-1", "starts_on": day, "start_basis": "delivery", "warranty_months": 24}
    refused = await http.post(f"/v1/licenses/{sold.license_id}/warranty-contract", json=body)
    assert (refused.status_code, refused.json()["detail"].partition(":")[0]) == (400, "starts_on")
    assert (await http.get(f"/v1/licenses/{sold.license_id}/explain")).status_code == 200


@pytest.mark.clause("NP-14")
async def test_new_evidence_turns_a_decision_around_once(house, http):
    claim = await claimed(house, http, "quality")
    await claim.do("decide", signed="free")
    await claim.find("misuse")
    turned = await claim.do("decide", signed="chargeable")
    assert (turned["code"], turned["facts"]["flipped"]) == ("service_chargeable", True)
    assert (await claim.do("decide", signed="chargeable"))["facts"]["unchanged"] is True
    await claim.find("misuse", caused=False)
    assert (await claim.do("decide", signed="free"))["code"] == "service_decision_final"
    assert [one["outcome"] for one in (await claim.show())["decisions"]] == ["free", "chargeable"]


@pytest.mark.clause("NP-02", "NP-08", "NX-08", "NX-09")
async def test_a_replaced_device_hands_on_its_license_and_the_rest_of_its_warranty(house, http):
    """After force majeure the repair is charged; the license is freed all the same, and no limit counts it."""
    claim = await claimed(house, http, "force_majeure")
    old, new = house.till(product=DEVICE), house.till(product=DEVICE)
    held = (await old.activate(claim.sold.license_key)).granted
    assert (await new.activate(claim.sold.license_key)).code == "license_in_use"
    await claim.do("decide", signed="chargeable")
    assert (await claim.do("replace", new_serial="S-2"))["code"] == "quote_approval_required"
    sent = await claim.do("quotes", amount="3000.00 CNY", reason="another device")
    await claim.do("accept", token=sent["token"], contact=OWNER)
    replaced = await claim.do("replace", new_serial="S-2")
    assert (replaced["code"], replaced["clauses"], replaced["activations"]) == (
        "device_replaced",
        ["NP-02", "NP-03"],
        [held.sub],
    )
    assert (await old.heartbeat()).code == "activation_superseded"
    assert (await new.activate(claim.sold.license_key, project="Another Shop")).status == 201
    async with house.services.db.reading() as tx:
        assert await forced.past(tx, claim.sold.license_id) == ()
    assert (await claim.do("replace", new_serial="S-3"))["code"] == "device_already_replaced"
    until = (await claim.preview())["facts"]["until"]
    inherited = Claim(http, house, claim.sold)
    assert (await inherited.open())["code"] == "claim_serial_differs"
    assert (await inherited.open(serial="S-2"))["code"] == "claim_opened"
    await inherited.find("quality")
    signed = await inherited.do("decide", signed="free")
    assert (signed["code"], signed["facts"]["until"]) == ("service_free", until)


@pytest.mark.clause("NP-17")
async def test_the_invitation_to_supervise_stands_with_every_claim(house, http):
    claim = await claimed(house, http)
    assert (await claim.show())["statements"] == [
        {"text": "We welcome your supervision of our service, and your suggestions.", "clauses": ["NP-17"]}
    ]


@pytest.mark.clause("CJ-03", "NP-16")
async def test_development_for_a_conflict_of_others_making_is_quoted_the_same_way(house, http):
    claim = Claim(http, house, await house.license(PORTAL, OWNER))
    assert (await claim.open())["code"] == "warranty_not_offered"
    opened = await claim.open(kind="development", serial=None, symptoms="an export for the tax office")
    assert (opened["code"], opened["clauses"]) == ("claim_opened", ["CJ-03"])
    assert (await claim.do("start"))["code"] == "quote_approval_required"
    sent = await claim.do("quotes", amount="900.00 USD", reason="two days of work")
    assert (sent["code"], sent["clauses"]) == ("quote_sent", ["CJ-03"])
    assert (await claim.do("accept", token=sent["token"], contact=OWNER))["clauses"] == ["CJ-03"]
    assert (await claim.do("start"))["code"] == "work_started"
    other = Claim(http, house, await house.license(DEVICE))
    assert (await other.open(kind="development"))["code"] == "warranty_not_offered"
