"""Tillkey: license a till in five lines and keep it selling when the license server is away.

::

    client = LicenseClient("https://licenses.example.com", "pos-core", "tillkey-keyset.json")
    client.activate("POS-…", project="Corner Shop")
    with client:                      # heartbeats in the background
        if client.check().usable:     # from memory, at every sale
            sell()

The names below are imported with their first use, so that a program which needs ``tillkey.wire`` alone, as a server
does, loads no client.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tillkey import _constants

if TYPE_CHECKING:
    from tillkey.client import LicenseClient
    from tillkey.errors import Busy, ConfigurationError, NotActivated, Refused, StateError, TillkeyError, Unreachable
    from tillkey.support import SupportAnswer
    from tillkey.verdict import STATUSES, Verdict

__version__ = _constants.VERSION

__all__ = [
    "STATUSES",
    "Busy",
    "ConfigurationError",
    "LicenseClient",
    "NotActivated",
    "Refused",
    "StateError",
    "SupportAnswer",
    "TillkeyError",
    "Unreachable",
    "Verdict",
    "__version__",
]

_HOMES = {
    "LicenseClient": "tillkey.client",
    "STATUSES": "tillkey.verdict",
    "SupportAnswer": "tillkey.support",
    "Verdict": "tillkey.verdict",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES.get(name, "tillkey.errors")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
