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
    """The support window: `purchase_months` are the lengths that a buyer may choose; none: that of the clocks alone."""

    window: Window
    purchase_months: tuple[int, ...]
    after_expiry: AfterExpiry
    clauses: TermsClauses
