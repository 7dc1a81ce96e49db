"""The form of the state file: whole or known to be broken, and open to what later versions add."""

import contextlib
import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sdk.license_server import START
from tillkey.state import Chain, Damaged, Pending, State, TooNew, decode, encode
from tillkey.timeline import Point, TimeMemory

FULL = State(
    product="pos-core",
    issuer="tillkey-test",
    seed=b"\x01" * 32,
    lease="a.b.c",
    statement="d.e.f",
    license_value=b"\x02" * 32,
    chain=Chain("00000000-0000-0000-0000-000000000001", 7, "N" * 22, "R" * 22),
    project="Señor Café ☕",
    site="shop.example",
    environment="production",
    keysets=("{}", "{}"),
    pending=Pending("activate", "R" * 22, "c", project="x", license_value=b"\x03" * 32, license_key="K"),
    memory=TimeMemory(Point(START, START, 5, "boot"), Point(START + 1, START, 6, "boot")),
)


def rewritten(raw: bytes, change) -> bytes:
    """Change the state of a file and mend its checksum, as another version of the SDK might."""
    document = json.loads(raw)
    change(document)
    canonical = json.dumps(document["state"], ensure_ascii=True, separators=(",", ":"), sort_keys=True)
    document["checksum"] = hashlib.sha256(canonical.encode()).hexdigest()
    return json.dumps(document).encode()


@pytest.mark.parametrize("state", [FULL, State("pos-core", "tillkey-test")], ids=["full", "empty"])
def test_a_state_is_read_as_it_was_written(state):
    assert decode(encode(state)) == state


def test_no_secret_is_shown_by_repr():
    text = repr(FULL)
    for secret in (FULL.seed, FULL.license_value, FULL.pending.license_value):
        assert repr(secret) not in text
    assert "license_key" not in text


def test_what_a_newer_version_added_is_kept():
    newer = rewritten(encode(FULL), lambda document: document["state"].update(trial_until=5))
    state = decode(newer)
    assert json.loads(encode(state))["state"]["trial_until"] == 5


def test_a_newer_format_is_left_alone():
    with pytest.raises(TooNew, match="format 2"):
        decode(rewritten(encode(FULL), lambda document: document.update(format=2)))


@given(cut=st.integers(0, len(encode(FULL)) - 2))
def test_a_file_cut_anywhere_is_known_to_be_damaged(cut):
    with pytest.raises(Damaged):
        decode(encode(FULL)[:cut])


@given(place=st.integers(0, len(encode(FULL)) - 2), mask=st.integers(1, 255))
def test_a_file_with_any_byte_changed_is_damaged_or_means_the_same(place, mask):
    raw = bytearray(encode(FULL))
    raw[place] ^= mask
    with contextlib.suppress(Damaged, TooNew):
        assert decode(bytes(raw)) == FULL


@pytest.mark.parametrize(
    "raw", [b"", b"\x00" * 100, b"null", b"[]", b"{}", b'{"format": "1"}', b"\xff", b"[" * 100_000]
)
def test_something_else_altogether_is_damaged(raw):
    with pytest.raises(Damaged):
        decode(raw)


@pytest.mark.parametrize(
    "change",
    [
        {"product": 5},
        {"key": "short"},
        {"key": "!"},
        {"keysets": "x"},
        {"keysets": [1]},
        {"chain": {"activation": "a"}},
        {"chain": {"activation": "a", "seq": True, "nonce": "n", "rid": "r"}},
        {"pending": {"kind": "teleport", "rid": "r", "content": "c"}},
        {"time": None},
        {"time": {"anchor": 1, "highest": None}},
    ],
)
def test_a_member_of_the_wrong_kind_is_damage(change):
    with pytest.raises(Damaged):
        decode(rewritten(encode(FULL), lambda document: document["state"].update(change)))
