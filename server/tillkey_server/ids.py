"""Names for rows and random tokens.

Identifiers are UUIDv7 (RFC 9562 section 5.7): they rise with time, so that paging by id is paging by age. They are no
secrets; what must not be guessed is a token.
"""

from __future__ import annotations

import base64
import secrets
from uuid import UUID

import uuid_utils

TOKEN_BYTES = 16


def new_id() -> UUID:
    """Return a new UUIDv7 as the standard library's type, which SQLAlchemy and JSON encoders know."""
    return UUID(int=uuid_utils.uuid7().int)


def new_token() -> str:
    """Return 128 random bits as 22 characters of base64url without padding: a `rid`, `nonce` or `jti`."""
    return base64.urlsafe_b64encode(secrets.token_bytes(TOKEN_BYTES)).rstrip(b"=").decode("ascii")
