"""A till in a shop's own network: a certificate authority of the shop's, and a proxy between till and server."""

import datetime as dt

import pytest

from tests.sdk.http_server import closed_port, local_server
from tests.support.authority import Authority
from tests.support.forward_proxy import forward_proxy
from tillkey import ConfigurationError, Unreachable
from tillkey.transport import Transport

PROXY_VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def _no_proxy_of_the_machine(monkeypatch):
    for name in PROXY_VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


@pytest.fixture
def https(authority, server):
    with local_server(authority.context()) as running:
        running.serve(server)
        yield running


@pytest.fixture
def proxy():
    with forward_proxy() as running:
        yield running


def tunnel_to(server):
    return f"CONNECT 127.0.0.1:{server.server_address[1]} HTTP/1.1"


def test_a_till_that_is_given_the_authority_activates_over_tls(make_client, https, authority, server):
    client = make_client(server=https.address, ca_file=authority.file)
    assert client.activate(server.sell(), project="Corner Shop").status == "valid"


def test_a_file_of_authorities_that_is_not_there_is_named(make_client, tmp_path):
    with pytest.raises(ConfigurationError, match="ca_file: there is no file"):
        make_client(ca_file=tmp_path / "missing.crt")


def test_a_till_that_is_given_no_authority_says_that_tls_failed_and_how_to_mend_it(make_client, https, server):
    with pytest.raises(Unreachable, match="certificate") as caught:
        make_client(server=https.address).activate(server.sell(), project="Corner Shop")
    assert caught.value.kind == "tls"


def test_a_certificate_of_another_authority_is_not_believed(https, tmp_path):
    other = Authority(tmp_path, "another authority")
    assert Transport(https.address, ca_file=str(other.file)).get("/").kind == "tls"


@pytest.mark.parametrize(
    "options", [{"address": "127.0.0.2"}, {"ends_in": -dt.timedelta(days=1)}], ids=["another address", "ended"]
)
def test_a_certificate_of_the_authority_that_does_not_fit_is_not_believed(authority, server, options):
    with local_server(authority.context(**options)) as running:
        running.serve(server)
        assert Transport(running.address, ca_file=str(authority.file)).get("/v1/keyset/1").kind == "tls"


def test_the_proxy_of_the_environment_is_a_tunnel_for_https(monkeypatch, https, authority, proxy):
    monkeypatch.setenv("HTTPS_PROXY", proxy.address)
    assert Transport(https.address, ca_file=str(authority.file)).get("/v1/keyset/1").status == 200
    assert proxy.asked == [tunnel_to(https)]


def test_the_proxy_of_the_environment_forwards_plain_http(monkeypatch, http, proxy):
    monkeypatch.setenv("HTTP_PROXY", proxy.address)
    assert Transport(http.address).get("/v1/keyset/1").status == 200
    assert proxy.asked == [f"GET {http.address}/v1/keyset/1 HTTP/1.1"]


def test_what_no_proxy_names_is_reached_without_the_proxy(monkeypatch, https, authority, proxy):
    monkeypatch.setenv("HTTPS_PROXY", proxy.address)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    assert Transport(https.address, ca_file=str(authority.file)).get("/v1/keyset/1").status == 200
    assert proxy.asked == []


def test_the_password_of_the_environment_s_proxy_is_given_to_it(monkeypatch, https, authority, proxy):
    proxy.login = "till:open sesame"
    monkeypatch.setenv("HTTPS_PROXY", proxy.address.replace("//", "//till:open%20sesame@"))
    assert Transport(https.address, ca_file=str(authority.file)).get("/v1/keyset/1").status == 200


def test_a_proxy_that_refuses_is_unreachable_without_a_word_of_its_password(monkeypatch, https, authority, proxy):
    proxy.login = "till:open-sesame"
    monkeypatch.setenv("HTTPS_PROXY", proxy.address.replace("//", "//till:wrong-sesame@"))
    failed = Transport(https.address, ca_file=str(authority.file)).get("/v1/keyset/1")
    assert "407" in failed.detail
    assert "sesame" not in repr(failed)


def test_a_proxy_does_not_soften_what_tls_believes(monkeypatch, https, proxy):
    monkeypatch.setenv("HTTPS_PROXY", proxy.address)
    assert Transport(https.address).get("/v1/keyset/1").kind == "tls"


def test_a_server_that_the_proxy_cannot_reach_is_unreachable(monkeypatch, proxy):
    monkeypatch.setenv("HTTPS_PROXY", proxy.address)
    assert "502" in Transport(f"https://127.0.0.1:{closed_port()}").get("/v1/keyset/1").detail


def test_a_till_goes_through_the_proxy_that_it_is_told(make_client, https, authority, proxy, server):
    client = make_client(server=https.address, ca_file=authority.file, proxy=proxy.address)
    assert client.activate(server.sell(), project="Corner Shop").usable
    assert proxy.asked == [tunnel_to(https)]


def test_a_till_goes_through_the_proxy_of_its_environment(monkeypatch, make_client, https, authority, proxy, server):
    monkeypatch.setenv("HTTPS_PROXY", proxy.address)
    assert (
        make_client(server=https.address, ca_file=authority.file).activate(server.sell(), project="Corner Shop").usable
    )
    assert proxy.asked == [tunnel_to(https)]


def test_a_proxy_that_refuses_is_named_as_the_proxy(make_client, https, authority, proxy, server):
    proxy.login = "till:open-sesame"
    client = make_client(server=https.address, ca_file=authority.file, proxy=proxy.address)
    with pytest.raises(Unreachable) as caught:
        client.activate(server.sell(), project="Corner Shop")
    assert caught.value.kind == "proxy"


def test_a_proxy_that_refuses_plain_http_is_named_as_the_proxy_with_the_same_mend(make_client, http, proxy, server):
    proxy.login = "till:open-sesame"
    with pytest.raises(Unreachable, match=r"407 .* Check the proxy's address and password") as caught:
        make_client(proxy=proxy.address).activate(server.sell(), project="Corner Shop")
    assert caught.value.kind == "proxy"
    assert server.seen == []


def test_a_proxy_that_is_not_there_is_named_as_the_proxy(make_client, https, authority, server):
    gone = f"http://127.0.0.1:{closed_port()}"
    client = make_client(server=https.address, ca_file=authority.file, proxy=gone)
    with pytest.raises(Unreachable, match="proxy's address") as caught:
        client.activate(server.sell(), project="Corner Shop")
    assert caught.value.kind == "proxy"


@pytest.mark.parametrize("proxy", ["proxy.example.com", "socks5://x", "http://", "http://u:p@x/path", 7])
def test_what_is_no_proxys_address_is_refused_and_not_repeated(make_client, proxy):
    with pytest.raises(ConfigurationError, match="proxy: is no address") as caught:
        make_client(proxy=proxy)
    assert "u:p" not in str(caught.value)
