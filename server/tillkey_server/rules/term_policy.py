"""What a vendor's terms say of paid terms: `[terms]`, `[renewal]`, `[subscription]` and `[versions]` of a policy."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tillkey_server.rules.citation import Clauses


class Clock(StrEnum):
    """A clock that can be paid for; the fourth, the refund window, is never extended (ZG-18)."""

    USE = "use"
    UPDATES = "updates"
    SUPPORT = "support"


class Window(StrEnum):
    """Whether support and updates are one window (ZG-01) or run apart."""

    ONE = "one"
    SPLIT = "split"


class PriceBasis(StrEnum):
    """Of which price a renewal costs a percentage (ZG-05)."""

    LIST_AT_PURCHASE = "list_at_purchase"
    LIST_TODAY = "list_today"
    PAID = "paid"


class RenewalChannel(StrEnum):
    """Where a renewal may be paid (NX-47); `original_unless_closed` lets go where the product is offline there."""

    ANY = "any"
    ORIGINAL = "original"
    ORIGINAL_UNLESS_CLOSED = "original_unless_closed"


class AfterRetirement(StrEnum):
    """What becomes of a renewal that is paid after the product was retired (BC-23)."""

    REFUND = "refund"
    ALLOW = "allow"


class AfterExpiry(StrEnum):
    """Whether a license whose support ended unused may still be activated for the first time (NX-46)."""

    ALLOW_WITH_PROMPT = "allow_with_prompt"
    DENY = "deny"


@dataclass(frozen=True, slots=True)
class TermsClauses:
    """What the answers about a support window cite."""

    window: Clauses
    purchase: Clauses
    care: Clauses
    expired: Clauses
    prompt: Clauses


@dataclass(frozen=True, slots=True)
class TermsPolicy:
    """The support window: `purchase_months` are the lengths that a buyer may choose, for the `purchase_clocks`.

    `support_line_months`: support that is bought as a line of its own runs so long where the line tells no length;
    None: such a line gives no support.
    """

    window: Window
    purchase_months: tuple[int, ...]
    purchase_clocks: tuple[Clock, ...]
    after_expiry: AfterExpiry
    clauses: TermsClauses
    support_line_months: int | None = None


@dataclass(frozen=True, slots=True)
class RenewalClauses:
    """What the answers about renewals cite."""

    term: Clauses
    appended: Clauses
    from_now: Clauses
    price: Clauses
    late: Clauses
    channel: Clauses
    retired: Clauses
    offline: Clauses


@dataclass(frozen=True, slots=True)
class RenewalPolicy:
    """Renewals: for how long (`months`, the usual length first), which clocks, at what price.

    `price_percent` is of the `price_basis`; None: the text names no price, the channel does. `late_surcharge_percent`
    comes on top, as a line of its own, once the time has run out (BC-34).
    """

    months: tuple[int, ...]
    extends: tuple[Clock, ...]
    price_percent: int | None
    price_basis: PriceBasis
    late_surcharge_percent: int
    channel: RenewalChannel
    after_retirement: AfterRetirement
    clauses: RenewalClauses


@dataclass(frozen=True, slots=True)
class SubscriptionClauses:
    """What the answers about automatic renewals cite."""

    renewal: Clauses
    cancel: Clauses
    retired: Clauses
    offline: Clauses


@dataclass(frozen=True, slots=True)
class SubscriptionPolicy:
    """Automatic renewals: the lengths of a period that are offered, in months."""

    months: tuple[int, ...]
    clauses: SubscriptionClauses


@dataclass(frozen=True, slots=True)
class VersionsPolicy:
    """Whether this version decides a renewal of what was sold under an older one where that is better (K-09)."""

    apply_if_better: bool
    clauses: Clauses
