"""The keyset: which keys sign answers, under which roots (PROTOCOL section 2).

A JWS in the general JSON serialisation (RFC 7515 section 7.2.1), signed by a threshold of roots. Version N + 1 carries
a threshold of distinct roots of version N and of its own, so that whoever holds N can walk to N + 1 and nobody can walk
back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Optional

from tillkey.wire import b64, strict_json
from tillkey.wire.errors import bad_signature, malformed
from tillkey.wire.fields import Claims
from tillkey.wire.keys import ALGORITHM, PrivateKey, PublicKey

KEYSET_TYP = "tillkey-keyset+jwt"
MAX_KEYSET_BYTES = 64 * 1024
_MAX_KEYS = 32


@dataclass(frozen=True)
class OnlineKey:
    """A key that signs answers from ``not_before`` until ``not_after`` (exclusive, None: no end), in seconds."""

    key: PublicKey
    not_before: int
    not_after: Optional[int]

    def valid_at(self, instant: int) -> bool:
        """Tell whether an answer of that time may carry this key's signature."""
        return self.not_before <= instant and (self.not_after is None or instant < self.not_after)


@dataclass(frozen=True)
class _Signature:
    kid: str
    signed: bytes
    signature: bytes


@dataclass(frozen=True)
class Keyset:
    """One version of the keys: who issues, how many roots must sign, which roots, which online keys, since when."""

    issuer: str
    version: int
    threshold: int
    roots: tuple[PublicKey, ...]
    keys: tuple[OnlineKey, ...]
    issued_at: int

    def find(self, kid: str) -> Optional[OnlineKey]:
        """Return the online key with that thumbprint, or None."""
        return next((online for online in self.keys if online.key.thumbprint == kid), None)


def sign_keyset(keyset: Keyset, root_keys: Iterable[PrivateKey]) -> str:
    """Make the signed document of a keyset; each root key adds a signature, and none has to be enough by itself.

    Raises ``WireError`` for a keyset that no till could read, whoever signs it.
    """
    claims = {
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
    _keyset_of(claims)
    payload = b64.encode(strict_json.dumps(claims))
    signatures = []
    for root in root_keys:
        header = {"alg": ALGORITHM, "typ": KEYSET_TYP, "kid": root.public.thumbprint}
        protected = b64.encode(strict_json.dumps(header))
        signature = root.sign(f"{protected}.{payload}".encode("ascii"))
        signatures.append({"protected": protected, "signature": b64.encode(signature)})
    return strict_json.dumps({"payload": payload, "signatures": signatures}).decode("ascii")


def read_keyset(text: Any) -> tuple[Keyset, tuple[str, ...]]:
    """Read what a keyset says and the names of the keys that it bears signatures of, without believing any of it.

    For whoever is about to sign it, never for whoever trusts it. Raises ``WireError``.
    """
    keyset, signatures = _read(text)
    return keyset, tuple(made.kid for made in signatures)


def open_keyset(text: Any) -> Keyset:
    """Read a keyset and check that a threshold of its own roots signed it; to be used for the one that is pinned.

    Raises ``WireError``.
    """
    keyset, signatures = _read(text)
    _check_threshold(keyset, signatures)
    return keyset


def step(held: Keyset, text: Any) -> Keyset:
    """Walk from the keyset held to the next version.

    Raises ``WireError`` unless ``text`` is version ``held.version + 1`` of the same issuer, signed by a threshold of
    distinct roots of the held one and of its own.
    """
    keyset, signatures = _read(text)
    if keyset.issuer != held.issuer:
        raise malformed("keyset.issuer", "is another server's")
    if keyset.version != held.version + 1:
        raise malformed("keyset.version", "is not the next one")
    _check_threshold(keyset, signatures)
    _check_threshold(held, signatures)
    return keyset


def _read(text: Any) -> tuple[Keyset, tuple[_Signature, ...]]:
    if not isinstance(text, (str, bytes)):
        raise malformed("keyset", "is not a string")
    document = strict_json.loads(text, max_bytes=MAX_KEYSET_BYTES, field="keyset")
    if not isinstance(document, dict) or set(document) != {"payload", "signatures"}:
        raise malformed("keyset", "must have exactly payload and signatures")
    payload = document["payload"]
    if not isinstance(payload, str):
        raise malformed("keyset.payload", "is not a string")
    claims = strict_json.loads(b64.decode(payload, "keyset.payload"), max_bytes=MAX_KEYSET_BYTES, field="keyset")
    if not isinstance(claims, dict):
        raise malformed("keyset", "is not a JSON object")
    signatures = tuple(_signature(entry, payload) for entry in _list(document, "signatures"))
    return _keyset_of(claims), signatures


def _keyset_of(claims: dict[str, Any]) -> Keyset:
    reader = Claims(claims, "keyset")
    roots = tuple(PublicKey.from_jwk(jwk, "keyset.roots") for jwk in _list(claims, "roots"))
    keys = tuple(_online_key(entry) for entry in _list(claims, "keys"))
    threshold = reader.number("threshold")
    if not 1 <= threshold <= len(set(roots)) or len(set(roots)) != len(roots):
        raise malformed("keyset.threshold", "must be from 1 to the number of distinct roots")
    if len({online.key for online in keys}) != len(keys):
        raise malformed("keyset.keys", "has a key twice")
    return Keyset(reader.text("issuer"), reader.number("version"), threshold, roots, keys, reader.number("issued_at"))


def _online_key(entry: Any) -> OnlineKey:
    if not isinstance(entry, dict):
        raise malformed("keyset.keys", "must hold objects")
    reader = Claims(entry, "keyset.keys")
    key = PublicKey.from_jwk(entry.get("jwk"), "keyset.keys.jwk")
    return OnlineKey(key, reader.number("not_before"), reader.nullable_number("not_after"))


def _list(members: dict[str, Any], name: str) -> list[Any]:
    value = members.get(name)
    if not isinstance(value, list) or not 1 <= len(value) <= _MAX_KEYS:
        raise malformed(f"keyset.{name}", f"must be a list of 1 to {_MAX_KEYS}")
    return value


def _signature(entry: Any, payload: str) -> _Signature:
    where = "keyset.signatures"
    if not isinstance(entry, dict) or set(entry) != {"protected", "signature"}:
        raise malformed(where, "must have exactly protected and signature")
    protected, signature = entry["protected"], entry["signature"]
    if not isinstance(protected, str) or not isinstance(signature, str):
        raise malformed(where, "must hold strings")
    header = strict_json.loads(b64.decode(protected, where), field=where)
    if not isinstance(header, dict) or set(header) != {"alg", "typ", "kid"}:
        raise malformed(where, "must have exactly alg, typ and kid in each header")
    if header["alg"] != ALGORITHM or header["typ"] != KEYSET_TYP or not isinstance(header["kid"], str):
        raise malformed(where, f"must be {ALGORITHM} over {KEYSET_TYP}")
    return _Signature(header["kid"], f"{protected}.{payload}".encode("ascii"), b64.decode(signature, where))


def _check_threshold(keyset: Keyset, signatures: tuple[_Signature, ...]) -> None:
    """Count each root of ``keyset`` once, however often it signed."""
    approving = {
        root
        for root in keyset.roots
        for made in signatures
        if made.kid == root.thumbprint and root.verify(made.signature, made.signed)
    }
    if len(approving) < keyset.threshold:
        raise bad_signature("keyset.signatures", "do not reach the threshold of roots")
