"""Strict base64url without padding (RFC 7515 section 2): one text for each byte string."""

from __future__ import annotations

import base64
import re

from tillkey.wire.errors import malformed

_ALPHABET = re.compile(r"[A-Za-z0-9_-]*\Z")


def encode(raw: bytes) -> str:
    """Encode bytes as base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def decode(text: str, field: str = "base64url") -> bytes:
    """Decode base64url; raise ``WireError`` for padding, foreign characters or stray bits in the last symbol."""
    if not _ALPHABET.match(text) or len(text) % 4 == 1:
        raise malformed(field, "is not base64url without padding")
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    # Stray bits make a second spelling of the same bytes, which would slip past a comparison of texts.
    if encode(raw) != text:
        raise malformed(field, "is not canonical base64url")
    return raw
