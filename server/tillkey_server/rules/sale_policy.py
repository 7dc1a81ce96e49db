"""What a vendor's terms say about buying: who may, what must be held before, what happens when something is amiss."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from tillkey_server.rules.citation import Clauses


class PrerequisiteInstant(StrEnum):
    """When a prerequisite must hold (decided reading 2): at the payment, or when the checkout was opened."""

    PAYMENT = "payment"
    CART = "cart"


class PrerequisiteLoss(StrEnum):
    """What becomes of an extension whose prerequisite is refunded or revoked (NX-13)."""

    KEEP = "keep"
    SUSPEND_DEPENDENTS = "suspend_dependents"


class ReviewClock(StrEnum):
    """From when the clocks of an order run that was under review (BC-37)."""

    RELEASE = "release"
    PAYMENT = "payment"


@dataclass(frozen=True, slots=True)
class SaleClauses:
    """What the answers about buying cite."""

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


@dataclass(frozen=True, slots=True)
class SalePolicy:
    """The terms of buying.

    `core_support`: an extension needs running support for its core. `professional_only`: the buyer attests that it
    buys as a professional. `authoritative_language`: the language whose text prevails; None: the file's own;
    `authoritative_statement` says so to people, and where that text stands.
    `install_service`: each core order line has one free installation. `review_limit`: after so long under review a
    refund is proposed. `import_channels`: whose purchase codes are taken, with support of one of `import_months`.
    """

    prerequisite_instant: PrerequisiteInstant
    core_support: bool
    on_prereq_loss: PrerequisiteLoss
    professional_only: bool
    authoritative_language: str | None
    install_service: bool
    review_limit: timedelta
    review_clock: ReviewClock
    import_channels: tuple[str, ...]
    import_months: tuple[int, ...]
    clauses: SaleClauses
    authoritative_statement: str | None = None
