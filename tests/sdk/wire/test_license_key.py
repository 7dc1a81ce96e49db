"""A license key holds 130 bits, survives how people type it, and notices every single slip."""

import hashlib
import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sdk.wire.documents import calm
from tillkey.wire.errors import WireError
from tillkey.wire.license_key import ALPHABET, BODY_SYMBOLS, display, format_key, hint, normalize


def made(label="key", prefix="POS"):
    draws = itertools.count()
    return format_key(prefix, lambda count: hashlib.sha512(f"{label} {next(draws)}".encode()).digest()[:count])


def given_bytes(value):
    """A source of random bytes that gives one value of 130 bits, and fails if it is asked again."""
    raw = iter([(value << 6).to_bytes(17, "big")])
    return lambda count: next(raw) if count == 17 else b""


def checksum_fits(value):
    return value % 37 < 32


BITS = st.integers(0, 2**130 - 1).filter(checksum_fits)
KEYS = BITS.map(lambda value: format_key("POS", given_bytes(value)))


def test_a_key_looks_like_this():
    assert re.fullmatch(r"POS(-[0-9A-HJKMNP-TV-Z]{5}){4}-[0-9A-HJKMNP-TV-Z]{7}", made())
    assert made() != made("other")


@calm
@given(BITS)
def test_all_130_random_bits_are_in_the_key(value):
    body = normalize(format_key("POS", given_bytes(value)))
    assert sum(ALPHABET.index(symbol) << 5 * (25 - place) for place, symbol in enumerate(body[:26])) == value
    assert ALPHABET.index(body[26]) == value % 37


def test_the_six_bits_too_many_change_nothing():
    keys = {format_key("POS", lambda count, low=low: bytes(16) + bytes([low])[: count - 16]) for low in range(64)}
    assert len(keys) == 1
    assert format_key("POS", lambda _: bytes(16) + b"\x40") not in keys


@pytest.mark.parametrize("check", range(37))
def test_no_key_ends_in_a_check_symbol_that_is_no_digit_or_letter(check):
    draws = iter([(check << 6).to_bytes(17, "big"), bytes(17)])
    key = format_key("POS", lambda _: next(draws))
    assert key[-1] == (ALPHABET[check] if check < 32 else "0")
    assert set(key) <= set("-" + ALPHABET + "POS")
    assert len(list(draws)) == (1 if check < 32 else 0)


@calm
@given(KEYS, st.integers(0, BODY_SYMBOLS - 1), st.sampled_from(ALPHABET))
def test_a_wrong_symbol_is_noticed(key, place, symbol):
    body = normalize(key)
    if body[place] != symbol:
        with pytest.raises(WireError, match="mistyped somewhere"):
            normalize(body[:place] + symbol + body[place + 1 :])


@calm
@given(KEYS, st.integers(0, BODY_SYMBOLS - 2))
def test_two_neighbours_exchanged_are_noticed(key, place):
    body = normalize(key)
    if body[place] != body[place + 1]:
        with pytest.raises(WireError, match="mistyped somewhere"):
            normalize(body[:place] + body[place + 1] + body[place] + body[place + 2 :])


def test_every_single_slip_on_one_key_is_noticed():
    body = normalize(made())
    slips = {body[:place] + symbol + body[place + 1 :] for place in range(27) for symbol in ALPHABET}
    slips |= {body[:place] + body[place + 1] + body[place] + body[place + 2 :] for place in range(26)}
    slips.remove(body)
    assert len(slips) > 27 * 31
    for slip in slips:
        with pytest.raises(WireError):
            normalize(slip)


def test_modulo_37_proves_it_for_every_key():
    # A substitution moves the value by d * 32^k, a transposition by d * (32^(k+1) - 32^k), with 0 < |d| < 32.
    for places, distance in itertools.product(range(26), range(1, 32)):
        assert distance * 32**places % 37
        assert distance * (32 ** (places + 1) - 32**places) % 37
    # Exchanging the last random symbol and the check symbol: both readings fit only where twice their distance is 0.
    assert all(2 * distance % 37 for distance in range(1, 32))


