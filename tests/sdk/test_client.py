"""The client over real HTTP, with a real folder."""

import builtins
import os
import socket
import threading
from time import perf_counter

import pytest

from tests.sdk.http_server import broken, closed_port
from tests.sdk.license_server import DAY, HOUR, LicenseServer
from tillkey import (
    NotActivated,
    Refused,
    Unreachable,
)
from tillkey.effects import Reply
from tillkey.storage import StateFolder
from tillkey.wire import strict_json


def test_an_activated_till_may_sell(server, client):
    verdict = client.activate(server.sell(), project="Corner Shop")
    assert (verdict.status, verdict.usable, verdict.entitlements) == ("valid", True, ("sell", "loyalty"))
    assert (verdict.project, verdict.environment, verdict.activated) == ("Corner Shop", "production", True)
    assert client.check() == verdict


def test_a_new_client_reads_what_the_last_one_left(server, client, make_client):
    verdict = client.activate(server.sell(), project="Corner Shop")
    assert make_client().check() == verdict


def test_before_an_activation_the_till_is_unlicensed(client, folder):
    verdict = client.check()
    assert (verdict.status, verdict.usable, verdict.reason) == ("unlicensed", False, "never_activated")
    assert "Activate" in verdict.notice
    assert not folder.exists()


def test_neither_construction_nor_check_makes_a_key_or_a_file(client, folder):
    client.check()
    with pytest.raises(NotActivated):
        client.heartbeat()
    assert [path.name for path in folder.glob("tillkey-*")] == []


def test_a_refused_activation_says_why_and_what_to_do(server, client, make_client, tmp_path):
    key = server.sell()
    make_client(state_dir=tmp_path / "other").activate(key, project="Corner Shop")
    with pytest.raises(Refused) as refused:
        client.activate(key, project="Corner Shop")
    error = refused.value
    assert (error.code, error.clauses) == ("license_in_use", ("NX-03",))
    assert error.detail.startswith("Another installation holds the license. Deactivate it there")
    assert error.statement is not None
    assert error.statement.code == "license_in_use"
    assert str(error) == f"license_in_use: {error.detail}"
    assert client.check().status == "unlicensed"


@pytest.mark.clause("X-02")
def test_a_server_that_is_down_changes_nothing_and_the_till_sells(server, client, make_client, clock):
    client.activate(server.sell(), project="Corner Shop")
    gone = make_client(server=f"http://127.0.0.1:{closed_port()}")
    clock.pass_time(8 * DAY)
    with pytest.raises(Unreachable) as unreachable:
        gone.heartbeat()
    assert unreachable.value.kind == unreachable.value.reason == "connect"
    verdict = gone.check()
    assert (verdict.status, verdict.usable) == ("grace", True)
    assert verdict.lease_ends_at.date().isoformat() in verdict.notice


@pytest.mark.clause("X-02")
@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(200, "text/html", b"<html>Welcome to the Wi-Fi</html>"), "not_json"),
        (Reply(302, "text/html", b""), "redirected"),
        (Reply(500, "application/json", b"{}"), "http_5xx"),
        (Reply(200, "application/json", b"x" * 70_000), "too_large"),
        (Reply(403, "text/html", b"<html>blocked</html>"), "http_4xx"),
    ],
)
def test_what_is_not_the_server_changes_nothing(server, http, client, state_file, reply, kind):
    client.activate(server.sell(), project="Corner Shop")
    before = client.check()
    broken(server, http, lambda _: reply)
    with pytest.raises(Unreachable) as unreachable:
        client.heartbeat()
    assert unreachable.value.kind == kind
    assert ("check the address" in str(unreachable.value)) is (
        kind in {"http_4xx", "http_5xx", "not_json", "too_large"}
    )
    assert client.check() == before
    assert state_file()["pending"] is not None
    http.serve(server)
    assert client.heartbeat().usable
    assert server.holder().forks == 0


