"""What the server answers: the lease and the statement (PROTOCOL section 4).

``sign_lease`` and ``sign_statement`` make them in the server, and refuse to sign what no till would read.
``open_lease`` and ``open_statement`` check in the SDK what an answer shows by itself: exact type, a key of the newest
keyset held that was valid at ``iat``, the keyset's issuer, every claim. Whether it answers *this* request of *this*
installation is the session's to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Optional

from tillkey.wire import jws
from tillkey.wire.errors import bad_signature, malformed
from tillkey.wire.fields import Claims
from tillkey.wire.keys import PrivateKey
from tillkey.wire.keyset import Keyset

LEASE_TYP = "tillkey-lease+jwt"
STATEMENT_TYP = "tillkey-statement+jwt"
MAX_ANSWER = 4 * 1024

ENDING_CODES: Mapping[str, str] = MappingProxyType(
    {
        "license_revoked": "revoked",
        "license_terminated": "revoked",
        "license_expired": "expired",
        "activation_superseded": "superseded",
        "activation_released": "released",
        "account_suspended": "suspended",
        "license_suspended": "suspended",
        "legal_hold": "suspended",
    }
)
"""The closed list of signed codes that end or suspend use, and the status that each gives the till (X-03)."""


@dataclass(frozen=True)
class Lease:
    """The signed right to run until a time.

    Times are seconds; ``use_until``, ``support_until`` and ``updates_until`` are None for no end.
    """

    iss: str
    sub: str
    aud: str
    iat: int
    nbf: int
    exp: int
    jti: str
    jkt: str
    rid: str
    license: str
    project: str
    environment: str
    entitlements: tuple[str, ...]
    degraded: tuple[str, ...]
    refresh_at: int
    soft_exp: int
    use_until: Optional[int]
    support_until: Optional[int]
    updates_until: Optional[int]
    seq: int
    nonce: str
    min_keyset: int
    policy_name: str
    policy_version: int
    offline: bool = False


@dataclass(frozen=True)
class Statement:
    """A signed no, or the receipt of a release: ``code`` with its clauses, for one request of one installation."""

    iss: str
    iat: int
    jti: str
    jkt: str
    rid: str
    code: str
    clauses: tuple[str, ...]
    sub: Optional[str] = None
    retry_at: Optional[int] = None
    options: tuple[str, ...] = ()


# The claims that bear the name of the dataclass's field.
_SAME_NAME = (
    *("iss", "sub", "aud", "iat", "nbf", "exp", "jti", "rid", "license", "project", "environment"),
    *("refresh_at", "soft_exp", "use_until", "support_until", "updates_until", "seq", "nonce", "min_keyset", "offline"),
)


def sign_lease(lease: Lease, key: PrivateKey) -> str:
    """Make a lease's compact JWS; raises ``WireError`` for a claim that no till would read, or over 4 KiB."""
    claims: dict[str, Any] = {name: getattr(lease, name) for name in _SAME_NAME}
    claims["cnf"] = {"jkt": lease.jkt}
    claims["entitlements"] = list(lease.entitlements)
    claims["degraded"] = list(lease.degraded)
    claims["policy"] = {"name": lease.policy_name, "version": lease.policy_version}
    _lease_of(Claims(claims, "lease"))
    return _bounded(jws.sign(claims, typ=LEASE_TYP, key=key, member="kid"), "lease")


def sign_statement(statement: Statement, key: PrivateKey) -> str:
    """Make a statement's compact JWS; members that are None or empty are left out. Raises ``WireError`` as above."""
    claims: dict[str, Any] = {
        "iss": statement.iss,
        "iat": statement.iat,
        "jti": statement.jti,
        "cnf": {"jkt": statement.jkt},
        "rid": statement.rid,
        "code": statement.code,
        "clauses": list(statement.clauses),
    }
    if statement.sub is not None:
        claims["sub"] = statement.sub
    if statement.retry_at is not None:
        claims["retry_at"] = statement.retry_at
    if statement.options:
        claims["options"] = list(statement.options)
    _statement_of(Claims(claims, "statement"))
    return _bounded(jws.sign(claims, typ=STATEMENT_TYP, key=key, member="kid"), "statement")


def open_lease(text: Any, keyset: Keyset) -> Lease:
    """Check a lease against the newest keyset held and return it; raises ``WireError``."""
    return _lease_of(_open(text, LEASE_TYP, keyset, "lease"))


def open_statement(text: Any, keyset: Keyset) -> Statement:
    """Check a statement against the newest keyset held and return it; raises ``WireError``."""
    return _statement_of(_open(text, STATEMENT_TYP, keyset, "statement"))


def _lease_of(claims: Claims) -> Lease:
    policy = claims.nested("policy")
    return Lease(
        iss=claims.text("iss"),
        sub=claims.uuid("sub"),
        aud=claims.code("aud"),
        iat=claims.number("iat"),
        nbf=claims.number("nbf"),
        exp=claims.number("exp"),
        jti=claims.text("jti", most=64),
        jkt=claims.nested("cnf").digest("jkt"),
        rid=claims.token("rid"),
        license=claims.uuid("license"),
        project=claims.uuid("project"),
        environment=claims.environment(),
        entitlements=claims.codes("entitlements"),
        degraded=claims.codes("degraded"),
        refresh_at=claims.number("refresh_at"),
        soft_exp=claims.number("soft_exp"),
        use_until=claims.nullable_number("use_until"),
        support_until=claims.nullable_number("support_until"),
        updates_until=claims.nullable_number("updates_until"),
        seq=claims.number("seq"),
        nonce=claims.token("nonce"),
        min_keyset=claims.number("min_keyset"),
        policy_name=policy.code("name"),
        policy_version=policy.number("version"),
        offline=claims.boolean("offline"),
    )


def _statement_of(claims: Claims) -> Statement:
    return Statement(
        iss=claims.text("iss"),
        iat=claims.number("iat"),
        jti=claims.text("jti", most=64),
        jkt=claims.nested("cnf").digest("jkt"),
        rid=claims.token("rid"),
        code=claims.code("code"),
        clauses=claims.clauses("clauses"),
        sub=claims.optional_uuid("sub"),
        retry_at=claims.optional_number("retry_at"),
        options=claims.codes("options") if claims.has("options") else (),
    )


def _open(text: Any, typ: str, keyset: Keyset, field: str) -> Claims:
    compact = jws.split(text, typ=typ, member="kid", field=field, max_bytes=MAX_ANSWER)
    kid = compact.header["kid"]
    if not isinstance(kid, str):
        raise malformed(f"{field}.header.kid", "is not a string")
    online = keyset.find(kid)
    if online is None:
        raise bad_signature(f"{field}.header.kid", "is not a key of the keyset held")
    if not online.key.verify(compact.signature, compact.signed):
        raise bad_signature(f"{field}.signature", "is not by the key that the header names")
    claims = Claims(compact.claims(field, MAX_ANSWER), field)
    if not online.valid_at(claims.number("iat")):
        raise bad_signature(f"{field}.iat", "is outside the time in which its key signs")
    if claims.text("iss") != keyset.issuer:
        raise bad_signature(f"{field}.iss", "is not the keyset's issuer")
    return claims


def _bounded(text: str, field: str) -> str:
    if len(text) > MAX_ANSWER:
        raise malformed(field, f"would be over {MAX_ANSWER} bytes: give the policy fewer or shorter entitlements")
    return text
