"""Good documents for the tests of the wire, and the means to spoil and re-sign them."""

import copy
import hashlib
import json

from hypothesis import HealthCheck, settings

from tillkey.wire import b64
from tillkey.wire.answers import LEASE_TYP, STATEMENT_TYP, Lease, Statement, open_lease, open_statement
from tillkey.wire.keys import PrivateKey
from tillkey.wire.keyset import KEYSET_TYP, Keyset, OnlineKey, open_keyset
from tillkey.wire.request import (
    REQUEST_TYP,
    Activate,
    ClockReading,
    Deactivate,
    Heartbeat,
    Move,
    Project,
    Support,
    open_request,
    sign_request,
)

ISSUER = "licenses.example"
NOW = 1_800_000_000
ACTIVATION = "01890a5d-ac96-774b-bcce-b302099a8057"
LICENSE = "01890a5d-ac96-774b-bcce-b302099a8058"
PROJECT = "01890a5d-ac96-774b-bcce-b302099a8059"
RID = "A" * 21 + "Q"
NONCE = "B" * 21 + "g"
DIGEST = "C" * 42 + "8"

# On a busy machine one example may take long; that says nothing about the code.
calm = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def private(label):
    return PrivateKey.from_seed(hashlib.sha256(f"tillkey test: {label}".encode()).digest())


TILL = private("till")
ONLINE = private("online")
ROOTS = tuple(private(f"root {number}") for number in range(4))
KEYSET = Keyset(ISSUER, 1, 1, (ROOTS[0].public,), (OnlineKey(ONLINE.public, NOW - 100, NOW + 100),), NOW - 100)

BODIES = {
    "activate": Activate(
        "pos",
        Project("Shop", "shop.example"),
        "production",
        {"machine": DIGEST, "board": DIGEST},
        "2.4.1",
        license_key="POS-" + "0" * 27,
        platform_version="6.1",
        move_ticket=RID,
    ),
    "rebind": Activate("pos", None, "staging", {}, "", lease="a.b.c"),
    "heartbeat": Heartbeat(ACTIVATION, NONCE, 7, {"machine": DIGEST}, "2.4.1", ClockReading(NOW, 0, "boot-1")),
    "move": Move(ACTIVATION, NONCE, "production"),
    "deactivate": Deactivate(ACTIVATION),
    "support": Support(ACTIVATION, "fix_issue", "returns", "6.1", "fr"),
}
LEASE = Lease(
    iss=ISSUER,
    sub=ACTIVATION,
    aud="pos",
    iat=NOW,
    nbf=NOW,
    exp=NOW + 3000,
    jti="jti-1",
    jkt=TILL.public.thumbprint,
    rid=RID,
    license=LICENSE,
    project=PROJECT,
    environment="production",
    entitlements=("sell", "reports"),
    degraded=("sell",),
    refresh_at=NOW + 100,
    soft_exp=NOW + 700,
    use_until=None,
    support_until=NOW + 9000,
    updates_until=NOW + 9000,
    seq=8,
    nonce=NONCE,
    min_keyset=1,
    policy_name="default",
    policy_version=1,
    offline=True,
)
STATEMENT = Statement(
    iss=ISSUER,
    iat=NOW,
    jti="jti-2",
    jkt=TILL.public.thumbprint,
    rid=RID,
    code="license_revoked",
    clauses=("K-13", "X-03"),
    sub=ACTIVATION,
    retry_at=NOW + 60,
    options=("move", "ask_support"),
)


def request_text(name):
    return sign_request(BODIES[name], aud=ISSUER, rid=RID, keyset=1, iat=NOW, key=TILL)


def opened(document, text):
    """Let the reader of that kind of document read the text."""
    if document == "lease":
        return open_lease(text, KEYSET)
    if document == "statement":
        return open_statement(text, KEYSET)
    if document == "keyset":
        return open_keyset(text)
    return open_request(text, aud=ISSUER)


def claims_of(text):
    """The payload of a compact JWS."""
    return json.loads(b64.decode(text.split(".")[1]))


def header_of(document):
    if document == "lease":
        return {"alg": "Ed25519", "typ": LEASE_TYP, "kid": ONLINE.public.thumbprint}
    if document == "statement":
        return {"alg": "Ed25519", "typ": STATEMENT_TYP, "kid": ONLINE.public.thumbprint}
    return {"alg": "Ed25519", "typ": REQUEST_TYP, "jwk": TILL.public.jwk()}


def signer_of(document):
    return ONLINE if document in {"lease", "statement"} else TILL


def raw(part):
    return part if isinstance(part, bytes) else json.dumps(part).encode()


def compact(document, claims, header=None):
    """Sign whatever claims and header, JSON or bytes, with the right key for that kind of document."""
    parts = [raw(header_of(document) if header is None else header), raw(claims)]
    signed = ".".join(b64.encode(part) for part in parts)
    return f"{signed}.{b64.encode(signer_of(document).sign(signed.encode()))}"


def keyset_claims(keyset):
    return {
        "issuer": keyset.issuer,
        "version": keyset.version,
        "threshold": keyset.threshold,
        "roots": [root.jwk() for root in keyset.roots],
        "keys": [
            {"jwk": online.key.jwk(), "not_before": online.not_before, "not_after": online.not_after}
            for online in keyset.keys
        ],
        "issued_at": keyset.issued_at,
    }


def keyset_document(claims, roots=ROOTS[:1], header=None):
    """Sign whatever claims as a keyset, by whichever roots."""
    payload = b64.encode(raw(claims))
    signatures = []
    for root in roots:
        protected = b64.encode(
            raw(header or {"alg": "Ed25519", "typ": KEYSET_TYP, "kid": root.public.thumbprint}),
        )
        signature = b64.encode(root.sign(f"{protected}.{payload}".encode()))
        signatures.append({"protected": protected, "signature": signature})
    return {"payload": payload, "signatures": signatures}


def with_member(claims, path, value):
    """A copy of the claims in which the member at the dotted path has another value."""
    spoilt = copy.deepcopy(claims)
    *parents, last = path.split(".")
    place = spoilt
    for parent in parents:
        place = place[parent]
    place[last] = value
    return spoilt


def without_member(claims, path):
    """A copy of the claims without the member at the dotted path."""
    spoilt = with_member(claims, path, None)
    *parents, last = path.split(".")
    place = spoilt
    for parent in parents:
        place = place[parent]
    del place[last]
    return spoilt
