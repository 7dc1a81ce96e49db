"""What a vendor helps with, whom, and on which grounds not, as the rules see it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from tillkey_server.rules.citation import Clauses
from tillkey_server.rules.defect import Severity

HANDS_ON = "hands_on"
"""The task that is work by the vendor's own hand on the customer's machine."""


class Ground(StrEnum):
    """Why help may be refused; a policy lists those that its vendor has, in the order in which they are told."""

    SUPPORT_EXPIRED = "nosup_support_expired"
    NOT_LICENSED_INSTALL = "nosup_not_licensed_install"
    CODE_MODIFIED = "nosup_code_modified"
    THIRD_PARTY_MODULE = "nosup_third_party_module"
    THIRD_PARTY_SERVICE = "nosup_third_party_service"
    UNSUPPORTED_ENV = "nosup_unsupported_env"
    NO_ACCESS_GIVEN = "nosup_no_access_given"
    NOT_REPRODUCIBLE = "nosup_not_reproducible"
    ABUSIVE = "nosup_abusive"
    NOT_EXCLUSIVE = "nosup_not_exclusive_to_product"
    NOT_ADVERTISED = "nosup_not_advertised_feature"
    OTHER_SITE = "nosup_other_site"
    HANDS_ON = "nosup_hands_on"
    VERSION_NOT_ADVERTISED = "nosup_version_not_advertised"
    INCOMPATIBLE_DEV = "nosup_incompatible_dev"
    CUSTOM_DEVELOPMENT = "nosup_custom_development"


class Strength(StrEnum):
    """Whether a ground refuses by itself, or leaves it to the agent, who is warned."""

    MUST = "must"
    MAY = "may"


class Presence(StrEnum):
    """Whether something has to be told."""

    REQUIRED = "required"
    OPTIONAL = "optional"


class Asker(StrEnum):
    """Who may ask."""

    OWNER = "owner"
    ANYONE = "anyone"


class Asks(StrEnum):
    """What a description is for: to see the fault again, or to know enough."""

    REPRODUCTION = "reproduction"
    INFORMATION = "information"


@dataclass(frozen=True, slots=True)
class GroundPolicy:
    """One ground of the vendor's list; `spares_refund_window`: it does not count while a refund could be asked for."""

    code: Ground
    refusal: Strength
    clauses: Clauses
    spares_refund_window: bool = False

    def spares(self, at: datetime, refund_until: datetime | None) -> bool:
        """Tell whether a request of that instant is looked at all the same, since a refund may hang on it."""
        return self.spares_refund_window and refund_until is not None and at < refund_until


@dataclass(frozen=True, slots=True)
class DescriptionPolicy:
    """Which parts a description must have (NX-24, CJ-10)."""

    fields: tuple[str, ...]
    asks: Asks
    clauses: Clauses


@dataclass(frozen=True, slots=True)
class RepeatPolicy:
    """How often a matter may be asked about again that the customer caused himself (NX-29)."""

    limit: int
    window: timedelta
    clauses: Clauses


@dataclass(frozen=True, slots=True)
class RemoteAccessPolicy:
    """Remote access with the customer's consent; `needs_finding`: only after nobody could reproduce it (NX-25).

    `hands_on`: work by the vendor's own hand on the customer's machine is part of support, by that consent.
    """

    needs_finding: bool
    clauses: Clauses
    hands_on: bool = False


@dataclass(frozen=True, slots=True)
class HotfixPolicy:
    """How severe a fault is for which files are changed at once (NX-27)."""

    severities: tuple[Severity, ...]
    clauses: Clauses


@dataclass(frozen=True, slots=True)
class OfferPolicy:
    """Updates as a way out: `published_by_request` only those that there were when the request came (ZG-15)."""

    may_be_paid: bool
    published_by_request: bool
    clauses: Clauses


@dataclass(frozen=True, slots=True)
class TopicPolicy:
    """Something that the terms have, with no more to say than the clauses."""

    clauses: Clauses


@dataclass(frozen=True, slots=True)
class TextPolicy:
    """A text that people are shown."""

    text: str
    clauses: Clauses


@dataclass(frozen=True, slots=True)
class SupportClauses:
    """What the answers cite that every vendor's support has."""

    tasks: Clauses
    project: Clauses
    asker: Clauses
    refusals: Clauses
    versions: Clauses | None = None


@dataclass(frozen=True, slots=True)
class SupportPolicy:
    """Support under one vendor's terms; what is None they do not have.

    `exhaustive`: nothing but the listed grounds refuses (BC-15). `moves_with_license`: support follows a license into
    another project (NX-17). `ends_on_transfer`: a license that changes hands leaves its support behind (NX-18).
    `staging_is_site`: the staging of a site is that site (BC-09). `widening_counts`: versions that the product's page
    names today count beside those at the purchase (ZG-10). `unmodified` are patterns of files that are no modification,
    however they differ (ZG-12, BC-14). `apply_if_better`: grounds that this version took off its list, or made
    milder, are so for what was sold under an older one too (K-09, `rules.support_versions`).
    """

    tasks: tuple[str, ...]
    exhaustive: bool
    project: Presence
    moves_with_license: bool
    asker: Asker
    ends_on_transfer: bool
    staging_is_site: bool
    widening_counts: bool
    clauses: SupportClauses
    grounds: tuple[GroundPolicy, ...]
    description: DescriptionPolicy | None
    repeat: RepeatPolicy | None
    remote_access: RemoteAccessPolicy | None
    hotfix: HotfixPolicy | None
    interventions: TopicPolicy | None
    presale: TopicPolicy | None
    offers: OfferPolicy | None
    fix: TopicPolicy | None
    hours: TopicPolicy | None
    banner: TextPolicy | None
    guidance: TextPolicy | None
    unmodified: tuple[str, ...] = ()
    apply_if_better: bool = False

    def counts(self, path: str) -> bool:
        """Tell whether a file that differs is a modification; `*` in a pattern is anything, of any length."""
        patterns = (".*".join(re.escape(part) for part in one.split("*")) for one in self.unmodified)
        return not any(re.fullmatch(one, path, re.DOTALL) for one in patterns)

    def by_consent(self, task: str) -> RemoteAccessPolicy | None:
        """Return the consent by which a task is covered; None where it is none that needs one, or no consent helps."""
        consent = self.remote_access
        return consent if consent is not None and consent.hands_on and task == HANDS_ON else None

    def ground(self, code: Ground) -> GroundPolicy | None:
        """Return a ground of the list, if it is on it."""
        return next((one for one in self.grounds if one.code is code), None)
