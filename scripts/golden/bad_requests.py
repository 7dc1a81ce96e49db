"""Requests that no server may take, each spoilt in one place. Only ever add here, at the end of each table."""

from __future__ import annotations

from scripts.golden.documents import ACTIVATION, ISSUER, NOW, bodies, leases, private, seed, statements, token
from scripts.golden.refused import GROUP_ORDER
from scripts.golden.spoilt import ORDER_EIGHT_Y, PRIME, Good, Row, point, raw, row, spare_bits, spelling, writing
from tillkey.wire import b64
from tillkey.wire.answers import LEASE_TYP, sign_lease, sign_statement
from tillkey.wire.request import sign_request

_HEADER = "request.header"


def good_request(name: str) -> Good:
    """Take a golden request apart."""
    key = private("till-1")
    return Good.of(sign_request(bodies()[name], aud=ISSUER, rid=token(name), keyset=1, iat=NOW, key=key), key)


def algorithms(good: Good) -> dict[str, Row]:
    """Name another algorithm or another type."""
    return {
        "alg none, unsigned": row(good.unsigned_none(), f"{_HEADER}.alg"),
        "alg nOnE, unsigned": row(good.unsigned_none("nOnE"), f"{_HEADER}.alg"),
        "alg none over a good signature": row(good.header_with(alg="none"), f"{_HEADER}.alg"),
        "HS256 with the public key as the secret": row(good.keyed_with_public(good.key.public.x), f"{_HEADER}.alg"),
        "alg EdDSA": row(good.header_with(alg="EdDSA"), f"{_HEADER}.alg"),
        "alg in lower case": row(good.header_with(alg="ed25519"), f"{_HEADER}.alg"),
        "alg in a list": row(good.header_with(alg=["Ed25519"]), f"{_HEADER}.alg"),
        "without alg": row(good.header_without("alg"), _HEADER),
        "typ JWT": row(good.header_with(typ="JWT"), f"{_HEADER}.typ"),
        "typ of a lease": row(good.header_with(typ=LEASE_TYP), f"{_HEADER}.typ"),
        "typ in upper case": row(good.header_with(typ="TILLKEY-REQUEST+JWT"), f"{_HEADER}.typ"),
        "typ with application in front": row(good.header_with(typ="application/tillkey-request+jwt"), f"{_HEADER}.typ"),
        "without typ": row(good.header_without("typ"), _HEADER),
    }


def injections(good: Good) -> dict[str, Row]:
    """Say more in the header than the protocol does."""
    twice = raw(dict(good.header))[:-1] + b',"alg":"none"}'
    return {
        "member jku": row(good.header_with(jku="https://evil.example/jwks.json"), _HEADER),
        "member x5u": row(good.header_with(x5u="https://evil.example/chain.pem"), _HEADER),
        "member x5c": row(good.header_with(x5c=["MIIB"]), _HEADER),
        "kid that is a path": row(good.header_with(kid="../../../../dev/null"), _HEADER),
        "kid that is SQL": row(good.header_with(kid="x' OR '1'='1"), _HEADER),
        "member crit": row(good.header_with(crit=["exp"]), _HEADER),
        "b64 false": row(good.header_with(b64=False, crit=["b64"]), _HEADER),
        "member zip": row(good.header_with(zip="DEF"), _HEADER),
        "kid in the place of jwk": row(
            good.signed({"alg": "Ed25519", "typ": good.header["typ"], "kid": good.key.public.thumbprint}, good.claims),
            _HEADER,
        ),
        "alg twice in the header": row(good.signed(twice, good.claims), _HEADER),
        "header in a list": row(good.signed([dict(good.header)], good.claims), _HEADER),
        "header that is not JSON": row(good.signed(b"alg=Ed25519", good.claims), _HEADER),
    }


