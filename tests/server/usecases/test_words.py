"""Every sentence is told with the facts of real decisions; none has a gap."""

from uuid import UUID

import pytest

from tests.support.house import AGENT, House, house  # noqa: F401 - fixture
from tillkey_server.usecases.explain import explain
from tillkey_server.usecases.forced_deactivation import force_deactivate
from tillkey_server.usecases.license import change_standing
from tillkey_server.usecases.move import issue_move_ticket
from tillkey_server.usecases.rekey import rekey
from tillkey_server.usecases.release import release
from tillkey_server.usecases.transfer import transfer
from tillkey_server.usecases.words import NEXT_STEPS
from tillkey_server.words import catalogue

SENTENCES = catalogue.texts(catalogue.SENTENCES)

PRODUCT = "nexopos-multistore"


async def told(house: House, sold) -> dict[str, str]:  # noqa: F811
    """Return each code of a license's decisions with its newest sentence."""
    found = await explain(house.services, sold.license_id)
    assert set(found["next_steps"]) <= set(NEXT_STEPS)
    return {one["code"]: one["words"] for one in found["decisions"]}


async def freed(house: House, till, **how):  # noqa: F811
    asked = {"confirm": True, "reason": "the disk burned", **how}
    return await force_deactivate(house.services, UUID(till.held.sub), actor=AGENT, **asked)


def complete(words: dict[str, str], *codes: str) -> None:
    assert set(codes) <= set(words), set(codes) - set(words)
    for code, sentence in words.items():
        assert code in SENTENCES
        assert "unknown" not in sentence, sentence
        assert "{" not in sentence


async def test_an_agents_acts_are_told_with_reason_and_counting(house):  # noqa: F811
    sold = await house.license(PRODUCT)
    sentences = []
    for how in ({}, {"vendor_fault": True}, {"force_majeure": True}, {"override_reason": "closed otherwise"}):
        till = house.till(product=PRODUCT)
        await till.activate(sold.license_key)
        await freed(house, till, **how)
        sentences.append((await told(house, sold))["forced_deactivation_granted"])
    override = " by a supervisor's override (closed otherwise), not counted"
    left = "; 2 of 3 left in 365 days."
    assert sentences == [
        f"An agent freed the license (reason: the disk burned){left}",
        f"An agent freed the license (reason: the disk burned): our fault, not counted{left}",
        f"An agent freed the license (reason: the disk burned): force majeure, not counted{left}",
        f"An agent freed the license (reason: the disk burned){override}{left}",
    ]
    till = house.till(product=PRODUCT)
    await till.activate(sold.license_key)
    for how in ({"confirm": False, "vendor_fault": True}, {"reason": " "}, {}):
        await freed(house, till, **how)
    house.clock.turn(days=2)
    for _ in range(2):
        await freed(house, till)
        till = house.till(product=PRODUCT)
        await till.activate(sold.license_key)
        house.clock.turn(days=2)
    await freed(house, till)
    complete(
        await told(house, sold),
        "license_issued",
        "activation_granted",
        "confirmation_required",
        "reason_required",
        "forced_deactivation_too_soon",
        "forced_deactivation_limit_reached",
    )


async def test_a_ticket_of_an_agent_names_where_the_license_goes(house):  # noqa: F811
    sold = await house.license(PRODUCT)
    till = house.till(product=PRODUCT)
    await till.activate(sold.license_key, environment="staging")
    assert (await explain(house.services, sold.license_id))["next_steps"] == [
        "move_ticket",
        "deactivate",
        "force_deactivate",
    ]
    production = house.till(product=PRODUCT)
    await production.activate(sold.license_key)
    await production.activate(sold.license_key, move_ticket="no-ticket")
    made = await issue_move_ticket(house.services, sold.license_id, actor=AGENT, reason="the disk died")
    words = await told(house, sold)
    assert words["move_ticket_issued"] == (
        "An agent made a ticket with which another machine takes the license to production"
        " (reason: the disk died); 2 of 3 left in 365 days."
    )
    await production.activate(sold.license_key, move_ticket=made.ticket)
    await issue_move_ticket(house.services, sold.license_id, actor=AGENT, reason="once more")
    await house.till(product=PRODUCT).activate(sold.license_key)
    complete(await told(house, sold), "staging_must_be_deactivated", "activation_moved", "not_active", "license_in_use")


