"""What kinds of things an order's line can be, and what of them is a license.

1. A product's line gives a license for each piece (NX-01); every other line is bought beside one, or renews one.
2. What is bought beside a product names its line, so that a refund can leave it out or take it along (CJ-04, CJ-16).
"""

from __future__ import annotations

from enum import StrEnum

DIRECT, MANUAL, TRIAL = "direct", "manual", "trial"
"""The server's own channels: of a license that is issued without an order, of a sale by hand, of a trial."""


class LineKind(StrEnum):
    """What was bought; `renewal` lines are made by the renewal of a license alone."""

    PRODUCT = "product"
    SUPPORT = "support"
    CUSTOMIZATION = "customization"
    EXTRA_DOMAIN = "extra_domain"
    SERVICE = "service"
    RENEWAL = "renewal"


ADD_ONS = frozenset({LineKind.SUPPORT, LineKind.CUSTOMIZATION, LineKind.EXTRA_DOMAIN, LineKind.SERVICE})
"""The kinds that are bought beside a product."""


class CustomerType(StrEnum):
    """As what a buyer bought (ZG-21)."""

    PROFESSIONAL = "professional"
    CONSUMER = "consumer"


def kind_of(kind: str | None) -> LineKind:
    """Return a stored kind; None is a product."""
    return LineKind.PRODUCT if kind is None else LineKind(kind)
