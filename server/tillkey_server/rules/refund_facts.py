"""What is known when a refund is asked for: the license with its payments, what was reported, and who asks what.

Amounts are minor units of the purchase's currency, prices are without tax. Of a line of several pieces each license has
its share, by largest remainder (K-07).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from tillkey_server.money import Money
from tillkey_server.rules.calendar import Wait
from tillkey_server.rules.issue_facts import Finding, IssueFacts
from tillkey_server.rules.order_line import LineKind
from tillkey_server.rules.refund_policy import Plan
from tillkey_server.rules.standing import LicenseFacts


@dataclass(frozen=True, slots=True)
class Payment:
    """What was captured for one license by one line of an order, and how much of it went back already.

    `coupon_minor` is what of the price was paid with a gift card or a coupon that is worth money.
    """

    line_id: UUID
    kind: LineKind
    paid_at: datetime
    minor: int
    tax_minor: int = 0
    refunded_minor: int = 0
    refunded_tax_minor: int = 0
    coupon_minor: int = 0
    refunded_coupon_minor: int = 0

    @property
    def left(self) -> int:
        """Return what of the price can still go back."""
        return self.minor - self.refunded_minor

    @property
    def tax_left(self) -> int:
        """Return what of the tax can still go back."""
        return self.tax_minor - self.refunded_tax_minor

    @property
    def coupon_left(self) -> int:
        """Return what of `left` goes back as a coupon; what went back as money instead is not owed twice."""
        return min(self.coupon_minor - self.refunded_coupon_minor, self.left)


@dataclass(frozen=True, slots=True)
class RenewalPayment:
    """A renewal that was paid and not refunded; `starts_at` to `ends_at` is its own segment, half-open.

    Its months are counted from `counted_from`, where its chain began, `months_before` before it (K-05, K-06); None:
    from its start. `is_support`: it was paid for support alone.
    """

    payment: Payment
    starts_at: datetime
    ends_at: datetime
    counted_from: datetime | None = None
    months_before: int = 0
    is_support: bool = False


@dataclass(frozen=True, slots=True)
class NamedRenewal:
    """The one renewal that a request names, whatever became of it.

    `extends`: it was paid for some time; what came after the product's retirement extends nothing (BC-23). `is_back`:
    it is out of the clocks already. `is_support`: it was paid for support alone.
    """

    id: UUID
    payment: Payment
    extends: bool = True
    is_back: bool = False
    is_support: bool = False


@dataclass(frozen=True, slots=True)
class EarlierRefund:
    """What was granted of an earlier purchase: by which code, and whether its license ended with it."""

    code: str
    ended: bool = True


@dataclass(frozen=True, slots=True)
class RefundFacts:
    """What is on record about the license whose refund is asked for.

    `activations_ever` counts what was ever granted, `active` what holds it now; `downloads` are completed ones by any
    channel. `holds` are past and present legal holds. `refunded_before` tells of the same customer's refunds of the
    same product before this purchase (CJ-05); of those that were asked for then, `refunded_since` are granted since,
    and `pending_before`: one is still open. `readdressed_at` is when the customer's address was last changed (CJ-31).
    `product_refund_days` is the product's own window as it was at the sale (CJ-01). `counted_from` is where the clocks
    began, None: with the payment. `renewal_back_paid_at` is when the last renewal was paid that is all back (CJ-26).
    `installed_at` is when the free installation of its order line was used (NX-19); None: it was not, or there is none.
    `named` is the renewal that the request is about, where it is about one. `advertised` is what the product's page
    promised at the sale; None: nobody knows.
    """

    license: LicenseFacts
    currency: str
    channel: str
    purchase: Payment
    plan: Plan = Plan.ONE_TIME
    along: tuple[Payment, ...] = ()
    renewals: tuple[RenewalPayment, ...] = ()
    is_core: bool = False
    is_consumer: bool = False
    product_refund_days: int | None = None
    activations_ever: int = 0
    active: int = 0
    downloads: int = 0
    issue: IssueFacts | None = None
    holds: tuple[Wait, ...] = ()
    copyright_violated: bool = False
    refunded_before: tuple[EarlierRefund, ...] = ()
    refunded_since: tuple[EarlierRefund, ...] = ()
    pending_before: bool = False
    readdressed_at: datetime | None = None
    counted_from: datetime | None = None
    renewal_back_paid_at: datetime | None = None
    installed_at: datetime | None = None
    named: NamedRenewal | None = None
    advertised: Mapping[str, object] | None = None
    pauses: tuple[Wait, ...] = ()

    @property
    def paid_at(self) -> datetime:
        """Return when the license was paid for."""
        return self.purchase.paid_at

    @property
    def has_ended(self) -> bool:
        """Tell whether the whole agreement ended; it covers no renewal that was paid for since."""
        ended = self.license.terminated_at
        return ended is not None and (self.named is None or self.named.payment.paid_at < ended)

    def money(self, minor: int) -> str:
        """Return an amount as people read it."""
        return Money(minor, self.currency).display()


class Item(StrEnum):
    """What is asked back."""

    PRODUCT = "product"
    RENEWAL = "renewal"
    TAX = "tax"
    SUPPORT = "support"
    CUSTOMIZATION = "customization"
    EXTRA_DOMAIN = "extra_domain"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asks: `reasons` are the customer's, `found` names reasons that a person of the vendor's found true.

    `asked_at` is when the message came. `sender_verified` tells whether it came from the official address, as whoever
    received it says; None: nobody said. `written_at` is when it was asked for in writing, None: with the message.
    `by_platform`: the marketplace itself decides (BC-28).
    """

    asked_at: datetime
    reasons: tuple[str, ...] = ()
    found: tuple[str, ...] = ()
    findings: frozenset[Finding] = frozenset()
    item: Item = Item.PRODUCT
    sender_verified: bool | None = None
    by_email: bool = False
    written_at: datetime | None = None
    by_platform: bool = False
    order_number: str | None = None
    explanation: str | None = None
