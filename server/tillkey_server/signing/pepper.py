"""The pepper: a secret under which license keys and move tickets are hashed, so that a stolen database opens nothing.

Losing it makes every license key unknown: it belongs into the backup, apart from the database's.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tillkey.wire.license_key import format_key, normalize
from tillkey_server.errors import BrokenInvariant, ConfigError
from tillkey_server.settings import Settings
from tillkey_server.signing.files import read_secret, write_new

PEPPER_BYTES = 32
TICKET_PREFIX = "MOVE"

# One label per use, so that no value of one use can stand for another's.
_LICENSE_KEY = b"tillkey license key v1\0"
_TICKET_HASH = b"tillkey move ticket hash v1\0"
_TICKET_DRAW = b"tillkey move ticket v1\0"
_API_KEY = b"tillkey api key v1\0"
_IDEMPOTENCY_KEY = b"tillkey idempotency key v1\0"
_REQUEST = b"tillkey idempotent request v1\0"
_ANSWER = b"tillkey idempotent answer v1\0"
_BUCKET = b"tillkey rate limit v1\0"
_PURCHASE_CODE = b"tillkey purchase code v1\0"

API_KEY_PREFIX = "tks_"
_API_KEY_SYMBOLS = 43
_NONCE_BYTES = 12


class Pepper:
    """Keyed hashes (HMAC-SHA-256, RFC 2104). Raises ConfigError for a secret that is not 32 bytes."""

    def __init__(self, secret: bytes) -> None:
        """Take the secret's 32 bytes."""
        if len(secret) != PEPPER_BYTES:
            raise ConfigError(
                f"the pepper is {len(secret)} bytes long instead of {PEPPER_BYTES}: restore it from the backup"
            )
        self._secret = secret

    @classmethod
    def load(cls, settings: Settings) -> Pepper:
        """Read the pepper. Raises ConfigError when it is missing, damaged or readable by others."""
        mend = "restore it from the backup; without one see docs/operations.md, Incident"
        return cls(read_secret(settings.pepper_path, mend=mend))

    @staticmethod
    def create(settings: Settings) -> None:
        """Make the pepper. Raises ConfigError when there is one: another would make every license key unknown."""
        write_new(settings.pepper_path, secrets.token_bytes(PEPPER_BYTES), mode=0o600)

    def __repr__(self) -> str:
        """Show nothing of the secret."""
        return "Pepper(…)"

    def hash_key(self, body: str) -> bytes:
        """Return the 32 bytes under which a license key is stored; `body` is what `license_key.normalize` returned."""
        return self._mac(_LICENSE_KEY, body.encode("ascii"))

    def ticket(self, activation_id: UUID, seq: int, rid: str) -> str:
        """Return the move ticket of one step of a chain, `MOVE-XXXXX-…`; the same step always has the same one.

        A replayed `move` so gets its ticket again although only a hash of it is stored.
        """
        step = b"\0".join([activation_id.bytes, str(seq).encode("ascii"), rid.encode("ascii")])
        drawn = 0

        def draw(count: int) -> bytes:
            nonlocal drawn
            drawn += 1
            return self._mac(_TICKET_DRAW, b"%d\0" % drawn + step)[:count]

        return format_key(TICKET_PREFIX, draw)

    def new_ticket(self) -> str:
        """Return a random move ticket, for one that an agent issues."""
        return format_key(TICKET_PREFIX, secrets.token_bytes)

    def hash_ticket(self, text: str) -> bytes:
        """Return the 32 bytes under which a ticket is stored, however it was typed.

        Raises WireError (`malformed`) where the text cannot be a ticket.
        """
        return self._mac(_TICKET_HASH, normalize(text, "move_ticket").encode("ascii"))

    @staticmethod
    def new_api_key() -> str:
        """Return a new API key: `tks_` and 256 random bits as 43 symbols of base64url."""
        return API_KEY_PREFIX + secrets.token_urlsafe(PEPPER_BYTES)

    def hash_api_key(self, text: str) -> bytes | None:
        """Return the 32 bytes under which an API key is stored, or None for a text that cannot be one."""
        body = text.removeprefix(API_KEY_PREFIX)
        if body == text or len(body) != _API_KEY_SYMBOLS or not text.isascii():
            return None
        return self._mac(_API_KEY, body.encode("ascii"))

    def hash_idempotency_key(self, owner: str, key: str) -> bytes:
        """Return the 32 bytes under which an owner's idempotency key is stored."""
        return self._mac(_IDEMPOTENCY_KEY, f"{owner}\0{key}".encode())

    def hash_request(self, content: bytes) -> bytes:
        """Return the 32 bytes by which a repeated request is known for the same."""
        return self._mac(_REQUEST, content)

    def hash_bucket(self, scope: str, subject: str) -> bytes:
        """Return the 32 bytes under which it is counted how often a subject (an address, a license) asked."""
        return self._mac(_BUCKET, f"{scope}\0{subject}".encode())

    def hash_purchase_code(self, channel: str, code: str) -> bytes:
        """Return the 32 bytes under which a purchase code of another marketplace is stored."""
        return self._mac(_PURCHASE_CODE, f"{channel}\0{code}".encode())

    def seal_answer(self, owner: str, key: str, answer: bytes) -> bytes:
        """Encrypt an answer (AES-256-GCM) under the pepper and the idempotency key, which is stored nowhere.

        An answer may hold a license key, which is shown once; whoever repeats the request has the key to it.
        """
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + AESGCM(self._answer_key(owner, key)).encrypt(nonce, answer, None)

    def open_answer(self, owner: str, key: str, sealed: bytes) -> bytes:
        """Return the answer again. Raises BrokenInvariant where it was not sealed under this key."""
        try:
            return AESGCM(self._answer_key(owner, key)).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], None)
        except InvalidTag as error:
            raise BrokenInvariant("a kept answer cannot be opened with its own key") from error

    def _answer_key(self, owner: str, key: str) -> bytes:
        return self._mac(_ANSWER, f"{owner}\0{key}".encode())

    def _mac(self, label: bytes, message: bytes) -> bytes:
        return hmac.digest(self._secret, label + message, hashlib.sha256)
