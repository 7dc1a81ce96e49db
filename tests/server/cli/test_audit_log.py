"""The audit log of real servers: sealers are killed, two of them run, and the commands say how the log stands."""

import asyncio
import time

from tests.support.premises import own_premises  # noqa: F401 - a fixture of this module
from tillkey_server.store.access_tables import worker_lease
from tillkey_server.store.tables import audit_event

PATIENCE = 40


def _sealed(installation, least):
    """Wait until the server has sealed so many rows; return what `audit verify` says then."""
    until = time.monotonic() + PATIENCE
    while True:
        told = installation.command("audit", "verify")
        if told["sealed"] >= least or time.monotonic() > until:
            return told


async def _change(premises, *statements):
    async with premises.database() as db, db.writing() as tx:
        for statement in statements:
            await tx.execute(statement)


def test_the_log_stays_whole_however_often_a_sealer_is_killed(own_premises):  # noqa: F811
    installation = own_premises.installation
    for _ in range(2):
        with installation.serving() as server:
            installation.issue_many(4)
            server.kill()
        # The dead process would keep the work for some seconds more.
        asyncio.run(_change(own_premises, worker_lease.delete()))
    with installation.serving():
        told = _sealed(installation, 2)
    assert (told["ok"], told["sealed"] >= 2) == (True, True)


def test_two_servers_and_a_command_seal_each_row_once(own_premises):  # noqa: F811
    installation = own_premises.installation
    with installation.serving(), installation.serving():
        installation.issue()
        installation.command("jobs", "run")
        told = _sealed(installation, 1)
    assert (told["ok"], told["unsealed"]) == (True, 0)


def test_the_commands_name_a_changed_row_and_a_log_cut_short(own_premises, tmp_path):  # noqa: F811
    installation = own_premises.installation
    installation.issue()
    installation.command("jobs", "run")
    file = tmp_path / "checkpoint"
    installation.command("audit", "checkpoint", str(file))
    first = installation.command("audit", "list", "--limit", "1")["items"][0]["id"]
    asyncio.run(
        _change(own_premises, audit_event.update().where(audit_event.c.id == first).values(actor="agent:other"))
    )
    found = installation.run("audit", "verify", "--checkpoint", str(file), "--json")
    assert (found.exit_code, found.json["bad"]) == (1, {"flaw": "changed", "seq": 1, "event_id": first})
