"""The till's process is killed at every point of every verb; the program started anew goes on where it stopped."""

import pytest

from tests.support.processes import KILLED, Processes, call
from tests.support.shop import PROJECT, picture, sells
from tests.support.verbs import VERBS
from tillkey.wire.license_key import normalize


@pytest.fixture(scope="module")
def shop(shops):
    return shops("sqlite")


@pytest.fixture(scope="module")
def processes():
    with Processes() as started:
        yield started


def calling(name, machine, sold, kill_at=""):
    match name:
        case "activate":
            return call(machine, "activate", sold.license_key, project=PROJECT, kill_at=kill_at)
        case "move":
            return call(machine, "move_ticket", "production", kill_at=kill_at)
        case _:
            return call(machine, name, kill_at=kill_at)


def ended(name, machine, sold, seq):
    """The verb, asked again by a new process, came to its end: one step, one activation, nobody suspected."""
    verb, verdict = VERBS[name], machine.till().check()
    told = machine.shop.explained(sold)
    assert sells(verdict) is bool(verb.steps)
    assert told.seats == [(verdict.activation, "active" if verb.steps else "released")]
    assert told.suspicions == (0, 0)
    assert machine.seq == seq + verb.steps


@pytest.mark.parametrize("kill_at", ["before_send", "after_answer"])
@pytest.mark.parametrize("name", VERBS)
def test_a_till_killed_around_the_request_asks_the_same_again(shop, processes, name, kill_at):
    machine, sold, verb = shop.machine(), shop.license(), VERBS[name]
    verb.ready(machine, sold)
    seq, before, rights, requests = machine.seq, machine.till().check(), machine.rights(), len(machine.line.rids)
    assert processes.run(calling(name, machine, sold, kill_at)) == [KILLED]
    assert len(machine.line.rids) == requests + (kill_at == "after_answer")
    durable = machine.state().pending.rid
    assert picture(machine.till().check()) == picture(before)
    assert machine.rights() == rights
    [[result]] = processes.run(calling(name, machine, sold))
    assert "error" not in result
    assert set(machine.line.rids[requests:]) == {durable}
    ended(name, machine, sold, seq)


# How often each verb touches the disk: four times for each write, and once more the write that forgets the license key.
TOUCHES = {"activate": 12, "heartbeat": 8, "move": 8, "deactivate": 8}


@pytest.mark.parametrize(("name", "touch"), [(name, n) for name, most in TOUCHES.items() for n in range(1, most + 1)])
def test_a_till_killed_at_any_touch_of_the_disk_goes_on_and_asks_for_no_second_step(shop, processes, name, touch):
    machine, sold, verb = shop.machine(), shop.license(), VERBS[name]
    verb.ready(machine, sold)
    seq, before = machine.seq, picture(machine.till().check())
    assert processes.run(calling(name, machine, sold, f"disk {touch}")) == [KILLED]
    meanwhile = machine.till().check()
    assert meanwhile.problems == ()
    saved = picture(meanwhile) != before or machine.seq > seq
    if name == "activate" or not saved:
        [[result]] = processes.run(calling(name, machine, sold))
        assert "error" not in result
    # An activation that was saved before the kill is a heartbeat when it is asked for again.
    ended(name, machine, sold, seq + (name == "activate" and saved))
    assert list(machine.folder.glob(".*.tmp")) == []
    assert not any(normalize(sold.license_key).encode() in path.read_bytes() for path in machine.folder.iterdir())


@pytest.mark.parametrize("name", TOUCHES)
def test_no_verb_touches_the_disk_more_often_than_the_kills_above(shop, processes, name):
    machine, sold = shop.machine(), shop.license()
    VERBS[name].ready(machine, sold)
    [[result]] = processes.run(calling(name, machine, sold, f"disk {TOUCHES[name] + 1}"))
    assert "error" not in result


def test_a_till_that_is_a_new_process_at_every_step_is_one_installation_all_its_life(shop, processes):
    machine, sold = shop.machine(), shop.license()
    asked = [
        call(machine, "check"),
        call(machine, "activate", sold.license_key, project=PROJECT, environment="staging"),
        call(machine, "check"),
        call(machine, "heartbeat"),
        call(machine, "activate", sold.license_key, project=PROJECT, environment="production"),
        call(machine, "heartbeat"),
        call(machine, "deactivate"),
        call(machine, "check"),
        call(machine, "activate", sold.license_key, project=PROJECT),
    ]
    statuses = [processes.run(one)[0][0]["status"] for one in asked]
    assert statuses == [
        "unlicensed", "valid", "valid", "valid", "valid", "valid", "released", "released", "valid",
    ]  # fmt: skip
    told = shop.activations(sold)
    assert len({one["installation"] for one in told}) == 1
    assert [(one["environment"], one["status"]) for one in told] == [
        ("staging", "superseded"),
        ("production", "released"),
        ("production", "active"),
    ]
    assert shop.explained(sold).suspicions == (0, 0)


@pytest.mark.clause("K-10")
def test_activate_at_each_of_100_starts_is_one_activation_and_no_fork(shop):
    machine, sold = shop.machine(), shop.license()
    for start in range(1, 101):
        assert sells(machine.till().activate(sold.license_key, project=PROJECT))
        assert machine.seq == start
    assert machine.line.ops == ["activate"] + ["heartbeat"] * 99
    told = shop.explained(sold)
    assert len(told.seats) == 1
    assert told.events == []
