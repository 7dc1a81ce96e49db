"""The client and its state folder, and the arguments that it is given."""

import shutil
import stat
import threading

import pytest

from tests.sdk.http_server import broken
from tests.sdk.license_server import LicenseServer, key_from, license_key
from tillkey import (
    Busy,
    ConfigurationError,
    LicenseClient,
    NotActivated,
    Refused,
    StateError,
    Unreachable,
    trust,
)
from tillkey.effects import Reply
from tillkey.storage import StateFolder
from tillkey.wire import strict_json


def test_an_unknown_license_key_is_refused_without_a_statement(client):
    with pytest.raises(Refused) as refused:
        client.activate(license_key(99), project="Corner Shop")
    assert (refused.value.code, refused.value.statement) == ("license_invalid", None)


@pytest.mark.clause("K-14")
def test_a_mistyped_license_key_is_refused_without_asking_the_server(server, client, folder):
    key = server.sell()
    wrong = key[:-1] + ("A" if key[-1] != "A" else "B")
    with pytest.raises(Refused, match="mistyped") as refused:
        client.activate(wrong, project="Corner Shop")
    assert refused.value.code == "license_invalid"
    assert server.seen == []
    assert not folder.exists()


def test_the_license_key_is_nowhere_on_the_disk_once_it_is_answered(server, client, folder):
    key = server.sell()
    client.activate(key, project="Corner Shop")
    sent = server.seen[0].body.license_key.encode()
    for path in folder.iterdir():
        assert sent not in path.read_bytes()


def test_the_license_key_stays_only_while_the_activation_is_pending(server, http, client, state_file):
    broken(server, http, lambda _: Reply(500, "text/plain", b""))
    with pytest.raises(Unreachable):
        client.activate(server.sell(), project="Corner Shop")
    assert "license_key" in state_file()["pending"]
    http.serve(server)
    client.heartbeat()
    assert state_file()["pending"] is None


def test_state_files_are_the_owners_alone(server, client, folder):
    client.activate(server.sell(), project="Corner Shop")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for path in folder.glob("tillkey-*"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_products_of_one_folder_share_one_installation_key(server, client, make_client, state_file):
    client.activate(server.sell(), project="Corner Shop")
    other = LicenseServer(product="pos-loyalty")
    second = make_client(product="pos-loyalty", server=client._server)
    http_answer = server.post
    server.post = other.post
    try:
        second.activate(other.sell(), project="Corner Shop")
    finally:
        server.post = http_answer
    assert state_file("pos-loyalty")["key"] == state_file()["key"]
    assert other.seen[0].jkt == server.seen[0].jkt


def test_check_tells_of_a_state_folder_that_cannot_be_read(server, make_client, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    verdict = make_client(state_dir=blocked).check()
    assert verdict.status == "unlicensed"
    assert "cannot read" in verdict.problems[0]
    assert verdict.reason == "state_unreadable"
    assert str(blocked) in verdict.notice
    assert "Activate" not in verdict.notice


def test_a_state_folder_that_cannot_be_written_raises_a_state_error(server, make_client, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StateError, match="cannot lock"):
        make_client(state_dir=tmp_path / "file" / "state").activate(server.sell(), project="Corner Shop")
    assert server.seen == []


def test_a_torn_state_file_is_set_aside_reported_and_recovered(server, client, make_client, folder):
    client.activate(server.sell(), project="Corner Shop")
    client.heartbeat()
    file = folder / "tillkey-pos-core.json"
    file.write_bytes(file.read_bytes()[:200])
    fresh = make_client()
    verdict = fresh.check()
    assert verdict.usable
    assert "previous generation" in verdict.problems[0]
    assert file.exists()
    assert fresh.heartbeat().problems == verdict.problems
    assert len(list(folder.glob("*.damaged-*"))) == 1
    assert server.holder().forks == 0


def test_a_till_whose_files_are_all_torn_is_told_to_activate_again(server, client, make_client, folder):
    client.activate(server.sell(), project="Corner Shop")
    for path in folder.glob("tillkey-*"):
        path.write_bytes(b"{")
    verdict = make_client().check()
    assert (verdict.status, verdict.reason) == ("unlicensed", "state_damaged")
    assert "again with its license key" in verdict.notice


def test_a_server_that_is_not_the_keysets_says_so(server, http, make_client):
    client = make_client(pinned_keyset=LicenseServer("another-issuer").keysets[1])
    detail = "request.aud: is not this server's issuer."
    problem = strict_json.dumps({"code": "malformed", "detail": detail})
    broken(server, http, lambda _: Reply(400, "application/problem+json", problem))
    with pytest.raises(Refused, match="The pinned keyset is another server's") as refused:
        client.activate(server.sell(), project="Corner Shop")
    assert refused.value.detail.startswith(detail)


def test_a_foreign_state_file_is_set_aside(server, client, make_client, folder):
    client.activate(server.sell(), project="Corner Shop")
    other = LicenseServer("another-issuer")
    fresh = make_client(pinned_keyset=other.keysets[1])
    verdict = fresh.check()
    assert verdict.status == "unlicensed"
    assert "another license server" in verdict.problems[0]
    assert (verdict.reason, verdict.activated) == ("keyset_mismatch", False)
    assert verdict.notice.startswith("The pinned keyset is of another server")
    with pytest.raises(NotActivated):
        fresh.heartbeat()
    assert fresh.check().reason == "keyset_mismatch"


def test_a_call_by_hand_waits_a_bounded_time_for_the_folder(server, make_client, folder):
    client = make_client(lock_timeout=0.05)
    client.activate(server.sell(), project="Corner Shop")
    with (
        StateFolder(folder, "pos-core", server.issuer).locked(0),
        pytest.raises(Busy, match="try again in a few seconds"),
    ):
        client.heartbeat()


def test_a_restored_state_folder_beats_on(server, client, make_client, folder, tmp_path):
    client.activate(server.sell(), project="Corner Shop")
    client.heartbeat()
    shutil.copytree(folder, tmp_path / "backup")
    for _ in range(3):
        client.heartbeat()
    restored = make_client(state_dir=tmp_path / "backup", machine_traits={"location": str(folder)})
    assert restored.heartbeat().usable
    assert server.holder().forks == 1


def test_two_clients_on_one_folder_beat_in_turn_without_a_fork(server, make_client):
    first, second = make_client(), make_client()
    first.activate(server.sell(), project="Corner Shop")
    threads = [threading.Thread(target=each.heartbeat) for each in [first, second] * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert server.holder().forks == 0
    assert server.holder().seq == 9


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"server": "licenses.example.com"}, "server"),
        ({"server": "ftp://licenses.example.com"}, "server"),
        ({"server": "https://user@licenses.example.com"}, "server"),
        ({"server": "https://licenses.example.com:port"}, "server"),
        ({"product": "POS core"}, "product"),
        ({"pinned_keyset": "/nowhere/keyset.json"}, "pinned_keyset"),
        ({"pinned_keyset": '{"payload": "x", "signatures": []}'}, "pinned_keyset"),
        ({"app_version": "v" * 65}, "app_version"),
        ({"platform_version": ""}, "platform_version"),
        ({"machine_traits": {"Disk": "x"}}, "machine_traits"),
        ({"machine_traits": {"disk": 7}}, "machine_traits"),
        ({"machine_traits": {f"disk_{letter}": "x" for letter in "abcdefghijklm"}}, "machine_traits"),
    ],
)
def test_an_argument_that_cannot_be_right_is_named(make_client, changes, names):
    with pytest.raises(ConfigurationError, match=f"^{names}:") as raised:
        make_client(**changes)
    assert isinstance(raised.value, ValueError)


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ({"environment": "prod"}, "environment"),
        ({"project": ""}, "project"),
        ({"project": "a\nb"}, "project"),
        ({"site": "x" * 254}, "site"),
        ({"move_ticket": "x" * 101}, "move_ticket"),
        ({"license_key": 7}, "license_key"),
    ],
)
def test_an_argument_of_activate_that_cannot_be_right_is_named(server, client, arguments, names):
    asked = {"license_key": server.sell(), "project": "Corner Shop", **arguments}
    with pytest.raises(ConfigurationError, match=f"^{names}:"):
        client.activate(asked.pop("license_key"), **asked)


