"""An independent implementation of JOSE reads our documents, and we read the ones that it makes."""

import json

import pytest
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from tests.sdk.wire.documents import (
    BODIES,
    KEYSET,
    LEASE,
    ONLINE,
    ROOTS,
    STATEMENT,
    TILL,
    claims_of,
    header_of,
    opened,
    private,
    request_text,
)
from tillkey.wire import b64
from tillkey.wire.answers import sign_lease, sign_statement
from tillkey.wire.errors import WireError
from tillkey.wire.keyset import sign_keyset

ALGORITHMS = ["Ed25519"]
TEXTS = {
    **{name: request_text(name) for name in BODIES},
    "lease": sign_lease(LEASE, ONLINE),
    "statement": sign_statement(STATEMENT, ONLINE),
}


def kind_of(name):
    return "request" if name in BODIES else name


def oracle_key(key):
    return OKPKey.import_key(key.jwk())


def signer(name):
    return TILL if name in BODIES else ONLINE


@pytest.mark.parametrize("name", TEXTS)
def test_the_oracle_verifies_what_we_sign(name):
    read = jws.deserialize_compact(TEXTS[name], oracle_key(signer(name)), algorithms=ALGORITHMS)
    assert read.headers() == header_of(kind_of(name))
    assert json.loads(read.payload) == claims_of(TEXTS[name])


@pytest.mark.parametrize("name", TEXTS)
def test_we_read_what_the_oracle_signs(name):
    payload = json.dumps(claims_of(TEXTS[name]), indent=1)
    text = jws.serialize_compact(header_of(kind_of(name)), payload, oracle_key(signer(name)), algorithms=ALGORITHMS)
    assert text != TEXTS[name]
    assert opened(kind_of(name), text) == opened(kind_of(name), TEXTS[name])


@pytest.mark.parametrize("name", TEXTS)
def test_both_make_the_same_bytes_of_the_same_document(name):
    head, payload, _ = TEXTS[name].split(".")
    header = json.loads(b64.decode(head))
    text = jws.serialize_compact(header, b64.decode(payload), oracle_key(signer(name)), algorithms=ALGORITHMS)
    assert text == TEXTS[name]


@pytest.mark.parametrize("name", TEXTS)
def test_both_refuse_another_keys_signature(name):
    head, payload, _ = TEXTS[name].split(".")
    forged = f"{head}.{payload}.{b64.encode(private('stranger').sign(f'{head}.{payload}'.encode()))}"
    with pytest.raises(JoseError):
        jws.deserialize_compact(forged, oracle_key(signer(name)), algorithms=ALGORITHMS)
    with pytest.raises(WireError):
        opened(kind_of(name), forged)


def test_the_oracle_knows_our_keys_by_the_same_thumbprint():
    for key in (TILL, ONLINE, *ROOTS):
        assert OKPKey.import_key(key.public.jwk()).thumbprint() == key.public.thumbprint


def test_the_oracle_verifies_a_keyset_by_its_roots():
    document = json.loads(sign_keyset(KEYSET, ROOTS[:1]))
    read = jws.deserialize_json(document, OKPKey.import_key(ROOTS[0].public.jwk()), algorithms=ALGORITHMS)
    assert json.loads(read.payload)["issuer"] == KEYSET.issuer
    with pytest.raises(JoseError):
        jws.deserialize_json(document, OKPKey.import_key(ROOTS[1].public.jwk()), algorithms=ALGORITHMS)
