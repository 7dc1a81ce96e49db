"""Secret files: made for their owner's eyes alone, never overwritten, refused when others can read them."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

from tillkey.wire.keys import PrivateKey
from tillkey_server.errors import ConfigError

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_HAS_MODES = os.name == "posix"


def make_private_folder(path: Path) -> None:
    """Make a folder that only its owner enters, unless it is there."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        mend = "name another folder with --data-dir, or let this user write there"
        raise ConfigError(f"{path}: cannot be made: {error.strerror}; {mend}") from error


def open_to_others(path: Path) -> bool:
    """Tell whether others than its owner may enter a folder, or read or write a file."""
    return _HAS_MODES and bool(path.stat().st_mode & _OTHERS)


def write_new(path: Path, content: bytes, *, mode: int) -> None:
    """Write a file that is not there yet, durably. Raises ConfigError when it exists or cannot be written."""
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode)
    except FileExistsError as error:
        raise ConfigError(
            f"{path}: exists already and is never overwritten: name another file, or move it away"
        ) from error
    except OSError as error:
        mend = "name a file in a folder that this user may write to"
        raise ConfigError(f"{path}: cannot be made: {error.strerror}; {mend}") from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    _sync_folder(path.parent)


def document_of(key: PrivateKey) -> bytes:
    """Return a private key as a file holds it: a JWK (RFC 8037 section 2)."""
    return json.dumps(key.jwk(), indent=1).encode("ascii") + b"\n"


def read_secret(path: Path, *, mend: str) -> bytes:
    """Return the content of a secret file.

    Raises ConfigError when it is missing or unreadable (`mend` says what then helps), and when group or others may read
    or write it.
    """
    try:
        with path.open("rb") as file:
            if _HAS_MODES and os.fstat(file.fileno()).st_mode & _OTHERS:
                raise ConfigError(f"{path}: others can read this secret; run `chmod 600 {path}`")
            return file.read()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; {mend}") from error


def read_public(path: Path, *, mend: str) -> bytes:
    """Return the content of a file that is no secret. Raises ConfigError when it is missing or unreadable."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; {mend}") from error


def _sync_folder(path: Path) -> None:
    """Make a new name in a folder survive a power cut, where the system can."""
    if not _HAS_MODES:
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
