"""Whatever the network and the power do to an honest till, it is never taken for a copy and never hangs."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sdk.license_server import HOUR, LicenseServer
from tests.sdk.tills import PaperTill, PowerCut
from tillkey.effects import Granted, Reply, Send, Unreached

WEATHER = st.sampled_from(["fair", "lost request", "lost answer", "late duplicate", "server fault", "Wi-Fi page"])
DEED = st.sampled_from(["heartbeat", "activate", "move", "restart"])


class Network:
    """Delivers in the weather of the day; `held_back` are duplicates that arrive later."""

    def __init__(self, server: LicenseServer) -> None:
        self.server, self.weather, self.held_back = server, "fair", []

    def __call__(self, send: Send):
        if self.weather == "lost request":
            return Unreached("timeout")
        reply = self.server.post(send.path, send.body)
        if self.weather == "late duplicate":
            self.held_back.append(send)
        if self.weather == "lost answer":
            return Unreached("timeout")
        if self.weather == "server fault":
            return Reply(500, "text/plain", b"")
        if self.weather == "Wi-Fi page":
            return Reply(200, "text/html", b"<html></html>")
        return reply

    def deliver_late(self) -> None:
        for send in self.held_back:
            self.server.post(send.path, send.body)
        self.held_back.clear()


@pytest.mark.clause("X-02")
@settings(max_examples=150, deadline=None)
@given(days=st.lists(st.tuples(DEED, WEATHER, st.none() | st.integers(0, 3), st.booleans()), max_size=14))
def test_no_weather_makes_an_honest_till_fork_hang_or_lose_its_seat(days):
    server = LicenseServer()
    key = server.sell()
    till = PaperTill(server)
    network = Network(server)
    till.network = network
    till.activate(key)
    activation = till.state.chain.activation
    for deed, weather, cut, duplicates_arrive in days:
        network.weather = weather
        till.cut_before_save = None if cut is None else till.saves + cut
        with contextlib.suppress(PowerCut):
            if deed == "heartbeat":
                till.heartbeat()
            elif deed == "activate":
                till.activate(key)
            elif deed == "move":
                till.move("production")
            else:
                till.clock.boot_id += "'"
        if duplicates_arrive:
            network.deliver_late()
        till.clock.pass_time(6 * HOUR)
        server.now += 6 * HOUR
        assert till.state.statement is None
    network.weather, till.cut_before_save = "fair", None
    assert isinstance(till.heartbeat().result, Granted)
    assert isinstance(till.heartbeat().result, Granted)
    assert till.state.pending is None
    assert till.state.chain.activation == activation
    assert (server.holder().forks, len(server.books.activations)) == (0, 1)
    assert till.state.chain.seq == server.holder().seq


@settings(max_examples=60, deadline=None)
@given(beats=st.lists(st.sampled_from(["beat", "backup", "restore", "till backup", "till restore"]), max_size=16))
def test_restores_of_server_and_till_never_hang_the_till(beats):
    server = LicenseServer()
    till = PaperTill(server)
    till.activate(server.sell())
    rows, disk = server.snapshot(), till.disk
    for beat in beats:
        if beat == "backup":
            rows = server.snapshot()
        elif beat == "restore":
            server.restore(rows)
        elif beat == "till backup":
            disk = till.disk
        elif beat == "till restore":
            till.disk = disk
        else:
            assert isinstance(till.heartbeat().result, Granted)
    assert isinstance(till.heartbeat().result, Granted)
    assert till.state.chain.seq == server.holder().seq
