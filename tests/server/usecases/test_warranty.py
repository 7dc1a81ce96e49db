"""Claims where several servers are asked at once, and what cannot be asked."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from tests.support.administration.example import Shelf
from tests.support.administration.warranty import decided, found, sold_with_terms
from tillkey_server.errors import BadInput
from tillkey_server.money import Money
from tillkey_server.rules.access import Scope
from tillkey_server.rules.warranty_policy import Ground, StartBasis
from tillkey_server.usecases import claim, warranty
from tillkey_server.usecases.answers import RefusalAnswer
from tillkey_server.usecases.license import change_standing
from tillkey_server.usecases.services import open_services
from tillkey_server.usecases.warranty import Contract, Finding, Report


def codes(answers):
    return sorted(
        one.decision_code.value if isinstance(one, RefusalAnswer) else one.decision.code.value for one in answers
    )


@pytest.mark.clause("NP-16", "K-11")
async def test_a_word_that_two_servers_are_shown_at_once_accepts_once(house):
    made = await decided(Shelf(house), "chargeable")
    price = Money(12000, "CNY")
    sent = await claim.send_quote(house.services, made.claim_id, amount=price, reason="a board", actor="cli:test")
    other = await open_services(house.services.settings, house.clock)
    told = {"token": sent.token, "contact": "owner@shop.example", "actor": "cli:test"}
    try:
        answers = await asyncio.gather(
            *[claim.accept_quote(one, made.claim_id, **told) for one in (house.services, other) * 3]
        )
    finally:
        await other.close()
    assert codes(answers) == ["quote_accepted", *["quote_already_accepted"] * 5]


@pytest.mark.clause("NP-14", "K-11")
async def test_two_agents_who_sign_at_once_sign_one_decision(house):
    made = await found(Shelf(house))
    answers = await asyncio.gather(
        *[
            warranty.decide_claim(house.services, made.claim_id, signed="free", actor=f"agent:{number}")
            for number in range(4)
        ]
    )
    assert codes(answers) == ["service_free"] * 4
    shown = await claim.get_claim(house.services, made.claim_id)
    assert len(shown["decisions"]) == 1


@pytest.mark.clause("NP-02", "K-11")
async def test_a_device_that_is_replaced_twice_at_once_is_replaced_once(house):
    made = await decided(Shelf(house))
    answers = await asyncio.gather(
        *[
            claim.replace_device(house.services, made.claim_id, new_serial=f"S-{number}", actor="cli:test")
            for number in range(2, 6)
        ]
    )
    assert codes(answers) == [*["device_already_replaced"] * 3, "device_replaced"]


async def test_what_cannot_be_asked_is_refused_by_the_name_of_its_field(house):
    services = house.services
    license_id = await sold_with_terms(Shelf(house))
    report = Report("device", "S-1", "dead", "log", reported_at=house.clock.now() + timedelta(seconds=1))
    today = house.clock.now().date()
    many = Contract("C", "S", today, StartBasis.DELIVERY, contacts=("a@b.example",) * 21)
    nowhere = Contract("C", "S", today, StartBasis.DELIVERY, contacts=("nobody",))
    bought = Contract("C", "S", today, StartBasis.PURCHASE)
    word = {"token": "x", "contact": "nobody", "actor": "cli:test"}
    made = await decided(Shelf(house), "chargeable")
    over = {"amount": Money(1, "CNY"), "reason": "x", "valid_until": house.clock.now()}
    for field, asked in (
        ("license_id", warranty.open_claim(services, report, actor="cli:test")),
        ("reported_at", warranty.open_claim(services, report, actor="cli:test", license_id=license_id)),
        ("contacts", warranty.record_contract(services, license_id, many, actor="cli:test")),
        ("contacts", warranty.record_contract(services, license_id, nowhere, actor="cli:test")),
        ("start_basis", warranty.record_contract(services, license_id, bought, actor="cli:test")),
        ("contact", claim.accept_quote(services, made.claim_id, **word)),
        (
            "evidence",
            warranty.add_finding(services, made.claim_id, Finding("board", Ground.QUALITY, " "), actor="cli:test"),
        ),
        (
            "worked_on",
            warranty.add_finding(
                services,
                made.claim_id,
                Finding("board", Ground.QUALITY, "x", worked_on=today + timedelta(days=2)),
                actor="cli:test",
            ),
        ),
        ("valid_until", claim.send_quote(services, made.claim_id, actor="cli:test", **over)),
    ):
        with pytest.raises(BadInput) as caught:
            await asked
        assert caught.value.field == field


@pytest.mark.clause("NP-10", "K-13")
async def test_a_revoked_license_as_of_a_stolen_batch_has_no_claims(house):
    license_id = await sold_with_terms(Shelf(house))
    await change_standing(house.services, license_id, event="revoke", actor="cli:test", reason="a stolen batch")
    report = Report("device", "S-1", "dead", "log")
    refused = await warranty.open_claim(house.services, report, actor="cli:test", license_id=UUID(str(license_id)))
    assert refused.decision_code.value == "license_revoked"


@pytest.mark.clause("NP-10", "I13", "K-14")
async def test_a_key_that_the_caller_does_not_see_looks_like_one_that_is_not_there(house):
    sold = await house.license("netposa-terminal")
    report, nobody = Report("device", "S-1", "dead", "log"), Scope(customers=frozenset())
    told = {"license_key": sold.license_key, "actor": "cli:test"}
    hidden = await warranty.open_claim(house.services, report, scope=nobody, **told)
    unknown = await warranty.open_claim(house.services, report, **(told | {"license_key": "NTP-WRONG"}))
    assert hidden == unknown
    assert hidden.decision_code.value == "license_invalid"
    assert not isinstance(await warranty.open_claim(house.services, report, **told), RefusalAnswer)
