"""Requests that never reach the server: nothing changes, the till sells on, and the retry is the same request."""

import pytest

from tests.support.proxy import dropped_before, fault, firewall, portal
from tests.support.shop import NEVER_ACTIVATED, PROJECT, picture, sells
from tests.support.verbs import VERBS, missed, retried
from tillkey import Unreachable

LOST = {
    "the server is unreachable": (dropped_before, "network"),
    "the server answers 500": (fault(500), "http_5xx"),
    "a gateway answers 502": (fault(502), "http_5xx"),
    "the server answers 503": (fault(503), "http_5xx"),
    "a captive portal answers 200 with a page": (portal, "not_json"),
    "a captive portal redirects": (fault(302), "redirected"),
    "a firewall answers 403 with a page": (firewall, "http_4xx"),
}


@pytest.fixture(scope="module")
def shop(shops):
    return shops("sqlite")


@pytest.mark.clause("X-02", "X-03")
@pytest.mark.parametrize("lost", LOST)
@pytest.mark.parametrize("name", VERBS)
def test_a_request_that_never_arrived_changes_nothing_and_is_sent_again_as_it_was(shop, name, lost):
    machine, sold, verb = shop.machine(), shop.license(), VERBS[name]
    till, (deed, kind) = verb.ready(machine, sold), LOST[lost]
    seq, seats = machine.seq, shop.seats(sold)
    assert missed(machine, till, sold, verb, deed).kind == kind
    assert shop.seats(sold) == seats
    retried(machine, sold, verb, seq)


@pytest.mark.clause("X-02")
def test_a_till_sells_through_every_fault_in_a_row_and_one_beat_catches_up(shop):
    machine, sold = shop.machine(), shop.license()
    till = machine.activated(sold)
    machine.line.next(*(deed for deed, _ in LOST.values()))
    for _ in LOST:
        with pytest.raises(Unreachable):
            till.heartbeat()
        assert sells(till.check())
    assert sells(till.heartbeat())
    assert len(set(machine.line.rids)) == 2
    assert machine.seq == 2
    assert shop.explained(sold).suspicions == (0, 0)


@pytest.mark.clause("X-02")
@pytest.mark.parametrize("lost", LOST)
def test_a_till_that_holds_its_license_starts_through_every_fault_and_the_next_start_is_the_same_request(shop, lost):
    machine, sold = shop.machine(), shop.license()
    machine.activated(sold)
    deed, kind = LOST[lost]
    machine.line.next(deed)
    till = machine.till()
    assert sells(till.activate(sold.license_key, project=PROJECT))
    assert till.last_error.kind == kind
    assert sells(machine.till().activate(sold.license_key, project=PROJECT))
    assert machine.line.ops == ["activate", "heartbeat", "heartbeat"]
    assert machine.line.rids[-2] == machine.line.rids[-1]
    assert machine.seq == 2
    assert shop.explained(sold).suspicions == (0, 0)


@pytest.mark.clause("X-02")
def test_a_till_starts_day_after_day_without_a_server_and_a_new_one_does_not(shop):
    machine, other, sold = shop.machine(), shop.machine("other"), shop.license()
    machine.activated(sold)
    for line in (machine.line, other.line):
        line.close()
    for _ in range(3):
        till = machine.till()
        assert sells(till.activate(sold.license_key, project=PROJECT))
        assert till.last_error.kind == "connect"
    with pytest.raises(Unreachable):
        other.till().activate(sold.license_key, project=PROJECT)
    with pytest.raises(Unreachable):
        machine.till().activate(shop.license().license_key, project=PROJECT)


@pytest.mark.clause("X-02")
def test_a_till_that_never_reached_a_server_stays_unlicensed_and_takes_no_seat(shop):
    machine, sold = shop.machine(), shop.license()
    machine.line.close()
    till = machine.till()
    with pytest.raises(Unreachable) as unreachable:
        till.activate(sold.license_key, project=PROJECT)
    assert unreachable.value.kind == "connect"
    assert picture(till.check()) == NEVER_ACTIVATED
    assert shop.seats(sold) == []
