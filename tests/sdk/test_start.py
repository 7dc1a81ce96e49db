"""`activate()` at every start: a till that holds its license never needs the server for it."""

import pytest

from tests.sdk.http_server import broken, closed_port
from tests.sdk.license_server import DAY, LicenseServer, key_from
from tillkey import Busy, Refused, StateError, Unreachable
from tillkey.effects import Reply
from tillkey.storage import StateFolder

PORTAL = Reply(200, "text/html", b"<html>Welcome to the Wi-Fi</html>")
OTHER_ENDS = ["license_revoked", "license_suspended", "license_expired", "legal_hold"]


@pytest.fixture
def sold(server):
    return server.sell()


@pytest.fixture
def held(client, sold):
    client.activate(sold, project="Corner Shop")
    return client


@pytest.fixture
def offline(make_client):
    return lambda **changes: make_client(server=f"http://127.0.0.1:{closed_port()}", **changes)


@pytest.mark.clause("X-02")
@pytest.mark.parametrize("project", ["Corner Shop", " corner  SHOP", None])
def test_a_till_that_holds_its_license_starts_without_a_server(held, offline, sold, project):
    till = offline()
    assert till.activate(sold, project=project) == held.check() == till.check()
    assert isinstance(till.last_error, Unreachable)
    assert till.last_error.kind == "connect"


@pytest.mark.clause("X-02")
def test_a_till_starts_behind_a_captive_portal_and_the_same_request_is_sent_again(server, http, held, sold):
    broken(server, http, lambda _: PORTAL)
    assert held.activate(sold, project="Corner Shop").usable
    assert held.last_error.kind == "not_json"
    http.serve(server)
    assert held.activate(sold, project="Corner Shop").usable
    assert held.last_error is None
    assert server.seen[-1].rid == server.seen[-2].rid
    assert server.holder().forks == 0


def test_a_start_without_a_server_says_how_far_the_rights_have_come(held, offline, sold, clock):
    clock.pass_time(8 * DAY)
    assert offline().activate(sold, project="Corner Shop").status == "grace"
    clock.pass_time(80 * DAY)
    verdict = offline().activate(sold, project="Corner Shop")
    assert (verdict.status, verdict.usable) == ("degraded", True)


def test_a_till_starts_while_another_process_is_beating(server, held, make_client, folder, sold):
    till = make_client(lock_timeout=0.05)
    server.seen.clear()
    with StateFolder(folder, "pos-core", server.issuer).locked(0):
        assert till.activate(sold, project="Corner Shop").usable
    assert isinstance(till.last_error, Busy)
    assert server.seen == []
    till.heartbeat()
    assert till.last_error is None


def test_a_till_that_holds_nothing_is_told_busy(server, make_client, folder, sold):
    with StateFolder(folder, "pos-core", server.issuer).locked(0), pytest.raises(Busy):
        make_client(lock_timeout=0.05).activate(sold, project="Corner Shop")


def test_a_first_activation_needs_the_server(offline, sold):
    with pytest.raises(Unreachable):
        offline().activate(sold, project="Corner Shop")


@pytest.mark.parametrize("changes", [{"project": "Other Shop"}, {"environment": "staging"}, {"license_key": 2}])
def test_what_this_till_does_not_hold_needs_the_server(server, held, offline, sold, changes):
    asked = {"license_key": sold, "project": "Corner Shop", **changes}
    if "license_key" in changes:
        asked["license_key"] = server.sell(changes["license_key"])
    till = offline()
    with pytest.raises(Unreachable):
        till.activate(asked.pop("license_key"), **asked)
    assert till.check().usable
    assert till.activate(sold, project="Corner Shop").usable


@pytest.mark.clause("X-03")
@pytest.mark.parametrize("code", OTHER_ENDS)
def test_what_a_signed_statement_has_ended_needs_the_server(server, held, offline, sold, code):
    server.end(code)
    with pytest.raises(Refused):
        held.heartbeat()
    with pytest.raises(Unreachable):
        offline().activate(sold, project="Corner Shop")


def test_a_lease_that_the_pinned_keyset_does_not_verify_needs_the_server(server, held, offline, sold):
    stranger = LicenseServer(server.issuer)
    stranger.mint.root = key_from("somebody else's root")
    stranger.keysets.clear()
    till = offline(pinned_keyset=stranger.publish([key_from("somebody else's key")]))
    with pytest.raises(Unreachable):
        till.activate(sold, project="Corner Shop")
    assert till.check().reason == "lease_unreadable"


def test_a_license_that_was_given_back_needs_the_server(held, offline, sold):
    held.deactivate()
    with pytest.raises(Unreachable):
        offline().activate(sold, project="Corner Shop")


def test_a_till_whose_folder_was_emptied_needs_the_server(held, offline, sold, folder):
    for path in folder.glob("tillkey-*"):
        path.unlink()
    with pytest.raises(Unreachable):
        offline().activate(sold, project="Corner Shop")


def test_a_refusal_is_raised_also_where_the_license_is_held(server, http, held, sold):
    server.end("license_revoked")
    with pytest.raises(Refused) as refused:
        held.activate(sold, project="Corner Shop")
    assert refused.value.statement is not None


def test_a_folder_that_cannot_be_used_is_raised_also_where_the_license_is_held(held, offline, sold, monkeypatch):
    def full(*arguments):
        raise StateError("no space left")

    monkeypatch.setattr(StateFolder, "save", full)
    with pytest.raises(StateError, match="no space"):
        offline().activate(sold, project="Corner Shop")


def test_a_heartbeat_by_hand_still_says_that_the_server_was_not_reached(held, offline):
    with pytest.raises(Unreachable):
        offline().heartbeat()


def test_the_background_goes_on_with_what_a_start_without_a_server_said(held, offline, sold, monkeypatch):
    monkeypatch.setattr("tillkey.background.draw", lambda: 1.0)
    till = offline()
    till.activate(sold, project="Corner Shop")
    before = till.last_error
    with till:
        assert till.last_error is before
        till.activate(sold, project="Corner Shop")
        assert till.last_error is not before
