"""The fingerprint: traits of the machine under a value derived from the license key (PROTOCOL section 3).

It is evidence, never identity: the server compares it when a reinstalled till asks for a license that it held.
Without the license key nobody can tell which machine a fingerprint is of, and two licenses' fingerprints of one
machine have nothing in common.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Callable, Optional

from tillkey import platform
from tillkey.wire import b64

_LABEL = b"tillkey license value v1"


def license_value(normalized_key: str) -> bytes:
    """Derive the value that stands for a license key once it is answered.

    32 bytes, one way (the key has 129 random bits).
    """
    return hmac.new(_LABEL, normalized_key.encode("ascii"), hashlib.sha256).digest()


def collect(folder: Path, overrides: Mapping[str, Optional[str]]) -> dict[str, str]:
    """Read the machine's traits: ``machine_id``, ``hostname``, ``hardware``, ``location`` (the folder's real path).

    ``overrides`` replaces traits or adds further ones, None leaves one out. What the machine does not tell is left out.
    """
    traits: dict[str, Optional[str]] = dict(overrides)
    readers: dict[str, Callable[[], Optional[str]]] = {
        "machine_id": platform.machine_id,
        "hostname": _hostname,
        "hardware": platform.hardware_id,
        "location": functools.partial(_location, folder),
    }
    for component, reader in readers.items():
        if component not in traits:
            traits[component] = reader()
    return {component: trait for component, trait in sorted(traits.items()) if trait}


def fingerprint(value: bytes, traits: Mapping[str, str]) -> dict[str, str]:
    """Return ``{component: base64url(HMAC-SHA-256(value, trait))}``."""
    return {
        component: b64.encode(hmac.new(value, trait.encode("utf-8", "surrogatepass"), hashlib.sha256).digest())
        for component, trait in traits.items()
    }


def _location(folder: Path) -> str:
    return os.path.realpath(folder)


def _hostname() -> Optional[str]:
    import socket  # noqa: PLC0415 - loaded with the first request at the latest, not with the import

    return socket.gethostname().lower() or None
