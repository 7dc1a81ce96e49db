"""The server did what was asked and the answer is lost: the retry is the same request and gets the same step."""

import pytest

from tests.support.databases import DIALECTS
from tests.support.proxy import cut_short, dropped_after, fault
from tests.support.shop import PROJECT, sells
from tests.support.verbs import VERBS, missed, retried
from tillkey import NotActivated, Refused, Unreachable

LOST = {
    "the answer is lost": (dropped_after, "network"),
    "the answer is cut short": (cut_short, "network"),
    "a gateway gives up on the answer": (fault(504, reached=True), "http_5xx"),
    "a firewall takes the answer away": (fault(403, reached=True), "http_4xx"),
}


@pytest.fixture(scope="module", params=DIALECTS)
def shop(request, shops):
    return shops(request.param)


@pytest.mark.clause("X-02", "X-03", "K-10")
@pytest.mark.parametrize("lost", LOST)
@pytest.mark.parametrize("name", VERBS)
def test_an_answer_that_never_arrived_is_given_again_and_no_second_step_is_taken(shop, name, lost):
    machine, sold, verb = shop.machine(), shop.license(), VERBS[name]
    till, (deed, kind) = verb.ready(machine, sold), LOST[lost]
    seq = machine.seq
    assert missed(machine, till, sold, verb, deed).kind == kind
    assert [status for _, status in shop.seats(sold)] == ["active" if verb.steps else "released"]
    retried(machine, sold, verb, seq)


@pytest.mark.clause("K-10")
def test_the_ticket_of_a_lost_answer_is_the_ticket_of_the_retry(shop):
    machine, sold = shop.machine(), shop.license()
    till = machine.activated(sold, environment="staging")
    machine.line.next(dropped_after)
    with pytest.raises(Unreachable):
        till.move_ticket("production")
    lost = machine.line.last.document["ticket"]
    assert till.move_ticket("production") == lost


def test_a_beat_after_a_lost_activation_finishes_the_activation(shop):
    machine, sold = shop.machine(), shop.license()
    machine.line.next(dropped_after)
    with pytest.raises(Unreachable):
        machine.till().activate(sold.license_key, project=PROJECT)
    assert sells(machine.till().heartbeat())
    assert machine.line.ops == ["activate", "activate"]
    assert shop.seats(sold) == [(machine.till().check().activation, "active")]


def test_a_beat_after_a_lost_deactivation_learns_that_the_till_is_free(shop):
    machine, sold = shop.machine(), shop.license()
    till = machine.activated(sold)
    machine.line.next(dropped_after)
    with pytest.raises(Unreachable):
        till.deactivate()
    with pytest.raises(Refused) as refused:
        machine.till().heartbeat()
    assert refused.value.code == "activation_released"
    assert machine.till().check().status == "released"
    assert sells(machine.till().activate(sold.license_key, project=PROJECT))
    assert [status for _, status in shop.seats(sold)] == ["released", "active"]


def test_a_deactivation_after_a_lost_activation_frees_the_seat_that_nobody_knew_of(shop):
    machine, sold = shop.machine(), shop.license()
    machine.line.next(dropped_after)
    with pytest.raises(Unreachable):
        machine.till().activate(sold.license_key, project=PROJECT)
    assert machine.till().deactivate().status == "released"
    assert [status for _, status in shop.seats(sold)] == ["released"]
    assert shop.explained(sold).suspicions == (0, 0)


def test_a_person_who_asks_for_production_after_a_lost_activation_on_staging_gets_production(shop):
    machine, sold = shop.machine(), shop.license()
    machine.line.next(dropped_after)
    with pytest.raises(Unreachable):
        machine.till().activate(sold.license_key, project=PROJECT, environment="staging")
    verdict = machine.till().activate(sold.license_key, project=PROJECT, environment="production")
    assert sells(verdict)
    assert verdict.environment == "production"
    assert len(set(machine.line.rids)) == 2
    assert [status for _, status in shop.seats(sold)] == ["superseded", "active"]


def test_nothing_is_asked_of_the_server_before_a_first_activation(shop):
    machine = shop.machine()
    for ask in (machine.till().heartbeat, machine.till().deactivate, lambda: machine.till().move_ticket("production")):
        with pytest.raises(NotActivated):
            ask()
    assert machine.line.passages == []
