"""NX-07 to NX-09 and NX-50 through the API and the agents' use cases."""

from uuid import UUID

import pytest

from tests.support.house import AGENT, House
from tests.support.till import RawTill
from tillkey_server.usecases.answers import RefusalAnswer
from tillkey_server.usecases.forced_deactivation import ForcedDone, force_deactivate
from tillkey_server.usecases.forced_deactivations import list_forced_deactivations
from tillkey_server.usecases.license import IssuedLicense, change_standing
from tillkey_server.usecases.move import IssuedTicket, issue_move_ticket

PRODUCT = "nexopos-multistore"


async def used(house: House) -> tuple[IssuedLicense, RawTill]:
    """Sell a license and activate it."""
    sold = await house.license(PRODUCT)
    till = house.till(product=PRODUCT)
    await till.activate(sold.license_key)
    return sold, till


async def free(house: House, till: RawTill, **how: object) -> ForcedDone | RefusalAnswer:
    """Let an agent free what a till holds."""
    options = {"actor": AGENT, "reason": "the machine burned down", "confirm": True} | how
    return await force_deactivate(house.services, UUID(till.held.sub), **options)  # type: ignore[arg-type]


@pytest.mark.clause("NX-07", "NX-50")
@pytest.mark.parametrize("event", ["suspend", "revoke", "hold"])
async def test_a_till_gives_its_license_back_whatever_state_the_license_is_in(house: House, event: str) -> None:
    sold, till = await used(house)
    await change_standing(house.services, sold.license_id, event=event, actor=AGENT, reason="a test")
    first, again = await till.deactivate(), await till.deactivate()
    assert (first.status, again.status) == (200, 200)
    assert first.statement is not None
    assert (first.statement.code, first.statement.clauses) == ("activation_released", ("NX-07", "NX-50"))


@pytest.mark.clause("NX-07")
async def test_nobody_releases_another_installations_seat(house: House) -> None:
    _, till = await used(house)
    thief = house.till(product=PRODUCT)
    thief.lease = till.lease
    reply = await thief.deactivate()
    assert (reply.status, reply.code, reply.statement) == (409, "unknown_installation", None)
    assert (await till.heartbeat()).status == 200


@pytest.mark.clause("NX-08")
async def test_an_agent_frees_the_license_of_a_machine_that_is_gone(house: House) -> None:
    sold, till = await used(house)
    house.clock.turn(days=3)
    freed = await free(house, till, confirm=False)
    assert isinstance(freed, ForcedDone)
    assert (freed.remaining, freed.decision.clauses) == (2, ("NX-08", "NX-09"))
    assert (await house.till(product=PRODUCT).activate(sold.license_key)).status == 201


@pytest.mark.clause("NX-08")
async def test_an_installation_seen_lately_needs_a_second_confirmation_that_counts_nothing(house: House) -> None:
    _, till = await used(house)
    refused = await free(house, till, confirm=False)
    assert isinstance(refused, RefusalAnswer)
    assert (refused.decision_code, refused.facts["remaining"]) == ("confirmation_required", 3)
    assert isinstance(await free(house, till), ForcedDone)


@pytest.mark.clause("NX-08", "NX-48")
async def test_a_machine_back_from_the_dead_is_superseded_and_never_takes_the_seat_back(house: House) -> None:
    sold, till = await used(house)
    await free(house, till)
    replacement = house.till(product=PRODUCT)
    await replacement.activate(sold.license_key)
    beat, rebound, anew = await till.heartbeat(), await till.activate(), await till.activate(sold.license_key)
    assert (beat.code, rebound.code, anew.code) == ("activation_superseded", "activation_superseded", "license_in_use")
    assert beat.statement is not None
    assert (await replacement.heartbeat()).status == 200


@pytest.mark.clause("NX-09", "V-21")
async def test_the_limit_slides_with_its_window(house: House) -> None:
    sold, till = await used(house)
    codes = []
    for days in (0, 100, 100, 100, 66):
        house.clock.turn(days=days)
        freed = await free(house, till)
        codes.append(freed.decision.code if isinstance(freed, ForcedDone) else freed.decision_code)
        if isinstance(freed, RefusalAnswer):
            assert freed.retry_at is not None
            assert (freed.retry_at - house.clock.now()).days == 65
            continue
        till = house.till(product=PRODUCT)
        await till.activate(sold.license_key)
    assert codes == [
        "forced_deactivation_granted",
        "forced_deactivation_granted",
        "forced_deactivation_granted",
        "forced_deactivation_limit_reached",
        "forced_deactivation_granted",
    ]


