"""What the tables refuse by themselves, whatever a use case forgets."""

import pytest
from sqlalchemy.exc import IntegrityError

from tests.support.records import DAY, NOW, activate, digest, open_shop, step
from tillkey_server.ids import new_id, new_token
from tillkey_server.store import activations, chain_events, forced, leases, licenses, tables, tickets
from tillkey_server.store.chain_events import ChainEventRow
from tillkey_server.store.faults import is_unique_violation
from tillkey_server.store.forced import ForcedRow
from tillkey_server.store.tickets import TicketRow


async def _refused(database, write):
    """Run `write(conn, shop)` in a transaction that must fail by a constraint, and return the error."""
    async with database.writing() as conn:
        shop = await open_shop(conn, licenses_bought=2)
    with pytest.raises(IntegrityError) as caught:
        async with database.writing() as conn:
            await write(conn, shop)
    return caught.value


@pytest.mark.clause("I1")
async def test_a_license_has_at_most_one_active_activation_per_slot(database):
    async def write(conn, shop):
        await activations.insert(conn, shop.activation())
        other = (await open_shop(conn, "other")).installation
        await activations.insert(conn, shop.activation(jkt=other.jkt))

    assert is_unique_violation(await _refused(database, write), tables.ONE_ACTIVE_PER_LICENSE)


async def test_a_key_has_at_most_one_active_activation_of_a_product(database):
    async def write(conn, shop):
        await activations.insert(conn, shop.activation())
        await activations.insert(conn, shop.activation(license_id=shop.licenses[1].id))

    assert is_unique_violation(await _refused(database, write), tables.ONE_ACTIVE_PER_KEY)


async def test_ended_activations_and_the_other_slot_do_not_count(database):
    async with database.writing() as conn:
        shop = await open_shop(conn)
        other = await open_shop(conn, "other")
        for _ in range(2):
            await activations.insert(conn, shop.activation(ended_at=NOW, end_reason="released"))
        await activations.insert(conn, shop.activation())
        await activations.insert(
            conn, shop.activation(jkt=other.installation.jkt, slot="staging", environment="staging")
        )
        assert len(await activations.active_of_license(conn, shop.license.id)) == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"environment": "test"},
        {"slot": "spare"},
        {"ended_at": NOW, "end_reason": "lost"},
        {"ended_at": NOW},
        {"end_reason": "released"},
    ],
)
async def test_an_activation_outside_the_vocabulary_is_refused(database, changes):
    async def write(conn, shop):
        await activations.insert(conn, shop.activation(**changes))

    assert not is_unique_violation(await _refused(database, write), tables.ONE_ACTIVE_PER_LICENSE)


@pytest.mark.parametrize("changes", [{"op": "deactivate"}, {"nonce_state": "dead"}])
async def test_a_step_outside_the_vocabulary_is_refused(database, changes):
    async def write(conn, shop):
        row, chain, _ = await activate(conn, shop)
        await leases.insert(conn, step(row, chain, seq=2, rid=new_token(), nonce=new_token(), **changes))

    await _refused(database, write)


@pytest.mark.parametrize("changes", [{"bound_at": NOW}, {"key_hash": b"short"}, {"policy_version": 2}])
async def test_a_license_that_contradicts_itself_is_refused(database, changes):
    async def write(conn, shop):
        await conn.execute(tables.license_.update().where(tables.license_.c.id == shop.license.id).values(**changes))

    await _refused(database, write)


async def test_a_piece_of_an_order_is_issued_once(database):
    async def write(conn, shop):
        row = shop.license
        values = {name: getattr(row, name) for name in row.__slots__} | {"id": new_id(), "key_hash": digest("another")}
        await licenses.insert(conn, type(row)(**values))

    assert is_unique_violation(await _refused(database, write), "uq_license_order_line_id_position")


@pytest.mark.parametrize("kind", ["clone", ""])
async def test_a_chain_event_outside_the_vocabulary_is_refused(database, kind):
    async def write(conn, shop):
        row, _, _ = await activate(conn, shop)
        await chain_events.insert(conn, ChainEventRow(new_id(), row.id, shop.license.id, kind, NOW, 1, ""))

    await _refused(database, write)


async def test_a_forced_deactivation_outside_the_vocabulary_is_refused(database):
    async def write(conn, shop):
        row = ForcedRow(new_id(), shop.license.id, None, "guessed", NOW, "agent:1", "broken", False, None, True)
        await forced.insert(conn, row)

    await _refused(database, write)


async def test_a_ticket_of_another_environment_than_there_are_is_refused(database):
    async def write(conn, shop):
        ticket = TicketRow(new_id(), shop.license.id, "moon", digest("t"), None, None, NOW, NOW + DAY, "agent:1")
        await tickets.insert(conn, ticket)

    await _refused(database, write)


async def test_rows_cannot_refer_to_what_is_not_there(database):
    async def write(conn, shop):
        await activations.insert(conn, shop.activation(project_id=new_id()))

    await _refused(database, write)


async def test_an_activation_may_name_its_successor_first_but_not_one_that_never_comes(database):
    async with database.writing() as conn:
        shop = await open_shop(conn)
        first = shop.activation()
        await activations.insert(conn, first)
    second = shop.activation()
    async with database.writing() as conn:
        await activations.end(conn, [first.id], at=NOW, reason="reinstalled", superseded_by=second.id)
        await activations.insert(conn, second)
    with pytest.raises(IntegrityError):
        async with database.writing() as conn:
            await activations.end(conn, [second.id], at=NOW, reason="reinstalled", superseded_by=new_id())
    async with database.reading() as conn:
        assert await activations.active_of_license(conn, shop.license.id) == (second,)
