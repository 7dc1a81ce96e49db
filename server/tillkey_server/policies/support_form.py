"""The form of `[support]`: what a vendor helps with, whom, and on which grounds not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from tillkey_server.policies.forms import Clauses, PositiveDuration, Section, Severity, Words, once

GroundName = Literal[
    "nosup_support_expired",
    "nosup_not_licensed_install",
    "nosup_code_modified",
    "nosup_third_party_module",
    "nosup_third_party_service",
    "nosup_unsupported_env",
    "nosup_no_access_given",
    "nosup_not_reproducible",
    "nosup_abusive",
    "nosup_not_exclusive_to_product",
    "nosup_not_advertised_feature",
    "nosup_other_site",
    "nosup_hands_on",
    "nosup_version_not_advertised",
    "nosup_incompatible_dev",
    "nosup_custom_development",
]
Text = Annotated[str, Field(min_length=1, max_length=2000)]


class SupportClausesSection(Section):
    """`[support.clauses]`."""

    tasks: Clauses
    project: Clauses
    asker: Clauses
    refusals: Clauses
    versions: Clauses | None = None


class GroundSection(Section):
    """`[[support.grounds]]`."""

    code: GroundName
    refusal: Literal["must", "may"]
    spares_refund_window: bool = False
    clauses: Clauses


class DescriptionSection(Section):
    """`[support.description]`."""

    fields: Annotated[Words, Field(min_length=1)]
    asks: Literal["reproduction", "information"]
    clauses: Clauses


class RepeatSection(Section):
    """`[support.repeat]`."""

    limit: Annotated[int, Field(ge=1, le=1000)]
    window: PositiveDuration
    clauses: Clauses


class RemoteAccessSection(Section):
    """`[support.remote_access]`."""

    needs_finding: bool
    hands_on: bool = False
    clauses: Clauses


class HotfixSection(Section):
    """`[support.hotfix]`."""

    severities: Annotated[list[Severity], Field(min_length=1), AfterValidator(once)]
    clauses: Clauses


class OfferSection(Section):
    """`[support.offers]`."""

    may_be_paid: bool
    published_by_request: bool
    clauses: Clauses


class TopicSection(Section):
    """`[support.presale]` and its like."""

    clauses: Clauses


class TextSection(Section):
    """`[support.banner]` and its like."""

    text: Text
    clauses: Clauses


class SupportSection(Section):
    """`[support]`; a table that is left out is something that the terms do not have."""

    tasks: Annotated[Words, Field(min_length=1)]
    exhaustive: bool
    project: Literal["required", "optional"]
    moves_with_license: bool
    asker: Literal["owner", "anyone"]
    ends_on_transfer: bool
    staging_is_site: bool
    widening_counts: bool
    unmodified: Annotated[list[Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]{1,255}$")]], AfterValidator(once)] = (
        Field(default_factory=list)
    )
    apply_if_better: bool = False
    clauses: SupportClausesSection
    grounds: Annotated[list[GroundSection], Field(min_length=1)]
    description: DescriptionSection | None = None
    repeat: RepeatSection | None = None
    remote_access: RemoteAccessSection | None = None
    hotfix: HotfixSection | None = None
    interventions: TopicSection | None = None
    presale: TopicSection | None = None
    offers: OfferSection | None = None
    fix: TopicSection | None = None
    hours: TopicSection | None = None
    banner: TextSection | None = None
    guidance: TextSection | None = None


def contradictions(section: SupportSection) -> Iterator[tuple[str, str]]:
    """Yield what support may not say together, as (key, reason)."""
    if section.apply_if_better and not section.clauses.versions:
        yield "support.clauses.versions", "is needed where apply_if_better says that this version may decide"
    codes = [one.code for one in section.grounds]
    if len(set(codes)) != len(codes):
        yield "support.grounds.code", "names a ground twice"
    if section.exhaustive and (section.project == "required" or section.asker == "owner" or section.repeat):
        yield "support.exhaustive", "says that nothing but the grounds refuses, and project, asker or repeat would"
    for task, code in (("hands_on", "nosup_hands_on"), ("custom_development", "nosup_custom_development")):
        if task in section.tasks and code in codes:
            yield "support.tasks", f"covers {task}, which {code} refuses"
    for one in section.grounds:
        if one.spares_refund_window and one.code != "nosup_support_expired":
            yield "support.grounds.spares_refund_window", "is about nosup_support_expired alone"
    by_consent = section.remote_access is not None and section.remote_access.hands_on
    if by_consent and "nosup_hands_on" in codes:
        yield "support.remote_access.hands_on", "covers what nosup_hands_on refuses"
