"""What a till asks: one signed document for each request (PROTOCOL section 3).

``sign_request`` makes it in the SDK, ``open_request`` reads it in the server. The signature is checked with the key
that the header carries, so whoever holds a document knows only that the installation named by that key's thumbprint
sent it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Optional, Union

from tillkey.wire import jws
from tillkey.wire.errors import bad_signature, malformed
from tillkey.wire.fields import ENGLISH, Claims
from tillkey.wire.keys import PrivateKey, PublicKey
from tillkey.wire.strict_json import MAX_BYTES

REQUEST_TYP = "tillkey-request+jwt"
_MAX_LEASE = 6 * 1024
_MAX_KEY_TEXT = 100


@dataclass(frozen=True)
class Project:
    """The shop or site that a license is used for: a name, and where there is one its address."""

    name: str
    site: Optional[str] = None


@dataclass(frozen=True)
class ClockReading:
    """The till's clocks at a heartbeat: ``wall`` and ``boottime`` in seconds, ``boot_id`` of at most 64 characters."""

    wall: int
    boottime: int
    boot_id: str


@dataclass(frozen=True)
class Activate:
    """Ask for the license: with its key, or with the last lease held (a rebind). Exactly one of the two is given."""

    product: str
    project: Optional[Project]
    environment: str
    fingerprint: Mapping[str, str]
    app_version: str
    license_key: Optional[str] = field(default=None, repr=False)
    lease: Optional[str] = field(default=None, repr=False)
    platform_version: Optional[str] = None
    move_ticket: Optional[str] = field(default=None, repr=False)


@dataclass(frozen=True)
class Heartbeat:
    """Keep a lease alive: present the nonce of the last one."""

    activation: str
    nonce: str
    seq: int
    fingerprint: Mapping[str, str]
    app_version: str
    clock: ClockReading


@dataclass(frozen=True)
class Move:
    """Ask for a ticket with which another installation takes the license to ``environment``."""

    activation: str
    nonce: str
    environment: str


@dataclass(frozen=True)
class Deactivate:
    """Give the license back."""

    activation: str


@dataclass(frozen=True)
class Support:
    """Ask whether the vendor's terms serve a request for support: ``task`` and ``feature`` are words of these terms."""

    activation: str
    task: str
    feature: Optional[str] = None
    platform_version: Optional[str] = None
    language: str = ENGLISH


Body = Union[Activate, Heartbeat, Move, Deactivate, Support]
_OPS = {
    Activate: "activate",
    Heartbeat: "heartbeat",
    Move: "move",
    Deactivate: "deactivate",
    Support: "support",
}


@dataclass(frozen=True)
class Request:
    """A request whose signature was checked: common claims, the key that signed, and the body of its ``op``."""

    aud: str
    rid: str
    keyset: int
    iat: int
    key: PublicKey
    body: Body

    @property
    def op(self) -> str:
        """The verb: ``activate``, ``heartbeat``, ``move``, ``deactivate`` or ``support``."""
        return _OPS[type(self.body)]

    @property
    def jkt(self) -> str:
        """The thumbprint that names the installation (RFC 9449 section 6.1)."""
        return self.key.thumbprint


def path_of(body: Body) -> str:
    """Return the path that a request is posted to."""
    if isinstance(body, Activate):
        return "/v1/activations"
    return f"/v1/activations/{body.activation}/{_OPS[type(body)]}"


def sign_request(body: Body, *, aud: str, rid: str, keyset: int, iat: int, key: PrivateKey) -> str:
    """Make a request's compact JWS.

    ``aud`` is the server's issuer name, ``rid`` 22 characters of base64url, ``keyset`` the version held, ``iat`` the
    till's clock in seconds, ``key`` the installation's. Raises ``WireError`` for text or numbers that no JSON of ours
    can carry.
    """
    common = {"aud": aud, "op": _OPS[type(body)], "rid": rid, "keyset": keyset, "iat": iat}
    return jws.sign({**common, **_claims_of(body)}, typ=REQUEST_TYP, key=key, member="jwk")


