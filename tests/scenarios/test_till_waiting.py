"""A server that accepts and never answers, a lock that somebody else holds: `check()` goes on, calls come to an end."""

import threading
import time

import pytest

from tests.support.processes import folder_held
from tests.support.proxy import dropped_after, held, passed
from tests.support.shop import NEVER_ACTIVATED, PROJECT, picture, sells
from tillkey import Busy, TillkeyError, Unreachable


@pytest.fixture(scope="module")
def shop(shops):
    return shops("sqlite")


class Asking:
    """A call in a thread of its own, and what it raised."""

    def __init__(self, ask):
        self.error = None
        self._thread = threading.Thread(target=self._run, args=(ask,))
        self._thread.start()

    def _run(self, ask):
        try:
            ask()
        except TillkeyError as error:
            self.error = error

    @property
    def over(self):
        return not self._thread.is_alive()

    def wait(self):
        self._thread.join(30)
        assert self.over


@pytest.fixture
def silence():
    """An event that ends the silence of a line, at the end of the test at the latest."""
    event = threading.Event()
    yield event
    event.set()


def checks(*tills, times=200):
    """Check as at every sale, and return the slowest one's seconds."""
    slowest = 0.0
    for _ in range(times):
        for till in tills:
            start = time.perf_counter()
            till.check()
            slowest = max(slowest, time.perf_counter() - start)
    return slowest


# A check takes 0.1 ms; a machine that is busy otherwise may stop it for a while, the server never.
LONG = 1.0


@pytest.mark.clause("X-02")
def test_check_goes_on_while_the_server_accepts_and_never_answers(shop, silence):
    machine, sold = shop.machine(), shop.license()
    till = machine.activated(sold)
    machine.line.next(held(silence, passed))
    asking = Asking(till.heartbeat)
    assert machine.line.wait_for(2)
    assert checks(till, machine.till()) < LONG
    assert sells(till.check())
    assert sells(machine.till().check())
    assert not asking.over
    silence.set()
    asking.wait()
    assert asking.error is None
    assert machine.seq == 2


@pytest.mark.clause("X-02")
def test_a_first_activation_that_hangs_leaves_the_till_unlicensed_and_answering(shop, silence):
    machine, sold = shop.machine(), shop.license()
    till = machine.till()
    machine.line.next(held(silence, passed))
    asking = Asking(lambda: till.activate(sold.license_key, project=PROJECT))
    assert machine.line.wait_for(1)
    assert checks(till, machine.till()) < LONG
    assert picture(till.check()) == NEVER_ACTIVATED
    assert not asking.over
    silence.set()
    asking.wait()
    assert sells(till.check())


@pytest.mark.clause("X-02")
@pytest.mark.parametrize("beats", [1, 2])
def test_a_call_to_a_silent_server_ends_by_itself_and_what_arrives_late_does_no_harm(shop, silence, beats):
    machine, sold = shop.machine(), shop.license()
    machine.activated(sold)
    machine.line.next(held(silence, dropped_after))
    with pytest.raises(Unreachable) as unreachable:
        machine.till(total_timeout=0.2).heartbeat()
    assert unreachable.value.kind == "timeout"
    assert sells(machine.till().check())
    for _ in range(beats):
        assert sells(machine.till().heartbeat())
    assert len(set(machine.line.rids)) == 1 + beats
    late = machine.line.passages[1]
    silence.set()
    assert late.over.wait(30)
    assert late.document.get("code") == (None if beats == 1 else "stale_request")
    assert sells(machine.till().heartbeat())
    assert machine.seq == 2 + beats
    assert shop.explained(sold).suspicions == (0, 0)


def test_a_server_that_answers_byte_by_byte_is_given_up_on(shop, silence):
    machine, sold = shop.machine(), shop.license()
    machine.activated(sold)

    def dripping(passage):
        answer = passage.forward()
        for n in range(len(answer)):
            passage.tell(answer[n : n + 1])
            if silence.wait(0.02):
                return

    machine.line.next(dripping)
    with pytest.raises(Unreachable) as unreachable:
        machine.till(total_timeout=0.3).heartbeat()
    assert unreachable.value.kind == "timeout"
    silence.set()
    assert sells(machine.till().heartbeat())
    assert shop.explained(sold).suspicions == (0, 0)


def test_check_goes_on_and_a_call_is_told_busy_while_another_process_holds_the_folder(shop):
    machine, sold = shop.machine(), shop.license()
    till = machine.activated(sold)
    with folder_held(machine):
        assert checks(till, machine.till()) < LONG
        assert sells(till.check())
        assert sells(machine.till().check())
        hasty = machine.till(lock_timeout=0.05)
        for ask in (hasty.heartbeat, hasty.deactivate, lambda: hasty.move_ticket("production")):
            with pytest.raises(Busy):
                ask()
        assert sells(hasty.activate(sold.license_key, project=PROJECT))
        assert isinstance(hasty.last_error, Busy)
        assert machine.line.ops == ["activate"]
    assert sells(till.heartbeat())
    assert shop.explained(sold).suspicions == (0, 0)


def test_check_of_a_till_that_was_never_activated_answers_while_the_folder_is_held(shop):
    machine = shop.machine()
    with folder_held(machine):
        assert picture(machine.till().check()) == NEVER_ACTIVATED


def test_check_never_raises_whatever_the_folder_is(shop):
    machine = shop.machine()
    machine.folder.write_text("a file where the folder should be")
    assert picture(machine.till().check()) == NEVER_ACTIVATED
    (machine.folder.with_name("odd")).mkdir()
    odd = shop.machine(folder=machine.folder.with_name("odd"))
    (odd.folder / "tillkey-pos-core.json").mkdir()
    assert picture(odd.till().check()) == NEVER_ACTIVATED
    assert odd.till().check().problems != ()
