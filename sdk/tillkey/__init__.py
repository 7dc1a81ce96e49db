"""Tillkey: license a till in five lines and keep it selling when the license server is away.

::

    client = LicenseClient("https://licenses.example.com", "pos-core", "tillkey-keyset.json")
    client.activate("POS-…", project="Corner Shop")
    with client:                      # heartbeats in the background
        if client.check().usable:     # from memory, at every sale
            sell()
"""

from __future__ import annotations

from tillkey import _constants
from tillkey.client import LicenseClient
from tillkey.errors import Busy, ConfigurationError, NotActivated, Refused, StateError, TillkeyError, Unreachable
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
    "TillkeyError",
    "Unreachable",
    "Verdict",
    "__version__",
]