@pytest.mark.clause("NX-09")
async def test_two_forced_deactivations_need_a_day_between_them(house: House) -> None:
    sold, till = await used(house)
    await free(house, till)
    till = house.till(product=PRODUCT)
    await till.activate(sold.license_key)
    refused = await free(house, till)
    assert isinstance(refused, RefusalAnswer)
    assert (refused.decision_code, refused.clauses) == ("forced_deactivation_too_soon", ("NX-08", "NX-09"))
    house.clock.turn(hours=24)
    assert isinstance(await free(house, till), ForcedDone)


@pytest.mark.clause("NX-09")
async def test_what_was_freed_of_one_license_counts_nothing_for_another_of_the_same_customer(house: House) -> None:
    for _ in range(5):
        _, till = await used(house)
        freed = await free(house, till)
        assert isinstance(freed, ForcedDone)
        assert "NX-09" in freed.decision.clauses


@pytest.mark.clause("NX-09")
async def test_what_was_the_vendors_fault_is_free_and_an_override_is_marked(house: House) -> None:
    sold, till = await used(house)
    remaining = []
    for how in ({}, {"vendor_fault": True}, {"override_reason": "the shop is closed otherwise"}):
        freed = await free(house, till, **how)
        assert isinstance(freed, ForcedDone)
        remaining.append((freed.remaining, freed.decision.facts["override"]))
        till = house.till(product=PRODUCT)
        await till.activate(sold.license_key)
    assert remaining == [(2, False), (2, False), (2, True)]


@pytest.mark.clause("NP-08", "NX-09")
async def test_what_force_majeure_took_is_free_and_stays_on_record_with_its_reason(house: House) -> None:
    sold = await house.license(PRODUCT)
    await house.till(product=PRODUCT).activate(sold.license_key, environment="staging")
    flood = {"actor": AGENT, "reason": "the river came in", "force_majeure": True}
    ticket = await issue_move_ticket(house.services, sold.license_id, **flood)  # type: ignore[arg-type]
    assert isinstance(ticket, IssuedTicket)
    till = house.till(product=PRODUCT)
    await till.activate(sold.license_key, move_ticket=ticket.ticket)
    freed = await free(house, till, **flood)
    assert isinstance(freed, ForcedDone)
    assert (ticket.remaining, freed.remaining, freed.decision.clauses) == (3, 3, ("NX-08", "NX-09"))
    listed = (await list_forced_deactivations(house.services, license_id=sold.license_id)).items
    kept = [(one["kind"], one["force_majeure"], one["vendor_fault"], one["counted"], one["reason"]) for one in listed]
    assert kept == [(kind, True, False, False, "the river came in") for kind in ("move_ticket", "forced")]


@pytest.mark.clause("NX-04", "NX-09")
async def test_a_ticket_made_by_an_agent_frees_a_staging_machine_that_is_gone_and_counts(house: House) -> None:
    sold = await house.license(PRODUCT)
    await house.till(product=PRODUCT).activate(sold.license_key, environment="staging")
    made = await issue_move_ticket(house.services, sold.license_id, actor=AGENT, reason="the disk died")
    assert isinstance(made, IssuedTicket)
    assert made.remaining == 2
    reply = await house.till(product=PRODUCT).activate(sold.license_key, move_ticket=made.ticket)
    assert (reply.status, reply.granted.environment) == (201, "production")


async def test_freeing_a_license_needs_a_reason(house: House) -> None:
    _, till = await used(house)
    refused = await free(house, till, reason="  ")
    assert isinstance(refused, RefusalAnswer)
    assert refused.decision_code == "reason_required"


@pytest.mark.clause("NX-09")
async def test_the_limit_is_each_licenses_own_and_not_its_owners(house: House) -> None:
    for _ in range(3):
        _, till = await used(house)
        freed = await free(house, till)
        assert isinstance(freed, ForcedDone)
        assert (freed.remaining, freed.decision.clauses) == (2, ("NX-08", "NX-09"))
