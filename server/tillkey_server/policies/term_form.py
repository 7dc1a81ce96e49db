"""The form of `[terms]`, `[renewal]`, `[subscription]` and `[versions]` in a policy file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field

from tillkey_server.policies.forms import Clauses, Section, once

if TYPE_CHECKING:
    from tillkey_server.policies.schema import PolicyDocument

TermMonths = Annotated[int, Field(ge=1, le=120)]


class TermsClausesSection(Section):
    """`[terms.clauses]`."""

    window: Clauses
    purchase: Clauses
    care: Clauses
    expired: Clauses
    prompt: Clauses


class TermsSection(Section):
    """`[terms]`; a policy without it knows no lengths to choose, and says nothing about an ended support."""

    window: Literal["one", "split"]
    purchase_months: Annotated[list[TermMonths], AfterValidator(once)]
    after_expiry: Literal["allow_with_prompt", "deny"]
    clauses: TermsClausesSection


def contradictions(document: PolicyDocument) -> Iterator[tuple[str, str]]:
    """Yield what the sections about terms may not say together, or beside the clocks."""
    terms, clocks = document.terms, document.clocks
    if terms is not None and terms.window == "one" and clocks.updates_months != clocks.support_months:
        yield "clocks.updates_months", "differs from support_months, though terms.window says that both are one"
