"""What happened to the files of an installation, and which of that is a modification by the customer (ZG-12, BC-14).

1. Files are told by path and SHA-256 as they are now, and, as evidence, the same files as they were delivered. Without
   that evidence a file that is told was changed.
2. A file that was delivered and is not there was removed; one that is there and was not delivered was added beside the
   product. One that is as it was delivered is not told of.
3. What the vendor's own hotfix left so is his doing (NX-27); what the terms except, as settings and translations, is
   nobody's modification, whatever happened to it.
4. A changed or removed file is a modification; an added one is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from tillkey_server.rules.support_policy import SupportPolicy


class Happened(StrEnum):
    """What happened to a file."""

    CHANGED = "changed"
    REMOVED = "removed"
    ADDED = "added"
    OWN_HOTFIX = "own_hotfix"
    EXCEPTED = "excepted"


MODIFIED = frozenset({Happened.CHANGED, Happened.REMOVED})
"""What is a modification (sentence 4)."""


def what_happened(
    files: Mapping[str, str], delivered: Mapping[str, str], hotfixed: frozenset[str], terms: SupportPolicy
) -> dict[str, Happened]:
    """Return what happened to each file, by its path; `delivered` empty: there is no such evidence."""
    told = (path for path in sorted({*files, *delivered}) if path not in files or files[path] != delivered.get(path))
    return {path: _happened(path, files, delivered, hotfixed, terms) for path in told}


def modified(happened: Mapping[str, Happened]) -> bool:
    """Tell whether any of it is a modification."""
    return not MODIFIED.isdisjoint(happened.values())


def shown_files(happened: Mapping[str, Happened]) -> dict[str, object]:
    """Return what happened as answers show it; nothing where no file was told."""
    return {"files": {path: one.value for path, one in happened.items()}} if happened else {}


def _happened(
    path: str, files: Mapping[str, str], delivered: Mapping[str, str], hotfixed: frozenset[str], terms: SupportPolicy
) -> Happened:
    if files.get(path) in hotfixed:
        return Happened.OWN_HOTFIX
    if not terms.counts(path):
        return Happened.EXCEPTED
    if path not in files:
        return Happened.REMOVED
    return Happened.ADDED if delivered and path not in delivered else Happened.CHANGED
