"""The scrubber: what looks like a secret is taken out of every text that leaves the process (I16)."""

import base64
import json
import random
import secrets
from urllib.parse import quote

import pytest

from tillkey.wire import b64
from tillkey.wire.license_key import format_key, normalize
from tillkey_server import scrub
from tillkey_server.ids import new_token
from tillkey_server.signing.pepper import Pepper

LICENSE_KEY = format_key("POS", secrets.token_bytes)
TICKET = format_key("MOVE", secrets.token_bytes)
API_KEY = Pepper.new_api_key()
EMAIL = "owner@shop.example"
PEPPER = bytes(range(200, 232))
JWS = "eyJhbGciOiJFZDI1NTE5In0.eyJub25jZSI6ImFiYyJ9.c2lnbmF0dXJl"

SECRETS = {
    "a license key": LICENSE_KEY,
    "one in lower case": LICENSE_KEY.lower(),
    "one without its prefix": LICENSE_KEY.partition("-")[2],
    "one in one piece": normalize(LICENSE_KEY),
    "one in one piece and lower case": normalize(LICENSE_KEY).lower(),
    "one with spaces": LICENSE_KEY.replace("-", " "),
    "one with the dashes of a word processor": LICENSE_KEY.replace("-", " \u2013 "),
    "one in base64": base64.b64encode(LICENSE_KEY.encode()).decode(),
    "one in hexadecimal": LICENSE_KEY.encode().hex(),
    "one with its dashes encoded": LICENSE_KEY.replace("-", "%2D"),
    "a move ticket": TICKET,
    "an API key": API_KEY,
    "one in upper case": API_KEY.upper(),
    "one without its prefix, as it is hashed": API_KEY.removeprefix("tks_"),
    "a nonce": new_token(),
    "a pepper in base64": base64.b64encode(PEPPER).decode(),
    "a pepper in base64url": base64.urlsafe_b64encode(PEPPER).rstrip(b"=").decode(),
    "a pepper in hexadecimal": PEPPER.hex(),
    "an e-mail address": EMAIL,
    "one in a query": quote(EMAIL, safe=""),
    "one in JSON of ASCII alone": EMAIL.replace("@", "\\u0040"),
    "one beyond ASCII": "jos\u00e9@caf\u00e9.example",
    "a signed document": JWS,
}
AROUND = ("{}", "key={}", "({})", '"{}"', "at {}: no", "https://x.example/v1?q={}&b=1", "KeyError('{}')")


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS.keys())
def test_no_secret_is_left_in_a_text(secret, around):
    assert secret not in scrub.text(around.format(secret))


def test_of_a_thousand_nonces_none_is_left():
    drawn = random.Random(7)
    nonces = [b64.encode(drawn.randbytes(16)) for _ in range(1000)]
    kept = [nonce for nonce in nonces if scrub.text(f"x {nonce} y") != "x [redacted] y"]
    assert kept == []


def test_an_addresses_password_goes_and_its_host_stays():
    assert scrub.text("postgresql://till:pa:s/s@db.example:5432/x") != "postgresql://till:pa:s/s@db.example:5432/x"
    scrubbed = scrub.text("postgresql://till:hunter2@db/x")
    assert scrubbed == "postgresql://till:[redacted]@db/x"


@pytest.mark.parametrize(
    "text",
    [
        "activation 0192f0c4-7b1e-7c3a-9d52-3f6a1b2c4d5e is unknown",
        "urn:uuid:0192f0c4-7b1e-7c3a-9d52-3f6a1b2c4d5e",
        "fastapi.exceptions.RequestValidationError",
        "TILLKEY_TRUSTED_PROXIES: is missing",
        "use PostgreSQL; TILLKEY_STRICT_SQLITE=1 turns this warning into a refusal",
        "refused: staging_must_be_deactivated",
        "  server/tillkey_server/usecases/forced_deactivation.py:93 _take_the_license_with_it",
        "/v1/activations/{activation_id}/heartbeat took 3.5 ms",
        "100% of 2 workers at 127.0.0.1:8080",
        "POS-7XK2\u20269ABC",
    ],
)
def test_what_a_person_must_find_again_stays(text):
    assert scrub.text(text) == text


def test_a_name_that_says_secret_is_believed_at_any_depth():
    given = {"a": {"license_key": "short", "list": [{"nonce": 7, "email": None}]}, "status": 200, "raw": b"bytes"}
    assert scrub.members(given) == {
        "a": {"license_key": "[redacted]", "list": [{"nonce": "[redacted]", "email": None}]},
        "status": 200,
        "raw": "[redacted]",
    }


def test_a_dictionary_in_a_message_is_scrubbed_by_its_names():
    assert "short" not in scrub.text(json.dumps({"password": "short"}))
    assert "short" not in scrub.text(str({"license_key": "short"}))
