"""Whatever is done to a document, only a WireError comes out, and no changed document is ever believed."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sdk.wire.documents import (
    BODIES,
    KEYSET,
    LEASE,
    NOW,
    ONLINE,
    ROOTS,
    STATEMENT,
    calm,
    claims_of,
    compact,
    header_of,
    keyset_claims,
    keyset_document,
    opened,
    request_text,
)
from tillkey.wire import b64
from tillkey.wire.answers import sign_lease, sign_statement
from tillkey.wire.errors import WireError
from tillkey.wire.keyset import Keyset, OnlineKey, open_keyset, sign_keyset, step

SIGNED = {
    **{name: request_text(name) for name in BODIES},
    "lease": sign_lease(LEASE, ONLINE),
    "statement": sign_statement(STATEMENT, ONLINE),
}
THREE = Keyset(
    KEYSET.issuer, 2, 2, tuple(root.public for root in ROOTS[:3]), (OnlineKey(ONLINE.public, NOW, None),), NOW
)
KEYSET_TEXT = sign_keyset(THREE, ROOTS[:3])
CHARACTERS = st.one_of(st.sampled_from('AQgw_-.=+/ \n"{}[]\\\x00e\u00e9'), st.characters())


@st.composite
def mutated(draw, text):
    """The text after one to four random injuries."""
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 40)))
        kind = draw(st.sampled_from(["replace", "delete", "insert", "double", "cut", "move", "case"]))
        if kind == "replace":
            text = text[:start] + draw(CHARACTERS) + text[start + 1 :]
        elif kind == "delete":
            text = text[:start] + text[end:]
        elif kind == "insert":
            text = text[:start] + draw(st.text(CHARACTERS, max_size=4)) + text[start:]
        elif kind == "double":
            text = text[:end] + text[start:end] + text[end:]
        elif kind == "cut":
            text = text[:start]
        elif kind == "move":
            text = text[end:] + text[:end]
        else:
            text = text[:start] + text[start:end].swapcase() + text[end:]
    return text


@st.composite
def injured(draw, text):
    """A compact JWS one part of which has other bytes, in clean base64url."""
    parts = text.split(".")
    index = draw(st.integers(0, 2))
    raw = bytearray(b64.decode(parts[index]))
    for _ in range(draw(st.integers(1, 3))):
        raw[draw(st.integers(0, len(raw) - 1))] = draw(st.integers(0, 255))
    parts[index] = b64.encode(bytes(raw))
    return ".".join(parts)


JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=50),
        st.sampled_from(["a" * 22, "b" * 43]),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=6,
)


def kind_of(name):
    return "request" if name in BODIES else name


def only_a_wire_error(read, *arguments):
    """What was read, or None where it was refused; any other exception fails the test."""
    try:
        return read(*arguments)
    except WireError:
        return None


@pytest.mark.parametrize("name", SIGNED)
@calm
@given(st.data())
def test_no_changed_text_is_believed(name, data):
    text = data.draw(st.one_of(mutated(SIGNED[name]), injured(SIGNED[name])))
    assert text == SIGNED[name] or only_a_wire_error(opened, kind_of(name), text) is None


@calm
@given(mutated(KEYSET_TEXT))
def test_a_changed_keyset_is_refused_or_says_the_same(text):
    # Space between the members, or a third signature more or less, is not signed; what is said is.
    assert only_a_wire_error(open_keyset, text) in {None, THREE}
    assert only_a_wire_error(step, KEYSET, text) in {None, THREE}
    assert only_a_wire_error(open_keyset, text.encode("utf-8", "replace")) in {None, THREE}


@pytest.mark.parametrize("part", ["payload", "protected", "signature"])
@calm
@given(st.data())
def test_a_keyset_with_other_bytes_in_a_part_loses_every_signature_over_it(part, data):
    document = json.loads(sign_keyset(THREE, ROOTS[:2]))
    place = document if part == "payload" else document["signatures"][data.draw(st.integers(0, 1))]
    raw = bytearray(b64.decode(place[part]))
    index = data.draw(st.integers(0, len(raw) - 1))
    raw[index] ^= data.draw(st.integers(1, 255))
    place[part] = b64.encode(bytes(raw))
    assert only_a_wire_error(open_keyset, json.dumps(document)) is None


@pytest.mark.parametrize("name", SIGNED)
@calm
@given(st.data())
def test_whatever_a_key_signs_only_a_wire_error_comes_out(name, data):
    claims = claims_of(SIGNED[name])
    for _ in range(data.draw(st.integers(1, 3))):
        claims[data.draw(st.one_of(st.sampled_from(sorted(claims)), st.text(max_size=5)))] = data.draw(JSON)
    only_a_wire_error(opened, kind_of(name), compact(kind_of(name), claims))
    payload = data.draw(mutated(json.dumps(claims))).encode("utf-8", "replace")
    only_a_wire_error(opened, kind_of(name), compact(kind_of(name), payload))


@pytest.mark.parametrize("name", ["heartbeat", "lease", "statement"])
@calm
@given(st.data())
def test_whatever_header_is_signed_only_the_exact_one_passes(name, data):
    kind = kind_of(name)
    good = header_of(kind)
    header = {**good, data.draw(st.one_of(st.sampled_from(sorted(good)), st.text(max_size=5))): data.draw(JSON)}
    read = only_a_wire_error(opened, kind, compact(kind, claims_of(SIGNED[name]), header))
    assert (read is None) == (header != good)


@calm
@given(st.data())
def test_whatever_the_roots_sign_only_a_wire_error_comes_out(data):
    claims = keyset_claims(THREE)
    claims[data.draw(st.sampled_from(sorted(claims)))] = data.draw(JSON)
    document = keyset_document(claims, ROOTS[:3])
    only_a_wire_error(open_keyset, json.dumps(document))
    document[data.draw(st.sampled_from(["payload", "signatures"]))] = data.draw(JSON)
    assert only_a_wire_error(open_keyset, json.dumps(document)) is None


@pytest.mark.parametrize("kind", ["request", "lease", "statement", "keyset"])
@calm
@given(st.data())
def test_chance_makes_no_document(kind, data):
    text = data.draw(st.one_of(JSON, st.text(max_size=80), st.text("AQ.e-", max_size=80), st.binary(max_size=80)))
    assert only_a_wire_error(opened, kind, text) is None
