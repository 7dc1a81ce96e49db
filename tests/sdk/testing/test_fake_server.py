"""The fake server as a vendor's test uses it; that it says what the real one says is proved in tests/scenarios."""

import inspect
import os
import socket
import struct
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta

import httpx
import pytest

import tillkey.testing
from tests.sdk.http_server import closed_port
from tillkey import LicenseClient, Refused, Unreachable
from tillkey.testing import FakeServer, Terms
from tillkey.testing.clock import MORNING

EVERYTHING = ("sell", "reports", "loyalty")


@pytest.fixture
def server():
    with FakeServer() as running:
        yield running


@pytest.fixture
def till(server, tmp_path):
    return server.client("pos-core", tmp_path / "till")


@pytest.fixture
def active(server, till):
    till.activate(server.license(), project="Corner Shop")
    return till


def verbs(kind):
    return [name for name in sorted(vars(kind)) if not name.startswith("_")]


def test_the_public_names_are_exactly_these():
    assert tillkey.testing.__all__ == ["FakeClock", "FakeServer", "Seat", "Terms"]
    assert verbs(FakeServer) == [
        "answer_support",
        "asked",
        "back_up",
        "client",
        "come_up",
        "drop_next_answer",
        "force_deactivate",
        "go_down",
        "hold",
        "keyset",
        "license",
        "lift_hold",
        "move_ticket",
        "release",
        "renew",
        "restore",
        "resume",
        "revoke",
        "rotate_keys",
        "seats",
        "start",
        "stop",
        "suspend",
        "terminate",
        "turn",
        "url",
    ]


def test_the_arguments_of_a_server_are_exactly_these():
    assert list(inspect.signature(FakeServer).parameters) == ["terms", "starts_at", "issuer"]


def test_a_till_s_program_never_loads_it():
    program = "import sys, tillkey, tillkey.client, tillkey.driver; print('tillkey.testing' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert told.stdout == "False\n"


def test_time_begins_where_the_test_says_and_passes_when_it_is_turned(tmp_path):
    begins = datetime(2027, 1, 31, 12, 0, tzinfo=UTC)
    with FakeServer(starts_at=begins) as server:
        client = server.client("pos-core", tmp_path)
        client.activate(server.license(), project="Corner Shop")
        server.turn(days=1, hours=2)
        assert client.check().as_of == server.clock.now == begins + timedelta(days=1, hours=2)


@pytest.mark.parametrize("by", [{"days": -1}, {"seconds": 0}, {}])
def test_time_is_not_turned_back(server, by):
    with pytest.raises(ValueError, match=r"time goes forward.*off_by"):
        server.turn(**by)
    assert server.clock.now == MORNING


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(ValueError, match=r"starts_at: .* time zone"):
        FakeServer(starts_at=datetime(2027, 1, 1))  # noqa: DTZ001 - that is what is refused


def test_a_till_whose_date_is_wrong_is_told_so_and_sells(server, active, tmp_path):
    client = server.client("pos-core", tmp_path / "till", clock=server.clock.off_by(days=-400))
    verdict = client.check()
    assert (verdict.status, verdict.clock_suspect, verdict.as_of) == ("valid", True, server.clock.now)


def test_the_address_is_there_while_it_runs(tmp_path):
    server = FakeServer()
    with pytest.raises(RuntimeError, match="not started"):
        server.client("pos-core", tmp_path)
    server.start()
    address = server.url
    server.start()
    assert server.url == address
    server.stop()
    server.stop()
    with pytest.raises(httpx.ConnectError):
        httpx.get(address, trust_env=False)