async def test_a_tills_ticket_and_its_release_are_told(house):  # noqa: F811
    sold = await house.license(PRODUCT)
    till = house.till(product=PRODUCT)
    await till.activate(sold.license_key, environment="staging")
    await till.move("production")
    words = await told(house, sold)
    assert (
        words["move_ticket_issued"] == "A ticket was made with which another machine takes the license to production."
    )
    await till.deactivate()
    complete(await told(house, sold), "activation_released")


@pytest.mark.clause("X-13")
async def test_each_change_of_standing_and_each_refused_one_is_told(house):  # noqa: F811
    sold = await house.license(PRODUCT)
    till = house.till(product=PRODUCT)
    events = ("resume", "suspend", "resume", "release_hold", "hold", "release_hold", "suspend")
    for event in events:
        await change_standing(house.services, sold.license_id, event=event, actor=AGENT, reason="a test")
    await till.activate(sold.license_key)
    await change_standing(house.services, sold.license_id, event="revoke", actor=AGENT, reason="a test")
    await till.activate(sold.license_key)
    complete(
        await told(house, sold),
        "license_suspended",
        "license_resumed",
        "license_revoked",
        "not_suspended",
        "not_on_hold",
        "legal_hold_placed",
        "legal_hold_released",
    )
    await change_standing(house.services, sold.license_id, event="suspend", actor=AGENT, reason="a test")
    newest = (await told(house, sold))["license_revoked"]
    assert newest == "A request to suspend was refused, nothing was changed. The license is revoked."


@pytest.mark.clause("X-13")
async def test_a_new_key_a_transfer_and_a_release_on_the_customers_word_are_told(house):  # noqa: F811
    sold = await house.license(PRODUCT)
    till = house.till(product=PRODUCT)
    await till.activate(sold.license_key)
    await house.license("pos-loyalty", "buyer@else.example")
    how = {"actor": AGENT, "reason": "the owner called"}
    await rekey(house.services, sold.license_id, **how)
    for customer in ("buyer@else.example", "buyer@else.example", "owner@shop.example"):
        await transfer(house.services, sold.license_id, customer=customer, **how)
    await release(house.services, UUID(till.held.sub), **how)
    words = await told(house, sold)
    complete(words, "license_rekeyed", "license_transferred", "nothing_to_transfer", "activation_released")
    assert words["license_rekeyed"] == (
        f"The license got a new key (reason: the owner called); the old one, {sold.key_hint}, works no more."
    )
    assert words["nothing_to_transfer"] == (
        "A request to transfer was refused, nothing was changed. The customer has the license already."
    )


async def test_a_transfer_that_leaves_something_behind_is_told(house):  # noqa: F811
    sold, beside = await house.license(PRODUCT), await house.license("pos-loyalty")
    till, other = house.till(product=PRODUCT), house.till(product="pos-loyalty")
    other.key = till.key
    await till.activate(sold.license_key)
    await other.activate(beside.license_key)
    await house.license(PRODUCT, "buyer@else.example")
    await transfer(house.services, sold.license_id, customer="buyer@else.example", actor=AGENT, reason="sold")
    complete(await told(house, sold), "installation_shared")


@pytest.mark.clause("X-13")
@pytest.mark.parametrize(
    "language,words",
    [
        ("en", "The license was issued: 1 bought, each with a key of its own."),
        ("fr", "La licence a été émise : 1 achetée(s), chacune avec sa propre clé."),
        ("it", "La licenza è stata emessa: 1 acquistata/e, ognuna con la propria chiave."),
    ],
)
async def test_a_license_is_explained_in_the_language_that_was_asked_for(house, callers, language, words):  # noqa: F811
    sold = await house.license()
    reader = await callers.client("read_only")
    told = (await reader.get(f"/v1/licenses/{sold.license_id}/explain", params={"language": language})).json()
    assert told["decisions"][0]["words"] == words
