"""The server goes back to yesterday's backup: tills are taken up again where they are, and nobody is blamed."""

from types import SimpleNamespace

import pytest

from tests.support.databases import DIALECTS
from tests.support.shop import PROJECT, open_shop, sells
from tillkey import Refused


@pytest.fixture(scope="module", params=DIALECTS)
def shop(request, databases, tmp_path_factory):
    with open_shop(request.param, databases, tmp_path_factory) as opened:
        yield opened


def placed(shop):
    """A machine and the license for it."""
    return SimpleNamespace(machine=shop.machine(), sold=shop.license())


@pytest.fixture(scope="module")
def day(shop):
    """A backup at night; a day on which tills beat, come, go and move; and the server restored from that backup."""
    told = SimpleNamespace(
        idle=placed(shop), busy=placed(shop), new=placed(shop), gone=placed(shop), moved=placed(shop)
    )
    told.moved.to = shop.machine("production")
    for early in (told.idle, told.busy, told.gone):
        early.machine.activated(early.sold)
    staged = told.moved.machine.activated(told.moved.sold, environment="staging")
    shop.back_up()
    for _ in range(3):
        told.busy.machine.till().heartbeat()
    told.new.machine.activated(told.new.sold).heartbeat()
    told.gone.machine.till().deactivate()
    told.moved.to.activated(told.moved.sold, move_ticket=staged.move_ticket("production"))
    for held in (told.idle, told.busy, told.new, told.gone):
        held.before = held.machine.till().check()
    shop.restore()
    return told


def test_a_till_that_slept_through_the_day_notices_nothing(shop, day):
    machine = day.idle.machine
    assert sells(machine.till().heartbeat())
    assert machine.line.ops == ["activate", "heartbeat"]
    assert shop.explained(day.idle.sold).events == []


def test_a_till_that_is_ahead_of_the_server_is_adopted_with_the_same_activation(shop, day):
    machine, sold = day.busy.machine, day.busy.sold
    ahead = machine.seq
    verdict = machine.till().heartbeat()
    assert sells(verdict)
    assert verdict.activation == day.busy.before.activation
    assert machine.line.ops[-2:] == ["heartbeat", "activate"]
    assert machine.seq == ahead + 1
    assert sells(machine.till().heartbeat())
    told = shop.explained(sold)
    assert told.seats == [(verdict.activation, "active")]
    assert (told.suspicions, told.events) == ((0, 0), ["adopted"])


def test_a_till_that_the_server_never_heard_of_is_adopted_with_the_same_activation(shop, day):
    machine, sold = day.new.machine, day.new.sold
    assert shop.seats(sold) == []
    assert sells(machine.till().check())
    verdict = machine.till().activate(sold.license_key, project=PROJECT)
    assert sells(verdict)
    assert verdict.activation == day.new.before.activation
    assert sells(machine.till().heartbeat())
    told = shop.explained(sold)
    assert told.seats == [(verdict.activation, "active")]
    assert (told.suspicions, told.events) == ((0, 0), ["adopted"])


def test_a_till_that_was_released_stays_released_and_may_free_the_seat_again(shop, day):
    machine, sold = day.gone.machine, day.gone.sold
    assert machine.till().check().status == "released"
    assert shop.seats(sold) == [(day.gone.before.activation, "active")]
    assert machine.till().deactivate().status == "released"
    assert shop.seats(sold) == [(day.gone.before.activation, "released")]
    assert sells(machine.till().activate(sold.license_key, project=PROJECT))


def test_the_machine_that_the_license_moved_to_keeps_it(shop, day):
    staging, production, sold = day.moved.machine, day.moved.to, day.moved.sold
    assert sells(production.till().check())
    verdict = production.till().heartbeat()
    assert sells(verdict)
    with pytest.raises(Refused) as refused:
        staging.till().heartbeat()
    assert refused.value.code == "activation_superseded"
    told = shop.explained(sold)
    assert dict(told.seats)[verdict.activation] == "active"
    assert [status for _, status in told.seats].count("active") == 1
    assert told.suspicions == (0, 0)
