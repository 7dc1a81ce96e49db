"""Every claim of every document is there, of its type, of its length and in its alphabet, or the refusal names it."""

import dataclasses

import pytest

from tests.sdk.wire.documents import (
    BODIES,
    DIGEST,
    KEYSET,
    LEASE,
    NONCE,
    ONLINE,
    STATEMENT,
    claims_of,
    compact,
    keyset_claims,
    keyset_document,
    opened,
    request_text,
    with_member,
    without_member,
)
from tillkey.wire import strict_json
from tillkey.wire.answers import sign_lease, sign_statement
from tillkey.wire.errors import WireError

# Kinds of claims, each with what must not pass. None stands in each list of a claim that has to be there.
TYPES = [None, True, 1.5, [], {}, ["x"], {"x": "x"}]


def text(least, most):
    short = [""] if least else []
    return [*TYPES, 1, *short, "x" * (most + 1), "a\nb", "\x01", "x\x7f", "\t"]


NUMBER = [None, True, False, "1", "", 1.0, 1.5, -1, [], {}, [1]]
NULLABLE = [bad for bad in NUMBER if bad is not None]
BOOLEAN = [None, 0, 1, "true", "", [], {}]
TOKEN = [
    *TYPES,
    1,
    "",
    "A" * 21,
    "A" * 23,
    "A" * 21 + "B",
    NONCE + "\n",
    NONCE + "=",
    NONCE[:-1] + "=",
    "+" + NONCE[1:],
]
TOKEN += [" " + NONCE[1:], "\u00c4" + NONCE[1:], "\u0661" + NONCE[1:]]
HASH = [*TYPES, 1, "", DIGEST[:-1], DIGEST + "A", DIGEST[:-1] + "9", DIGEST + "=", DIGEST + "\n", "/" + DIGEST[1:]]
UUID = [*TYPES, 1, "", "01890A5D-AC96-774B-BCCE-B302099A8057", "01890a5dac96774bbcceb302099a8057"]
UUID += [
    "{01890a5d-ac96-774b-bcce-b302099a8057}",
    "01890a5d-ac96-774b-bcce-b302099a805",
    "01890a5d-ac96-774b-bcce-b302099a8057\n",
]
UUID += ["../v1/licenses", "01890a5d-ac96-774b-bcce-b302099a805g", "\u0661" + "1890a5d-ac96-774b-bcce-b302099a8057"]
CODE = [*TYPES, 1, "", "A", "a" * 65, "-a", ".a", "_a", "a b", "a/b", "a\n", "\u00e4", "a\u0661"]
ENVIRONMENT = [*TYPES, 1, "", "prod", "Production", "production ", "production\n"]
WORD = [*TYPES, 1, "", "A", "a" * 65, "1a", "_a", "a-b", "a.b", "a b", "a\n", "\u00e4", "a\u0661"]
LANGUAGE = [*TYPES, 1, "", "de", "EN", "en-GB", "en\n"]
CODES = [None, True, 1, "a", {}, [1], [None], ["A"], ["a", ""], ["a" * 65], ["a b"], [["a"]], ["a"] * 65]
CLAUSES = [None, 1, "a", {}, [1], [""], ["a" * 33], ["a b"], ["-a"], ["a\n"], ["\u00e9"], ["a"] * 65]
OBJECT = [None, True, 1, "x", [], [{}]]
TRAITS = [None, True, 1, "x", [], {"machine": None}, {"machine": 1}, {"machine": DIGEST[:-1]}, {"machine": [DIGEST]}]
TRAITS += [{name: DIGEST} for name in ("", "a" * 33, "A", "a-b", "a1", "\u00e4", "a\n", "a.b")]
TRAITS += [{"a" * (number + 1): DIGEST for number in range(17)}]


def optional(kind):
    return [bad for bad in kind if bad is not None]