def test_a_truncated_answer_changes_nothing(server, http, client):
    client.activate(server.sell(), project="Corner Shop")
    before = client.check()

    def answer(handler, body):
        reply = server.post(handler.path, body)
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n")
        handler.wfile.write(reply.body[: len(reply.body) // 2])

    http.answer = answer
    with pytest.raises(Unreachable) as unreachable:
        client.heartbeat()
    assert unreachable.value.kind == "network"
    assert client.check() == before


@pytest.mark.parametrize("which", ["request", "installation", "server"])
def test_an_answer_for_another_changes_nothing(server, http, client, make_client, tmp_path, which):
    key = server.sell()
    client.activate(key, project="Corner Shop")
    before = client.check()
    if which == "request":
        stale = strict_json.dumps({"lease": server.lease(server.holder(), server.seen[0].rid, seq=9)})
    elif which == "installation":
        make_client(state_dir=tmp_path / "other").activate(server.sell(2), project="Corner Shop")
        stale = strict_json.dumps({"lease": server.lease(server.holder(2), server.seen[-1].rid)})
    else:
        stranger = LicenseServer("somebody-else")
        stranger.books = server.books
        stale = strict_json.dumps({"lease": stranger.lease(server.holder(), server.seen[0].rid, seq=9)})
    broken(server, http, lambda _: Reply(200, "application/json", stale))
    with pytest.raises(Unreachable) as unreachable:
        client.heartbeat()
    assert unreachable.value.kind == "bad_answer"
    assert client.check() == before


@pytest.mark.clause("X-03")
def test_a_signed_revocation_ends_use_and_survives_a_restart(server, client, make_client):
    client.activate(server.sell(), project="Corner Shop")
    server.end("license_revoked")
    with pytest.raises(Refused) as refused:
        client.heartbeat()
    assert refused.value.statement.code == "license_revoked"
    for each in (client, make_client()):
        verdict = each.check()
        assert (verdict.status, verdict.usable, verdict.reason) == ("revoked", False, "license_revoked")
        assert verdict.entitlements == ()


@pytest.mark.clause("NX-50")
def test_a_till_can_be_freed_and_says_so(server, client):
    client.activate(server.sell(), project="Corner Shop")
    verdict = client.deactivate()
    assert (verdict.status, verdict.usable, verdict.activated) == ("released", False, False)
    assert server.is_free()


def test_a_move_ticket_moves_the_license(server, client, make_client, tmp_path):
    key = server.sell()
    client.activate(key, project="Corner Shop", environment="staging")
    ticket = client.move_ticket("production")
    new = make_client(state_dir=tmp_path / "new")
    assert new.activate(key, project="Corner Shop", move_ticket=f" {ticket}\n").environment == "production"
    with pytest.raises(Refused) as refused:
        client.heartbeat()
    assert refused.value.code == "activation_superseded"
    assert client.check().status == "superseded"


def test_check_reads_no_file_and_no_network_after_the_first_time(server, client, monkeypatch):
    client.activate(server.sell(), project="Corner Shop")
    client.check()

    def forbidden(*arguments, **more):
        raise AssertionError("check() did I/O")

    for module, name in [
        (builtins, "open"),
        (os, "open"),
        (os, "stat"),
        (socket, "socket"),
        (threading.Thread, "start"),
        (StateFolder, "load"),
        (StateFolder, "stamp"),
    ]:
        monkeypatch.setattr(module, name, forbidden)
    verdict = client.check()
    monkeypatch.undo()
    assert (verdict.status, verdict.problems) == ("valid", ())


def test_check_takes_under_a_millisecond(server, client):
    client.activate(server.sell(), project="Corner Shop")
    best = 1.0
    for _ in range(50):
        start = perf_counter()
        client.check()
        best = min(best, perf_counter() - start)
    assert best < 0.001


def test_check_never_raises(server, make_client, monkeypatch):
    def no_clock():
        raise OSError("no clock")

    verdict = make_client(clock=no_clock).check()
    assert (verdict.status, verdict.usable) == ("unlicensed", False)
    assert "no clock" in verdict.problems[0]
    assert verdict.reason == "check_failed"
    assert "no clock" in verdict.notice


@pytest.mark.clause("K-15")
def test_a_clock_set_back_is_reported_and_stops_nothing(server, client, clock):
    client.activate(server.sell(), project="Corner Shop")
    clock.wall -= 30 * DAY
    verdict = client.check()
    assert (verdict.status, verdict.clock_suspect) == ("valid", True)


@pytest.mark.clause("K-15")
def test_time_seen_in_memory_is_kept_by_the_next_save(server, http, client, make_client, clock):
    client.activate(server.sell(), project="Corner Shop")
    clock.wall += 40 * HOUR
    seen = client.check().as_of
    clock.wall -= 40 * HOUR
    broken(server, http, lambda _: Reply(500, "text/plain", b""))
    with pytest.raises(Unreachable):
        client.heartbeat()
    assert make_client().check().as_of == seen
