"""Answers and keysets that no till may take, each spoilt in one place. Only ever add here, at the end of each table."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

from scripts.golden.documents import (
    ACTIVATION,
    DAY,
    ISSUER,
    LICENSE,
    NOW,
    bodies,
    claims_of,
    keysets,
    leases,
    private,
    statements,
    token,
)
from scripts.golden.spoilt import Good, Row, point, raw, row, spare_bits, spelling, writing
from tillkey.wire import b64
from tillkey.wire.answers import LEASE_TYP, STATEMENT_TYP, sign_lease, sign_statement
from tillkey.wire.keys import PrivateKey
from tillkey.wire.keyset import KEYSET_TYP, sign_keyset
from tillkey.wire.request import REQUEST_TYP, sign_request

_UNSIGNED = "bad_signature"


def good_lease() -> Good:
    """Take the golden lease apart."""
    return Good.of(sign_lease(leases()["perpetual"][1], private("online-1")), private("online-1"))


def good_statement() -> Good:
    """Take the golden statement apart."""
    return Good.of(sign_statement(statements()["revoked"][1], private("online-1")), private("online-1"))


def headers(good: Good, kind: str, other_typ: str) -> dict[str, Row]:
    """Name another algorithm, type or key, or say more in the header than the protocol does."""
    where = f"{kind}.header"
    stranger, root = private("stranger"), private("root-1")
    own = {"alg": "Ed25519", "typ": good.header["typ"], "jwk": stranger.public.jwk()}
    return {
        "alg none, unsigned": row(good.unsigned_none(), f"{where}.alg"),
        "HS256 with the public key as the secret": row(good.keyed_with_public(good.key.public.x), f"{where}.alg"),
        "alg EdDSA": row(good.header_with(alg="EdDSA"), f"{where}.alg"),
        "another answer's typ": row(good.header_with(typ=other_typ), f"{where}.typ"),
        "typ JWT": row(good.header_with(typ="JWT"), f"{where}.typ"),
        "without typ": row(good.header_without("typ"), where),
        "without kid": row(good.header_without("kid"), where),
        "jwk in the place of kid": row(good.signed(own, good.claims, stranger), where),
        "jwk beside kid": row(good.header_with(jwk=stranger.public.jwk()), where),
        "member jku": row(good.header_with(jku="https://evil.example/jwks.json"), where),
        "member x5u": row(good.header_with(x5u="https://evil.example/chain.pem"), where),
        "member crit": row(good.header_with(crit=["exp"]), where),
        "b64 false": row(good.header_with(b64=False, crit=["b64"]), where),
        "kid that is a path": row(good.header_with(kid="../keys/root-key.json"), f"{where}.kid", _UNSIGNED),
        "kid that is a number": row(good.header_with(kid=1), f"{where}.kid"),
        "a stranger's key": row(
            good.signed({**good.header, "kid": stranger.public.thumbprint}, good.claims, stranger),
            f"{where}.kid",
            _UNSIGNED,
        ),
        "a root's key": row(
            good.signed({**good.header, "kid": root.public.thumbprint}, good.claims, root), f"{where}.kid", _UNSIGNED
        ),
        "our kid over a stranger's signature": row(
            good.signed(good.header, good.claims, stranger), f"{kind}.signature", _UNSIGNED
        ),
        "another server's iss": row(good.claims_with(iss="other.example"), f"{kind}.iss", _UNSIGNED),
        "iat before the key's time": row(good.claims_with(iat=NOW - DAY - 1), f"{kind}.iat", _UNSIGNED),
        "iat in words": row(good.claims_with(iat=str(NOW)), f"{kind}.iat"),
        "too large": row(good.claims_with(x="x" * 4096), kind, "too_large"),
    }


def lease_claims(good: Good) -> dict[str, Row]:
    """Say a claim of a lease wrongly, or not at all."""
    policy = {"name": "default"}
    return {
        "without exp": row(good.claims_without("exp"), "lease.exp"),
        "exp that is null": row(good.claims_with(exp=None), "lease.exp"),
        "exp in words": row(good.claims_with(exp=str(NOW)), "lease.exp"),
        "exp with a fraction": row(good.claims_with(exp=NOW + 0.5), "lease.exp"),
        "exp before 1970": row(good.claims_with(exp=-1), "lease.exp"),
        "exp that is true": row(good.claims_with(exp=True), "lease.exp"),
        "without use_until": row(good.claims_without("use_until"), "lease.use_until"),
        "without cnf": row(good.claims_without("cnf"), "lease.cnf"),
        "cnf in words": row(good.claims_with(cnf=good.claims["cnf"]["jkt"]), "lease.cnf"),
        "jkt with spare bits": row(
            good.claims_with(cnf={"jkt": spare_bits(good.claims["cnf"]["jkt"])}), "lease.cnf.jkt"
        ),
        "aud in a list": row(good.claims_with(aud=["pos"]), "lease.aud"),
        "sub in upper case": row(good.claims_with(sub=ACTIVATION.upper()), "lease.sub"),
        "seq below zero": row(good.claims_with(seq=-1), "lease.seq"),
        "without nonce": row(good.claims_without("nonce"), "lease.nonce"),
        "entitlements in words": row(good.claims_with(entitlements="sell"), "lease.entitlements"),
        "sixty-five entitlements": row(good.claims_with(entitlements=["e"] * 65), "lease.entitlements"),
        "entitlement with a space": row(good.claims_with(entitlements=["sell more"]), "lease.entitlements"),
        "without a policy's version": row(good.claims_with(policy=policy), "lease.policy.version"),
        "offline that is 1": row(good.claims_with(offline=1), "lease.offline"),
        "environment that nobody knows": row(good.claims_with(environment="prod"), "lease.environment"),
    }


def statement_claims(good: Good) -> dict[str, Row]:
    """Say a claim of a statement wrongly, or not at all."""
    return {
        "without code": row(good.claims_without("code"), "statement.code"),
        "code in upper case": row(good.claims_with(code="LICENSE_REVOKED"), "statement.code"),
        "clauses in words": row(good.claims_with(clauses="K-13"), "statement.clauses"),
        "clause with an escape sequence": row(good.claims_with(clauses=["\x1b[2J"]), "statement.clauses"),
        "without cnf": row(good.claims_without("cnf"), "statement.cnf"),
        "without rid": row(good.claims_without("rid"), "statement.rid"),
        "sub that is a path": row(good.claims_with(sub="../../x"), "statement.sub"),
        "retry_at below zero": row(good.claims_with(retry_at=-1), "statement.retry_at"),
        "options with a space": row(good.claims_with(options=["ask us"]), "statement.options"),
    }


def of_another_request(good: Good) -> dict[str, Row]:
    """Answer somebody else, or something that was not asked; whoever only opens the document finds nothing wrong."""
    made = {
        "another installation's": row(good.claims_with(cnf={"jkt": private("till-2").public.thumbprint}), "cnf.jkt"),
        "another request's": row(good.claims_with(rid=token("move")), "rid"),
        "another activation's": row(good.claims_with(sub=LICENSE), "sub"),
    }
    if good.header["typ"] == LEASE_TYP:
        made["another product's"] = row(good.claims_with(aud="crm"), "aud")
        made["seq of the lease held"] = row(good.claims_with(seq=7), "seq")
        made["seq below the lease held"] = row(good.claims_with(seq=6), "seq")
    return made


def foreign_documents(kind: str) -> dict[str, Row]:
    """Put a good document of another kind in an answer's place."""
    till = private("till-1")
    asked = sign_request(bodies()["heartbeat"], aud=ISSUER, rid=token("heartbeat"), keyset=1, iat=NOW, key=till)
    other = good_statement().text if kind == "lease" else good_lease().text
    return {
        "a statement in a lease's place" if kind == "lease" else "a lease in a statement's place": row(
            other, f"{kind}.header.typ"
        ),
        "a request in an answer's place": row(asked, f"{kind}.header"),
        "a keyset in an answer's place": row(sign_keyset(keysets()["v2"], [private("root-1")]), kind),
    }


