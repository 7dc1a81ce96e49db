"""What a host is told, and what its log holds."""

import logging

import pytest

from tillkey import LicenseClient, Unreachable
from tillkey.testing import FakeServer


@pytest.fixture
def fake():
    with FakeServer() as server:
        yield server


@pytest.fixture
def client(fake, tmp_path):
    def start(**options):
        return LicenseClient(fake.url, "pos-core", fake.keyset, tmp_path / "till", clock=fake.clock, **options)

    return start


def test_a_host_is_told_once_of_each_change(fake, client):
    seen = []
    till, key = client(on_change=lambda verdict: seen.append(verdict.status)), fake.license("pos-core")
    till.activate(key, project="Corner Shop")
    till.heartbeat()
    fake.suspend(key)
    with pytest.raises(Exception, match="suspended"):
        till.heartbeat()
    fake.resume(key)
    till.heartbeat()
    till.deactivate()
    assert seen == ["valid", "suspended", "valid", "released"]


def test_a_hook_that_raises_harms_nobody_and_is_logged_without_its_words(fake, client, caplog):
    def broken(_verdict):
        raise ValueError("the customer's name")

    till = client(on_change=broken)
    assert till.activate(fake.license("pos-core"), project="Corner Shop").usable
    assert "a hook of the host raised ValueError" in caplog.text
    assert "customer" not in caplog.text


@pytest.mark.clause("I16")
def test_the_log_tells_what_happened_and_no_secret(fake, client, caplog, tmp_path):
    caplog.set_level(logging.DEBUG, "tillkey")
    till, key = client(), fake.license("pos-core")
    till.activate(key, project="Corner Shop")
    ticket = till.move_ticket("staging")
    fake.go_down()
    with pytest.raises(Unreachable):
        till.heartbeat()
    held = (tmp_path / "till" / "tillkey-pos-core.json").read_text()
    assert "pos-core: valid" in caplog.text
    for secret in (key, key.replace("-", ""), ticket, fake.url, str(till.check().activation)):
        assert secret not in caplog.text
    tokens = {word for word in held.replace('"', " ").replace(".", " ").split() if len(word) >= 22}
    assert not [token for token in tokens if token in caplog.text]
