"""The machine's traits, which ``fingerprint`` turns into evidence; they leave the machine in no other form."""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Callable, Optional

from tillkey import platform


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


def _location(folder: Path) -> str:
    return os.path.realpath(folder)


def _hostname() -> Optional[str]:
    import socket  # noqa: PLC0415 - loaded with the first request, not with the import

    return socket.gethostname().lower() or None
