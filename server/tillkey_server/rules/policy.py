"""A vendor's terms as the rules see them: frozen, validated, with the clause behind each part.

1. A policy is data. No rule knows a vendor's name; two vendors differ only by the values here.
2. A license keeps the policy version that it was sold under; a later version never alters it (K-09).
3. Each section carries the clauses that its decisions cite, by topic, in the vendor's own numbering. Where the vendor's
   text is silent the file cites the convention that it adopts.

`policies/loader.py` makes these from a file and refuses contradictions; nothing here checks anything again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from tillkey_server.rules.account_policy import AccountPolicy
from tillkey_server.rules.citation import Clauses
from tillkey_server.rules.deadline_policy import DeadlinePolicy
from tillkey_server.rules.refund_policy import RefundPolicy
from tillkey_server.rules.sale_policy import SalePolicy
from tillkey_server.rules.support_policy import SupportPolicy
from tillkey_server.rules.term_policy import RenewalPolicy, SubscriptionPolicy, TermsPolicy, VersionsPolicy
from tillkey_server.rules.update_policy import UpdatePolicy
from tillkey_server.rules.warranty_policy import QuotePolicy, WarrantyPolicy

KNOWN_COMPONENTS = frozenset({"machine_id", "hostname", "hardware", "location"})
"""The fingerprint components that our SDK sends; a threshold above their number could never be reached."""


@dataclass(frozen=True, slots=True)
class PolicyRef:
    """Which text a decision followed."""

    name: str
    version: int


class ProjectBinding(StrEnum):
    """The three readings of NX-06: what ties a license to a project for good."""

    PERMANENT_AFTER_PRODUCTION = "permanent_after_production"
    PERMANENT_FROM_FIRST_ACTIVATION = "permanent_from_first_activation"
    WHILE_ACTIVE = "while_active"


@dataclass(frozen=True, slots=True)
class ActivationClauses:
    """What the answers about activations cite."""

    project: Clauses
    one_use: Clauses
    repeat: Clauses
    staging: Clauses
    binding: Clauses
    installation: Clauses
    release: Clauses
    superseded: Clauses
    stale: Clauses
    unseen: Clauses


@dataclass(frozen=True, slots=True)
class ActivationPolicy:
    """Seats, projects and environments.

    `staging_exempt`: staging and development take a slot of their own. `bind_site`: a license that is bound is also
    bound to its project's site, in production. `staging_stale_after`: how long staging may stand beside production
    before people are told. `release_unseen_after`: how long an installation was not heard of before it gives way to
    another one that asks; None: it never does. `self_service` is the page on which customers free a license themselves.
    """

    staging_exempt: bool
    project_binding: ProjectBinding
    require_project: bool
    bind_site: bool
    staging_stale_after: timedelta
    release_unseen_after: timedelta | None
    clauses: ActivationClauses
    self_service: str | None = None


@dataclass(frozen=True, slots=True)
class ForcedDeactivationPolicy:
    """How often an agent may free one license: `limit` per sliding `window`, `gap` between two.

    An installation seen within `recently_seen` needs a second confirmation. `force_majeure` is cited beside the clauses
    where that took the machine, which is free (NP-08).
    """

    limit: int
    window: timedelta
    gap: timedelta
    recently_seen: timedelta
    clauses: Clauses
    force_majeure: Clauses = ()


@dataclass(frozen=True, slots=True)
class TakeoverPolicy:
    """When a new installation key is the old machine set up afresh.

    `threshold` components are equal, all of `required` among them; at most `limit` takeovers of a license per `window`.
    """

    threshold: int
    required: tuple[str, ...]
    limit: int
    window: timedelta
    clauses: Clauses


@dataclass(frozen=True, slots=True)
class MovePolicy:
    """How long a move ticket lives."""

    ticket_lifetime: timedelta
    clauses: Clauses


@dataclass(frozen=True, slots=True)
class HeartbeatPolicy:
    """How often a till beats; the till itself draws the jitter."""

    every: timedelta
    jitter_percent: int
    clauses: Clauses


@dataclass(frozen=True, slots=True)
class LeasePolicy:
    """Lease lengths from `iat`: `soft` to the notice, `full` to the end of full rights.

    `full_while_refundable` replaces `full` while the refund window is open.
    """

    soft: timedelta
    full: timedelta
    full_while_refundable: timedelta
    clauses: Clauses


@dataclass(frozen=True, slots=True)
class ClocksClauses:
    """What the four clocks cite, each for itself (X-01)."""

    use: Clauses
    support: Clauses
    updates: Clauses
    refund: Clauses


class WindowBoundary(StrEnum):
    """The two readings of "within n days" (K-03): to the end of the nth day after, or n times 24 hours."""

    EXCLUDE_FIRST_DAY = "exclude_first_day"
    ELAPSED = "elapsed"


@dataclass(frozen=True, slots=True)
class ClocksPolicy:
    """The four clocks at purchase.

    `use_months` 0 is a perpetual right. `support_months` and `updates_months`: 0 includes none, None has no end.
    `refund_days`: 0 is never refundable by time. A window is in days or in months, never both; neither is no window in
    the vendor's text. `window_boundary` is how its days are counted.
    """

    use_months: int
    support_months: int | None
    updates_months: int | None
    refund_days: int | None
    refund_months: int | None
    clauses: ClocksClauses
    window_boundary: WindowBoundary = WindowBoundary.EXCLUDE_FIRST_DAY


@dataclass(frozen=True, slots=True)
class EntitlementsPolicy:
    """What a license grants, and what of it is left after a lease's `exp`."""

    granted: tuple[str, ...]
    degraded: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StandingClauses:
    """What each state of a license cites; `active` where a change leads back to it."""

    legal_hold: Clauses
    terminated: Clauses
    revoked: Clauses
    refunded: Clauses
    suspended: Clauses
    expired: Clauses
    active: Clauses


