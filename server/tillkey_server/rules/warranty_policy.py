"""What a vendor's terms say about warranty and quotes, as the rules see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from types import MappingProxyType

from tillkey_server.rules.citation import Clauses


class Ground(StrEnum):
    """What a finding says that a fault comes from."""

    QUALITY = "quality"
    MISUSE = "misuse"
    FOREIGN_SOFTWARE = "foreign_software"
    ABNORMAL = "abnormal"
    FORCE_MAJEURE = "force_majeure"
    UNAUTHORIZED_SERVICE = "unauthorized_service"
    UNOFFICIAL_CHANNEL = "unofficial_channel"


class AbnormalCause(StrEnum):
    """What something abnormal was (NP-07)."""

    FALL = "fall"
    CRUSH = "crush"
    HEAT = "heat"
    CORROSION = "corrosion"
    FOREIGN_MATTER = "foreign_matter"
    ELECTRICITY = "electricity"
    OTHER = "other"


class SoftwareKind(StrEnum):
    """Which software was found that is not the device's own (NP-06); the last three exclude nothing."""

    PIRATED = "pirated"
    NONSTANDARD = "nonstandard"
    SELF_WRITTEN = "self_written"
    UNRELEASED = "unreleased"
    OTHER = "other"
    VENDOR_HOTFIX = "vendor_hotfix"
    VENDOR_BETA = "vendor_beta"
    PUBLIC_API = "public_api"


CAUSES: Mapping[Ground, type[StrEnum]] = MappingProxyType(
    {Ground.ABNORMAL: AbnormalCause, Ground.FOREIGN_SOFTWARE: SoftwareKind}
)
"""The grounds that a finding names more closely, and by which words; each has `other`."""
HARMLESS_SOFTWARE = frozenset({SoftwareKind.VENDOR_HOTFIX, SoftwareKind.VENDOR_BETA, SoftwareKind.PUBLIC_API})
"""What the vendor gave out himself, or what a customer wrote against the vendor's public API."""


class StartBasis(StrEnum):
    """What begins a warranty; the contract says which."""

    DELIVERY = "delivery"
    ACCEPTANCE = "acceptance"
    INVOICE = "invoice"
    PURCHASE = "purchase"


class WithoutContract(StrEnum):
    """What follows where no contract is on record: a person is asked, or the warranty runs from the purchase."""

    PEND = "pend"
    FROM_PURCHASE = "from_purchase"


@dataclass(frozen=True, slots=True)
class Exclusion:
    """What is not covered; `needs_cause`: only a fault that comes from it, and no other fault of the device."""

    ground: Ground
    needs_cause: bool
    clauses: Clauses


@dataclass(frozen=True, slots=True)
class Authorized:
    """An installer, channel or partner, and from which to which of its days it was authorized; None: no end."""

    id: str
    since: date
    until: date | None

    def is_on(self, day: date) -> bool:
        """Tell whether it was authorized on a day; the last one is included (K-02)."""
        return self.since <= day and (self.until is None or day <= self.until)


@dataclass(frozen=True, slots=True)
class Partner(Authorized):
    """Who serves customers in the vendor's place, and in which regions (NP-11)."""

    regions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WarrantyClauses:
    """What the answers about warranty cite, by topic; each exclusion has its own."""

    period: Clauses
    covered: Clauses
    chargeable: Clauses
    expired: Clauses
    routing: Clauses
    intake: Clauses
    rma: Clauses
    decision: Clauses
    invitation: Clauses


@dataclass(frozen=True, slots=True)
class WarrantyPolicy:
    """How long a device is covered, against what, and how it is sent in.

    `months` is what counts where a contract does not say. `channels` empty: none is checked. `invitation` is shown with
    every claim.
    """

    months: int
    without_contract: WithoutContract
    exclusions: tuple[Exclusion, ...]
    installers: tuple[Authorized, ...]
    channels: tuple[Authorized, ...]
    partners: tuple[Partner, ...]
    rma_lifetime: timedelta
    rma_address: str
    invitation: str
    clauses: WarrantyClauses


@dataclass(frozen=True, slots=True)
class QuoteClauses:
    """What quotes cite; `development` where work is paid whoever is at fault."""

    price: Clauses
    approval: Clauses
    development: Clauses


@dataclass(frozen=True, slots=True)
class QuotePolicy:
    """How long a price that was told stands, and by which clauses it has to be accepted first."""

    lifetime: timedelta
    development: bool
    clauses: QuoteClauses
