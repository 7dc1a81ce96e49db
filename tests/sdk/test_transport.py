"""HTTP: every way in which it can go wrong has a name, and none of them an exception."""

import socket
import ssl
import threading

import httpx
import pytest

from tests.sdk.http_server import closed_port
from tillkey.effects import Reply, Unreached
from tillkey.transport import Transport, _named, _retry_after


@pytest.fixture
def transport(http):
    return Transport(http.address, total_timeout=5)


def test_a_reply_comes_back_as_it_was_sent(http, transport):
    asked = []

    def answer(handler, body):
        asked.append((handler.command, handler.path, body, handler.headers["content-type"]))
        return Reply(418, "text/plain", b"tea", 7)

    http.answer = answer
    assert transport.post("/v1/x", b"{}") == Reply(418, "text/plain", b"tea", 7)
    assert transport.get("/v1/keyset/2").status == 418
    assert asked == [("POST", "/v1/x", b"{}", "application/json"), ("GET", "/v1/keyset/2", b"", None)]


def test_a_redirect_is_not_followed(http, transport):
    paths = []

    def answer(handler, body):
        paths.append(handler.path)
        return Reply(307, "text/html", b"")

    http.answer = answer
    assert transport.post("/v1/x", b"{}").status == 307
    assert paths == ["/v1/x"]


def test_compression_is_not_asked_for(http, transport):
    seen = []

    def answer(handler, body):
        seen.append(handler.headers["accept-encoding"])
        return Reply(200, "application/json", b"{}")

    http.answer = answer
    transport.get("/")
    assert seen == ["identity"]


def test_a_long_answer_is_cut_off(http, transport):
    def endless(handler, body):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n" + b"x" * 200_000)

    http.answer = endless
    assert transport.get("/").kind == "too_large"


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\nContent-Le"], ids=["nothing", "half a head"])
def test_a_server_that_goes_silent_is_left_at_the_deadline(http, sent):
    over = threading.Event()

    def silent(handler, body):
        handler.wfile.write(sent)
        handler.wfile.flush()
        over.wait(10)

    http.answer = silent
    result = Transport(http.address, total_timeout=0.2).get("/")
    over.set()
    assert result.kind == "timeout"


def test_a_server_that_drips_bytes_is_left_at_the_deadline(http):
    over = threading.Event()

    def dripping(handler, body):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while not over.wait(0.02):
            handler.wfile.write(b"x")

    http.answer = dripping
    result = Transport(http.address, total_timeout=0.3).get("/")
    over.set()
    assert result.kind == "timeout"


def test_a_closed_port_is_a_failed_connection():
    assert Transport(f"http://127.0.0.1:{closed_port()}").get("/").kind == "connect"


def test_a_server_without_tls_behind_https_is_a_tls_error(http):
    assert Transport(http.address.replace("http:", "https:")).get("/").kind == "tls"


def test_a_certificate_file_that_cannot_be_read_is_unreachable_and_not_a_crash(http, tmp_path):
    transport = Transport(http.address.replace("http:", "https:"), ca_file=str(tmp_path / "missing.pem"))
    assert isinstance(transport.get("/"), Unreached)


def test_a_connection_that_breaks_is_a_network_error(http, transport):
    http.answer = lambda handler, body: None
    assert transport.get("/").kind == "network"


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (caused(httpx.ConnectError("x"), socket.gaierror(-2, "Name or service not known")), "dns"),
        (caused(httpx.ConnectError("x"), ssl.SSLCertVerificationError("expired")), "tls"),
        (httpx.ConnectTimeout("x"), "timeout"),
        (httpx.ReadTimeout("x"), "timeout"),
        (httpx.ConnectError("x"), "connect"),
        (httpx.RemoteProtocolError("x"), "network"),
        (UnicodeError("label too long"), "network"),
    ],
)
def test_what_went_wrong_is_named_by_its_cause(error, kind):
    assert _named(error).kind == kind


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, None),
        ("", None),
        ("120", 120),
        ("0", 0),
        ("999999999999", 86_400),
        ("-5", None),
        ("soon", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
        ("Wed, 21 Oct 2999 07:28:00 GMT", 86_400),
    ],
)
def test_retry_after_is_read_as_seconds_of_at_most_a_day(text, seconds):
    assert _retry_after(text) == seconds