def test_the_keyset_may_be_given_as_a_path(server, make_client, tmp_path):
    path = tmp_path / "keyset.json"
    path.write_text(server.keysets[1])
    assert make_client(pinned_keyset=path).check().status == "unlicensed"
    assert make_client(pinned_keyset=str(path)).activate(server.sell()).usable


def test_a_lease_whose_key_was_withdrawn_is_degraded_until_the_next_answer(server, client, make_client):
    client.activate(server.sell(), project="Corner Shop")
    server.publish([key_from("new")])
    withdrawn = make_client(pinned_keyset=server.keysets[2])
    verdict = withdrawn.check()
    assert (verdict.status, verdict.usable, verdict.reason) == ("degraded", True, "key_withdrawn")
    assert verdict.entitlements == ("sell",)


def test_the_default_state_folder_is_one_for_each_issuer(server, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    issuers = ["licenses.example.com", "licenses.example.org"]
    clients = [LicenseClient("http://127.0.0.1:9", "pos-core", LicenseServer(name).keysets[1]) for name in issuers]
    folders = {each.state_dir for each in clients}
    assert len(folders) == 2
    assert all(tmp_path in folder.parents and not folder.exists() for folder in folders)


def test_a_newer_keyset_in_the_state_is_walked_from_the_pinned_one(server, client, make_client):
    client.activate(server.sell(), project="Corner Shop")
    server.publish([server.mint.online], wished=True)
    client.heartbeat()
    assert make_client().check().status == "valid"
    assert trust.pinned(server.keysets[1]).newest.version == 1


def test_a_keyset_pinned_by_mistake_costs_no_license(server, client, make_client):
    client.activate(server.sell(), project="Corner Shop")
    mistaken = make_client(pinned_keyset=LicenseServer("another-issuer").keysets[1])
    with pytest.raises((Refused, Unreachable)):
        mistaken.activate(server.sell(2), project="Corner Shop")
    assert make_client().check().usable
    assert make_client().heartbeat().usable
    assert server.holder().forks == 0


def test_a_till_of_two_servers_keeps_both_licenses(server, client, http, make_client):
    client.activate(server.sell(), project="Corner Shop")
    other = LicenseServer("another-issuer")
    http.serve(other)
    second = make_client(pinned_keyset=other.keysets[1])
    second.activate(other.sell(), project="Corner Shop")
    http.serve(server)
    assert make_client().heartbeat().usable
    http.serve(other)
    assert make_client(pinned_keyset=other.keysets[1]).heartbeat().usable
    assert (server.holder().forks, other.holder().forks) == (0, 0)
