"""Ed25519 keys as JWK (RFC 8037 section 2), their thumbprints (RFC 7638), and the keys that are refused.

``cryptography`` accepts public keys of small order, under which one signature fits many messages, and y coordinates
that are not reduced, which give one point two names. Both are refused here, when a key is read.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tillkey.wire import b64, strict_json
from tillkey.wire.errors import WireError, malformed

ALGORITHM = "Ed25519"
KEY_BYTES = 32
SIGNATURE_BYTES = 64

_P = 2**255 - 19
# The y coordinates of the points whose order divides 8: 1, p - 1, 0 and the two of order 8 (RFC 8032 section 5.1).
_ORDER_EIGHT_Y = 2707385501144840649318225287225658788936804267575313519463743609750303402022
_SMALL_ORDER_Y = frozenset({0, 1, _P - 1, _ORDER_EIGHT_Y, _P - _ORDER_EIGHT_Y})


@dataclass(frozen=True)
class PublicKey:
    """An Ed25519 public key: ``x`` is its 32 bytes. Raises ``WireError`` for a weak or non-canonical one."""

    x: bytes

    def __post_init__(self) -> None:
        """Refuse a key of another length, a y that is not reduced, and the points of small order."""
        if len(self.x) != KEY_BYTES:
            raise malformed("jwk.x", f"is not {KEY_BYTES} bytes")
        y = int.from_bytes(self.x, "little") & (2**255 - 1)
        if y >= _P:
            raise malformed("jwk.x", "is not a canonical point")
        if y in _SMALL_ORDER_Y:
            raise malformed("jwk.x", "is a point of small order")

    @classmethod
    def from_jwk(cls, jwk: Any, field: str = "jwk") -> PublicKey:
        """Read ``{"kty": "OKP", "crv": "Ed25519", "x": …}`` with exactly these members."""
        if not isinstance(jwk, dict) or set(jwk) != {"kty", "crv", "x"}:
            raise malformed(field, "must have exactly kty, crv and x")
        if jwk["kty"] != "OKP" or jwk["crv"] != ALGORITHM or not isinstance(jwk["x"], str):
            raise malformed(field, "is not an Ed25519 key")
        raw = b64.decode(jwk["x"], f"{field}.x")
        try:
            return cls(raw)
        except WireError as error:
            raise malformed(f"{field}.x", error.detail) from None

    def jwk(self) -> dict[str, str]:
        """Return the key as a JWK."""
        return {"kty": "OKP", "crv": ALGORITHM, "x": b64.encode(self.x)}

    @cached_property
    def thumbprint(self) -> str:
        """The JWK thumbprint, 43 characters of base64url of SHA-256 (RFC 7638 section 3)."""
        return b64.encode(hashlib.sha256(strict_json.dumps(self.jwk())).digest())

    @cached_property
    def _verifier(self) -> Ed25519PublicKey:
        return Ed25519PublicKey.from_public_bytes(self.x)

    def verify(self, signature: bytes, message: bytes) -> bool:
        """Tell whether this key signed the message."""
        try:
            self._verifier.verify(signature, message)
        except InvalidSignature:
            return False
        return True


class PrivateKey:
    """An Ed25519 private key. Its ``repr`` shows the thumbprint of the public half alone."""

    def __init__(self, seed: bytes) -> None:
        """Take 32 random bytes, drawn by the caller."""
        if len(seed) != KEY_BYTES:
            raise malformed("jwk.d", f"is not {KEY_BYTES} bytes")
        self._signer = Ed25519PrivateKey.from_private_bytes(seed)
        self.seed = seed
        self.public = PublicKey(self._signer.public_key().public_bytes_raw())

    @classmethod
    def from_seed(cls, seed: bytes) -> PrivateKey:
        """Make a key from 32 random bytes, drawn by the caller."""
        return cls(seed)

    @classmethod
    def from_jwk(cls, jwk: Any, field: str = "jwk") -> PrivateKey:
        """Read a private JWK (RFC 8037 section 2); the public half must belong to it."""
        if not isinstance(jwk, dict) or not isinstance(jwk.get("d"), str):
            raise malformed(field, "is not a private Ed25519 key")
        public = PublicKey.from_jwk({name: member for name, member in jwk.items() if name != "d"}, field)
        seed = b64.decode(jwk["d"], f"{field}.d")
        if len(seed) != KEY_BYTES:
            raise malformed(f"{field}.d", f"is not {KEY_BYTES} bytes")
        key = cls(seed)
        if key.public != public:
            raise malformed(field, "has a public half of another key")
        return key

    def jwk(self) -> dict[str, str]:
        """Return the private JWK, secret included."""
        return {**self.public.jwk(), "d": b64.encode(self.seed)}

    def sign(self, message: bytes) -> bytes:
        """Sign a message: 64 bytes."""
        return self._signer.sign(message)

    def __repr__(self) -> str:
        """Name the key without its secret."""
        return f"PrivateKey({self.public.thumbprint})"
