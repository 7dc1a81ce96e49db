import pytest
from sqlalchemy import Index, UniqueConstraint

from tests.support.records import NOW, activate, digest, open_shop, step
from tillkey_server.ids import new_id, new_token
from tillkey_server.store import customers, leases, tables, tickets
from tillkey_server.store.customers import CustomerRow
from tillkey_server.store.faults import is_missing_table, is_unique_violation, means_unavailable
from tillkey_server.store.tickets import TicketRow

UNIQUE = sorted(
    rule.name
    for table in tables.metadata.tables.values()
    for rule in (*table.indexes, *table.constraints)
    if isinstance(rule, UniqueConstraint) or (isinstance(rule, Index) and rule.unique)
)


async def _error(database, write):
    """Return what `write(conn)` raises in a transaction of its own."""
    with pytest.raises(Exception) as caught:
        async with database.writing() as conn:
            await write(conn)
    return caught.value


async def _twice_the_same_customer(conn):
    for _ in range(2):
        await customers.insert(conn, CustomerRow(new_id(), "a", "a", NOW))


async def _twice_the_same_rid(conn):
    row, chain, first = await activate(conn, await open_shop(conn))
    await leases.insert(conn, step(row, chain, seq=2, rid=first.rid, nonce=new_token()))


async def _twice_the_same_nonce(conn):
    row, chain, _ = await activate(conn, await open_shop(conn))
    await leases.insert(conn, step(row, chain, seq=2, rid=new_token()))


async def _twice_the_same_step(conn):
    row, chain, _ = await activate(conn, await open_shop(conn))
    await leases.insert(conn, step(row, chain, rid=new_token(), nonce=new_token()))


async def _twice_the_same_ticket(conn):
    shop = await open_shop(conn)
    for _ in range(2):
        await tickets.insert(
            conn, TicketRow(new_id(), shop.license.id, "production", digest("t"), None, None, NOW, NOW, "agent:1")
        )


@pytest.mark.parametrize(
    ("write", "name"),
    [
        (_twice_the_same_customer, "uq_customer_email_key"),
        (_twice_the_same_rid, "uq_lease_jkt_rid"),
        (_twice_the_same_nonce, "uq_lease_activation_id_nonce"),
        (_twice_the_same_step, "pk_lease"),
        (_twice_the_same_ticket, "uq_move_ticket_ticket_hash"),
    ],
)
async def test_a_unique_violation_is_known_by_its_name_and_by_no_other(database, write, name):
    error = await _error(database, write)
    assert is_unique_violation(error, name)
    assert [other for other in UNIQUE if is_unique_violation(error, other)] == [name][: name in UNIQUE]


async def test_another_violation_is_no_unique_violation(database):
    async def write(conn):
        await activate(conn, await open_shop(conn), project_id=new_id())

    error = await _error(database, write)
    assert not any(is_unique_violation(error, name) for name in UNIQUE)
    assert not is_unique_violation(ValueError(), UNIQUE[0])


def test_a_name_that_no_index_has_is_a_mistake_of_ours():
    with pytest.raises(KeyError):
        is_unique_violation(ValueError(), "uq_nothing")


async def test_a_defect_of_a_statement_is_not_unavailable(database):
    error = await _error(database, _twice_the_same_customer)
    assert not means_unavailable(error, opening=False, writing=True)
    assert not is_missing_table(error)


def test_the_callers_own_trouble_is_not_the_databases():
    assert not means_unavailable(OSError(), opening=False, writing=True)
    assert not means_unavailable(TimeoutError(), opening=False, writing=True)
    assert means_unavailable(OSError(), opening=True, writing=True)
