"""The secret scan itself: a leak of any secret in any encoding turns a run red."""

import base64
from pathlib import Path

import pytest

from tests.support import needles
from tests.support.needles import Needles, words_of
from tests.support.record import Record

LICENSE_KEY = "POS-7XK2M-ABCDE-12345-FGHJK-M4N5P6Q"
API_KEY = "tks_3kX9Zt0uVbW1yLmN4Aq2hQ3kX9Zt0uVbW1yLmN4A7c8"
NONCE = "q2hQ3kX9Zt0uVbW1yLmN4A"
EMAIL = "owner@shop.example"
PEPPER = bytes(range(190, 222))
ISSUED = {LICENSE_KEY: needles.LICENSE_KEY, API_KEY: needles.API_KEY, EMAIL: needles.EMAIL, PEPPER: needles.PEPPER}


def _leaks(kind, secret, text):
    searched = Needles()
    searched.add(kind, secret)
    return list(searched.find(dict.fromkeys(words_of(text), "here")))


@pytest.mark.parametrize("before", ["", "a", "ab"])
@pytest.mark.parametrize("secret", ISSUED, ids=str)
def test_a_secret_within_base64_is_found_wherever_it_begins(secret, before):
    raw = secret if isinstance(secret, bytes) else secret.encode()
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        text = encode(f"{before}".encode() + raw + b"behind").decode()
        assert _leaks(ISSUED[secret], secret, text) == [f"here: {ISSUED[secret]}"]


@pytest.mark.parametrize(
    "text",
    [
        LICENSE_KEY,
        LICENSE_KEY.lower(),
        LICENSE_KEY.replace("-", "")[3:],
        LICENSE_KEY.replace("-", "")[3:].lower(),
        LICENSE_KEY.encode().hex(),
        LICENSE_KEY.encode("utf-16-le").decode("latin-1"),
        f"x={LICENSE_KEY}&y",
    ],
)
def test_a_license_key_is_found_in_every_encoding(text):
    assert _leaks(needles.LICENSE_KEY, LICENSE_KEY, f"a line with {text} in it") == ["here: license key or ticket"]


def test_a_nonce_and_a_pepper_in_hexadecimal_are_found():
    assert _leaks(needles.NONCE, NONCE, f'{{"nonce":"{NONCE}"}}') == ["here: nonce"]
    assert _leaks(needles.PEPPER, PEPPER, PEPPER.hex()) == ["here: pepper"]


@pytest.mark.parametrize("text", [EMAIL, "owner%40shop.example", "owner\\u0040shop.example", "stranger@other.example"])
def test_an_address_is_found_whether_or_not_it_was_issued(text):
    record = Record()
    record.left("here", f"about {text}: no")
    assert record.leaks() == ["here: e-mail address"]


def test_a_column_may_hold_its_value_and_no_other_place_may():
    record = Record()
    record.database([("lease.nonce", NONCE), ("customer.email", EMAIL)])
    assert record.leaks() == []
    record.database([("audit_event.facts", f'{{"n": "{NONCE}", "to": "{EMAIL}"}}')])
    assert record.leaks() == ["audit_event.facts: e-mail address", "audit_event.facts: nonce"]


def _run(pytester, body):
    root = Path(__file__).parents[2]
    pytester.makeini(f"[pytest]\npythonpath = {root}\nasyncio_default_fixture_loop_scope = function\n")
    pytester.makeconftest(
        "from tests.support.secrecy import Secrecy\n"
        "def pytest_configure(config):\n"
        "    config.pluginmanager.register(Secrecy(), 'tillkey-secrecy')\n"
    )
    pytester.makepyfile(
        "import logging, secrets\n"
        "from tests.support.record import RECORD\n"
        "from tillkey.wire.license_key import format_key\n"
        "def test_green():\n"
        "    key = format_key('POS', secrets.token_bytes)\n"
        f"    {body}\n"
    )
    return pytester.runpytest_subprocess("-p", "no:cacheprovider", "-n", "1")


def test_a_leak_turns_a_green_parallel_run_red(pytester):
    run = _run(pytester, "RECORD.left('trace', f'span of {key}')")
    assert run.ret == pytest.ExitCode.TESTS_FAILED
    run.stdout.fnmatch_lines(["*secrets lie where they must not*", "trace: license key or ticket"])


def test_a_run_whose_log_line_was_scrubbed_stays_green(pytester):
    run = _run(pytester, "logging.getLogger('tillkey_server.x').warning('about %s', key)")
    assert run.ret == pytest.ExitCode.OK
    run.stdout.fnmatch_lines(["secrecy: searched * for 1 secrets *: 0 leaks"])


@pytest.mark.parametrize(("text", "is_one"), [("to anna@shop.example, today", True), ("\ufffd~w@w.aa\ufffd", False)])
def test_a_few_symbols_of_a_hash_that_look_like_an_address_are_none(text, is_one):
    assert needles.has_email(text) is is_one
