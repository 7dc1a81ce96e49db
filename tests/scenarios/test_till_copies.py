"""State folders that are restored, copied, torn or lost: every till sells on, and nobody is accused of a restore."""

import pytest

from tests.support.databases import DIALECTS
from tests.support.shop import PROJECT, sells
from tillkey import Refused, StateError

FILE = "tillkey-pos-core.json"


@pytest.fixture(scope="module", params=DIALECTS)
def shop(request, shops):
    return shops(request.param)


def test_a_restored_state_folder_sells_on_and_is_noted_as_one_fork(shop):
    machine, sold = shop.machine(), shop.license()
    till = machine.activated(sold)
    yesterday = machine.backup()
    for _ in range(4):
        till.heartbeat()
    machine.restore(yesterday)
    restored = machine.till()
    assert sells(restored.check())
    assert sells(restored.heartbeat())
    for _ in range(3):
        assert sells(restored.heartbeat())
    told = shop.explained(sold)
    assert (told.suspicions, told.events) == ((1, 0), ["fork"])
    assert told.seats == [(restored.check().activation, "active")]


def test_a_folder_restored_under_a_running_till_sells_on(shop):
    machine, sold = shop.machine(), shop.license()
    till = machine.activated(sold)
    yesterday = machine.backup()
    till.heartbeat()
    machine.restore(yesterday)
    assert sells(till.heartbeat())
    assert sells(till.heartbeat())
    assert shop.explained(sold).suspicions == (1, 0)


def test_a_folder_restored_with_an_old_request_in_it_is_steered_on_and_noted_as_one_fork(shop):
    machine, sold = shop.machine(), shop.license()
    till = machine.activated(sold)
    midway = machine.folder / f"{FILE}.previous"
    till.heartbeat()
    waiting = midway.read_bytes()
    till.heartbeat()
    for path in (machine.folder / FILE, midway):
        path.write_bytes(waiting)
    restored = machine.till()
    assert sells(restored.check())
    assert sells(restored.heartbeat())
    assert sells(restored.heartbeat())
    assert shop.explained(sold).suspicions == (1, 0)


def test_a_folder_restored_every_night_is_forks_and_no_switch(shop):
    machine, sold = shop.machine(), shop.license()
    machine.activated(sold)
    image = machine.backup()
    for _ in range(4):
        machine.restore(image)
        assert sells(machine.till().heartbeat())
        assert sells(machine.till().heartbeat())
    assert shop.explained(sold).suspicions == (3, 0)


def test_two_live_copies_both_sell_and_give_themselves_away(shop):
    machine, sold = shop.machine(), shop.license()
    machine.activated(sold)
    copy = machine.copied()
    for _ in range(3):
        for each in (machine, copy):
            assert sells(each.till().check())
            assert sells(each.till().heartbeat())
    told = shop.explained(sold)
    assert told.suspicions == (5, 4)
    assert told.seats == [(machine.till().check().activation, "active")]
    real = shop.premises.installation.command("license", "explain", sold.license_id)
    assert (real["chain"]["forks"], real["chain"]["switches"]) == (5, 4)


def test_a_copy_that_calls_activate_at_every_start_gives_itself_away_too(shop):
    machine, sold = shop.machine(), shop.license()
    machine.activated(sold)
    copy = machine.copied()
    for _ in range(3):
        for each in (machine, copy):
            assert sells(each.till().activate(sold.license_key, project=PROJECT))
    forks, switches = shop.explained(sold).suspicions
    assert (forks, switches) == (5, 4)
    assert len(shop.seats(sold)) == 1


@pytest.mark.parametrize("left", [0, 1, 200])
def test_a_torn_state_file_is_reported_and_the_till_sells_on_without_a_fork(shop, left):
    machine, sold = shop.machine(), shop.license()
    machine.activated(sold).heartbeat()
    torn = machine.folder / FILE
    torn.write_bytes(torn.read_bytes()[:left])
    till = machine.till()
    assert sells(till.check())
    assert FILE in till.check().problems[0]
    assert sells(till.heartbeat())
    assert sells(till.heartbeat())
    assert len(list(machine.folder.glob(f"{FILE}.damaged-*"))) == 1
    assert machine.till().check().problems == ()
    told = shop.explained(sold)
    assert (len(told.seats), told.suspicions) == (1, (0, 0))


@pytest.mark.clause("X-06")
def test_a_till_whose_files_are_all_torn_is_reinstalled_with_its_license_key(shop):
    machine, sold = shop.machine(), shop.license()
    machine.activated(sold).heartbeat()
    for name in (FILE, f"{FILE}.previous"):
        (machine.folder / name).write_bytes(b"\0" * 100)
    till = machine.till()
    verdict = till.check()
    assert (verdict.status, verdict.usable, len(verdict.problems)) == ("unlicensed", False, 1)
    assert sells(till.activate(sold.license_key, project=PROJECT))
    told = shop.activations(sold)
    assert [(one["status"], one["end_reason"]) for one in told] == [("superseded", "reinstalled"), ("active", None)]
    assert shop.explained(sold).suspicions == (0, 0)


@pytest.mark.clause("X-06", "NX-03")
def test_a_wiped_machine_takes_its_own_seat_back_and_another_machine_does_not(shop):
    machine, other, sold = shop.machine(), shop.machine("other"), shop.license()
    machine.activated(sold)
    with pytest.raises(Refused) as refused:
        other.till().activate(sold.license_key, project=PROJECT)
    assert refused.value.code == "license_in_use"
    assert sells(machine.wiped().till().activate(sold.license_key, project=PROJECT))
    assert [status for _, status in shop.seats(sold)] == ["superseded", "active"]


def test_the_file_of_another_product_in_this_ones_place_is_set_aside(shop):
    machine, sold = shop.machine(), shop.license()
    machine.activated(sold).heartbeat()
    other = shop.license("pos-loyalty")
    machine.till("pos-loyalty").activate(other.license_key, project=PROJECT)
    (machine.folder / FILE).write_bytes((machine.folder / "tillkey-pos-loyalty.json").read_bytes())
    till = machine.till()
    assert sells(till.check())
    assert "pos-loyalty" in till.check().problems[0]
    assert sells(till.heartbeat())
    assert shop.explained(sold).suspicions == (0, 0)


def test_a_folder_that_cannot_be_written_is_told_and_the_till_sells_on(shop):
    machine, sold = shop.machine(), shop.license()
    till = machine.activated(sold)
    temporary = machine.folder.rename(machine.folder.with_name("gone"))
    machine.folder.write_text("a file in the folder's place")
    with pytest.raises(StateError):
        till.heartbeat()
    assert sells(till.check())
    machine.folder.unlink()
    temporary.rename(machine.folder)
    assert sells(till.heartbeat())
    assert shop.explained(sold).suspicions == (0, 0)
