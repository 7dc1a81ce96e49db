"""The npm package `jose` reads every golden document, we read those that it makes, and it refuses the forged ones."""

import json

import pytest

from scripts.golden.documents import ISSUER, NOW, keysets, private
from tests.sdk.wire.documents import claims_of
from tests.support.jose import FOLDER, ask
from tests.support.vectors import READERS, bad_documents, good, read
from tillkey.wire import b64
from tillkey.wire.answers import LEASE_TYP, STATEMENT_TYP
from tillkey.wire.request import REQUEST_TYP

TYPES = {"request": REQUEST_TYP, "lease": LEASE_TYP, "statement": STATEMENT_TYP}
MEANT_FOR = {"issuer": ISSUER, "audience": "pos", "now": NOW + 60}


def jwks_of(keyset):
    return {"keys": [{**online.key.jwk(), "kid": online.key.thumbprint} for online in keysets()[keyset].keys]}


def question(kind, text, keyset="v1"):
    """Whether that document is believed, with what its reader knows."""
    return {"ask": kind, "text": text, "typ": TYPES[kind], "jwks": jwks_of(keyset), **MEANT_FOR}


def header_of(text):
    return json.loads(b64.decode(text.split(".")[0]))


def test_jose_believes_every_golden_request_and_reads_what_we_say():
    vectors = read("requests")
    told = ask([question("request", vector["text"]) for vector in vectors])
    assert told == [{"header": header_of(vector["text"]), "payload": vector["claims"]} for vector in vectors]


def test_jose_believes_every_golden_lease_and_statement_and_reads_what_we_say():
    vectors = read("answers")
    told = ask([question(vector["kind"], vector["text"], vector["keyset"]) for vector in vectors])
    assert told == [{"header": header_of(vector["text"]), "payload": vector["claims"]} for vector in vectors]


def test_jose_verifies_every_golden_keyset_by_each_root_that_signed_it():
    vectors = read("keysets")
    publics = {vector["thumbprint"]: {**vector["jwk"], "kid": vector["thumbprint"]} for vector in read("keys")}
    questions = []
    for vector in vectors:
        document = json.loads(vector["text"])
        kids = [json.loads(b64.decode(made["protected"]))["kid"] for made in document["signatures"]]
        questions.append({"ask": "keyset", "document": document, "roots": [publics[kid] for kid in kids]})
    assert [answer["payload"]["version"] for answer in ask(questions)] == [vector["version"] for vector in vectors]


def test_jose_knows_our_keys_by_the_same_thumbprint():
    vectors = read("keys")
    told = ask([{"ask": "thumbprint", "jwk": vector["jwk"]} for vector in vectors])
    assert [answer["thumbprint"] for answer in told] == [vector["thumbprint"] for vector in vectors]


@pytest.mark.parametrize(
    ("kind", "name", "key"),
    [("request", "heartbeat", "till-1"), ("lease", "perpetual", "online-1"), ("statement", "revoked", "online-1")],
)
def test_we_believe_what_jose_signs(kind, name, key):
    ours = good(kind, name)
    [told] = ask(
        [
            {"ask": "sign", "claims": claims_of(ours), "header": header_of(ours), "jwk": private(key).jwk()},
        ]
    )
    assert READERS[kind](told["text"]) == READERS[kind](ours)


def test_jose_too_refuses_what_is_forged():
    # What JOSE itself knows: the algorithm, the type, who signed. Our claims and exact headers are no matter of its,
    # and it lets pass padding, white space and spare bits in base64url, which we refuse.
    forged = [
        vector
        for vector in bad_documents("request", "lease", "statement", reader="anyone")
        if vector["field"].endswith((".header.alg", ".header.typ", ".header.kid"))
        or (vector["field"].endswith(".signature") and vector["code"] == "bad_signature")
    ]
    told = ask([question(vector["kind"], vector["text"]) for vector in forged])
    believed = [vector["name"] for vector, answer in zip(forged, told, strict=True) if "refused" not in answer]
    assert (len(forged) > 30, believed) == (True, [])


def test_jose_is_pinned_by_hash_and_its_lock_records_no_address():
    lock = json.loads((FOLDER / "package-lock.json").read_text("ascii"))
    packages = {path: entry for path, entry in lock["packages"].items() if path}
    assert packages
    assert all(entry["integrity"].startswith("sha512-") and "resolved" not in entry for entry in packages.values())
