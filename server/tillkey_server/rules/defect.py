"""How bad a defect is that is mended out of turn, by a release or by files that are changed at once (NX-27)."""

from __future__ import annotations

from enum import StrEnum


class Severity(StrEnum):
    """How bad a defect is; the terms say which of these justify a hotfix."""

    SEVERE = "severe"
    DATA_INTEGRITY = "data_integrity"
    MINOR = "minor"
