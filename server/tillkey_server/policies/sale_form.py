"""The form of `[sale]`: the terms of buying."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from tillkey_server.policies.forms import Clauses, PositiveDuration, Section, once

Channel = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]


class SaleClausesSection(Section):
    """`[sale.clauses]`."""

    prerequisite: Clauses
    core: Clauses
    support: Clauses
    loss: Clauses
    on_sale: Clauses
    service: Clauses
    bundle: Clauses
    retired: Clauses
    buyer: Clauses
    hold: Clauses
    review: Clauses
    credit: Clauses
    imported: Clauses
    several: Clauses


class SaleSection(Section):
    """`[sale]`; a policy without it sends whatever a sale may depend on to a person."""

    prerequisite_instant: Literal["payment", "cart"]
    core_support: bool
    on_prereq_loss: Literal["keep", "suspend_dependents"]
    professional_only: bool
    authoritative_language: Annotated[str, Field(pattern=r"^[a-z]{2}$")] | None = None
    authoritative_statement: Annotated[str, Field(min_length=1, max_length=500)] | None = None
    install_service: bool
    review_limit: PositiveDuration
    review_clock: Literal["release", "payment"]
    import_channels: Annotated[list[Channel], AfterValidator(once)]
    import_months: Annotated[list[Annotated[int, Field(ge=1, le=120)]], AfterValidator(once)]
    clauses: SaleClausesSection


def contradictions(section: SaleSection) -> Iterator[tuple[str, str]]:
    """Yield what no two values may say together, as (key, reason)."""
    if bool(section.import_channels) != bool(section.import_months):
        yield "sale.import_months", "and import_channels go together: codes are taken with a support that was chosen"
    if section.authoritative_statement is not None and section.authoritative_language is None:
        yield "sale.authoritative_statement", "says which text prevails: give authoritative_language"
