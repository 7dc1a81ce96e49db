"""Files under a passphrase: what a backup is written into and read from, chunk by chunk.

The format, version 1: the magic line, 16 bytes of salt, then chunks of `CHUNK_BYTES` (the last one shorter), each
sealed by AES-256-GCM (NIST SP 800-38D) under a key that scrypt (RFC 7914) makes of passphrase and salt. A chunk's nonce
is its number and a last byte that is 1 for the last chunk alone, so that no chunk can be dropped, swapped or added
without notice; the magic line and the salt are authenticated with each.
"""

from __future__ import annotations

import secrets
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from tillkey_server.errors import BadInput

MAGIC = b"TILLKEY-SEALED-1\n"
CHUNK_BYTES = 64 * 1024
MIN_PASSPHRASE = 12
_SALT_BYTES = 16
_TAG_BYTES = 16
# 64 MiB and about a tenth of a second for each guess (OWASP's advice for scrypt).
_SCRYPT_N, _SCRYPT_R, _SCRYPT_P = 2**16, 8, 1


class Sealing:
    """A sink that seals what is written into `file`; `close()` writes the last chunk and leaves `file` open.

    Raises BadInput for a passphrase below `MIN_PASSPHRASE` characters.
    """

    def __init__(self, file: BinaryIO, passphrase: str) -> None:
        """Write the head."""
        if len(passphrase) < MIN_PASSPHRASE:
            raise BadInput("passphrase", f"must have at least {MIN_PASSPHRASE} characters")
        self._head = MAGIC + secrets.token_bytes(_SALT_BYTES)
        self._cipher = _cipher(passphrase, self._head)
        self._file = file
        self._waiting = bytearray()
        self._chunks = 0
        file.write(self._head)

    def write(self, content: bytes) -> int:
        """Take bytes; whole chunks are sealed at once, and the last is held back until it is known to be no last."""
        self._waiting += content
        while len(self._waiting) > CHUNK_BYTES:
            self._seal(bytes(self._waiting[:CHUNK_BYTES]), last=False)
            del self._waiting[:CHUNK_BYTES]
        return len(content)

    def close(self) -> None:
        """Seal what is left as the last chunk."""
        self._seal(bytes(self._waiting), last=True)

    def _seal(self, chunk: bytes, *, last: bool) -> None:
        self._file.write(self._cipher.encrypt(_nonce(self._chunks, last=last), chunk, self._head))
        self._chunks += 1


class Opening:
    """A source that gives the plain bytes of a sealed file, each chunk only after it was proved whole.

    Raises BadInput where the passphrase is not the one, or the file was changed or cut.
    """

    def __init__(self, file: BinaryIO, passphrase: str) -> None:
        """Read the head."""
        self._head = file.read(len(MAGIC) + _SALT_BYTES)
        self._cipher = _cipher(passphrase, self._head)
        self._file = file
        self._ahead = file.read(CHUNK_BYTES + _TAG_BYTES)
        self._opened = bytearray()
        self._chunks = 0

    def read(self, size: int) -> bytes:
        """Give up to `size` bytes; none at the end."""
        while len(self._opened) < size and self._ahead:
            self._open()
        given = bytes(self._opened[:size])
        del self._opened[:size]
        return given

    def _open(self) -> None:
        sealed, self._ahead = self._ahead, self._file.read(CHUNK_BYTES + _TAG_BYTES)
        try:
            self._opened += self._cipher.decrypt(_nonce(self._chunks, last=not self._ahead), sealed, self._head)
        except InvalidTag:
            what = "is damaged" if self._chunks else "is damaged, or the passphrase is not the one it was sealed with"
            what += "; give that passphrase, or take another backup"
            raise BadInput("file", what) from None
        self._chunks += 1


def is_sealed(file: BinaryIO) -> bool:
    """Tell whether a file begins as sealed ones do; the file is at its beginning afterwards."""
    head = file.read(len(MAGIC))
    file.seek(0)
    return head == MAGIC


def _cipher(passphrase: str, head: bytes) -> AESGCM:
    kdf = Scrypt(salt=head[len(MAGIC) :], length=32, n=_SCRYPT_N, r=_SCRYPT_R, p=_SCRYPT_P)
    return AESGCM(kdf.derive(passphrase.encode()))


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11) + bytes([last])