def keys(good: Good) -> dict[str, Row]:
    """Carry a key that is weak, badly written or of another kind; a weak one signs for everybody."""
    jwk = good.key.public.jwk()
    where = f"{_HEADER}.jwk"

    def weak(y: int) -> str:
        # The identity as R with S = 0 satisfies the equation of RFC 8032 for a key of small order, message by message.
        header = {**good.header, "jwk": {**jwk, "x": point(y)}}
        return f"{b64.encode(raw(header))}.{good.parts()[1]}.{b64.encode((1).to_bytes(64, 'little'))}"

    def with_jwk(**members: object) -> str:
        return good.header_with(jwk={**jwk, **members})

    return {
        "key of order 1": row(weak(1), f"{where}.x"),
        "key of order 2": row(weak(PRIME - 1), f"{where}.x"),
        "key of order 4": row(weak(0), f"{where}.x"),
        "key of order 8": row(weak(ORDER_EIGHT_Y), f"{where}.x"),
        "the other key of order 8": row(weak(PRIME - ORDER_EIGHT_Y), f"{where}.x"),
        "key of order 1 with its sign set": row(weak(1 + 2**255), f"{where}.x"),
        "key of order 1 by its second name": row(weak(1 + PRIME), f"{where}.x"),
        "key whose y is not reduced": row(weak(3 + PRIME), f"{where}.x"),
        "key of 31 bytes": row(with_jwk(x=b64.encode(good.key.public.x[:31])), f"{where}.x"),
        "key with padding": row(with_jwk(x=jwk["x"] + "="), f"{where}.x"),
        "key with spare bits": row(with_jwk(x=spare_bits(jwk["x"])), f"{where}.x"),
        "key that is a number": row(with_jwk(x=1), where),
        "private half in the key": row(with_jwk(d=b64.encode(bytes(32))), where),
        "member use in the key": row(with_jwk(use="sig"), where),
        "key of an elliptic curve": row(with_jwk(kty="EC", crv="P-256"), where),
        "key for agreement": row(with_jwk(crv="X25519"), where),
        "key that is null": row(good.header_with(jwk=None), where),
        "key that is its thumbprint": row(good.header_with(jwk=good.key.public.thumbprint), where),
    }


def signatures(good: Good) -> dict[str, Row]:
    """Sign with another key, over something else, or in a second spelling."""
    head, payload, signature = good.parts()
    bare = b64.decode(signature)
    twin = bare[:32] + (int.from_bytes(bare[32:], "little") + GROUP_ORDER).to_bytes(32, "little")
    other = good_request("move").parts()
    where, code = "request.signature", "bad_signature"
    return {
        "another till's signature": row(good.signed(good.header, good.claims, private("till-2")), where, code),
        "another request's signature": row(f"{head}.{payload}.{other[2]}", where, code),
        "another request's payload": row(f"{head}.{other[1]}.{signature}", where, code),
        "signature of another group element": row(f"{head}.{payload}.{b64.encode(twin)}", where, code),
        "signature of zeros": row(f"{head}.{payload}.{b64.encode(bytes(64))}", where, code),
        "no signature": row(f"{head}.{payload}.", where),
        "signature cut off": row(f"{head}.{payload}.{b64.encode(bare[:63])}", where),
        "signature with a byte more": row(f"{head}.{payload}.{b64.encode(bare + bytes(1))}", where),
        "too large": row(good.claims_with(x="x" * 12_288), "request", "too_large"),
    }


def common_claims(good: Good) -> dict[str, Row]:
    """Say a claim of every request wrongly, or not at all."""
    return {
        "without aud": row(good.claims_without("aud"), "request.aud"),
        "another server's aud": row(good.claims_with(aud="other.example"), "request.aud"),
        "aud with a slash behind": row(good.claims_with(aud=f"{ISSUER}/"), "request.aud"),
        "aud in a list": row(good.claims_with(aud=[ISSUER]), "request.aud"),
        "without rid": row(good.claims_without("rid"), "request.rid"),
        "rid of 21 symbols": row(good.claims_with(rid="A" * 21), "request.rid"),
        "rid with spare bits": row(good.claims_with(rid="A" * 21 + "B"), "request.rid"),
        "rid that is a number": row(good.claims_with(rid=1), "request.rid"),
        "keyset below zero": row(good.claims_with(keyset=-1), "request.keyset"),
        "keyset that is true": row(good.claims_with(keyset=True), "request.keyset"),
        "keyset with a fraction": row(good.claims_with(keyset=1.5), "request.keyset"),
        "iat in words": row(good.claims_with(iat=str(NOW)), "request.iat"),
        "iat before 1970": row(good.claims_with(iat=-1), "request.iat"),
        "without iat": row(good.claims_without("iat"), "request.iat"),
        "without op": row(good.claims_without("op"), "request.op"),
        "op that nobody knows": row(good.claims_with(op="revoke"), "request.op"),
        "op in a list": row(good.claims_with(op=["deactivate"]), "request.op"),
        "without activation": row(good.claims_without("activation"), "request.activation"),
        "activation in upper case": row(good.claims_with(activation=ACTIVATION.upper()), "request.activation"),
        "activation that is a path": row(good.claims_with(activation="../../keyset"), "request.activation"),
        "activation with a line feed": row(good.claims_with(activation=f"{ACTIVATION}\n"), "request.activation"),
    }


