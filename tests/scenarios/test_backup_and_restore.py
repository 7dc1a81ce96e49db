"""The machine burns down: the server is restored elsewhere, and no till notices more than it must (I20).

The backup is made with the command while tills beat; it is restored on the same engine and on the other one, which is
how a server grows from SQLite to PostgreSQL.
"""

import shutil
import threading
from contextlib import closing
from types import SimpleNamespace

import pytest

from tests.support.premises import OWNER, Premises
from tests.support.server import Installation, Serving
from tests.support.shop import PROJECT, open_shop, sells

PASSPHRASE = "a passphrase of a test"
WAYS = [("sqlite", "sqlite"), ("postgresql", "postgresql"), ("sqlite", "postgresql")]


def placed(shop):
    """A machine and the license for it."""
    return SimpleNamespace(machine=shop.machine(), sold=shop.license())


def backed_up_while_beating(shop, till, file):
    """Run `backup` while a till beats on and on; return the command's answer and how many beats were granted."""
    beats, done = [], threading.Event()

    def go_on():
        while not done.is_set():
            beats.append(sells(till.heartbeat()))

    beating = threading.Thread(target=go_on)
    beating.start()
    try:
        made = shop.premises.installation.command("backup", str(file))
    finally:
        done.set()
        beating.join()
    assert beats
    assert all(beats)
    return made


def restored_elsewhere(shop, file, folder, url, dialect):
    """Lose the machine, restore the backup into a new folder and database, and serve at the old address."""
    port = shop.server.port
    shop.server.kill()
    shutil.rmtree(shop.premises.installation.data_dir)
    environment = {"TILLKEY_BACKUP_PASSPHRASE": PASSPHRASE}
    done = Installation(folder, database_url=url, environment=environment, warm=True).command("restore", str(file))
    shop.premises = Premises(dialect, url, folder, {("pos-core", OWNER): []})
    shop.keyset = folder / "keyset.json"
    shop.server = Serving(shop.premises.installation, port=port)
    return done


@pytest.fixture(scope="module", params=WAYS, ids="-to-".join)
def day(request, databases, tmp_path_factory):
    """A backup at noon, an afternoon of business, a fire, and the server restored elsewhere."""
    before, after = request.param
    with open_shop(before, databases, tmp_path_factory) as shop:
        told = SimpleNamespace(shop=shop, idle=placed(shop), busy=placed(shop), new=placed(shop), gone=placed(shop))
        shop.premises.installation.environment["TILLKEY_BACKUP_PASSPHRASE"] = PASSPHRASE
        for early in (told.idle, told.busy, told.gone):
            early.machine.activated(early.sold)
        place = tmp_path_factory.mktemp("elsewhere")
        told.file = place / "noon.backup"
        told.made = backed_up_while_beating(shop, told.busy.machine.till(), told.file)
        told.busy.machine.till().heartbeat()
        told.new.machine.activated(told.new.sold).heartbeat()
        told.gone.machine.till().deactivate()
        for held in (told.idle, told.busy, told.new, told.gone):
            held.before = held.machine.till().check()
        told.done = restored_elsewhere(shop, told.file, place / "data", databases.create(after), after)
        with closing(shop.server.start()):
            yield told


def test_the_backup_tells_what_it_holds_and_restoring_tells_the_same(day):
    assert day.made["encrypted"] is True
    assert day.made["rows"]["activation"] == 3
    assert day.done["rows"] == day.made["rows"]
    assert day.done["issuer"] == day.made["issuer"] == day.shop.premises.keyset.issuer
    assert day.file.stat().st_mode & 0o777 == 0o600


def test_a_till_that_slept_through_the_fire_notices_nothing(day):
    machine = day.idle.machine
    assert sells(machine.till().heartbeat())
    assert machine.line.ops == ["activate", "heartbeat"]
    assert day.shop.explained(day.idle.sold).events == []


def test_a_till_that_went_on_after_the_backup_is_recognised_and_nobody_is_suspected(day):
    machine, ahead = day.busy.machine, day.busy.machine.seq
    verdict = machine.till().heartbeat()
    assert sells(verdict)
    assert verdict.activation == day.busy.before.activation
    assert machine.seq == ahead + 1
    assert sells(machine.till().heartbeat())
    told = day.shop.explained(day.busy.sold)
    assert told.seats == [(verdict.activation, "active")]
    assert (told.suspicions, told.events) == ((0, 0), ["adopted"])


def test_a_till_that_was_activated_after_the_backup_keeps_its_activation(day):
    verdict = day.new.machine.till().activate(day.new.sold.license_key, project=PROJECT)
    assert sells(verdict)
    assert verdict.activation == day.new.before.activation
    told = day.shop.explained(day.new.sold)
    assert told.seats == [(verdict.activation, "active")]
    assert (told.suspicions, told.events) == ((0, 0), ["adopted"])


def test_a_till_that_gave_its_license_back_may_do_so_again(day):
    assert day.gone.machine.till().deactivate().status == "released"
    assert day.shop.seats(day.gone.sold) == [(day.gone.before.activation, "released")]


def test_the_restored_server_sells_on_and_its_audit_log_counts_on(day):
    sold = day.shop.license()
    assert sells(day.shop.machine().activated(sold).check())
    assert day.shop.explained(sold).decisions == ["license_issued", "activation_granted"]


def test_the_chain_of_the_audit_log_holds_across_the_restore(day):
    day.shop.command("jobs", "run")
    told = day.shop.command("audit", "verify")
    assert (told["ok"], told["unsealed"]) == (True, 0)
    assert told["sealed"] > 0
