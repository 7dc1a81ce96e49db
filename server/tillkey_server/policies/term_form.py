"""The form of `[terms]`, `[renewal]`, `[subscription]` and `[versions]` in a policy file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field

from tillkey_server.policies.forms import Clauses, Percent, Section, once

if TYPE_CHECKING:
    from tillkey_server.policies.schema import PolicyDocument

TermMonths = Annotated[int, Field(ge=1, le=120)]
ClockNames = Annotated[list[Literal["use", "updates", "support"]], AfterValidator(once)]


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
    purchase_clocks: ClockNames
    after_expiry: Literal["allow_with_prompt", "deny"]
    support_line_months: TermMonths | None = None
    clauses: TermsClausesSection


class RenewalClausesSection(Section):
    """`[renewal.clauses]`."""

    term: Clauses
    appended: Clauses
    from_now: Clauses
    price: Clauses
    late: Clauses
    channel: Clauses
    retired: Clauses
    offline: Clauses


class RenewalSection(Section):
    """`[renewal]`; a policy without it renews nothing."""

    months: Annotated[list[TermMonths], Field(min_length=1), AfterValidator(once)]
    extends: Annotated[ClockNames, Field(min_length=1)]
    price_percent: Percent | None = None
    price_basis: Literal["list_at_purchase", "list_today", "paid"]
    late_surcharge_percent: Percent
    channel: Literal["any", "original", "original_unless_closed"]
    after_retirement: Literal["refund", "allow"]
    clauses: RenewalClausesSection


class SubscriptionClausesSection(Section):
    """`[subscription.clauses]`."""

    renewal: Clauses
    cancel: Clauses
    retired: Clauses
    offline: Clauses


class SubscriptionSection(Section):
    """`[subscription]`; a policy without it renews nothing by itself."""

    months: Annotated[list[TermMonths], Field(min_length=1), AfterValidator(once)]
    clauses: SubscriptionClausesSection


class VersionsSection(Section):
    """`[versions]`; without it a version decides about nothing that was sold under an older one."""

    apply_if_better: bool
    clauses: Clauses


def contradictions(document: PolicyDocument) -> Iterator[tuple[str, str]]:
    """Yield what the sections about terms may not say together, or beside the clocks."""
    terms, renewal, subscription = document.terms, document.renewal, document.subscription
    if terms is not None:
        yield from _windows(document, terms)
        if bool(terms.purchase_months) != bool(terms.purchase_clocks):
            yield "terms.purchase_clocks", "and purchase_months stand together: lengths to choose, and for which clocks"
    if renewal is not None:
        if renewal.price_percent is not None and len(renewal.months) > 1:
            yield "renewal.price_percent", "is the price of one length, and months names several"
        if renewal.price_percent is None and renewal.late_surcharge_percent:
            yield "renewal.late_surcharge_percent", "comes on top of a price: give price_percent"
    if subscription is not None:
        left = [months for months in subscription.months if renewal is None or months not in renewal.months]
        if left:
            yield "subscription.months", f"{left[0]} is no length of renewal.months"


def _windows(document: PolicyDocument, terms: TermsSection) -> Iterator[tuple[str, str]]:
    """Yield where support and updates are one window and something moves one of them alone."""
    if terms.window != "one":
        return
    if document.clocks.updates_months != document.clocks.support_months:
        yield "clocks.updates_months", "differs from support_months, though terms.window says that both are one"
    if terms.support_line_months is not None:
        yield "terms.support_line_months", _ONE_WINDOW
    if _moves_one(terms.purchase_clocks):
        yield "terms.purchase_clocks", _ONE_WINDOW
    if document.renewal is not None and _moves_one(document.renewal.extends):
        yield "renewal.extends", _ONE_WINDOW


def _moves_one(clocks: Sequence[str]) -> bool:
    return ("support" in clocks) != ("updates" in clocks)


_ONE_WINDOW = "names one of support and updates, though terms.window says that both are one"
