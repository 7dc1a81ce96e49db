"""What no reader of the protocol may accept. Only ever add here: what stands is pinned by tests/vectors."""

from __future__ import annotations

import dataclasses
from typing import Any

from scripts.golden.documents import (
    ACTIVATION,
    DAY,
    ISSUER,
    NOW,
    Vector,
    bodies,
    claims_of,
    keysets,
    leases,
    private,
    statements,
    token,
)
from tillkey.wire import b64, strict_json
from tillkey.wire.answers import LEASE_TYP, sign_lease, sign_statement
from tillkey.wire.keys import PrivateKey
from tillkey.wire.keyset import Keyset, sign_keyset
from tillkey.wire.request import REQUEST_TYP, sign_request

# 2^252 + 27742317777372353535851937790883648493, the order of the base point (RFC 8032 section 5.1).
GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493


def compact(header: Any, payload: Any, key: PrivateKey) -> str:
    """Sign whatever header and payload, bytes or JSON."""
    parts = [part if isinstance(part, bytes) else strict_json.dumps(part) for part in (header, payload)]
    signed = ".".join(b64.encode(part) for part in parts)
    return f"{signed}.{b64.encode(key.sign(signed.encode()))}"


def refused_requests() -> dict[str, tuple[str, str]]:
    """Give each bad request its text and its code."""
    key = private("till-1")
    good = sign_request(bodies()["deactivate"], aud=ISSUER, rid=token("deactivate"), keyset=1, iat=NOW, key=key)
    claims = claims_of(good)
    header = {"alg": "Ed25519", "typ": REQUEST_TYP, "jwk": key.public.jwk()}
    head, body, signature = good.split(".")
    raw = b64.decode(signature)
    twin = raw[:32] + (int.from_bytes(raw[32:], "little") + GROUP_ORDER).to_bytes(32, "little")
    # The identity as key and as R with S = 0 satisfies the equation of RFC 8032 for every message.
    weak = {"kty": "OKP", "crv": "Ed25519", "x": b64.encode((1).to_bytes(32, "little"))}
    weak_signed = f"{b64.encode(strict_json.dumps({**header, 'jwk': weak}))}.{body}"
    payload = strict_json.dumps(claims)
    return {
        "alg none": (compact({**header, "alg": "none"}, claims, key), "malformed"),
        "alg EdDSA": (compact({**header, "alg": "EdDSA"}, claims, key), "malformed"),
        "a lease's typ": (compact({**header, "typ": LEASE_TYP}, claims, key), "malformed"),
        "member crit": (compact({**header, "crit": ["exp"]}, claims, key), "malformed"),
        "private member in jwk": (
            compact({**header, "jwk": {**key.public.jwk(), "d": b64.encode(bytes(32))}}, claims, key),
            "malformed",
        ),
        "key of small order": (f"{weak_signed}.{b64.encode((1).to_bytes(64, 'little'))}", "malformed"),
        "padding": (f"{good}==", "malformed"),
        "signature cut off": (f"{head}.{body}.{b64.encode(raw[:63])}", "malformed"),
        "signature of another group element": (f"{head}.{body}.{b64.encode(twin)}", "bad_signature"),
        "another key's signature": (compact(header, claims, private("till-2")), "bad_signature"),
        "claim twice": (compact(header, payload[:-1] + b',"iat":1}', key), "malformed"),
        "NUL in an unknown claim": (compact(header, payload[:-1] + b',"x":"\\u0000"}', key), "malformed"),
        "2^53": (compact(header, payload.replace(str(NOW).encode(), b"9007199254740992"), key), "malformed"),
        "depth 9": (compact(header, payload[:-1] + b',"x":' + b"[" * 8 + b"]" * 8 + b"}", key), "malformed"),
        "too large": (compact(header, {**claims, "x": "x" * 12_288}, key), "too_large"),
        "another server's": (compact(header, {**claims, "aud": "other.example"}, key), "malformed"),
        "upper case id": (compact(header, {**claims, "activation": ACTIVATION.upper()}, key), "malformed"),
    }


def refused_answers() -> dict[str, tuple[str, str]]:
    """Give each bad lease its text and its code; keyset v2 is held."""
    _, lease, _ = leases()["perpetual"]
    good = dataclasses.replace(lease, iat=NOW + DAY)
    said = dataclasses.replace(statements()["revoked"][1], iat=NOW + DAY)
    claims = claims_of(sign_lease(good, private("online-2")))
    header = {"alg": "Ed25519", "typ": LEASE_TYP, "kid": private("online-2").public.thumbprint}
    without_end = {name: claim for name, claim in claims.items() if name != "use_until"}
    after = dataclasses.replace(good, iat=NOW + 30 * DAY)
    return {
        "a statement in a lease's place": (sign_statement(said, private("online-2")), "malformed"),
        "key that is not in the keyset": (sign_lease(good, private("online-3")), "bad_signature"),
        "key after its time": (sign_lease(after, private("online-1")), "bad_signature"),
        "key before its time": (
            sign_lease(dataclasses.replace(good, iat=NOW - 1), private("online-2")),
            "bad_signature",
        ),
        "another issuer": (compact(header, {**claims, "iss": "other.example"}, private("online-2")), "bad_signature"),
        "kid of one key, signature of another": (compact(header, claims, private("online-1")), "bad_signature"),
        "without use_until": (compact(header, without_end, private("online-2")), "malformed"),
    }


def refused_steps() -> dict[str, tuple[str, str]]:
    """Give each keyset that cannot follow v2 its text and its code."""
    chain = keysets()
    third, fourth = chain["v3"], chain["v4"]

    def sign(keyset: Keyset, *labels: str) -> str:
        return sign_keyset(keyset, [private(label) for label in labels])

    return {
        "not by the roots held": (sign(third, "root-2", "root-3"), "bad_signature"),
        "one own root twice": (sign(third, "root-1", "root-2", "root-2"), "bad_signature"),
        "a version skipped": (sign(fourth, "root-1", "root-2", "root-3"), "malformed"),
        "the version held": (sign(chain["v2"], "root-1"), "malformed"),
        "the version before": (sign(chain["v1"], "root-1"), "malformed"),
        "another issuer": (
            sign(dataclasses.replace(third, issuer="other.example"), "root-1", "root-2", "root-4"),
            "malformed",
        ),
    }


def refused_vectors() -> dict[str, list[Vector]]:
    """Gather what must be refused, by who is asked to read it."""
    kinds = {"request": refused_requests(), "lease": refused_answers(), "step": refused_steps()}
    return {
        kind: [{"name": name, "code": code, "text": text} for name, (text, code) in cases.items()]
        for kind, cases in kinds.items()
    }
