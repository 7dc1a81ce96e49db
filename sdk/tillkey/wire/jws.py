"""Compact JWS (RFC 7515 section 7.1) with an exact header: ``alg`` is ``Ed25519``, ``typ`` is one, no other member.

An exact list of members, rather than a check of the ones we know, leaves nothing for ``crit``, ``b64``, ``jku`` or
``zip`` to do (RFC 8725 sections 2.1 and 3.10).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tillkey.wire import b64, strict_json
from tillkey.wire.errors import WireError, malformed
from tillkey.wire.keys import ALGORITHM, SIGNATURE_BYTES, PrivateKey

_PARTS = 3


@dataclass(frozen=True)
class Compact:
    """A compact JWS taken apart and not yet believed: header members, payload bytes, signature and what was signed."""

    header: Mapping[str, Any]
    payload: bytes
    signature: bytes
    signed: bytes

    def claims(self, field: str, max_bytes: int) -> dict[str, Any]:
        """Parse the payload, a JSON object; to be called after the signature was checked."""
        claims = strict_json.loads(self.payload, max_bytes=max_bytes, field=field)
        if not isinstance(claims, dict):
            raise malformed(field, "is not a JSON object")
        return claims


def sign(claims: Mapping[str, Any], *, typ: str, key: PrivateKey, member: str) -> str:
    """Sign claims; ``member`` says whether the header names the key (``kid``) or carries it (``jwk``)."""
    header: dict[str, Any] = {"alg": ALGORITHM, "typ": typ}
    header[member] = key.public.thumbprint if member == "kid" else key.public.jwk()
    signed = f"{b64.encode(strict_json.dumps(header))}.{b64.encode(strict_json.dumps(claims))}"
    return f"{signed}.{b64.encode(key.sign(signed.encode('ascii')))}"


def split(text: Any, *, typ: str, member: str, field: str, max_bytes: int) -> Compact:
    """Take a compact JWS apart and check its header: exactly ``alg``, ``typ`` and ``member``.

    Raises ``WireError``: ``too_large`` over ``max_bytes``, else ``malformed``. The signature is not checked here.
    """
    if not isinstance(text, str):
        raise malformed(field, "is not a string")
    if len(text) > max_bytes:
        raise WireError("too_large", field, f"is over {max_bytes} bytes")
    parts = text.split(".")
    if len(parts) != _PARTS or not text.isascii():
        raise malformed(field, "is not a compact JWS")
    header = strict_json.loads(b64.decode(parts[0], f"{field}.header"), field=f"{field}.header")
    if not isinstance(header, dict) or set(header) != {"alg", "typ", member}:
        raise malformed(f"{field}.header", f"must have exactly alg, typ and {member}")
    if header["alg"] != ALGORITHM:
        raise malformed(f"{field}.header.alg", f"must be {ALGORITHM}")
    if header["typ"] != typ:
        raise malformed(f"{field}.header.typ", f"must be {typ}")
    signature = b64.decode(parts[2], f"{field}.signature")
    if len(signature) != SIGNATURE_BYTES:
        raise malformed(f"{field}.signature", f"is not {SIGNATURE_BYTES} bytes")
    payload = b64.decode(parts[1], f"{field}.payload")
    return Compact(header, payload, signature, f"{parts[0]}.{parts[1]}".encode("ascii"))