@dataclass(frozen=True, slots=True)
class TrialPolicy:
    """How many days a trial may be used; the day on which it begins is day 0 (K-03)."""

    days: int
    clauses: Clauses


class Weekday(StrEnum):
    """A day of the week, as a policy file writes it; their order is that of `date.weekday`."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


@dataclass(frozen=True, slots=True)
class CalendarPolicy:
    """Which days are worked (K-01): not the `weekend`, not the `holidays`, but the `extra_working_days` are.

    `opens` to `closes` are the office hours in the policy's zone; None: the whole day.
    """

    weekend: tuple[Weekday, ...]
    holidays: tuple[date, ...]
    extra_working_days: tuple[date, ...]
    opens: time | None
    closes: time | None
    clauses: Clauses


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of one vendor's terms. `timezone` is where its dates are counted (K-01); `trial` None: none given."""

    name: str
    version: int
    title: str
    effective_from: date
    timezone: ZoneInfo
    issue_clauses: Clauses
    activation: ActivationPolicy
    forced_deactivation: ForcedDeactivationPolicy
    takeover: TakeoverPolicy
    move: MovePolicy
    heartbeat: HeartbeatPolicy
    lease: LeasePolicy
    clocks: ClocksPolicy
    entitlements: EntitlementsPolicy
    standing: StandingClauses
    trial: TrialPolicy | None = None
    calendar: CalendarPolicy | None = None
    terms: TermsPolicy | None = None
    deadlines: DeadlinePolicy | None = None
    renewal: RenewalPolicy | None = None
    subscription: SubscriptionPolicy | None = None
    versions: VersionsPolicy | None = None
    support: SupportPolicy | None = None
    sale: SalePolicy | None = None
    account: AccountPolicy | None = None
    updates: UpdatePolicy | None = None
    warranty: WarrantyPolicy | None = None
    quotes: QuotePolicy | None = None
    refund: RefundPolicy | None = None

    @property
    def ref(self) -> PolicyRef:
        """Return the name and version that decisions carry."""
        return PolicyRef(self.name, self.version)

    @property
    def prevailing(self) -> dict[str, object]:
        """Return which text of the terms prevails, and since when, as facts show it; none named: nothing (ZG-21)."""
        if self.sale is None or self.sale.authoritative_language is None:
            return {}
        told: dict[str, object] = {
            "authoritative_language": self.sale.authoritative_language,
            "effective_from": self.effective_from.isoformat(),
        }
        if self.sale.authoritative_statement is not None:
            told["authoritative_statement"] = self.sale.authoritative_statement
        return told