def bad_leases() -> dict[str, Row]:
    """Gather the bad leases."""
    good = good_lease()
    return {
        **headers(good, "lease", STATEMENT_TYP),
        **lease_claims(good),
        **foreign_documents("lease"),
        **spelling(good, "lease"),
        **writing(good, "lease"),
    }


def bad_statements() -> dict[str, Row]:
    """Gather the bad statements."""
    good = good_statement()
    return {
        **headers(good, "statement", LEASE_TYP),
        **statement_claims(good),
        **foreign_documents("statement"),
        **spelling(good, "statement"),
        **writing(good, "statement"),
    }


def keyset_text(claims: Any, key: PrivateKey, **header: Any) -> str:
    """Sign whatever claims as a keyset, with header members of one's own."""
    payload = b64.encode(raw(claims))
    protected = b64.encode(
        raw({"alg": "Ed25519", "typ": KEYSET_TYP, "kid": key.public.thumbprint, **header}),
    )
    signature = b64.encode(key.sign(f"{protected}.{payload}".encode()))
    entry = {"protected": protected, "signature": signature}
    return json.dumps({"payload": payload, "signatures": [entry]}, separators=(",", ":"))


def bad_keyset_claims(claims: dict[str, Any], root: PrivateKey) -> dict[str, Row]:
    """Say something wrong in the second keyset, truly signed by the root of the first."""

    def made(change: Callable[[Any], None]) -> str:
        spoilt = copy.deepcopy(claims)
        change(spoilt)
        return keyset_text(spoilt, root)

    weak = {"kty": "OKP", "crv": "Ed25519", "x": point(1)}
    written = raw(claims)
    return {
        "another issuer": row(made(lambda it: it.update(issuer="other.example")), "keyset.issuer"),
        "a version skipped": row(made(lambda it: it.update(version=3)), "keyset.version"),
        "the version held": row(made(lambda it: it.update(version=1)), "keyset.version"),
        "version in words": row(made(lambda it: it.update(version="2")), "keyset.version"),
        "threshold of none": row(made(lambda it: it.update(threshold=0)), "keyset.threshold"),
        "threshold that nobody reaches": row(made(lambda it: it.update(threshold=2)), "keyset.threshold"),
        "a root twice": row(made(lambda it: it.update(roots=it["roots"] * 2, threshold=2)), "keyset.threshold"),
        "a root of small order": row(made(lambda it: it["roots"].append(weak)), "keyset.roots.x"),
        "a key twice": row(made(lambda it: it["keys"].append(it["keys"][0])), "keyset.keys"),
        "a key of small order": row(made(lambda it: it["keys"][1].update(jwk=weak)), "keyset.keys.jwk.x"),
        "no keys": row(made(lambda it: it.update(keys=[])), "keyset.keys"),
        "thirty-three roots": row(made(lambda it: it.update(roots=it["roots"] * 33)), "keyset.roots"),
        "without not_after": row(made(lambda it: it["keys"][1].pop("not_after")), "keyset.keys.not_after"),
        "not_before below zero": row(made(lambda it: it["keys"][1].update(not_before=-1)), "keyset.keys.not_before"),
        "a name twice": row(keyset_text(written[:-1] + b',"version":2}', root), "keyset"),
        "NaN": row(keyset_text(written[:-1] + b',"x":NaN}', root), "keyset"),
        "too large": row(made(lambda it: it.update(x="x" * 49_152)), "keyset", "too_large"),
    }


