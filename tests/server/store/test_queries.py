"""The smaller nouns: what is written is found again, and nothing else is."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy.exc import DBAPIError

from tests.support.records import DAY, NOW, activate, digest, jkt, open_shop
from tillkey_server.errors import BrokenInvariant
from tillkey_server.ids import new_id, new_token
from tillkey_server.rules.access import EVERYTHING
from tillkey_server.rules.decision import Grant, Refusal, allow, deny
from tillkey_server.rules.policy import PolicyRef
from tillkey_server.store import (
    activations,
    audit,
    chain_events,
    chains,
    customers,
    forced,
    installations,
    leases,
    licenses,
    orders,
    policies,
    products,
    projects,
    tickets,
)
from tillkey_server.store.chain_events import ChainEventRow
from tillkey_server.store.customers import CustomerRow
from tillkey_server.store.forced import ForcedRow
from tillkey_server.store.installations import InstallationRow
from tillkey_server.store.paging import Paging
from tillkey_server.store.projects import ProjectRow
from tillkey_server.store.tickets import TicketRow


async def test_a_shop_comes_back_as_it_was_written(database):
    async with database.writing() as conn:
        shop = await open_shop(conn, licenses_bought=2)
    async with database.reading() as conn:
        assert await products.by_code(conn, shop.product.code) == shop.product
        assert await products.by_id(conn, shop.product.id) == shop.product
        assert await products.page(conn, Paging(10), EVERYTHING) == (shop.product,)
        assert await policies.get(conn, "default", 1) == shop.policy
        assert await policies.everything(conn) == (shop.policy,)
        assert await customers.by_id(conn, shop.customer.id) == shop.customer
        assert await customers.by_email_key(conn, shop.customer.email_key) == shop.customer
        assert await projects.by_id(conn, shop.project.id) == shop.project
        assert await projects.by_name_key(conn, shop.customer.id, "corner") == shop.project
        assert await projects.of_customer(conn, shop.customer.id) == (shop.project,)
        assert await orders.by_id(conn, shop.order.id) == shop.order
        assert await orders.by_external(conn, "shop", "corner") == shop.order
        assert await orders.lines_of(conn, shop.order.id) == (shop.line,)
        assert await installations.get(conn, shop.installation.jkt) == shop.installation
        assert await licenses.by_id(conn, shop.license.id) == shop.license
        assert await licenses.by_key_hash(conn, shop.license.key_hash) == shop.license
        assert await licenses.of_order_line(conn, shop.line.id) == shop.licenses
        assert await licenses.count_of_order_line(conn, shop.line.id) == 2


async def test_what_is_not_there_is_none(database):
    async with database.reading() as conn:
        assert await products.by_code(conn, "x") is None
        assert await policies.get(conn, "x", 1) is None
        assert await customers.by_email_key(conn, "x") is None
        assert await projects.by_name_key(conn, new_id(), "x") is None
        assert await orders.by_external(conn, "x", "y") is None
        assert await installations.get(conn, jkt("x")) is None
        assert await licenses.by_key_hash(conn, digest("x")) is None
        assert await leases.by_rid(conn, jkt("x"), new_token()) is None
        assert await tickets.by_hash(conn, digest("x")) is None
        assert await forced.past(conn, new_id()) == ()


async def test_rows_can_be_locked_by_every_query_that_offers_it(database):
    async with database.writing() as conn:
        shop = await open_shop(conn)
        assert await licenses.by_key_hash(conn, shop.license.key_hash, lock=True) == shop.license
        assert await orders.line(conn, shop.line.id, lock=True) == shop.line
        assert await orders.by_external(conn, "shop", "corner", lock=True) == shop.order
        assert await installations.get(conn, shop.installation.jkt, lock=True) == shop.installation


async def test_a_product_is_held_still_by_any_number_at_once_and_nobody_retires_it_meanwhile(postgresql_database):
    async with postgresql_database.writing() as conn:
        product = (await open_shop(conn)).product
    async with postgresql_database.writing() as one, postgresql_database.writing() as other:
        for conn in (one, other):
            assert await products.by_id(conn, product.id, still=True) == product
        async with postgresql_database.writing() as retiring:
            await retiring.exec_driver_sql("SET LOCAL lock_timeout = '50ms'")
            with pytest.raises(DBAPIError):
                await products.all_of(retiring, lock=True)
            await retiring.rollback()


async def test_a_policy_version_is_recorded_once_and_never_changed(database):
    async with database.writing() as conn:
        shop = await open_shop(conn)
        assert not await policies.record(conn, replace(shop.policy, digest="other"))
        assert await policies.get(conn, "default", 1) == shop.policy
        assert await policies.record(conn, replace(shop.policy, version=2))


async def test_customers_and_projects_made_by_several_at_once_are_one(database):
    async with database.writing() as conn:
        shop = await open_shop(conn)

    async def make():
        async with database.writing() as conn:
            customer = await customers.ensure(conn, CustomerRow(new_id(), "New@shop.example", "new@shop.example", NOW))
            project = await projects.ensure(conn, ProjectRow(new_id(), shop.customer.id, "New", "new", None, NOW))
            return customer.id, project.id

    assert len(set(await asyncio.gather(*(make() for _ in range(6))))) == 1


async def test_a_project_keeps_its_id_when_renamed(database):
    async with database.writing() as conn:
        shop = await open_shop(conn)
        assert await projects.rename(conn, shop.project.id, name="Two", name_key="two")
        assert await projects.by_name_key(conn, shop.customer.id, "two") == replace(
            shop.project, name="Two", name_key="two"
        )
        assert not await projects.rename(conn, new_id(), name="x", name_key="x")


async def test_an_order_and_an_installation_seen_before_are_not_inserted_again(database):
    async with database.writing() as conn:
        shop = await open_shop(conn)
        assert not await orders.insert_if_absent(conn, replace(shop.order, id=new_id()))
        assert await orders.insert_if_absent(conn, replace(shop.order, id=new_id(), external_id="2"))
        assert not await installations.insert_if_absent(conn, shop.installation)
        assert await installations.insert_if_absent(conn, InstallationRow(jkt("new"), shop.customer.id, NOW))


async def test_an_installation_can_be_blocked_and_freed(database):
    async with database.writing() as conn:
        shop = await open_shop(conn)
        assert await installations.set_blocked(conn, shop.installation.jkt, NOW)
        assert await installations.get(conn, shop.installation.jkt) == replace(shop.installation, blocked_at=NOW)
        assert await installations.set_blocked(conn, shop.installation.jkt, None)
        assert await installations.get(conn, shop.installation.jkt) == shop.installation
        assert not await installations.set_blocked(conn, jkt("x"), NOW)


async def test_a_license_is_bound_once_until_it_is_unbound(database):
    async with database.writing() as conn:
        shop = await open_shop(conn)
        await licenses.bind(conn, shop.license.id, shop.project.id, NOW)
        bound = replace(shop.license, project_id=shop.project.id, bound_at=NOW)
        assert await licenses.by_id(conn, shop.license.id) == bound
        with pytest.raises(BrokenInvariant):
            await licenses.bind(conn, shop.license.id, shop.project.id, NOW)
        await licenses.unbind(conn, shop.license.id)
        assert await licenses.by_id(conn, shop.license.id) == shop.license


async def test_the_moments_of_a_license_are_written_and_lifted(database):
    async with database.writing() as conn:
        shop = await open_shop(conn)
        moments = dict.fromkeys(licenses.MOMENTS, NOW)
        await licenses.set_moments(conn, shop.license.id, moments)
        written = await licenses.by_id(conn, shop.license.id)
        assert written == replace(shop.license, **moments)
        assert written is not None
        assert all(getattr(written.facts, name) == NOW for name in licenses.MOMENTS)
        await licenses.set_moments(conn, shop.license.id, dict.fromkeys(licenses.MOMENTS))
        assert await licenses.by_id(conn, shop.license.id) == shop.license
        with pytest.raises(KeyError, match="issued_at"):
            await licenses.set_moments(conn, shop.license.id, {"issued_at": NOW})
        with pytest.raises(BrokenInvariant):
            await licenses.set_moments(conn, new_id(), {"revoked_at": NOW})


async def test_whatever_is_written_of_a_license_ends_what_its_heartbeats_judged_by(database):
    async with database.writing() as conn:
        shop = await open_shop(conn)
        row, held, _ = await activate(conn, shop)
        await licenses.set_moments(conn, shop.license.id, {"support_until": NOW})
        raised = await chains.get(conn, row.id)
        assert raised == replace(held, revision=held.revision + 1)
        await activations.end(conn, [row.id], at=NOW, reason="released")
        await licenses.set_moments(conn, shop.license.id, {"support_until": None})
        assert (await chains.get(conn, row.id)).revision == raised.revision + 1, "by its end alone"


async def test_a_rekeyed_license_is_unknown_by_its_old_key(database):
    async with database.writing() as conn:
        shop = await open_shop(conn)
        await licenses.rekey(conn, shop.license.id, key_hash=digest("new"), key_hint="POS-NEW")
        assert await licenses.by_key_hash(conn, shop.license.key_hash) is None
        found = await licenses.by_key_hash(conn, digest("new"))
        assert found == replace(shop.license, key_hash=digest("new"), key_hint="POS-NEW")


async def test_pages_of_licenses_give_each_once(database):
    async with database.writing() as conn:
        shop = await open_shop(conn, licenses_bought=3)
        other = await open_shop(conn, "other")
        first = await licenses.page(conn, limit=2)
        rest = await licenses.page(conn, after=first[-1].id, limit=10)
        assert {*first, *rest} == {*shop.licenses, *other.licenses}
        assert await licenses.page(conn, customer_id=other.customer.id) == other.licenses


async def test_a_step_is_found_by_its_rid_its_nonce_and_its_number(database):
    async with database.writing() as conn:
        row, _, first = await activate(conn, await open_shop(conn))
        assert await leases.by_rid(conn, row.jkt, first.rid) == first
        assert await leases.by_nonce(conn, row.id, first.nonce) == first
        assert await leases.by_seq(conn, row.id, 1) == first
        assert await leases.by_rid(conn, jkt("another"), first.rid) is None
        assert await leases.by_nonce(conn, new_id(), first.nonce) is None


async def test_a_replayed_step_is_restamped_and_counted(database):
    async with database.writing() as conn:
        row, _, first = await activate(conn, await open_shop(conn))
        times = {"issued_at": NOW + DAY, "soft_exp": NOW + 2 * DAY, "exp": NOW + 3 * DAY}
        assert await leases.restamp(conn, row.id, 1, **times) == 2
        assert await leases.restamp(conn, row.id, 1, **times) == 3
        assert await leases.by_seq(conn, row.id, 1) == replace(first, minted=3, **times)
        with pytest.raises(BrokenInvariant):
            await leases.restamp(conn, row.id, 2, **times)


async def test_a_nonce_changes_its_state_only_if_it_was_issued(database):
    async with database.writing() as conn:
        row, _, first = await activate(conn, await open_shop(conn))
        await leases.set_nonce_state(conn, row.id, first.nonce, "tombstone")
        assert await leases.by_nonce(conn, row.id, first.nonce) == replace(first, nonce_state="tombstone")
        with pytest.raises(BrokenInvariant) as caught:
            await leases.set_nonce_state(conn, row.id, new_token(), "consumed")
    assert first.nonce not in str(caught.value)


async def test_events_of_a_chain_are_found_in_their_order(database):
    async with database.writing() as conn:
        shop = await open_shop(conn)
        row, _, _ = await activate(conn, shop)
        late = ChainEventRow(new_id(), row.id, shop.license.id, "switch", NOW + DAY, 3, "")
        early = ChainEventRow(new_id(), row.id, shop.license.id, "fork", NOW, 2, "heartbeat")
        for event in (late, early):
            await chain_events.insert(conn, event)
        assert await chain_events.of_activation(conn, row.id) == (early, late)
        assert await chain_events.of_activation(conn, row.id, since=NOW + DAY) == (late,)
        assert await chain_events.of_license(conn, shop.license.id) == (early, late)


async def test_a_ticket_is_used_once(database):
    async with database.writing() as conn:
        shop = await open_shop(conn)
        row, _, _ = await activate(conn, shop)
        ticket = TicketRow(new_id(), shop.license.id, "production", digest("t"), row.id, 2, NOW, NOW + DAY, "till:x")
        await tickets.insert(conn, ticket)
        assert not await tickets.insert_if_absent(conn, replace(ticket, id=new_id()))
        assert await tickets.by_hash(conn, digest("t"), lock=True) == ticket
        assert await tickets.use(conn, ticket.id, at=NOW, used_by=row.id)
        assert not await tickets.use(conn, ticket.id, at=NOW + DAY, used_by=row.id)
        assert await tickets.by_hash(conn, digest("t")) == replace(ticket, used_at=NOW, used_by=row.id)


async def test_forced_deactivations_are_found_in_their_order(database):
    async with database.writing() as conn:
        shop = await open_shop(conn)
        row, _, _ = await activate(conn, shop)
        late = ForcedRow(
            new_id(), shop.license.id, row.id, "forced", NOW + DAY, "agent:1", "dead", True, "outage", False
        )
        early = ForcedRow(new_id(), shop.license.id, None, "move_ticket", NOW, "agent:1", "dead", False, None, True)
        for event in (late, early):
            await forced.insert(conn, event)
        assert await forced.past(conn, shop.license.id) == (early, late)


@pytest.mark.clause("K-08")
async def test_decisions_are_recorded_with_their_facts_clauses_and_policy(database):
    license_id, activation_id = new_id(), new_id()
    policy = PolicyRef("default", 3)
    yes = allow(
        Grant.ACTIVATION_GRANTED, clauses=("NX-04",), policy=policy, now=NOW, facts={"environment": "staging", "n": 2}
    )
    no = deny(Refusal.LICENSE_IN_USE, clauses=("NX-04", "NX-05"), policy=policy, now=NOW + DAY)
    async with database.writing() as conn:
        first = await audit.record(
            conn, yes, actor="till:x", action="activate", license_id=license_id, activation_id=activation_id
        )
        second = await audit.record(conn, no, actor="till:y", action="activate", license_id=license_id)
        await audit.append(conn, at=NOW, actor="system", action="start", outcome="allow", code="started")
        assert second > first
    async with database.reading() as conn:
        rows = await audit.of_license(conn, license_id)
        assert [row.id for row in rows] == [first, second]
        assert [(row.outcome, row.code, list(row.clauses)) for row in rows] == [
            ("allow", "activation_granted", ["NX-04"]),
            ("deny", "license_in_use", ["NX-04", "NX-05"]),
        ]
        assert rows[0].facts == {"environment": "staging", "n": 2}
        assert (rows[0].policy_name, rows[0].policy_version, rows[0].at) == ("default", 3, NOW)
        assert await audit.of_activation(conn, activation_id) == rows[:1]
        assert await audit.of_license(conn, license_id, after=first) == rows[1:]
        assert await audit.of_license(conn, license_id, limit=1) == rows[:1]


async def test_a_number_of_the_audit_log_is_never_given_again(database):
    async with database.writing() as conn:
        first = await audit.append(conn, at=NOW, actor="a", action="b", outcome="allow", code="c")
        await conn.execute(audit.tables.audit_event.delete())
        assert await audit.append(conn, at=NOW, actor="a", action="b", outcome="allow", code="c") > first


async def test_rows_show_no_secrets_and_no_addresses(database):
    async with database.writing() as conn:
        shop = await open_shop(conn)
        row, _, _ = await activate(conn, shop)
    ticket = TicketRow(new_id(), shop.license.id, "production", digest("t"), None, None, NOW, NOW, "agent:1")
    shown = repr((shop.customer, shop.license, row, ticket))
    assert "example" not in shown
    assert repr(shop.license.key_hash) not in shown
    assert repr(digest("t")) not in shown
    assert "m" * 43 not in shown
