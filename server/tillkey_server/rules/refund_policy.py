"""What a vendor's terms say about refunds, as data: reasons, plans, windows, amounts, and how money goes back.

A policy without this section says nothing about refunds: a person decides each. Codes stand here as words of
`refund_codes.RefundCode`, since decisions know policies and not the reverse.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from tillkey_server.rules.citation import Clauses
from tillkey_server.rules.issue_facts import Finding
from tillkey_server.rules.order_line import LineKind


class Kind(StrEnum):
    """What a reason is to the terms (NX-35)."""

    GROUND = "ground"
    NOT_A_GROUND = "not_a_ground"
    BAR = "bar"


class Need(StrEnum):
    """What must be true for a reason to count."""

    NOTHING = "nothing"
    NEVER_ACTIVATED = "never_activated"
    NOT_DOWNLOADED = "not_downloaded"
    FOUND = "found"
    UNSOLVED = "unsolved"
    CONTACTED = "contacted"
    REPLY_LATE = "reply_late"
    FIX_LATE = "fix_late"
    STILL_UNSATISFIED = "still_unsatisfied"
    PLATFORM = "platform"
    DISCRETION = "discretion"
    RENEWAL = "renewal"
    ACTIVE = "active"
    INSTALLED = "installed"


class Bound(StrEnum):
    """Which instant must lie in the refund window, if any."""

    ASKED = "asked"
    REPORTED = "reported"
    NONE = "none"


class Plan(StrEnum):
    """How something is paid for."""

    ONE_TIME = "one_time"
    ANNUAL = "annual"
    MONTHLY = "monthly"


class Share(StrEnum):
    """How much of a plan's price a ground gives back."""

    FULL = "full"
    PRORATA = "prorata"
    NOTHING = "nothing"


class Basis(StrEnum):
    """By what a year's price is divided (CJ-22)."""

    PAID_MONTHS = "paid_months"
    TERM_MONTHS = "term_months"


class Late(StrEnum):
    """What an annual plan gives for what was raised after the window (CJ-18, CJ-19)."""

    PRORATA = "prorata"
    DENY = "deny"


class Destination(StrEnum):
    """Where the money goes."""

    ACCOUNT_BALANCE = "account_balance"
    ORIGINAL_METHOD = "original_method"


class Core(StrEnum):
    """Whether the vendor's core is refunded as its modules are (NX-31)."""

    SAME = "same"
    REVIEW = "review"
    DENY = "deny"


class Partial(StrEnum):
    """What becomes of a license of which a part is paid back (NX-36)."""

    KEEP = "keep"
    REDUCE = "reduce"
    REVOKE = "revoke"


class Gate(StrEnum):
    """What a payout waits for (CJ-13)."""

    NONE = "none"
    STATEMENT_ONLY = "statement_only"
    REQUIRED = "required"


class TaxRefund(StrEnum):
    """Whether tax goes back with the price (CJ-08)."""

    NEVER = "never"
    PER_LAW = "per_law"


class Sender(StrEnum):
    """Who may ask: anybody, or the official address alone (CJ-31)."""

    ANY = "any"
    OFFICIAL = "official"


class Repurchase(StrEnum):
    """Whether what was refunded once is refunded again (CJ-05)."""

    ALLOW = "allow"
    DENY = "deny"
    DENY_PENDING_TOO = "deny_pending_too"


class KnownBy(StrEnum):
    """By what, beside the account, a customer is known whose purchase was refunded before (CJ-05)."""

    EMAIL = "email"
    DOMAIN = "domain"


PARTIAL = "partial"
"""The word for earlier refunds that left their license in use."""


class HoldWindow(StrEnum):
    """What a legal hold does to the refund window (CJ-02)."""

    TOLL = "toll"
    RUN = "run"


class Started(StrEnum):
    """Which renewals go back with their product (BC-26, reading 3)."""

    KEEP_ALL = "keep_all"
    UNSTARTED = "unstarted"
    RUNNING_TOO = "running_too"


class PayoutFrom(StrEnum):
    """What the days of a payout are counted from (CJ-30)."""

    REQUEST = "request"
    GRANT = "grant"


