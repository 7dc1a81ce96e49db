"""What a vendor's terms say about updates, as the rules see it; `policies/update_form.py` is the form of the file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from tillkey_server.rules.citation import Clauses
from tillkey_server.rules.defect import Severity


class ReleaseKind(StrEnum):
    """What a software release is for."""

    FEATURE = "feature"
    SECURITY = "security"
    COMPATIBILITY = "compatibility"
    CORRECTIVE = "corrective"
    HOTFIX = "hotfix"


class Prereleases(StrEnum):
    """Who gets a version that is not finished: whoever asks for it, or nobody."""

    ON_REQUEST = "on_request"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class UpdateClauses:
    """What the answers about updates cite, by topic."""

    window: Clauses
    bought: Clauses
    always_free: Clauses
    platform: Clauses
    scope: Clauses
    site: Clauses
    downloads: Clauses
    offline: Clauses
    fix: Clauses
    hotfix: Clauses


@dataclass(frozen=True, slots=True)
class UpdatePolicy:
    """Which releases a license may have, and when.

    `scope` are the kinds of releases that the clock opens. `keep_entitled_versions`: what was
    published before its end stays open after it. `always_free`: a release so marked is had whatever the clock says.
    `fixes_reported_in_time`: so is one that mends what its owner reported before the end. `downloads_per_license`
    None: no limit. `update_requires_bound_site`: updates are served to the site of the license's project only.
    `grant_lifetime` is how long a download may take. `hotfix_severities` justify a release out of turn.
    """

    keep_entitled_versions: bool
    always_free: bool
    fixes_reported_in_time: bool
    prereleases: Prereleases
    scope: tuple[ReleaseKind, ...]
    update_requires_bound_site: bool
    downloads_per_license: int | None
    grant_lifetime: timedelta
    hotfix_severities: tuple[Severity, ...]
    clauses: UpdateClauses