def heartbeat_claims(good: Good) -> dict[str, Row]:
    """Say a claim of a heartbeat wrongly."""
    traits = {f"trait_{letter}": b64.encode(seed(letter)) for letter in "abcdefghijklmnopq"}
    clock = dict(good.claims["clock"])
    return {
        "without nonce": row(good.claims_without("nonce"), "request.nonce"),
        "nonce of 15 bytes": row(good.claims_with(nonce="A" * 20), "request.nonce"),
        "seq below zero": row(good.claims_with(seq=-1), "request.seq"),
        "seq in words": row(good.claims_with(seq="7"), "request.seq"),
        "fingerprint in a list": row(good.claims_with(fingerprint=[]), "request.fingerprint"),
        "seventeen traits": row(good.claims_with(fingerprint=traits), "request.fingerprint"),
        "trait named like an attribute": row(
            good.claims_with(fingerprint={"__Proto__": b64.encode(bytes(32))}), "request.fingerprint"
        ),
        "trait in clear": row(good.claims_with(fingerprint={"machine": "till-17"}), "request.fingerprint.machine"),
        "escape sequence in the version": row(good.claims_with(app_version="\x1b[2J"), "request.app_version"),
        "version of 65 characters": row(good.claims_with(app_version="9" * 65), "request.app_version"),
        "without clock": row(good.claims_without("clock"), "request.clock"),
        "clock in a list": row(good.claims_with(clock=[NOW]), "request.clock"),
        "wall clock below zero": row(good.claims_with(clock={**clock, "wall": -1}), "request.clock.wall"),
        "boot id of 65 characters": row(
            good.claims_with(clock={**clock, "boot_id": "b" * 65}), "request.clock.boot_id"
        ),
    }


def activate_claims(good: Good) -> dict[str, Row]:
    """Say a claim of an activation wrongly."""
    lease = sign_lease(leases()["perpetual"][1], private("online-1"))
    return {
        "license key and lease": row(good.claims_with(lease=lease), "request.license_key"),
        "neither license key nor lease": row(good.claims_without("license_key"), "request.license_key"),
        "license key in a list": row(good.claims_with(license_key=["POS-1"]), "request.license_key"),
        "license key of 101 characters": row(good.claims_with(license_key="P" * 101), "request.license_key"),
        "product with a slash": row(good.claims_with(product="pos/../crm"), "request.product"),
        "without product": row(good.claims_without("product"), "request.product"),
        "environment that nobody knows": row(good.claims_with(environment="prod"), "request.environment"),
        "project that is a name": row(good.claims_with(project="Shop"), "request.project"),
        "project without a name": row(good.claims_with(project={"name": ""}), "request.project.name"),
        "project written from right to left": row(
            good.claims_with(project={"name": "Shop\u202egnp"}), "request.project.name"
        ),
        "site of 254 characters": row(
            good.claims_with(project={"name": "Shop", "site": "s" * 254}), "request.project.site"
        ),
        "ticket that is a number": row(good.claims_with(move_ticket=7), "request.move_ticket"),
    }


def foreign_documents() -> dict[str, Row]:
    """Put a good document of another kind in a request's place."""
    online = private("online-1")
    return {
        "a lease in a request's place": row(sign_lease(leases()["perpetual"][1], online), _HEADER),
        "a statement in a request's place": row(sign_statement(statements()["revoked"][1], online), _HEADER),
    }


def bad_requests() -> dict[str, dict[str, Row]]:
    """Gather the bad requests by the good one that each was."""
    good = good_request("deactivate")
    return {
        "deactivate": {
            **algorithms(good),
            **injections(good),
            **keys(good),
            **signatures(good),
            **common_claims(good),
            **foreign_documents(),
            **spelling(good, "request"),
            **writing(good, "request"),
        },
        "heartbeat": heartbeat_claims(good_request("heartbeat")),
        "activate with the license key": activate_claims(good_request("activate with the license key")),
        "move": {
            "move to nowhere": row(good_request("move").claims_with(environment="Production"), "request.environment"),
        },
    }
