"""Log lines: JSON, numbered by request, and without a secret whatever their author forgot (I16)."""

import io
import json
import logging
import re

import httpx
import pytest

from tests.support.server import Installation
from tillkey_server.api import logs

LICENSE_KEY = "POS-7XK2M-ABCDE-12345-FGHJK-M4N5P6Q"
EMAIL = "owner@shop.example"
NONCE = "q2hQ3kX9Zt0uVbW1yLmN4A"
SECRETS = (LICENSE_KEY, EMAIL, NONCE)
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


@pytest.fixture
def log_text():
    """Collect what one logger writes, as `serve` would write it."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.JsonFormatter())
    root = logging.getLogger("tillkey_server")
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield stream.getvalue
    root.removeHandler(handler)
    root.setLevel(level)


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_in_a_message_its_arguments_or_its_extras_is_not_written(log_text, secret):
    log = logging.getLogger("tillkey_server.careless")
    log.warning(f"in the message {secret}")  # noqa: G004 - what a careless author does
    log.warning("in the arguments %s %r", secret, {"inner": [secret]})
    log.warning("in the extras", extra={"customer": secret, "deep": {"list": [secret], secret: 1}})
    assert secret not in log_text()
    assert len(log_text().splitlines()) == 3


@pytest.mark.parametrize("secret", SECRETS)
def test_a_command_tells_a_person_no_secret_either(secret):
    record = logging.LogRecord("x", logging.ERROR, "p", 1, "about %s", (secret,), None)
    assert logs.PlainFormatter().format(record) == "ERROR: about [redacted]"


async def test_every_line_of_a_request_bears_the_number_that_the_answer_repeats(bare_http, log_text):
    response = await bare_http.get("/healthz")
    number = response.headers["x-request-id"]
    assert re.fullmatch("[0-9a-f]{32}", number)
    assert [json.loads(line)["request"] for line in log_text().splitlines()] == [number]


async def test_a_well_formed_traceparent_gives_the_number(bare_http, log_text):
    response = await bare_http.get("/healthz", headers={"traceparent": PARENT})
    assert response.headers["x-request-id"] == TRACE


@pytest.mark.parametrize(
    "given",
    [
        "",
        "nonsense",
        TRACE,
        PARENT.upper(),
        f"ff-{TRACE}-00f067aa0ba902b7-01",
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"{PARENT}\u00e9",
    ],
)
async def test_an_odd_traceparent_gets_a_new_number(bare_http, log_text, given):
    response = await bare_http.get("/healthz", headers={"traceparent": given.encode()})
    assert response.status_code == 200
    number = response.headers["x-request-id"]
    assert re.fullmatch("[0-9a-f]{32}", number)
    assert number != TRACE


async def test_a_number_ends_with_its_request(bare_http, log_text):
    await bare_http.get("/healthz")
    logging.getLogger("tillkey_server.later").warning("between requests")
    assert "request" not in json.loads(log_text().splitlines()[-1])


def test_a_running_server_numbers_its_lines(tmp_path):
    with Installation(tmp_path / "data").init(examples=False).serving() as server:
        number = httpx.get(f"{server.url}/readyz", headers={"traceparent": PARENT}, trust_env=False).headers[
            "x-request-id"
        ]
        assert number == TRACE
        server.stop()
        lines = [json.loads(line) for line in server.log.splitlines() if line.startswith("{")]
    assert [line["request"] for line in lines if line["message"] == "request"] == [TRACE]
