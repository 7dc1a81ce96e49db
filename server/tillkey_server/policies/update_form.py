"""The form of `[updates]`: which software releases a license may have."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from tillkey_server.policies.forms import Clauses, PositiveDuration, Section, Severity, once


class UpdatesClausesSection(Section):
    """`[updates.clauses]`."""

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


Kind = Literal["feature", "security", "compatibility", "corrective", "hotfix"]
Limit = Annotated[int, Field(ge=1, le=1000)] | Literal["no_end"]


class UpdatesSection(Section):
    """`[updates]`; without it a person decides who gets an update."""

    keep_entitled_versions: bool
    always_free: bool
    fixes_reported_in_time: bool
    prereleases: Literal["on_request", "never"]
    scope: Annotated[list[Kind], Field(min_length=1), AfterValidator(once)]
    update_requires_bound_site: bool
    downloads_per_license: Limit
    grant_lifetime: PositiveDuration
    hotfix_severities: Annotated[list[Severity], AfterValidator(once)]
    clauses: UpdatesClausesSection
