"""The way to the server: a private authority, a proxy, and an error that names which of them failed."""

import pytest

from tests.sdk.http_server import closed_port
from tests.support.tls import behind_tls, forward_proxy, make_certificate
from tillkey import ConfigurationError, LicenseClient, Unreachable
from tillkey.testing import FakeServer

SHOP = "Corner Shop"


@pytest.fixture
def fake():
    with FakeServer() as server:
        yield server


@pytest.fixture
def certificate(tmp_path):
    return make_certificate(tmp_path)


@pytest.fixture
def https(fake, certificate):
    with behind_tls(fake.url.removeprefix("http://"), *certificate) as address:
        yield address


@pytest.fixture
def till(fake, tmp_path, monkeypatch):
    for name in (
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "http_proxy",
        "https_proxy",
        "all_proxy",
        "NO_PROXY",
        "no_proxy",
    ):
        monkeypatch.delenv(name, raising=False)

    def start(address, **options):
        return LicenseClient(address, "pos-core", fake.keyset, tmp_path / "till", clock=fake.clock, **options)

    return start


def unreachable(client, key):
    with pytest.raises(Unreachable) as caught:
        client.activate(key, project=SHOP)
    return caught.value


def test_a_private_authority_is_believed_when_its_file_is_named_and_not_before(fake, https, certificate, till):
    key = fake.license("pos-core")
    error = unreachable(till(https), key)
    assert error.kind == "tls"
    assert "certificate" in str(error)
    assert till(https, ca_file=certificate[0]).activate(key, project=SHOP).usable


def test_a_till_goes_through_the_proxy_that_it_is_told(fake, https, certificate, till):
    with forward_proxy() as proxy:
        client = till(https, ca_file=certificate[0], proxy=proxy.address)
        assert client.activate(fake.license("pos-core"), project=SHOP).usable
    assert proxy.asked == [https.removeprefix("https://")]


def test_a_till_goes_through_the_proxy_of_its_environment(fake, https, certificate, till, monkeypatch):
    with forward_proxy() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.address)
        assert till(https, ca_file=certificate[0]).activate(fake.license("pos-core"), project=SHOP).usable
    assert proxy.asked


def test_a_proxy_that_refuses_and_one_that_is_not_there_are_named_as_the_proxy(fake, https, certificate, till):
    key = fake.license("pos-core")
    with forward_proxy() as proxy:
        proxy.refuses = True
        refusing = unreachable(till(https, ca_file=certificate[0], proxy=proxy.address), key)
    gone = unreachable(till(https, ca_file=certificate[0], proxy=f"http://127.0.0.1:{closed_port()}"), key)
    assert (refusing.kind, gone.kind) == ("proxy", "proxy")
    assert "proxy's address" in str(gone)


@pytest.mark.parametrize("proxy", ["proxy.example.com", "socks5://x", "http://", "http://u:p@x/path", 7])
def test_what_is_no_proxys_address_is_refused_and_not_repeated(till, proxy):
    with pytest.raises(ConfigurationError, match="proxy: is no address") as caught:
        till("https://licenses.example.com", proxy=proxy)
    assert "u:p" not in str(caught.value)


def test_an_authoritys_file_that_is_not_there_is_named(till, tmp_path):
    with pytest.raises(ConfigurationError, match="ca_file: there is no file"):
        till("https://licenses.example.com", ca_file=tmp_path / "missing.crt")
