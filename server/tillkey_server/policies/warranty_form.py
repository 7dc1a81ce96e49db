"""The forms of `[warranty]` and `[quotes]`: what is repaired free, and what is asked before work is charged."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from tillkey_server.policies.forms import Clauses, Months, PositiveDuration, Section, once

Word = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
Text = Annotated[str, Field(min_length=1, max_length=500)]


class ExclusionSection(Section):
    """One of `[[warranty.exclusions]]`."""

    ground: Literal[
        "misuse", "foreign_software", "abnormal", "force_majeure", "unauthorized_service", "unofficial_channel"
    ]
    needs_cause: bool
    clauses: Clauses


class InstallerSection(Section):
    """One of `[[warranty.installers]]`."""

    id: Word
    since: dt.date
    until: dt.date | None = None


class ChannelSection(InstallerSection):
    """One of `[[warranty.channels]]`."""


class PartnerSection(InstallerSection):
    """One of `[[warranty.partners]]`."""

    regions: Annotated[list[Word], AfterValidator(once), Field(default_factory=list)]


class WarrantyClausesSection(Section):
    """`[warranty.clauses]`."""

    period: Clauses
    covered: Clauses
    chargeable: Clauses
    expired: Clauses
    routing: Clauses
    intake: Clauses
    rma: Clauses
    decision: Clauses
    invitation: Clauses


class WarrantySection(Section):
    """`[warranty]`; without it the terms know no warranty claims."""

    months: Months
    without_contract: Literal["pend", "from_purchase"]
    exclusions: list[ExclusionSection]
    installers: Annotated[list[InstallerSection], Field(default_factory=list)]
    channels: Annotated[list[ChannelSection], Field(default_factory=list)]
    partners: Annotated[list[PartnerSection], Field(default_factory=list)]
    rma_lifetime: PositiveDuration
    rma_address: Text
    invitation: Text
    clauses: WarrantyClausesSection


class QuotesClausesSection(Section):
    """`[quotes.clauses]`."""

    price: Clauses
    approval: Clauses
    development: Clauses


class QuotesSection(Section):
    """`[quotes]`; without it nothing is charged by a quote."""

    lifetime: PositiveDuration
    development: bool
    clauses: QuotesClausesSection


def contradictions(warranty: WarrantySection, quotes: QuotesSection | None) -> Iterator[tuple[str, str]]:
    """Yield what the two sections may not say together."""
    if quotes is None:
        yield "quotes", "is missing: what the warranty does not cover is charged after a quote"
    grounds = [one.ground for one in warranty.exclusions]
    if len(set(grounds)) != len(grounds):
        yield "warranty.exclusions", "a ground is listed twice"
    for name in ("installers", "channels", "partners"):
        for one in getattr(warranty, name):
            if one.until is not None and one.until < one.since:
                yield f"warranty.{name}", f"{one.id} ends before it begins"