COMMON = {
    "aud": text(1, 200),
    "op": [*TYPES, 1, "", "Activate", "activate ", "updates"],
    "rid": TOKEN,
    "keyset": NUMBER,
    "iat": NUMBER,
}
ACTIVATE = {
    **COMMON,
    "product": CODE,
    "environment": ENVIRONMENT,
    "fingerprint": TRAITS,
    "app_version": text(0, 64),
}
# The claims of each document, by their path. A name with ? may be absent or null.
CLAIMS = {
    "activate": {
        **ACTIVATE,
        "license_key?": optional(text(1, 100)),
        "project?": optional(OBJECT),
        "project.name": text(1, 200),
        "project.site?": optional(text(1, 253)),
        "platform_version?": optional(text(1, 64)),
        "move_ticket?": optional(text(1, 100)),
    },
    "rebind": {**ACTIVATE, "lease?": optional(text(1, 6 * 1024))},
    "heartbeat": {
        **COMMON,
        "activation": UUID,
        "nonce": TOKEN,
        "seq": NUMBER,
        "fingerprint": TRAITS,
        "app_version": text(0, 64),
        "clock": OBJECT,
        "clock.wall": NUMBER,
        "clock.boottime": NUMBER,
        "clock.boot_id": text(0, 64),
    },
    "move": {**COMMON, "activation": UUID, "nonce": TOKEN, "environment": ENVIRONMENT},
    "deactivate": {**COMMON, "activation": UUID},
    "support": {
        **COMMON,
        "activation": UUID,
        "task": WORD,
        "feature?": optional(WORD),
        "platform_version?": optional(text(1, 64)),
        "language?": optional(LANGUAGE),
    },
    "lease": {
        "iss": text(1, 200),
        "aud": CODE,
        "jti": text(1, 64),
        "cnf": OBJECT,
        "cnf.jkt": HASH,
        "environment": ENVIRONMENT,
        "entitlements": CODES,
        "degraded": CODES,
        "policy": OBJECT,
        "policy.name": CODE,
        "policy.version": NUMBER,
        "offline": BOOLEAN,
        **dict.fromkeys(("rid", "nonce"), TOKEN),
        **dict.fromkeys(("sub", "license", "project"), UUID),
        **dict.fromkeys(("iat", "nbf", "exp", "refresh_at", "soft_exp", "seq", "min_keyset"), NUMBER),
        **dict.fromkeys(("use_until", "support_until", "updates_until"), NULLABLE),
    },
    "statement": {
        "iss": text(1, 200),
        "iat": NUMBER,
        "jti": text(1, 64),
        "cnf": OBJECT,
        "cnf.jkt": HASH,
        "rid": TOKEN,
        "code": CODE,
        "clauses": CLAUSES,
        "sub?": optional(UUID),
        "retry_at?": NULLABLE,
        "options?": optional(CODES),
    },
    "keyset": {
        "issuer": text(1, 200),
        "version": NUMBER,
        "threshold": [*NUMBER, 0, 2],
        "issued_at": NUMBER,
        "roots": [*OBJECT, {}, [None], [{}], [KEYSET.roots[0].jwk()] * 2, [KEYSET.roots[0].jwk()] * 33],
        "keys": [*OBJECT, {}, [None], ["x"], keyset_claims(KEYSET)["keys"] * 2, keyset_claims(KEYSET)["keys"] * 33],
    },
}


def good(document):
    if document == "keyset":
        return keyset_claims(KEYSET)
    if document == "lease":
        return claims_of(sign_lease(LEASE, ONLINE))
    if document == "statement":
        return claims_of(sign_statement(STATEMENT, ONLINE))
    return claims_of(request_text(document))


def read(document, claims):
    if document == "keyset":
        return opened("keyset", strict_json.dumps(keyset_document(claims)))
    kind = "request" if document in BODIES else document
    return opened(kind, compact(kind, claims))


def refused_field(document, claims):
    with pytest.raises(WireError) as refused:
        read(document, claims)
    assert refused.value.code == "malformed"
    where, field = refused.value.field.split(".", 1)
    assert where == ("request" if document in BODIES else document)
    return field


def paths(claims, prefix=""):
    """Every claim's path, but not into fingerprints, lists and keys."""
    for name, value in claims.items():
        yield prefix + name
        if isinstance(value, dict) and name != "fingerprint":
            yield from paths(value, f"{prefix}{name}.")


WRONG = [
    pytest.param(document, name.rstrip("?"), bad, id=f"{document}-{name.rstrip('?')}-{str(bad)[:20]!r}-{number}")
    for document, kinds in CLAIMS.items()
    for name, kind in kinds.items()
    for number, bad in enumerate(kind)
]
REQUIRED = [(document, name) for document, kinds in CLAIMS.items() for name in kinds if not name.endswith("?")]
OPTIONAL = [(document, name[:-1]) for document, kinds in CLAIMS.items() for name in kinds if name.endswith("?")]
# Without the one of the two that is given, the other is asked for; those have tests of their own.
OPTIONAL = [case for case in OPTIONAL if case not in {("activate", "license_key"), ("rebind", "lease")}]


