"""Requests at the same instant, through two server processes over one database: what must happen once happens once."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from tests.support.census import census, totals
from tests.support.premises import EXEMPT, STRANGER, premises, servers  # noqa: F401 - fixtures
from tests.support.race import ROUNDS, faults, open_project, run_races
from tests.support.till import RawTill
from tests.support.volley import shot, taking, volley
from tillkey.wire.request import Move
from tillkey_server.ids import new_id
from tillkey_server.store import forced
from tillkey_server.store.forced import ForcedRow
from tillkey_server.usecases.forced_deactivation import ForcedDone, force_deactivate
from tillkey_server.usecases.move import IssuedTicket, issue_move_ticket

INSTALLATIONS = 64
LICENSES = 200
TOGETHER = 2


@pytest.mark.clause("NX-03", "K-11", "V-19")
async def test_of_64_installations_after_one_license_exactly_one_wins_200_licenses_in_a_row(premises, servers):  # noqa: F811
    await open_project(premises, servers[0])
    async with premises.database() as database:
        for n in range(0, LICENSES, TOGETHER):
            environment = ("production", "staging")[n // TOGETHER % 2]
            for race in await run_races(
                premises, database, servers, INSTALLATIONS, environment=environment, together=TOGETHER
            ):
                assert faults(race) == []


@pytest.mark.clause("NX-03", "V-19")
async def test_of_100_parallel_activations_one_gets_201_and_99_get_license_in_use(premises, servers):  # noqa: F811
    await open_project(premises, servers[0])
    async with premises.database() as database:
        [race] = await run_races(premises, database, servers, 100)
        assert faults(race) == []


@pytest.mark.clause("NX-02", "NX-03")
async def test_six_tills_of_a_new_project_start_at_once_and_share_it(premises, servers):  # noqa: F811
    for n in range(3):
        tills = [RawTill(None, premises.keyset, product="pos-loyalty") for _ in range(6)]
        shots = [
            shot(till, url, taking(till, premises.license("pos-loyalty").license_key, project=f"Branch {n}"))
            for till, url in zip(tills, servers * 3, strict=True)
        ]
        replies = await volley(shots)
        assert [reply.status for reply in replies] == [201] * len(tills)
        assert len({reply.granted.project for reply in replies}) == 1


@pytest.mark.clause("NX-49", "K-11")
async def test_one_key_that_activates_two_licenses_of_a_product_at_once_gets_one(premises, servers):  # noqa: F811
    for _ in range(ROUNDS):
        till = RawTill(None, premises.keyset)
        shots = [shot(till, url, taking(till, premises.license().license_key)) for url in servers]
        codes = sorted((reply.status, reply.code) for reply in await volley(shots))
        assert codes == [(201, None), (409, "installation_key_in_use")]


@pytest.mark.clause("NX-49")
async def test_one_key_that_activates_for_two_customers_at_once_belongs_to_one(premises, servers):  # noqa: F811
    for _ in range(ROUNDS):
        till, other = RawTill(None, premises.keyset), RawTill(None, premises.keyset, product="pos-loyalty")
        other.key = till.key
        sold, foreign = premises.license(), premises.license("pos-loyalty", STRANGER)
        replies = await volley(
            [
                shot(till, servers[0], taking(till, sold.license_key)),
                shot(other, servers[1], taking(other, foreign.license_key)),
            ]
        )
        codes = sorted((reply.status, reply.code) for reply in replies)
        assert codes == [(201, None), (409, "installation_key_in_use")]


@pytest.mark.clause("NX-04", "K-11")
async def test_two_machines_that_use_one_move_ticket_at_once_do_not_both_win(premises, servers):  # noqa: F811
    async with premises.database() as database:
        for _ in range(ROUNDS):
            sold = premises.license()
            old, *machines = (RawTill(None, premises.keyset) for _ in range(3))
            await volley([shot(old, servers[0], taking(old, sold.license_key, environment="staging"))])
            [moved] = await volley([shot(old, servers[1], Move(old.held.sub, old.held.nonce, "production"))])
            shots = [
                shot(till, url, taking(till, sold.license_key, move_ticket=moved.ticket))
                for till, url in zip(machines, servers, strict=True)
            ]
            replies = await volley(shots)
            assert sorted((reply.status, reply.code) for reply in replies) == [
                (201, None),
                (409, "move_ticket_invalid"),
            ]
            [winner] = [reply.granted.sub for reply in replies if reply.status == 201]
            assert (await census(database, sold.license_id)).holders == (UUID(winner),)


@pytest.mark.clause("NX-08", "NX-09", "K-11")
async def test_two_agents_who_free_one_activation_at_once_count_as_one(premises, servers):  # noqa: F811
    async with premises.services() as ours, premises.services() as theirs:
        for _ in range(ROUNDS):
            till, sold = RawTill(None, premises.keyset), premises.license()
            await volley([shot(till, servers[0], taking(till, sold.license_key))])
            answers = await asyncio.gather(*(freed(agent, till.held.sub) for agent in (ours, theirs)))
            assert refusals(answers, ForcedDone) == ["not_active"]
            async with ours.db.reading() as conn:
                assert [row.counted for row in await forced.past(conn, UUID(sold.license_id))] == [True]


@pytest.mark.clause("NX-09", "K-11")
async def test_two_agents_at_once_do_not_pass_the_limit_of_which_one_is_left(premises, servers):  # noqa: F811
    async with premises.services() as ours, premises.services() as theirs:
        for _ in range(ROUNDS):
            sold = premises.license(EXEMPT)
            tills = [RawTill(None, premises.keyset, product=EXEMPT) for _ in ("production", "staging")]
            for till, environment in zip(tills, ("production", "staging"), strict=True):
                await volley([shot(till, servers[0], taking(till, sold.license_key, environment=environment))])
            await use_up(ours, UUID(sold.license_id), times=2)
            agents = zip((ours, theirs), tills, strict=True)
            answers = await asyncio.gather(*(freed(agent, till.held.sub) for agent, till in agents))
            assert refusals(answers, ForcedDone) == ["forced_deactivation_limit_reached"]
            async with ours.db.reading() as conn:
                assert sum(row.counted for row in await forced.past(conn, UUID(sold.license_id))) == 3


@pytest.mark.clause("NX-04", "NX-09", "K-11")
async def test_two_agents_who_make_a_move_ticket_at_once_make_one(premises, servers):  # noqa: F811
    async with premises.services() as ours, premises.services() as theirs:
        for _ in range(ROUNDS):
            till, sold = RawTill(None, premises.keyset), premises.license()
            await volley([shot(till, servers[0], taking(till, sold.license_key, environment="staging"))])
            before = await totals(ours.db)
            answers = await asyncio.gather(
                *(
                    issue_move_ticket(agent, UUID(sold.license_id), actor="agent:test", reason="burnt down")
                    for agent in (ours, theirs)
                )
            )
            assert refusals(answers, IssuedTicket) == ["forced_deactivation_too_soon"]
            assert await totals(ours.db) - before == {"move_ticket": 1, "forced_deactivation": 1}


async def freed(agent, activation_id):
    return await force_deactivate(agent, UUID(activation_id), actor="agent:test", reason="burnt down", confirm=True)


def refusals(answers, done):
    """Return the codes of those who were refused, where one was not."""
    assert [isinstance(answer, done) for answer in answers].count(True) == 1, answers
    return [str(answer.decision_code) for answer in answers if not isinstance(answer, done)]


async def use_up(services, license_id, *, times):
    """Let agents have freed the license before, each time long enough ago for the gap, within the window."""
    now = services.clock.now()
    async with services.db.writing() as tx:
        for n in range(1, times + 1):
            row = ForcedRow(
                id=new_id(),
                license_id=license_id,
                activation_id=None,
                kind="forced",
                at=now - timedelta(days=30 * n),
                actor="agent:test",
                reason="burnt down",
                vendor_fault=False,
                override_reason=None,
                counted=True,
            )
            await forced.insert(tx, row)
