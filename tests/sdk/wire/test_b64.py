"""base64url has one text for each byte string, and nothing else is read."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sdk.wire.documents import calm
from tillkey.wire import b64
from tillkey.wire.errors import WireError

SYMBOLS = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"


@calm
@given(st.binary(max_size=200))
def test_what_is_encoded_is_decoded(raw):
    text = b64.encode(raw)
    assert b64.decode(text) == raw
    assert set(text) <= set(SYMBOLS)


@calm
@given(st.one_of(st.text(alphabet=SYMBOLS + "=+/ \n", max_size=12), st.text(max_size=12)))
def test_no_second_text_is_read_as_the_same_bytes(text):
    try:
        raw = b64.decode(text)
    except WireError:
        return
    assert b64.encode(raw) == text


@pytest.mark.parametrize(("last", "raw_length"), [("A", 1), ("B", 1), ("A", 2), ("B", 2)])
def test_only_a_last_symbol_without_stray_bits_is_read(last, raw_length):
    text = "A" * raw_length + last
    if last == "A":
        assert b64.decode(text) == bytes(raw_length)
    else:
        with pytest.raises(WireError, match="canonical"):
            b64.decode(text)


def test_of_64_last_symbols_4_fit_one_byte_and_16_fit_two():
    def readable(start):
        count = 0
        for symbol in SYMBOLS:
            try:
                b64.decode(start + symbol)
            except WireError:
                continue
            count += 1
        return count

    assert (readable("A"), readable("AA"), readable("AAA")) == (4, 16, 64)


@pytest.mark.parametrize(
    "text",
    [
        *("AA==", "AAA=", "=", "AAAA=", "AAAA====", "AA=A", "A", "AAAAA"),
        *(
            "AA+A",
            "AA/A",
            "AA AA",
            "AA\nAA",
            "AAAA\n",
            "\nAAAA",
            " AAAA",
            "AAAA ",
            "AA\r\nAA",
            "AA\tA",
            "AA.A",
            "AA\x00A",
        ),
        *("\uff21AAA", "AAA\u00c4", "\u0661AAA", "AAA\u2212", "\ud800AAA", "AA\u200bAA"),
    ],
)
def test_padding_spaces_and_foreign_characters_are_malformed(text):
    with pytest.raises(WireError) as refused:
        b64.decode(text, "some.place")
    assert (refused.value.code, refused.value.field) == ("malformed", "some.place")


def test_nothing_is_the_text_of_no_bytes():
    assert b64.decode("") == b""
    assert b64.encode(b"") == ""
