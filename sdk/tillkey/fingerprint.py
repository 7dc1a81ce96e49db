"""The fingerprint: traits of the machine under a value derived from the license key (PROTOCOL section 3).

It is evidence, never identity: the server compares it when a reinstalled till asks for a license that it held. Without
the license key nobody can tell which machine a fingerprint is of, and two licenses' fingerprints of one machine have
nothing in common. Pure: ``traits`` reads the machine.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

from tillkey.wire import b64

_LABEL = b"tillkey license value v1"


def license_value(normalized_key: str) -> bytes:
    """Derive the value that stands for a license key once it is answered.

    32 bytes, one way (the key has 129 random bits).
    """
    return hmac.new(_LABEL, normalized_key.encode("ascii"), hashlib.sha256).digest()


def fingerprint(value: bytes, traits: Mapping[str, str]) -> dict[str, str]:
    """Return ``{component: base64url(HMAC-SHA-256(value, trait))}``."""
    return {
        component: b64.encode(hmac.new(value, trait.encode("utf-8", "surrogatepass"), hashlib.sha256).digest())
        for component, trait in traits.items()
    }
