"""NX-48 and NX-50 through the API, under the vendors' terms and under terms that let unseen installations give way."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from tests.support.databases import DIALECTS
from tests.support.house import AGENT, House, TurnedClock, furnished, opened
from tests.support.till import RawTill
from tillkey_server.app import create_app
from tillkey_server.ids import new_token
from tillkey_server.money import Money
from tillkey_server.policies.loader import bundled_policies
from tillkey_server.store import chains
from tillkey_server.usecases.activations import list_activations
from tillkey_server.usecases.answers import RefusalAnswer
from tillkey_server.usecases.catalogue import add_product
from tillkey_server.usecases.explain import explain
from tillkey_server.usecases.license import IssuedLicense, change_standing
from tillkey_server.usecases.move import IssuedTicket, issue_move_ticket

OFF = "nexopos-multistore"
EXEMPT = "crmjetty-customer-portal"
ON = "tidy-till"


@pytest.fixture(params=DIALECTS)
async def tidy_house(
    request: pytest.FixtureRequest, fresh_database: Callable[..., str], tmp_path: Path
) -> AsyncIterator[House]:
    """A server whose vendor lets installations give way that were not seen for 90 days."""
    terms = bundled_policies()["nexopos"].source
    terms = terms.replace('name = "nexopos"', 'name = "tidy"').replace('unseen_after = "off"', 'unseen_after = "90d"')
    folder = tmp_path / "data"
    (folder / "policies").mkdir(parents=True)
    (folder / "policies" / "tidy.toml").write_text(terms, encoding="utf-8")
    clock = TurnedClock()
    url = await asyncio.to_thread(fresh_database, request.param, furnished)
    services = await opened(folder, url, clock)
    await add_product(services, code=ON, name="Tidy till", key_prefix="TDY", policy="tidy", price=Money(0, "EUR"))
    transport = httpx.ASGITransport(app=create_app(services))
    async with httpx.AsyncClient(transport=transport, base_url="http://house.example") as http:
        yield House(services, clock, http)
    await services.close()


async def forgotten(house: House, product: str = ON, **how: str) -> tuple[IssuedLicense, RawTill]:
    """Sell a license, activate it, and hear no more of the till."""
    sold = await house.license(product)
    till = house.till(product=product)
    await till.activate(sold.license_key, **how)
    return sold, till


async def told(house: House, sold: IssuedLicense, name: str) -> list[dict[str, object]]:
    """Return one list of what `explain` tells of a license."""
    found = (await explain(house.services, sold.license_id))[name]
    assert isinstance(found, list)
    return found


@pytest.mark.clause("NX-50", "NX-03", "K-16")
async def test_a_seat_unseen_for_90_days_goes_to_the_next_till_that_asks_and_not_a_second_sooner(
    tidy_house: House,
) -> None:
    sold, _ = await forgotten(tidy_house)
    next_one = tidy_house.till(product=ON)
    tidy_house.clock.turn(days=90, seconds=-1)
    early = await next_one.activate(sold.license_key)
    assert (early.status, early.code) == (409, "license_in_use")
    tidy_house.clock.turn(seconds=1)
    assert (await next_one.activate(sold.license_key)).status == 201
    decision = await tidy_house.last_decision(sold)
    assert decision["code"] == "activation_granted"
    assert {"NX-03", "NX-50"} <= set(decision["clauses"])


@pytest.mark.clause("NX-50")
async def test_the_old_seats_end_is_audited_with_its_clause_and_listed_as_superseded(tidy_house: House) -> None:
    sold, old = await forgotten(tidy_house)
    tidy_house.clock.turn(days=90)
    fresh = (await tidy_house.till(product=ON).activate(sold.license_key)).granted
    auto, granted = (await told(tidy_house, sold, "decisions"))[-2:]
    assert (auto["code"], auto["outcome"], auto["clauses"]) == ("activation_auto_released", "allow", ["NX-50"])
    assert auto["activation_id"] == old.held.sub
    assert auto["words"] == "Unseen since 2026-03-02T09:00:00Z, production gave way to another till that asked."
    assert granted["facts"]["released_unseen"] == [old.held.sub]
    ended, live = (await list_activations(tidy_house.services)).items
    assert (ended["status"], ended["end_reason"], ended["superseded_by"]) == ("superseded", "unseen", fresh.sub)
    assert (live["id"], live["status"]) == (fresh.sub, "active")


@pytest.mark.clause("NX-50", "NX-04")
async def test_staging_that_nobody_sees_does_not_keep_production_out(tidy_house: House) -> None:
    sold, _ = await forgotten(tidy_house, environment="staging")
    production = tidy_house.till(product=ON)
    assert (await production.activate(sold.license_key)).code == "staging_must_be_deactivated"
    tidy_house.clock.turn(days=90)
    assert (await production.activate(sold.license_key)).granted.environment == "production"


@pytest.mark.clause("NX-50", "NX-03")
async def test_of_two_tills_that_ask_for_an_unseen_seat_at_once_one_gets_it(tidy_house: House) -> None:
    sold, _ = await forgotten(tidy_house)
    tidy_house.clock.turn(days=90)
    tills = [tidy_house.till(product=ON) for _ in range(2)]
    replies = await asyncio.gather(*(till.activate(sold.license_key) for till in tills))
    assert sorted(reply.status for reply in replies) == [201, 409]
    codes = [one["code"] for one in await told(tidy_house, sold, "decisions")]
    assert codes.count("activation_auto_released") == 1


@pytest.mark.clause("NX-50")
async def test_a_till_that_is_heard_of_while_another_one_asks_keeps_its_seat(tidy_house: House) -> None:
    sold, old = await forgotten(tidy_house)
    tidy_house.clock.turn(days=90)
    async with tidy_house.services.db.writing() as tx:
        chain = await chains.get(tx, UUID(old.held.sub), lock=True)
        assert chain is not None
        asking = asyncio.create_task(tidy_house.till(product=ON).activate(sold.license_key))
        # Long enough to come to the lock; a slower machine finds the beat committed and answers the same.
        await asyncio.sleep(0.3)
        now = tidy_house.clock.now()
        assert await chains.advance(tx, chain, seq=2, nonce=new_token(), rid=new_token(), last_seen_at=now)
    assert (await asking).code == "license_in_use"


@pytest.mark.clause("NX-50")
async def test_a_till_that_comes_back_learns_by_a_signed_statement_that_its_seat_was_taken(tidy_house: House) -> None:
    sold, old = await forgotten(tidy_house)
    tidy_house.clock.turn(days=90)
    await tidy_house.till(product=ON).activate(sold.license_key)
    beat, rebound, anew = await old.heartbeat(), await old.activate(), await old.activate(sold.license_key)
    assert (beat.code, rebound.code, anew.code) == ("activation_superseded", "activation_superseded", "license_in_use")
    for reply in (beat, rebound):
        assert reply.statement is not None
        assert (reply.statement.sub, reply.statement.clauses) == (old.held.sub, ("NX-50",))


@pytest.mark.clause("NX-50")
async def test_nothing_is_released_while_nobody_asks(tidy_house: House) -> None:
    sold, old = await forgotten(tidy_house)
    tidy_house.clock.turn(days=3650)
    assert (await told(tidy_house, sold, "activations"))[0]["status"] == "active"
    assert (await old.heartbeat()).status == 200
    assert (await tidy_house.till(product=ON).activate(sold.license_key)).code == "license_in_use"


@pytest.mark.clause("NX-50")
async def test_a_till_that_asked_for_the_same_step_again_was_seen(tidy_house: House) -> None:
    """Its answers get lost on the way; it is there all the same, and may be selling."""
    sold = await tidy_house.license(ON)
    old = tidy_house.till(product=ON)
    await old.activate(sold.license_key, rid="A" * 22)
    tidy_house.clock.turn(days=80)
    assert (await old.activate(sold.license_key, rid="A" * 22)).status == 201
    tidy_house.clock.turn(days=90, seconds=-1)
    next_one = tidy_house.till(product=ON)
    assert (await next_one.activate(sold.license_key)).code == "license_in_use"
    tidy_house.clock.turn(seconds=1)
    assert (await next_one.activate(sold.license_key)).status == 201


@pytest.mark.clause("NX-50")
async def test_a_till_that_asked_in_vain_while_its_license_was_suspended_was_seen(tidy_house: House) -> None:
    sold, old = await forgotten(tidy_house)
    how = {"actor": AGENT, "reason": "a test"}
    await change_standing(tidy_house.services, sold.license_id, event="suspend", **how)
    tidy_house.clock.turn(days=100)
    assert (await old.heartbeat()).code == "license_suspended"
    await change_standing(tidy_house.services, sold.license_id, event="resume", **how)
    assert (await tidy_house.till(product=ON).activate(sold.license_key)).code == "license_in_use"
    assert (await old.heartbeat()).status == 200


@pytest.mark.clause("NX-50", "NX-03")
async def test_by_default_an_unseen_seat_stays_held_even_after_ten_years(house: House) -> None:
    sold, old = await forgotten(house, OFF)
    house.clock.turn(days=3653)
    asked = await house.till(product=OFF).activate(sold.license_key)
    assert (asked.code, asked.body["clauses"]) == ("license_in_use", ["NX-03"])
    assert "activation_auto_released" not in [one["code"] for one in await told(house, sold, "decisions")]
    assert (await old.heartbeat()).status == 200


@pytest.mark.clause("NX-48", "K-16")
async def test_staging_that_stays_beside_production_is_told_as_stale_after_30_days(house: House) -> None:
    sold, staging = await forgotten(house, EXEMPT, environment="staging")
    await house.till(product=EXEMPT).activate(sold.license_key)
    house.clock.turn(days=30, seconds=-1)
    assert await told(house, sold, "notices") == []
    house.clock.turn(seconds=1)
    assert await told(house, sold, "notices") == [
        {
            "code": "staging_stale",
            "activation_id": staging.held.sub,
            "since": "2026-04-01T09:00:00Z",
            "clauses": ["NX-48"],
            "words": "Production is in use, yet staging holds its seat since 2026-03-02T09:00:00Z: give it back.",
        }
    ]


@pytest.mark.clause("NX-48")
async def test_a_stale_staging_works_on_and_the_notice_goes_when_it_is_given_back(house: House) -> None:
    sold, staging = await forgotten(house, EXEMPT, environment="staging")
    production = house.till(product=EXEMPT)
    await production.activate(sold.license_key)
    house.clock.turn(days=400)
    assert (await staging.heartbeat()).status == 200
    assert len(await told(house, sold, "notices")) == 1
    await production.deactivate()
    assert await told(house, sold, "notices") == []
    await house.till(product=EXEMPT).activate(sold.license_key)
    await staging.deactivate()
    assert await told(house, sold, "notices") == []


@pytest.mark.clause("NX-48", "NX-04")
@pytest.mark.parametrize("environment", ["staging", "production"])
async def test_alone_in_the_seat_nothing_is_stale(house: House, environment: str) -> None:
    sold, _ = await forgotten(house, OFF, environment=environment)
    house.clock.turn(days=400)
    assert await told(house, sold, "notices") == []


@pytest.mark.clause("NX-09", "NX-04")
@pytest.mark.parametrize(
    "product,held,asked",
    [
        (OFF, "production", "production"),
        (OFF, "staging", "staging"),
        (OFF, None, "production"),
        (EXEMPT, "staging", "production"),
    ],
)
async def test_an_agents_ticket_that_would_release_nobody_is_not_made_and_not_counted(
    house: House, product: str, held: str | None, asked: str
) -> None:
    sold = await house.license(product)
    if held is not None:
        await house.till(product=product).activate(sold.license_key, environment=held)
    made = await issue_move_ticket(
        house.services, sold.license_id, actor=AGENT, reason="the disk died", environment=asked
    )
    assert isinstance(made, RefusalAnswer)
    assert (made.decision_code, made.facts["remaining"]) == ("not_active", made.facts["limit"])


@pytest.mark.clause("NX-09", "NX-04")
async def test_an_agents_ticket_for_staging_frees_a_production_machine_that_is_gone(house: House) -> None:
    sold, old = await forgotten(house, OFF)
    made = await issue_move_ticket(
        house.services, sold.license_id, actor=AGENT, reason="the disk died", environment="staging"
    )
    assert isinstance(made, IssuedTicket)
    fresh = house.till(product=OFF)
    moved = await fresh.activate(sold.license_key, environment="staging", move_ticket=made.ticket)
    assert (moved.status, UUID(moved.granted.license)) == (201, sold.license_id)
    assert (await old.heartbeat()).code == "activation_superseded"
