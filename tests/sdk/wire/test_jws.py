"""A compact JWS has exactly the header of its kind, one form, and the signature of the key that the header tells."""

import pytest

from tests.sdk.wire.documents import (
    ISSUER,
    LEASE,
    STATEMENT,
    TILL,
    claims_of,
    compact,
    header_of,
    opened,
    private,
    request_text,
    signer_of,
)
from tillkey.wire import b64, jws
from tillkey.wire.answers import sign_lease, sign_statement
from tillkey.wire.errors import WireError

DOCUMENTS = ("request", "lease", "statement")
L = 2**252 + 27742317777372353535851937790883648493


def good(document):
    if document == "lease":
        return sign_lease(LEASE, signer_of("lease"))
    if document == "statement":
        return sign_statement(STATEMENT, signer_of("statement"))
    return request_text("heartbeat")


def refusal(document, text):
    with pytest.raises(WireError) as refused:
        opened(document, text)
    assert refused.value.field.split(".")[0] == document
    return refused.value


def with_header(document, header):
    return compact(document, claims_of(good(document)), header)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_document_signed_by_hand_is_read(document):
    assert opened(document, compact(document, claims_of(good(document)))) == opened(document, good(document))


@pytest.mark.parametrize("document", DOCUMENTS)
@pytest.mark.parametrize(
    "extra",
    [
        *(
            {"crit": ["exp"]},
            {"crit": []},
            {"b64": False},
            {"b64": True, "crit": ["b64"]},
            {"zip": "DEF"},
            {"cty": "JWT"},
        ),
        *(
            {"jku": "https://x.example/keys"},
            {"x5u": "https://x.example/"},
            {"x5c": []},
            {"x5t#S256": "x"},
            {"epk": {}},
        ),
        *({"nonce": "x"}, {"url": "x"}, {"iat": 1}, {"": ""}, {"Alg": "Ed25519"}, {"enc": "A128GCM"}),
        *({"kid": "x", "jwk": TILL.public.jwk()},),
    ],
)
def test_a_further_header_member_is_malformed(document, extra):
    refused = refusal(document, with_header(document, {**header_of(document), **extra}))
    assert refused.code == "malformed"
    assert refused.field == f"{document}.header"


@pytest.mark.parametrize("document", DOCUMENTS)
@pytest.mark.parametrize("member", ["alg", "typ", "kid or jwk"])
def test_a_missing_header_member_is_malformed(document, member):
    gone = member.split(" or ")
    header = {name: value for name, value in header_of(document).items() if name not in gone}
    assert refusal(document, with_header(document, header)).field == f"{document}.header"


@pytest.mark.parametrize("document", DOCUMENTS)
@pytest.mark.parametrize(
    "alg",
    ["none", "None", "", "EdDSA", "HS256", "ES256", "RS256", "Ed448", "ed25519", "Ed25519 ", None, 1, ["Ed25519"]],
)
def test_another_algorithm_is_malformed(document, alg):
    refused = refusal(document, with_header(document, {**header_of(document), "alg": alg}))
    assert (refused.code, refused.field) == ("malformed", f"{document}.header.alg")


@pytest.mark.parametrize("document", DOCUMENTS)
@pytest.mark.parametrize("typ", ["JWT", "jwt", "", "tillkey", None, 1, [], "tillkey-keyset+jwt", "tillkey-release+jwt"])
def test_another_typ_is_malformed(document, typ):
    refused = refusal(document, with_header(document, {**header_of(document), "typ": typ}))
    assert (refused.code, refused.field) == ("malformed", f"{document}.header.typ")


@pytest.mark.parametrize("document", DOCUMENTS)
@pytest.mark.parametrize(
    "change", [str.upper, lambda typ: typ + " ", lambda typ: "application/" + typ, lambda typ: typ[:-4]]
)
def test_a_typ_is_compared_byte_for_byte(document, change):
    header = header_of(document)
    assert refusal(document, with_header(document, {**header, "typ": change(header["typ"])})).code == "malformed"


@pytest.mark.parametrize("document", DOCUMENTS)
@pytest.mark.parametrize("other", DOCUMENTS)
def test_no_kind_of_document_stands_in_for_another(document, other):
    if document != other:
        assert refusal(document, good(other)).code == "malformed"


@pytest.mark.parametrize("document", ["lease", "statement"])
@pytest.mark.parametrize("kid", [None, 1, True, [], {}, ["x"]])
def test_a_kid_that_is_no_string_is_malformed(document, kid):
    refused = refusal(document, with_header(document, {**header_of(document), "kid": kid}))
    assert (refused.code, refused.field) == ("malformed", f"{document}.header.kid")


@pytest.mark.parametrize("document", ["lease", "statement"])
@pytest.mark.parametrize("kid", ["", "x", TILL.public.thumbprint, "\u00e9"])
def test_a_kid_that_the_keyset_does_not_hold_is_a_bad_signature(document, kid):
    refused = refusal(document, with_header(document, {**header_of(document), "kid": kid}))
    assert (refused.code, refused.field) == ("bad_signature", f"{document}.header.kid")


@pytest.mark.parametrize(
    "jwk", [None, "x", [], {}, TILL.jwk(), {**TILL.public.jwk(), "kid": "x"}, {**TILL.public.jwk(), "x": "AA"}]
)
def test_a_request_whose_jwk_is_not_exactly_a_public_key_is_malformed(jwk):
    refused = refusal("request", with_header("request", {**header_of("request"), "jwk": jwk}))
    assert refused.code == "malformed"
    assert refused.field.startswith("request.header.jwk")


