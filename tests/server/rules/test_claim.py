"""The sentences are those of `rules.claim`."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from tests.server.rules.facts import DAY, NOW, POLICIES, SECOND, facts_in
from tillkey_server.rules.claim import (
    ClaimFacts,
    IntakeFacts,
    QuoteFacts,
    RmaFacts,
    decide_accept,
    decide_open,
    decide_quote,
    decide_replace,
    decide_rma,
    decide_start,
    route_now,
)
from tillkey_server.rules.decision import Refusal
from tillkey_server.rules.standing import FROZEN, Status
from tillkey_server.rules.warranty_code import WarrantyCode
from tillkey_server.rules.warranty_policy import Partner

TERMS, DEVELOPED, SILENT = POLICIES["netposa"], POLICIES["crmjetty"], POLICIES["default"]
PARTNERS = (
    Partner("south-1", date(2020, 1, 1), None, ("south",)),
    Partner("gone", date(2020, 1, 1), date(2026, 1, 1), ("north",)),
    Partner("by-contract", date(2020, 1, 1), None, ()),
)
INTAKE = IntakeFacts("device", "S-1", "it does not start", "boot.log")
FREE = ClaimFacts("device", "S-1", "free")
CHARGED = ClaimFacts("device", "S-1", "chargeable")
PAID_WORK = ClaimFacts("development", None, None)
QUOTE = QuoteFacts(1, NOW + DAY)
ACCEPTED = replace(QUOTE, accepted_at=NOW)


def quoted(*quotes, claim=CHARGED):
    return replace(claim, quotes=quotes)


def code(decision):
    return decision.code


@pytest.mark.clause("NP-12")
def test_a_claim_tells_its_serial_its_symptoms_and_its_log():
    """Sentence 1."""
    decision = decide_open(INTAKE, (), TERMS, NOW)
    assert (decision.code, decision.clauses) == (WarrantyCode.CLAIM_OPENED, ("NP-12", "NP-11"))
    less = decide_open(IntakeFacts("device", None, "", None), (), TERMS, NOW)
    assert less.code is WarrantyCode.CLAIM_NEEDS_INFO
    assert less.facts["missing"] == ["serial", "symptoms", "diagnostics"]
    other = decide_open(replace(INTAKE, known_serial="S-2"), (), TERMS, NOW)
    assert other.code is WarrantyCode.CLAIM_SERIAL_DIFFERS
    assert decide_open(replace(INTAKE, known_serial="S-1"), (), TERMS, NOW).allowed
    assert code(decide_open(INTAKE, (), SILENT, NOW)) is WarrantyCode.WARRANTY_NOT_OFFERED


@pytest.mark.clause("NP-01", "NP-03")
def test_a_report_is_older_than_its_record_only_where_something_shows_it():
    """Sentence 1."""
    told = replace(INTAKE, told_at=NOW - DAY)
    shown = {"route": "vendor", "reported_at": "2026-03-09T12:00:00Z", "is_shown": True}
    decision = decide_open(replace(told, known_by="mail 17"), (), TERMS, NOW)
    assert (decision.clauses, decision.facts) == (("NP-12", "NP-11", "NP-01"), shown)
    bare = decide_open(told, (), TERMS, NOW)
    assert bare.facts == {"route": "vendor", "reported_at": "2026-03-10T12:00:00Z", "is_shown": False}
    assert INTAKE.reported_at(NOW) == replace(INTAKE, known_by="mail 17").reported_at(NOW) == NOW
    assert (told.reported_at(NOW), replace(told, known_by="x").reported_at(NOW)) == (NOW, NOW - DAY)
    assert "reported_at" not in decide_open(replace(told, symptoms=None), (), TERMS, NOW).facts
    wanted = IntakeFacts("development", None, "an export for the tax office", None, told_at=NOW)
    assert decide_open(wanted, (), DEVELOPED, NOW).clauses == ("CJ-03",)
    assert decide_open(wanted, (), replace(TERMS, quotes=DEVELOPED.quotes), NOW).clauses == ("CJ-03",)


@pytest.mark.clause("NP-11")
@pytest.mark.parametrize(
    "partner,region,route",
    [
        (None, "south", "south-1"),
        ("by-contract", "south", "by-contract"),
        (None, "north", "vendor"),
        ("gone", None, "vendor"),
        ("unknown", "south", "south-1"),
        (None, None, "vendor"),
    ],
)
def test_a_customer_is_led_to_the_partner_of_his_contract_or_region_and_else_to_the_vendor(partner, region, route):
    """Sentence 2."""
    decision = decide_open(replace(INTAKE, partner=partner, region=region), PARTNERS, TERMS, NOW)
    assert decision.facts["route"] == route
    assert (decision.code is WarrantyCode.CLAIM_OPENED) is (route == "vendor")


@pytest.mark.clause("NP-11")
@pytest.mark.parametrize("led_to,expected", [("south-1", "south-1"), ("gone", "vendor"), ("vendor", "vendor")])
def test_a_partner_who_is_gone_gives_his_claims_back_to_the_vendor(led_to, expected):
    """Sentence 2."""
    assert route_now(led_to, PARTNERS, TERMS, NOW) == expected


@pytest.mark.clause("NP-11", "K-01")
def test_the_day_of_a_partner_is_the_vendors():
    """Sentence 2: at 20:00 in UTC the next day has begun in Shanghai."""
    asked = replace(INTAKE, partner="gone")
    for day, route in ((date(2025, 12, 31), "gone"), (date(2026, 1, 1), "vendor")):
        evening = datetime(day.year, day.month, day.day, 20, tzinfo=UTC)
        assert decide_open(asked, PARTNERS, TERMS, evening).facts["route"] == route
        assert route_now("gone", PARTNERS, TERMS, evening) == route


@pytest.mark.clause("NP-10", "K-13")
@pytest.mark.parametrize("status", sorted(FROZEN))
def test_a_claim_of_a_license_that_is_held_or_over_stands_still(status):
    """Sentence 9: whatever else could be done."""
    held = {"license": facts_in(status), "hardware": True}
    free, paid = replace(FREE, **held), replace(quoted(QUOTE), **held)
    for decision in (
        decide_rma(free, "RMA-1", TERMS, NOW),
        decide_quote(paid, "1.00 CNY", None, TERMS, NOW),
        decide_accept(paid, QUOTE, TERMS, NOW, contact_authorized=True),
        decide_start(free, "S-1", TERMS, NOW),
        decide_replace(free, "S-2", TERMS, NOW),
    ):
        assert isinstance(decision.code, Refusal)
        assert not decision.allowed


@pytest.mark.clause("K-13")
@pytest.mark.parametrize("status", [Status.SUSPENDED, Status.EXPIRED])
def test_a_claim_goes_on_where_only_the_use_of_the_license_stopped(status):
    """Sentence 9."""
    assert decide_start(replace(FREE, license=facts_in(status)), None, TERMS, NOW).allowed


@pytest.mark.clause("NP-13")
def test_a_device_is_sent_in_under_a_number_that_lives_for_a_time():
    """Sentence 3."""
    confirmed = replace(FREE, hardware=True)
    given = decide_rma(confirmed, "RMA-1", TERMS, NOW)
    assert (given.code, given.clauses, given.facts["rma_number"]) == (WarrantyCode.RMA_ISSUED, ("NP-13",), "RMA-1")
    assert given.facts["address"] == "The address for service that the sales contract names."
    living = replace(confirmed, rma=RmaFacts("RMA-0", NOW + SECOND))
    assert decide_rma(living, "RMA-1", TERMS, NOW).facts["rma_number"] == "RMA-0"
    assert decide_rma(living, "RMA-1", TERMS, NOW + SECOND).facts["rma_number"] == "RMA-1"
    assert code(decide_rma(FREE, "RMA-1", TERMS, NOW)) is WarrantyCode.RMA_NOT_NEEDED
    assert code(decide_rma(confirmed, "RMA-1", SILENT, NOW)) is WarrantyCode.WARRANTY_NOT_OFFERED


@pytest.mark.clause("NP-13")
def test_work_on_hardware_begins_with_the_right_device_under_a_living_number():
    """Sentence 3."""
    confirmed = replace(FREE, hardware=True)
    refused = decide_start(confirmed, "S-1", TERMS, NOW)
    assert (refused.code, refused.clauses) == (WarrantyCode.RMA_REQUIRED, ("NP-13",))
    sent = replace(confirmed, rma=RmaFacts("RMA-1", NOW + SECOND))
    wrong = decide_start(sent, "S-2", TERMS, NOW)
    assert (wrong.code, wrong.options) == (WarrantyCode.RMA_WRONG_DEVICE, ("return_device",))
    assert code(decide_start(sent, "S-1", TERMS, NOW + SECOND)) is WarrantyCode.RMA_EXPIRED
    assert decide_start(sent, "S-1", TERMS, NOW).allowed


@pytest.mark.clause("NP-15")
def test_a_price_is_told_with_its_end_where_something_is_charged():
    """Sentence 4."""
    told = decide_quote(CHARGED, "120.00 CNY", None, TERMS, NOW)
    assert (told.code, told.clauses) == (WarrantyCode.QUOTE_SENT, ("NP-15",))
    assert (told.facts["amount"], told.facts["version"], told.facts["supersedes"]) == ("120.00 CNY", 1, None)
    assert told.facts["valid_until"] == "2026-03-24T12:00:00Z"
    more = decide_quote(quoted(ACCEPTED), "150.00 CNY", NOW + DAY, TERMS, NOW)
    assert (more.facts["version"], more.facts["supersedes"], more.facts["valid_until"]) == (
        2,
        1,
        "2026-03-11T12:00:00Z",
    )
    assert code(decide_quote(FREE, "1 CNY", None, TERMS, NOW)) is WarrantyCode.QUOTE_NOT_NEEDED
    undecided = replace(FREE, outcome=None)
    assert code(decide_quote(undecided, "1 CNY", None, TERMS, NOW)) is WarrantyCode.SERVICE_UNDECIDED
    assert code(decide_quote(CHARGED, "1 CNY", None, SILENT, NOW)) is WarrantyCode.WARRANTY_NOT_OFFERED


@pytest.mark.clause("NP-16")
@pytest.mark.parametrize(
    "claim,presented,at,may,expected",
    [
        (quoted(QUOTE), QUOTE, NOW, True, WarrantyCode.QUOTE_ACCEPTED),
        (quoted(QUOTE), None, NOW, True, WarrantyCode.QUOTE_TOKEN_INVALID),
        (CHARGED, QUOTE, NOW, True, WarrantyCode.QUOTE_TOKEN_INVALID),
        (quoted(ACCEPTED), ACCEPTED, NOW, True, WarrantyCode.QUOTE_ALREADY_ACCEPTED),
        (quoted(QUOTE, QuoteFacts(2, NOW + DAY)), QUOTE, NOW, True, WarrantyCode.QUOTE_SUPERSEDED),
        (quoted(QUOTE), QUOTE, NOW + DAY, True, WarrantyCode.QUOTE_EXPIRED),
        (quoted(QUOTE), QUOTE, NOW + DAY - SECOND, True, WarrantyCode.QUOTE_ACCEPTED),
        (quoted(QUOTE), QUOTE, NOW, False, WarrantyCode.QUOTE_CONTACT_NOT_AUTHORIZED),
    ],
)
def test_a_quote_is_accepted_once_in_time_by_somebody_authorized(claim, presented, at, may, expected):
    """Sentence 5."""
    decision = decide_accept(claim, presented, TERMS, at, contact_authorized=may)
    assert (decision.code, decision.clauses) == (expected, ("NP-16",))
    assert decision.allowed is (expected is WarrantyCode.QUOTE_ACCEPTED)


@pytest.mark.clause("NP-16")
@pytest.mark.parametrize(
    "claim,at,expected",
    [
        (FREE, NOW, WarrantyCode.WORK_STARTED),
        (replace(FREE, outcome=None), NOW, WarrantyCode.SERVICE_UNDECIDED),
        (CHARGED, NOW, WarrantyCode.QUOTE_APPROVAL_REQUIRED),
        (quoted(QUOTE), NOW, WarrantyCode.QUOTE_APPROVAL_REQUIRED),
        (quoted(QUOTE), NOW + DAY, WarrantyCode.QUOTE_EXPIRED),
        (quoted(ACCEPTED), NOW + 400 * DAY, WarrantyCode.WORK_STARTED),
        (quoted(ACCEPTED, QuoteFacts(2, NOW + DAY)), NOW, WarrantyCode.QUOTE_APPROVAL_REQUIRED),
        (quoted(ACCEPTED, QuoteFacts(2, NOW + DAY, NOW)), NOW, WarrantyCode.WORK_STARTED),
    ],
)
def test_charged_work_waits_for_the_acceptance_of_the_newest_quote(claim, at, expected):
    """Sentences 6 and 7."""
    decision = decide_start(claim, None, TERMS, at)
    assert (decision.code, decision.clauses) == (expected, ("NP-16",))
    assert decision.options == (("return_device",) if expected is WarrantyCode.QUOTE_EXPIRED else ())


@pytest.mark.clause("NP-02", "NP-08")
def test_a_device_is_replaced_once_free_or_after_its_price_was_accepted():
    """Sentence 8."""
    decision = decide_replace(FREE, "S-2", TERMS, NOW)
    assert (decision.code, decision.clauses) == (WarrantyCode.DEVICE_REPLACED, ("NP-02",))
    assert code(decide_replace(CHARGED, "S-2", TERMS, NOW)) is WarrantyCode.QUOTE_APPROVAL_REQUIRED
    assert decide_replace(quoted(ACCEPTED), "S-2", TERMS, NOW).clauses == ("NP-02", "NP-03")
    assert code(decide_replace(FREE, "S-1", TERMS, NOW)) is WarrantyCode.CLAIM_SERIAL_DIFFERS
    moved_on = replace(FREE, current_serial="S-9")
    assert code(decide_replace(moved_on, "S-2", TERMS, NOW)) is WarrantyCode.CLAIM_SERIAL_DIFFERS
    again = replace(FREE, replaced_by="S-2", current_serial="S-2")
    assert code(decide_replace(again, "S-3", TERMS, NOW)) is WarrantyCode.DEVICE_ALREADY_REPLACED
    for claim, policy in ((FREE, SILENT), (PAID_WORK, TERMS)):
        assert code(decide_replace(claim, "S-2", policy, NOW)) is WarrantyCode.WARRANTY_NOT_OFFERED


@pytest.mark.clause("CJ-03")
def test_development_is_quoted_and_accepted_like_a_repair():
    """Sentence 10."""
    wanted = IntakeFacts("development", None, "an export for the tax office", None)
    opened = decide_open(wanted, (), DEVELOPED, NOW)
    assert (opened.code, opened.clauses) == (WarrantyCode.CLAIM_OPENED, ("CJ-03",))
    assert code(decide_open(replace(wanted, symptoms=None), (), DEVELOPED, NOW)) is WarrantyCode.CLAIM_NEEDS_INFO
    for policy in (SILENT, TERMS):
        assert code(decide_open(wanted, (), policy, NOW)) is WarrantyCode.WARRANTY_NOT_OFFERED
    assert decide_quote(PAID_WORK, "900.00 USD", None, DEVELOPED, NOW).clauses == ("CJ-03",)
    assert code(decide_start(PAID_WORK, None, DEVELOPED, NOW)) is WarrantyCode.QUOTE_APPROVAL_REQUIRED
    agreed = quoted(ACCEPTED, claim=PAID_WORK)
    assert decide_start(agreed, None, DEVELOPED, NOW).allowed
    assert decide_accept(quoted(QUOTE, claim=PAID_WORK), QUOTE, DEVELOPED, NOW, contact_authorized=True).clauses == (
        "CJ-03",
    )
    for decide in (
        lambda: decide_start(agreed, None, SILENT, NOW),
        lambda: decide_accept(agreed, QUOTE, SILENT, NOW, contact_authorized=True),
    ):
        assert code(decide()) is WarrantyCode.WARRANTY_NOT_OFFERED
