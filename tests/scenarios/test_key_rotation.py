"""Keys are replaced under running servers: every till sells on, from whichever keyset it was shipped with (I17)."""

import json
import shutil
import signal
from contextlib import ExitStack, suppress

import pytest

from tests.server.cli.test_workers import eventually, workers_of
from tests.support.databases import DIALECTS
from tests.support.house import TurnedClock
from tests.support.premises import stock_of
from tests.support.shop import PROJECT, Shop, sells
from tests.support.till import RawTill
from tillkey import Unreachable
from tillkey.trust import held_lease, pinned
from tillkey.wire import b64
from tillkey.wire.keyset import read_keyset
from tillkey_server.clock import SystemClock
from tillkey_server.settings import Settings
from tillkey_server.usecases import keys


@pytest.fixture(params=DIALECTS)
def premises(request, databases, tmp_path_factory):
    made = stock_of(databases, tmp_path_factory).clone(request.param, tmp_path_factory.mktemp("premises"))
    yield made
    databases.drop(made.url)


@pytest.fixture
def root(premises, tmp_path):
    """The root key, away from the server."""
    return (premises.installation.data_dir / "root-key.json").rename(tmp_path / "root.json")


@pytest.fixture
def shop(premises, tmp_path):
    """A server, with several workers where it can have them, and tills that pin the first keyset for ever."""
    more = ("--workers", "2") if premises.dialect == "postgresql" else ()
    with ExitStack() as open_things:
        server = open_things.enter_context(premises.installation.serving(more=more))
        opened = Shop(premises, server, tmp_path, open_things)
        opened.keyset = shutil.copy(opened.keyset, tmp_path / "shipped.json")
        yield opened


def taken_up(shop, till):
    """Let the server take the keyset up, and the till beat on meanwhile."""
    if shop.premises.dialect == "sqlite":
        shop.server.stop()
        with pytest.raises(Unreachable):
            till.heartbeat()
        assert sells(till.check())
        shop.server.start()
        return
    before = workers_of(shop.server)
    shop.server._process.send_signal(signal.SIGHUP)
    while workers_of(shop.server) & before:
        # One that is renewed already may sign with a key that the other does not publish yet.
        with suppress(Unreachable):
            till.heartbeat()
        assert sells(till.check())
    eventually(lambda: len(workers_of(shop.server)) == 2)


def kid_of(lease):
    """The key that signed a lease."""
    return json.loads(b64.decode(lease.partition(".")[0]))["kid"]


@pytest.mark.clause("I17")
def test_tills_sell_on_while_keys_are_replaced_as_planned_and_in_a_hurry(shop, root):
    machine, asleep = shop.machine(), shop.machine()
    till, sleeper = machine.activated(shop.license()), asleep.activated(shop.license())
    [first] = [key["kid"] for key in shop.command("keys", "list")["keys"]]
    words = ("keys", "rotate", "--root-key", str(root), "--yes")

    planned = shop.command(*words)
    pending = planned["keys"][1]["kid"]
    taken_up(shop, till)
    assert sells(till.heartbeat())
    # Known before it signs.
    assert kid_of(machine.state().lease) == first
    assert [read_keyset(text)[0].version for text in machine.state().keysets] == [1, 2]

    hurried = shop.command(*words, "--drop", first, "--drop", pending)
    assert [key["state"] for key in hurried["keys"]] == ["compromised", "compromised", "active"]
    taken_up(shop, till)
    assert sells(till.heartbeat())
    assert kid_of(machine.state().lease) == hurried["keys"][2]["kid"]

    newcomer = shop.machine()
    assert sells(newcomer.till().activate(shop.license().license_key, project=PROJECT))
    assert sells(sleeper.check())
    assert sells(sleeper.heartbeat())
    for one in (machine, asleep, newcomer):
        assert [read_keyset(text)[0].version for text in one.state().keysets] == [1, 2, 3]


@pytest.mark.clause("I17")
async def test_from_the_day_of_the_plan_the_new_key_signs_and_every_lease_from_before_stays_good(premises, root):
    settings = Settings.load(premises.installation.data_dir, {"TILLKEY_DATABASE_URL": premises.url})
    made = keys.plan(settings, keys.Wanted(), SystemClock())
    keys.rotate(settings, made, keys.signed(settings, made, [root]), SystemClock())
    trust = pinned((settings.keysets_dir / "1.json").read_text())
    trust = trust.advanced((settings.keysets_dir / "2.json").read_text())
    clock = TurnedClock(SystemClock().now())
    leases = []
    async with premises.in_process(clock) as http:
        till = RawTill(http, trust.newest)
        leases.append((await till.activate(premises.license().license_key)).lease_text)
        for _ in range(10):
            clock.turn(days=1)
            leases.append((await till.heartbeat()).lease_text)
    old, new = (key.key.thumbprint for key in trust.newest.keys)
    assert [kid_of(lease) for lease in leases] == [old] * 7 + [new] * 4
    # Signed by a key that signs no more, but was never left out.
    assert all(held_lease(trust, lease)[1] for lease in leases)