def bad_keysets() -> dict[str, Row]:
    """Make what cannot follow the first keyset; each was the second one."""
    root, stranger, online = private("root-1"), private("stranger"), private("online-1")
    good = sign_keyset(keysets()["v2"], [root])
    document = json.loads(good)
    [entry] = document["signatures"]
    claims = claims_of(f".{document['payload']}.")
    where, reached = "keyset.signatures", "bad_signature"

    def dumped(**members: Any) -> str:
        return json.dumps({**document, **members}, separators=(",", ":"))

    return {
        "signed by a stranger": row(keyset_text(claims, stranger), where, reached),
        "signed by an online key": row(keyset_text(claims, online), where, reached),
        "the root's kid over a stranger's signature": row(
            keyset_text(claims, stranger, kid=root.public.thumbprint), where, reached
        ),
        "signed over another payload": row(
            dumped(payload=json.loads(keyset_text({**claims, "issued_at": 1}, root))["payload"]), where, reached
        ),
        "alg none": row(keyset_text(claims, root, alg="none"), where),
        "a lease's typ": row(keyset_text(claims, root, typ=LEASE_TYP), where),
        "member crit": row(keyset_text(claims, root, crit=["exp"]), where),
        "kid that is a number": row(keyset_text(claims, root, kid=1), where),
        "no signatures": row(dumped(signatures=[]), where),
        "an unprotected header": row(dumped(signatures=[{**entry, "header": {}}]), where),
        "signature with padding": row(dumped(signatures=[{**entry, "signature": entry["signature"] + "=="}]), where),
        "payload with padding": row(dumped(payload=document["payload"] + "="), "keyset.payload"),
        "flattened": row(json.dumps({"payload": document["payload"], **entry}, separators=(",", ":")), "keyset"),
        "payload twice": row(f'{good[:-1]},"payload":"e30"}}', "keyset"),
        "compact": row(f"{entry['protected']}.{document['payload']}.{entry['signature']}", "keyset"),
        "a lease in a keyset's place": row(good_lease().text, "keyset"),
        "a request's typ": row(keyset_text(claims, root, typ=REQUEST_TYP), where),
        **bad_keyset_claims(claims, root),
    }