@pytest.mark.parametrize("document", DOCUMENTS)
@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"null",
        b"[]",
        b'"x"',
        b"{}",
        b"\xff",
        b'{"alg":"Ed25519","alg":"Ed25519"}',
        b'{"alg":NaN}',
        b"[" * 9 + b"]" * 9,
    ],
)
def test_a_header_that_is_no_strict_json_object_is_malformed(document, header):
    refused = refusal(document, with_header(document, header))
    assert (refused.code, refused.field) == ("malformed", f"{document}.header")


@pytest.mark.parametrize("document", DOCUMENTS)
@pytest.mark.parametrize(
    "payload", [b"", b"null", b"[]", b'"x"', b"1", b"\xff", b"{", b'{"iat":1,"iat":1}', b'{"x":"\\u0000"}']
)
def test_a_signed_payload_that_is_no_strict_json_object_is_malformed(document, payload):
    refused = refusal(document, compact(document, payload))
    assert (refused.code, refused.field) == ("malformed", document)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_signature_is_judged_before_the_payload(document):
    head, payload, signature = compact(document, b"no json").split(".")
    raw = b64.decode(signature)
    spoilt = f"{head}.{payload}.{b64.encode(bytes([raw[0] ^ 1]) + raw[1:])}"
    assert refusal(document, spoilt).code == "bad_signature"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_signature_plus_the_groups_order_is_refused(document):
    head, payload, signature = good(document).split(".")
    raw = b64.decode(signature)
    twin = raw[:32] + (int.from_bytes(raw[32:], "little") + L).to_bytes(32, "little")
    refused = refusal(document, f"{head}.{payload}.{b64.encode(twin)}")
    assert (refused.code, refused.field) == ("bad_signature", f"{document}.signature")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_another_keys_signature_is_refused(document):
    head, payload, _ = good(document).split(".")
    signature = private("stranger").sign(f"{head}.{payload}".encode())
    assert refusal(document, f"{head}.{payload}.{b64.encode(signature)}").code == "bad_signature"


@pytest.mark.parametrize("document", DOCUMENTS)
@pytest.mark.parametrize("length", [0, 1, 32, 63, 65, 128])
def test_a_signature_of_another_length_is_malformed(document, length):
    head, payload, _ = good(document).split(".")
    refused = refusal(document, f"{head}.{payload}.{b64.encode(bytes(length))}")
    assert (refused.code, refused.field) == ("malformed", f"{document}.signature")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_document_cut_off_anywhere_is_refused(document):
    text = good(document)
    for length in range(len(text)):
        refusal(document, text[:length])


@pytest.mark.parametrize("document", DOCUMENTS)
@pytest.mark.parametrize(
    "spoil",
    [
        *(
            lambda text: text + ".",
            lambda text: "." + text,
            lambda text: text + ".x",
            lambda text: text.replace(".", ".."),
        ),
        *(
            lambda text: text + "=",
            lambda text: text + "\n",
            lambda text: " " + text,
            lambda text: text.replace(".", ". "),
        ),
        *(
            lambda text: text + "\u00e9",
            lambda text: text.replace(".", "\u3002"),
            lambda text: text.replace("e", "\uff45"),
        ),
        *(lambda _: "", lambda _: ".", lambda _: "..", lambda _: "\x00", lambda _: "\ud800.\ud800.\ud800"),
    ],
)
def test_another_form_of_the_text_is_malformed(document, spoil):
    assert refusal(document, spoil(good(document))).code == "malformed"


@pytest.mark.parametrize("document", DOCUMENTS)
@pytest.mark.parametrize("text", [None, 1, True, [], {}, b"a.b.c", 1.5])
def test_what_is_no_string_is_malformed(document, text):
    refused = refusal(document, text)
    assert (refused.code, refused.field) == ("malformed", document)


@pytest.mark.parametrize(("document", "limit"), [("request", 16384), ("lease", 4096), ("statement", 4096)])
def test_a_document_over_its_limit_is_too_large_and_one_at_it_is_read(document, limit):
    claims = claims_of(good(document))
    rest = (len(compact(document, {**claims, "x": ""})) - limit) // -4 * 3
    sizes = {}
    for filler in range(rest - 8, rest + 8):
        text = compact(document, {**claims, "x": "x" * filler})
        sizes[len(text)] = text
    fitting = max(size for size in sizes if size <= limit)
    assert limit - fitting < 2
    opened(document, sizes[fitting])
    over = min(size for size in sizes if size > limit)
    refused = refusal(document, sizes[over])
    assert (refused.code, refused.field) == ("too_large", document)


def test_the_header_names_or_carries_the_key():
    carried = jws.sign({}, typ="t", key=TILL, member="jwk")
    named = jws.sign({}, typ="t", key=TILL, member="kid")
    split = {"typ": "t", "field": "request", "max_bytes": 1000}
    assert jws.split(carried, member="jwk", **split).header["jwk"] == TILL.public.jwk()
    assert jws.split(named, member="kid", **split).header["kid"] == TILL.public.thumbprint


def test_a_request_for_another_server_is_malformed_and_says_so():
    for aud in ("other.example", ISSUER.upper(), ISSUER + "/", "https://" + ISSUER):
        refused = refusal("request", compact("request", {**claims_of(good("request")), "aud": aud}))
        assert (refused.code, refused.field) == ("malformed", "request.aud")
