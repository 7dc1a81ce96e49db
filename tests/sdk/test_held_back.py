"""Somebody on the line holds requests and answers back and delivers them later: an honest till is none the worse."""

import threading
from contextlib import suppress

import pytest

from tillkey.effects import Granted, Reply, Unreached
from tillkey.timeline import effective
from tillkey.transport import Transport
from tillkey.wire import strict_json

DAY = 86_400
LIE = Reply(409, "application/problem+json", strict_json.dumps({"code": "unknown_installation"}))
AWAY = Unreached("network")


def held_back(server, till, answer):
    """Let the till's first request be held back and answered otherwise; return what was held."""
    held = []

    def network(send):
        if held:
            return server.post(send.path, send.body)
        held.append(send)
        return answer

    till.network = network
    return held


@pytest.mark.clause("I9", "X-05")
def test_a_heartbeat_held_back_behind_an_unsigned_lie_makes_no_fork(server, till):
    till.activate(server.sell())
    for _ in range(3):
        held = held_back(server, till, LIE)
        assert isinstance(till.heartbeat().result, Granted)
        late = server.post(held[0].path, held[0].body)
        assert late.status == 409
        assert isinstance(till.heartbeat().result, Granted)
    assert server.holder().forks == 0


@pytest.mark.clause("I11", "K-15")
def test_an_answer_held_back_for_a_year_does_not_set_the_clock_back(server, till):
    till.activate(server.sell())
    kept = []

    def withhold(send):
        kept.append(server.post(send.path, send.body))
        return AWAY

    till.network = withhold
    till.heartbeat()
    till.clock.pass_time(300 * DAY)
    till.network = lambda send: AWAY
    till.heartbeat()
    before = effective(till.state.memory, till.clock()).time
    till.network = lambda send: kept[0]
    till.heartbeat()
    assert effective(till.state.memory, till.clock()).time >= before


@pytest.mark.clause("NX-07")
def test_a_deactivation_held_back_does_not_free_the_seat_that_was_taken_after_it(server, till):
    key = server.sell()
    till.activate(key)
    held = held_back(server, till, AWAY)
    till.deactivate()
    assert isinstance(till.activate(key).result, Granted)
    server.post(held[0].path, held[0].body)
    assert isinstance(till.heartbeat().result, Granted)
    assert server.holder().ended_at is None


def test_a_peer_that_never_comes_to_an_answer_keeps_no_thread_busy(http):
    over = threading.Event()

    def flood(handler, _body):
        with suppress(OSError):
            while not over.is_set():
                handler.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n" * 50)

    http.answer = flood
    try:
        assert Transport(http.address, total_timeout=0.5).get("/").kind == "timeout"
        ours = [thread for thread in threading.enumerate() if thread.name == "tillkey-request"]
        for thread in ours:
            thread.join(20)
        assert not any(thread.is_alive() for thread in ours)
    finally:
        over.set()