@pytest.mark.parametrize("document", CLAIMS)
def test_the_table_knows_every_claim(document):
    assert set(paths(good(document))) == {name.rstrip("?") for name in CLAIMS[document]}


@pytest.mark.parametrize("document", CLAIMS)
def test_the_document_itself_is_good(document):
    assert read(document, good(document))


@pytest.mark.parametrize(("document", "name", "bad"), WRONG)
def test_a_claim_that_is_wrong_is_named(document, name, bad):
    field = refused_field(document, with_member(good(document), name, bad))
    assert field == name or field.startswith(f"{name}.") or (name, field) == ("roots", "threshold")


@pytest.mark.parametrize(("document", "name"), REQUIRED)
def test_a_claim_that_is_missing_is_named(document, name):
    assert refused_field(document, without_member(good(document), name)) == name


@pytest.mark.parametrize(("document", "name"), OPTIONAL)
def test_a_claim_that_may_be_missing_may_also_be_null(document, name):
    claims = good(document)
    assert read(document, without_member(claims, name)) == read(document, with_member(claims, name, None))
    assert read(document, claims) != read(document, without_member(claims, name))


@pytest.mark.parametrize("document", CLAIMS)
def test_unknown_claims_are_ignored_wherever_they_stand(document):
    claims = {**good(document), "later": {"x": [1, "\u00e4", None]}, "": 0, "__class__": "x"}
    for name, value in claims.items():
        if isinstance(value, dict) and name != "fingerprint":
            claims[name] = {**value, "later": [{}]}
    assert read(document, claims) == read(document, good(document))


@pytest.mark.parametrize("document", CLAIMS)
@pytest.mark.parametrize("bad", [b'"x":9007199254740992', b'"x":NaN', b'"x":{"a":1,"a":1}', b'"x":"\\ud800"'])
def test_the_limits_of_json_hold_in_unknown_claims_too(document, bad):
    payload = strict_json.dumps(good(document))[:-1] + b"," + bad + b"}"
    with pytest.raises(WireError) as refused:
        read(document, payload)
    assert refused.value.code == "malformed"


@pytest.mark.parametrize(
    ("document", "name", "edge"),
    [
        ("activate", "project.name", "x" * 200),
        ("activate", "project.name", "\u65e5\u672c \U0001f337"),
        ("activate", "project.site", "x" * 253),
        ("activate", "product", "a" * 64),
        ("activate", "product", "0._-a"),
        ("activate", "app_version", ""),
        ("activate", "fingerprint", {}),
        ("activate", "fingerprint", {"a" * (number + 1): DIGEST for number in range(16)}),
        ("activate", "fingerprint", {"_" * 32: DIGEST}),
        ("activate", "environment", "development"),
        ("heartbeat", "seq", 0),
        ("heartbeat", "seq", 2**53 - 1),
        ("heartbeat", "clock.boot_id", ""),
        ("heartbeat", "clock.boot_id", "x" * 64),
        ("heartbeat", "iat", 0),
        ("lease", "entitlements", []),
        ("lease", "entitlements", [f"e{number}" for number in range(64)]),
        ("lease", "exp", 2**53 - 1),
        ("lease", "use_until", 0),
        ("statement", "clauses", []),
        ("statement", "clauses", ["a" * 32, "0", "A.b_c-d"]),
        ("statement", "options", []),
    ],
)
def test_a_claim_at_its_limit_is_read(document, name, edge):
    assert read(document, with_member(good(document), name, edge))


@pytest.mark.parametrize("last", "AQgw")
def test_a_token_ends_in_one_of_four_symbols(last):
    assert read("move", with_member(good("move"), "rid", "x" * 21 + last)).rid[-1] == last


@pytest.mark.parametrize("last", "AEIMQUYcgkosw048")
def test_a_thumbprint_ends_in_one_of_sixteen_symbols(last):
    assert read("lease", with_member(good("lease"), "cnf.jkt", "x" * 42 + last)).jkt[-1] == last


def test_the_server_signs_no_lease_that_no_till_would_read():
    bad = {"sub": "x", "entitlements": ("Big One",), "exp": -1, "nonce": "x", "policy_version": None, "offline": None}
    for name, value in bad.items():
        with pytest.raises(WireError) as refused:
            sign_lease(dataclasses.replace(LEASE, **{name: value}), ONLINE)
        assert name.split("_")[0] in refused.value.field
    with pytest.raises(WireError, match=r"statement\.code"):
        sign_statement(dataclasses.replace(STATEMENT, code="No!"), ONLINE)