@dataclass(frozen=True, slots=True)
class ReasonPolicy:
    """One reason: `code` is what it gives (a ground) or denies by (a bar); None: the general one.

    `findings` are those of which one must be there; `plans` those it is for, none named: all. `by_email`: asked for in
    writing. `help` is what the answer carries.
    """

    name: str
    kind: Kind
    needs: Need
    window: Bound
    code: str | None
    findings: tuple[Finding, ...]
    plans: tuple[Plan, ...]
    by_email: bool
    help: tuple[str, ...]
    clauses: Clauses


@dataclass(frozen=True, slots=True)
class PlanPolicy:
    """What a plan gives back; `window_working_days` stands in place of the license's own window."""

    plan: Plan
    share: Share
    code: str | None
    window_working_days: int | None
    clauses: Clauses


@dataclass(frozen=True, slots=True)
class LinePolicy:
    """A kind of line that is never paid back."""

    kind: LineKind
    clauses: Clauses


@dataclass(frozen=True, slots=True)
class ProrataPolicy:
    """How the rest of a year is counted (CJ-18 to CJ-22)."""

    term_months: int
    basis: Basis
    paid_months: int
    include_current_month: bool
    late_issue: Late
    clauses: Clauses


@dataclass(frozen=True, slots=True)
class RenewalRefundPolicy:
    """Within how many working days the last renewal is paid back, and what a later notice gives (CJ-26 to CJ-28)."""

    working_days: int
    late_annual: Late
    late_monthly: str
    clauses: Clauses
    monthly_clauses: Clauses
    annual_clauses: Clauses


@dataclass(frozen=True, slots=True)
class DiscretionPolicy:
    """Until how many months after the purchase somebody may decide otherwise (BC-27)."""

    months: int
    clauses: Clauses


@dataclass(frozen=True, slots=True)
class PayoutPolicy:
    """How a granted refund is paid: within `days` working days (None: no promise), behind a gate."""

    gate: Gate
    days: int | None
    counted_from: PayoutFrom
    clauses: Clauses
    gate_clauses: Clauses


@dataclass(frozen=True, slots=True)
class RefundClauses:
    """What answers about refunds cite beside their reason's own clauses."""

    destination: Clauses
    effects: Clauses
    window: Clauses
    tax: Clauses
    core: Clauses
    channel: Clauses
    sender: Clauses
    fields: Clauses
    repurchase: Clauses
    product: Clauses
    copyright: Clauses
    review: Clauses
    after_refund: Clauses
    renewals: Clauses
    versions: Clauses


@dataclass(frozen=True, slots=True)
class RefundPolicy:
    """The whole section; `docs/policies.md` explains every key."""

    destination: Destination
    core: Core
    channels: tuple[str, ...]
    required_fields: tuple[str, ...]
    sender: Sender
    sender_cooldown: timedelta
    repurchase: Repurchase
    repurchase_ignores: tuple[str, ...]
    partial: Partial
    tax: TaxRefund
    refund_all_products: bool
    statutory_days: int | None
    hold_window: HoldWindow
    along: tuple[LineKind, ...]
    renewals: Started
    use_after_refund_grace: timedelta
    apply_if_better: bool
    invitation: str | None
    reasons: tuple[ReasonPolicy, ...]
    plans: tuple[PlanPolicy, ...]
    lines: tuple[LinePolicy, ...]
    prorata: ProrataPolicy | None
    renewal: RenewalRefundPolicy | None
    discretion: DiscretionPolicy | None
    payout: PayoutPolicy
    clauses: RefundClauses
    repurchase_known_by: tuple[KnownBy, ...] = ()

    def reason(self, name: str) -> ReasonPolicy | None:
        """Return the reason of that name, None for one that the terms do not know."""
        return next((one for one in self.reasons if one.name == name), None)

    def of_plan(self, plan: Plan) -> PlanPolicy | None:
        """Return what the terms say of a plan."""
        return next((one for one in self.plans if one.plan is plan), None)

    def excluded(self, kind: LineKind) -> LinePolicy | None:
        """Return the exclusion of a kind of line."""
        return next((one for one in self.lines if one.kind is kind), None)