def open_request(text: Any, *, aud: str) -> Request:
    """Check a request's form and signature and return it.

    Raises ``WireError``: ``malformed`` for its form, its key or a foreign ``aud``, ``bad_signature``, ``too_large``
    over 16 KiB.
    """
    compact = jws.split(text, typ=REQUEST_TYP, member="jwk", field="request", max_bytes=MAX_BYTES)
    key = PublicKey.from_jwk(compact.header["jwk"], "request.header.jwk")
    if not key.verify(compact.signature, compact.signed):
        raise bad_signature("request.signature", "is not by the key in the header")
    claims = Claims(compact.claims("request", MAX_BYTES), "request")
    if claims.text("aud") != aud:
        raise malformed("request.aud", "is not this server's issuer")
    return Request(
        aud=aud,
        rid=claims.token("rid"),
        keyset=claims.number("keyset"),
        iat=claims.number("iat"),
        key=key,
        body=_body_of(claims),
    )


def _claims_of(body: Body) -> dict[str, Any]:
    if isinstance(body, Activate):
        members: dict[str, Any] = {
            "license_key": body.license_key,
            "lease": body.lease,
            "product": body.product,
            "environment": body.environment,
            "fingerprint": dict(body.fingerprint),
            "app_version": body.app_version,
            "platform_version": body.platform_version,
            "move_ticket": body.move_ticket,
        }
        if body.project is not None:
            members["project"] = {"name": body.project.name}
            if body.project.site is not None:
                members["project"]["site"] = body.project.site
        return {name: member for name, member in members.items() if member is not None}
    if isinstance(body, Heartbeat):
        clock = {"wall": body.clock.wall, "boottime": body.clock.boottime, "boot_id": body.clock.boot_id}
        return {
            "activation": body.activation,
            "nonce": body.nonce,
            "seq": body.seq,
            "fingerprint": dict(body.fingerprint),
            "app_version": body.app_version,
            "clock": clock,
        }
    if isinstance(body, Move):
        return {"activation": body.activation, "nonce": body.nonce, "environment": body.environment}
    if isinstance(body, Support):
        asked = {
            "activation": body.activation,
            "task": body.task,
            "feature": body.feature,
            "platform_version": body.platform_version,
            "language": body.language,
        }
        return {name: member for name, member in asked.items() if member is not None}
    return {"activation": body.activation}


def _body_of(claims: Claims) -> Body:
    op = claims.text("op")
    if op == "activate":
        return _activate_of(claims)
    if op == "heartbeat":
        clock = claims.nested("clock")
        return Heartbeat(
            activation=claims.uuid("activation"),
            nonce=claims.token("nonce"),
            seq=claims.number("seq"),
            fingerprint=claims.fingerprint(),
            app_version=claims.text("app_version", least=0, most=64),
            clock=ClockReading(clock.number("wall"), clock.number("boottime"), clock.text("boot_id", least=0, most=64)),
        )
    if op == "move":
        return Move(claims.uuid("activation"), claims.token("nonce"), claims.environment())
    if op == "deactivate":
        return Deactivate(claims.uuid("activation"))
    if op == "support":
        return Support(
            activation=claims.uuid("activation"),
            task=claims.word("task"),
            feature=claims.optional_word("feature"),
            platform_version=claims.optional_text("platform_version", most=64),
            language=claims.language(),
        )
    raise malformed("request.op", f"must be one of {', '.join(_OPS.values())}")


def _activate_of(claims: Claims) -> Activate:
    if claims.has("license_key") == claims.has("lease"):
        raise malformed("request.license_key", "give either the license key or the last lease, not both and not none")
    project = None
    if claims.has("project"):
        named = claims.nested("project")
        project = Project(named.text("name"), named.optional_text("site", most=253))
    return Activate(
        product=claims.code("product"),
        project=project,
        environment=claims.environment(),
        fingerprint=claims.fingerprint(),
        app_version=claims.text("app_version", least=0, most=64),
        license_key=claims.optional_text("license_key", most=_MAX_KEY_TEXT),
        lease=claims.optional_text("lease", most=_MAX_LEASE),
        platform_version=claims.optional_text("platform_version", most=64),
        move_ticket=claims.optional_text("move_ticket", most=_MAX_KEY_TEXT),
    )