@pytest.mark.clause("K-14")
@pytest.mark.parametrize(
    "typed",
    [
        str.lower,
        str.title,
        lambda key: f"  {key}\n",
        lambda key: f"\ufeff{key}\r\n",
        lambda key: key.replace("-", ""),
        lambda key: key.replace("-", " "),
        lambda key: key.replace("-", "\u00a0"),
        lambda key: key.replace("-", "\u2009\u202f\u3000"),
        lambda key: key.replace("-", "\u2013"),
        lambda key: key.replace("-", "\u2014"),
        lambda key: key.replace("-", "\u2011"),
        lambda key: key.replace("-", "\u2212"),
        lambda key: key.replace("-", "\uff0d"),
        lambda key: key.replace("-", "_").replace("_", ".", 1),
        lambda key: key.replace("-", " - "),
        "\u200b".join,
        "\u00ad".join,
        lambda key: f"\u202a{key}\u202c",
        lambda key: f"\u2068{key}\u2069\u200e",
        lambda key: "".join(chr(ord(symbol) + 0xFEE0) for symbol in key),
        lambda key: key[:4] + key[4:].replace("0", "O").replace("1", "I"),
        lambda key: key[:4] + key[4:].replace("0", "o").replace("1", "l"),
        lambda key: key[:4] + key[4:].replace("0", "O").replace("1", "L"),
        lambda key: key[4:],
        lambda key: key[4:].replace("-", "").lower(),
        lambda key: "P0S" + key[3:],
        lambda key: "ANOTHERNAME1" + key[3:],
    ],
)
def test_a_key_is_the_same_however_it_is_typed(typed):
    for label in ("one", "two", "three", "four", "five", "six"):
        key = made(label)
        assert normalize(typed(key)) == normalize(key) == key[4:].replace("-", "")


@pytest.mark.clause("K-14")
@pytest.mark.parametrize(
    "spoil",
    [
        *(
            lambda _: "",
            lambda _: "-",
            lambda _: "POS",
            lambda _: "POS-" + "0" * 26,
            lambda key: key[4:-1],
            lambda key: key[5:],
        ),
        *(
            lambda key: key + "0" * 13,
            lambda key: key + key,
            lambda key: "TOOLONGPREFIX" + key[3:],
            lambda key: "P*S" + key[3:],
        ),
        *(
            lambda key: "\u00c4" + key,
            lambda key: key[:-1] + "U",
            lambda key: key[:-1] + "*",
            lambda key: key[:-1] + "\u0661",
        ),
        *(
            lambda key: key[:-2] + "\u00c4" + key[-1],
            lambda key: key[:-2] + "\U0001f337" + key[-1],
            lambda key: "\u00df" * 27,
        ),
        *(lambda key: key[:-2] + "\ud800" + key[-1], lambda key: f'"{key}"'),
    ],
)
def test_what_cannot_be_a_key_is_malformed(spoil):
    with pytest.raises(WireError) as refused:
        normalize(spoil(made()), "request.license_key")
    assert (refused.value.code, refused.value.field) == ("malformed", "request.license_key")


@calm
@given(st.one_of(st.text(max_size=60), st.text(alphabet=ALPHABET + "OILU- ", min_size=25, max_size=45)))
def test_whatever_is_typed_only_a_wire_error_comes_out(text):
    try:
        body = normalize(text)
    except WireError:
        return
    assert normalize(body) == body
    assert len(body) == BODY_SYMBOLS
    assert set(body) <= set(ALPHABET)


def test_the_error_does_not_repeat_the_key():
    key = made()
    with pytest.raises(WireError) as refused:
        normalize(key[:-1] + ("0" if key[-1] != "0" else "2"))
    assert key[4:9] not in str(refused.value)


@pytest.mark.parametrize("prefix", ["", "pos", "POS-", "P S", "\u00c4", "A" * 13, "POS\n", "P_S"])
def test_a_prefix_is_1_to_12_letters_and_digits(prefix):
    with pytest.raises(WireError, match="prefix"):
        made(prefix=prefix)


@pytest.mark.parametrize("prefix", ["A", "0", "POS", "A" * 12, "OIL1U"])
def test_any_prefix_of_that_form_is_carried(prefix):
    key = made(prefix=prefix)
    assert key.split("-")[0] == prefix
    assert normalize(key) == normalize(made())
    assert display(prefix, normalize(key)) == key


@calm
@given(KEYS)
def test_a_hint_shows_eight_symbols_and_no_more(key):
    body = normalize(key)
    assert hint(key) == f"POS-{body[:4]}…{body[-4:]}"


@pytest.mark.parametrize(
    ("typed", "prefix"),
    [
        (str, "POS-"),
        (str.lower, "POS-"),
        (lambda key: key.replace("-", "\u2013"), "POS-"),
        (lambda key: key.replace("-", ""), "POS-"),
        (lambda key: f" {key} ", "POS-"),
        (lambda key: key.replace("-", "", 2), "POS-"),
        (lambda key: key[4:], ""),
        (lambda key: key[4:].replace("-", ""), ""),
        (lambda key: key[4:].replace("-", "", 1), ""),
    ],
)
def test_a_hint_takes_no_part_of_the_key_for_a_prefix(typed, prefix):
    key = made()
    body = normalize(key)
    assert hint(typed(key)) == f"{prefix}{body[:4]}…{body[-4:]}"


def test_there_is_no_hint_of_what_is_no_key():
    with pytest.raises(WireError):
        hint("POS-7XK2M")