@pytest.mark.parametrize("known", [{}, {"NO_PROXY": "intranet.example"}, {"no_proxy": "a.example", "NO_PROXY": "b"}])
def test_a_proxy_of_the_environment_does_not_stand_in_between_and_the_environment_is_left_as_it_was(
    known, monkeypatch, tmp_path
):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{closed_port()}")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in known.items():
        monkeypatch.setenv(name, value)
    before = dict(os.environ)
    with FakeServer() as first:
        with FakeServer():
            pass
        assert first.client("pos-core", tmp_path).activate(first.license(), project="Corner Shop").usable
        assert os.environ["no_proxy"].startswith(known.get("no_proxy", known.get("NO_PROXY", "127.0.0.1")))
    assert dict(os.environ) == before


def test_while_it_is_down_nobody_is_answered_and_nothing_is_done(server, till):
    key = server.license()
    server.go_down()
    with pytest.raises(Unreachable) as caught:
        till.activate(key, project="Corner Shop")
    assert (caught.value.kind, server.seats(key), server.asked) == ("network", (), ())


def test_an_answer_that_is_dropped_was_given_before(server, till):
    key = server.license()
    server.drop_next_answer(2)
    for _ in range(2):
        with pytest.raises(Unreachable):
            till.activate(key, project="Corner Shop")
    assert [(seat.status, seat.seq) for seat in server.seats(key)] == [("active", 1)]
    assert till.activate(key, project="Corner Shop").usable
    assert server.asked == ("activate",) * 3


def test_a_released_license_is_free_and_its_till_learns_it(server, till):
    key = server.license()
    till.activate(key, project="Corner Shop")
    server.release(key)
    with pytest.raises(Refused, match="activation_released"):
        till.heartbeat()
    assert (till.check().status, [seat.status for seat in server.seats(key)]) == ("released", ["released"])


def test_seats_tell_who_held_a_license_and_who_holds_it(server, till, tmp_path):
    key = server.license()
    till.activate(key, project="Corner Shop", environment="staging")
    server.turn(hours=1)
    ticket = till.move_ticket("production")
    server.client("pos-core", tmp_path / "new").activate(key, project="Corner Shop", move_ticket=ticket)
    told = [(seat.environment, seat.status, seat.since - MORNING, seat.seq) for seat in server.seats(key)]
    assert told == [("staging", "superseded", timedelta(0), 2), ("production", "active", timedelta(hours=1), 1)]


def test_a_right_with_an_end_ends_and_is_renewed(server, till):
    key = server.license(use_for=timedelta(days=14))
    assert till.activate(key, project="Corner Shop").use_until == MORNING + timedelta(days=14)
    server.turn(days=14)
    assert (till.check().status, till.check().usable) == ("expired", False)
    with pytest.raises(Refused, match="license_expired"):
        till.heartbeat()
    server.renew(key, timedelta(days=30))
    assert till.heartbeat().status == "valid"


def test_a_till_walks_to_the_keys_that_replaced_the_pinned_ones(server, active, tmp_path):
    server.rotate_keys()
    server.rotate_keys()
    assert active.heartbeat().status == "valid"
    assert server.client("pos-core", tmp_path / "till").check().status == "valid"


@pytest.mark.parametrize(("stolen", "status"), [(False, "valid"), (True, "degraded")])
def test_a_lease_under_a_replaced_key_counts_on_unless_the_key_was_stolen(server, till, stolen, status):
    key = server.license()
    server.rotate_keys()
    till.activate(key, project="Corner Shop")
    server.rotate_keys(stolen=stolen)
    with pytest.raises(Refused, match="bound_to_other_project"):
        till.activate(key, project="Airport")
    assert till.check().status == status
    assert till.heartbeat().status == "valid"


def test_a_lease_under_a_replaced_key_proves_what_a_restored_server_has_lost(server, till):
    key = server.license()
    lost = server.back_up()
    till.activate(key, project="Corner Shop")
    server.turn(hours=1)
    server.rotate_keys()
    server.restore(lost)
    assert till.heartbeat().status == "valid"
    assert [seat.status for seat in server.seats(key)] == ["active"]


def test_its_answers_are_dated_by_its_own_clock(server, till):
    server.turn(days=400)
    looks = {look.name: look.verdict for look in till.examine()}
    assert (looks["server"], looks["clock"]) == ("ok", "ok")


