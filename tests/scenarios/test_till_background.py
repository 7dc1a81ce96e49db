"""Beats in the background: a real thread, a real server that dies and returns, and clocks that the test turns."""

import pytest

from tests.support.processes import folder_held
from tests.support.proxy import dropped_after, dropped_before
from tests.support.shop import PROJECT, open_shop, sells
from tillkey import Refused, Unreachable, background, platform
from tillkey.wire.request import ClockReading

HOUR = 3600
DAY = 24 * HOUR


@pytest.fixture(scope="module")
def shop(databases, tmp_path_factory):
    with open_shop("sqlite", databases, tmp_path_factory) as opened:
        yield opened


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Let the thread look at its clocks a hundred times a second rather than once a minute."""
    monkeypatch.setattr(background, "POLL_INTERVAL", 0.01)


class Clocks:
    """The machine's clocks: the time since boot is turned by the test, the wall clock may be wrong."""

    def __init__(self, wall_wrong_by=0):
        self.ahead = 0
        self.wall_wrong_by = wall_wrong_by

    def __call__(self):
        real = platform.read_clock()
        return ClockReading(real.wall + self.wall_wrong_by, real.boottime + self.ahead, real.boot_id)

    def turn_until(self, line, number, within):
        """Let time pass, ten seconds at a look, until so many requests came; they must come in time."""
        for _ in range(0, within, 10):
            if line.wait_for(number, 0.02):
                break
            self.ahead += 10
        assert line.wait_for(number)
        assert line.passages[number - 1].over.wait(30)

    def turn(self, line, seconds):
        """Let time pass, a minute at a look; return how many requests came meanwhile."""
        before = len(line.passages)
        for _ in range(0, seconds, 60):
            self.ahead += 60
            line.wait_for(10_000, 0.02)
        return len(line.passages) - before


@pytest.fixture
def clocks():
    return Clocks()


def until(condition, line):
    """Wait for what the till's thread makes of an answer that it has."""
    for _ in range(500):
        if condition():
            return True
        line.wait_for(10_000, 0.02)
    return False


def test_a_beat_comes_when_it_is_due_and_none_before(shop, clocks):
    machine, sold = shop.machine(), shop.license()
    machine.activated(sold)
    with machine.till(clock=clocks) as till:
        assert not machine.line.wait_for(2, 0.1)
        clocks.ahead = int(4.7 * HOUR)
        assert not machine.line.wait_for(2, 0.1)
        clocks.ahead = int(7.3 * HOUR)
        clocks.turn_until(machine.line, 2, within=70)
        assert until(lambda: machine.seq == 2, machine.line)
        assert not machine.line.wait_for(3, 0.1)
        assert sells(till.check())
        assert till.last_error is None
    assert machine.line.ops == ["activate", "heartbeat"]


@pytest.mark.clause("X-02")
def test_the_server_dies_and_returns_and_the_till_sells_all_the_while(shop, clocks):
    machine, sold = shop.machine(), shop.license()
    machine.activated(sold)
    till = machine.till(clock=clocks)
    till.start()
    shop.server.kill()
    try:
        clocks.ahead = int(7.3 * HOUR)
        clocks.turn_until(machine.line, 4, within=600)
        assert until(lambda: isinstance(till.last_error, Unreachable), machine.line)
        assert (till.check().usable, till.check().entitlements) == (True, ("sell", "reports", "loyalty"))
    finally:
        shop.server.restart()
    clocks.turn_until(machine.line, len(machine.line.passages) + 1, within=4 * HOUR)
    assert until(lambda: till.check().usable and till.last_error is None, machine.line)
    # Here alone time passed at the till. An answer to a retry could have been held back and does not set its clock
    # back; the answer to the next beat does.
    clocks.turn_until(machine.line, len(machine.line.passages) + 1, within=HOUR)
    assert until(lambda: sells(till.check()) and till.last_error is None, machine.line)
    till.stop()
    assert len(set(machine.line.rids)) == 3
    assert machine.seq == 3
    assert shop.explained(sold).suspicions == (0, 0)


@pytest.mark.clause("X-03")
def test_a_suspension_and_its_end_are_learned_without_anybody_asking(shop, clocks):
    machine, sold = shop.machine(), shop.license()
    machine.activated(sold)
    with machine.till(clock=clocks) as till:
        shop.command("license", "suspend", sold.license_id, "--reason", "unpaid")
        clocks.ahead = int(7.3 * HOUR)
        clocks.turn_until(machine.line, 2, within=70)
        assert until(lambda: till.check().status == "suspended", machine.line)
        assert until(lambda: isinstance(till.last_error, Refused), machine.line)
        shop.command("license", "resume", sold.license_id, "--reason", "paid")
        clocks.ahead += 29 * HOUR
        clocks.turn_until(machine.line, 3, within=70)
        assert until(lambda: sells(till.check()) and till.last_error is None, machine.line)
    assert shop.explained(sold).suspicions == (0, 0)


def test_an_activation_of_unknown_outcome_is_finished_in_the_background(shop, clocks):
    machine, sold = shop.machine(), shop.license()
    machine.line.next(dropped_after, dropped_before)
    till = machine.till(clock=clocks)
    with pytest.raises(Unreachable):
        till.activate(sold.license_key, project=PROJECT)
    with till:
        clocks.turn_until(machine.line, 3, within=200)
        assert until(lambda: sells(till.check()), machine.line)
    assert machine.line.ops == ["activate"] * 3
    assert len(set(machine.line.rids)) == 1
    assert shop.seats(sold) == [(till.check().activation, "active")]


def test_two_programs_on_one_folder_beat_once_between_them(shop, clocks):
    machine, sold = shop.machine(), shop.license()
    machine.activated(sold)
    with machine.till(clock=clocks) as one, machine.till(clock=clocks) as other:
        for beats in (2, 3, 4):
            clocks.ahead += int(7.3 * HOUR)
            clocks.turn_until(machine.line, beats, within=70)
            assert until(lambda beats=beats: machine.seq == beats, machine.line)
        assert until(lambda: sells(one.check()) and sells(other.check()), machine.line)
    assert shop.explained(sold).events == []


def test_a_beat_that_finds_the_folder_held_is_skipped_and_made_up_for(shop, clocks):
    machine, sold = shop.machine(), shop.license()
    machine.activated(sold)
    with machine.till(clock=clocks) as till:
        with folder_held(machine):
            clocks.ahead = int(7.3 * HOUR)
            assert clocks.turn(machine.line, 120) == 0
            assert till.check().usable
        clocks.turn_until(machine.line, 2, within=600)
        assert until(lambda: sells(till.check()), machine.line)
    assert machine.seq == 2


def test_after_stop_no_beat_comes(shop, clocks):
    machine, sold = shop.machine(), shop.license()
    till = machine.activated(sold)
    clocked = machine.till(clock=clocks)
    clocked.start()
    clocked.stop()
    clocks.ahead = DAY
    assert clocks.turn(machine.line, 300) == 0
    assert sells(till.check())


@pytest.mark.parametrize("hours", [8, 40, -40])
def test_a_till_whose_wall_clock_is_wrong_does_not_ask_all_the_time(shop, hours):
    machine, sold, clocks = shop.machine(), shop.license(), Clocks(wall_wrong_by=hours * HOUR)
    machine.till(clock=clocks).activate(sold.license_key, project=PROJECT)
    with machine.till(clock=clocks) as till:
        assert clocks.turn(machine.line, HOUR) <= 1
        assert till.check().usable