def test_a_till_that_has_gone_before_its_answer_is_no_noise(server, capfd):
    host, port = server.url.removeprefix("http://").split(":")
    with server._turn, socket.create_connection((host, int(port))) as gone:
        gone.sendall(b"GET /v1/keyset HTTP/1.0\r\n\r\n")
        gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    httpx.get(f"{server.url}/v1/keyset", trust_env=False)
    for answering in threading.enumerate():
        if "process_request_thread" in answering.name:
            answering.join(10)
    assert capfd.readouterr().err == ""


def test_a_suspension_until_a_time_without_a_zone_is_refused(server):
    with pytest.raises(ValueError, match=r"until: .* time zone"):
        server.suspend(server.license(), until=datetime(2027, 1, 1))  # noqa: DTZ001 - that is what is refused


def test_a_ticket_for_an_environment_that_there_is_not_is_refused(server):
    with pytest.raises(ValueError, match="environment: 'moon' is none; use production"):
        server.move_ticket(server.license(), "moon")


def test_a_till_of_another_server_believes_nothing_it_says(server, active, tmp_path):
    with FakeServer(issuer="another") as other:
        client = LicenseClient(other.url, "pos-core", server.keyset, tmp_path / "till", clock=server.clock)
        with pytest.raises(Refused) as caught:
            client.heartbeat()
    assert caught.value.statement is None
    assert client.check().status == "valid"


def test_terms_say_how_long_a_till_sells_without_the_server(tmp_path):
    terms = Terms(soft=timedelta(days=2), full=timedelta(days=3), refund_days=None, degraded=("sell", "reports"))
    with FakeServer(terms) as server:
        client = server.client("pos-core", tmp_path)
        client.activate(server.license(), project="Corner Shop")
        server.turn(days=2)
        assert client.check().status == "grace"
        server.turn(days=1)
        assert (client.check().status, client.check().entitlements) == ("degraded", ("sell", "reports"))


def test_terms_of_one_license_are_its_own(server, till, tmp_path):
    key = server.license(terms=Terms(staging_exempt=True))
    till.activate(key, project="Corner Shop", environment="staging")
    assert server.client("pos-core", tmp_path / "new").activate(key, project="Corner Shop").usable


@pytest.mark.parametrize(
    ("binding", "environment", "stays"),
    [
        ("permanent_after_production", "production", True),
        ("permanent_after_production", "staging", False),
        ("permanent_from_first_activation", "staging", True),
        ("while_active", "production", False),
    ],
)
def test_terms_say_what_ties_a_license_to_its_project(server, till, binding, environment, stays):
    key = server.license(terms=Terms(project_binding=binding))
    till.activate(key, project="Corner Shop", environment=environment)
    till.deactivate()
    if stays:
        with pytest.raises(Refused, match="bound_to_other_project"):
            till.activate(key, project="Airport")
    else:
        assert till.activate(key, project="Airport").usable


def test_a_binding_that_there_is_not_is_refused():
    with pytest.raises(ValueError, match="project_binding: 'forever' is none; use one of permanent_after"):
        Terms(project_binding="forever")


def test_a_license_of_whole_months_ends_with_its_last_day(server, till):
    key = server.license(terms=Terms(use_months=1, support_months=None, updates_months=0))
    verdict = till.activate(key, project="Corner Shop")
    assert verdict.use_until == datetime(2026, 4, 3, tzinfo=UTC)
    assert (verdict.support_until, verdict.updates_until) == (None, MORNING)


@pytest.mark.parametrize("key", ["TEST-1", "TEST-00000-00000-00000-00000-0000000"])
def test_a_key_that_it_did_not_sell_is_named(server, key):
    with pytest.raises(ValueError, match=r"key: .* license\(\)"):
        server.revoke(key)


def test_a_license_key_shows_that_it_is_none_to_sell(server):
    assert server.license().startswith("TEST-")
