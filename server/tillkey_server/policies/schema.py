"""The form of a policy file, strictly: no key more, none less, no value of a neighbouring type.

Sections that may be left out are topics on which the terms say nothing: whoever asks about one is told so, or a person
decides. What a value looks like is `forms`'; what contradicts what is `loader`'s.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from tillkey_server.policies.account_form import AccountSection
from tillkey_server.policies.deadline_form import DeadlineSection
from tillkey_server.policies.forms import (
    Clauses,
    ClockTime,
    Component,
    Count,
    Dates,
    Duration,
    Months,
    OffOrDuration,
    OpenMonths,
    Page,
    PositiveDuration,
    Section,
    Words,
    Zone,
    once,
)
from tillkey_server.policies.refund_form import RefundSection
from tillkey_server.policies.sale_form import SaleSection
from tillkey_server.policies.support_form import SupportSection
from tillkey_server.policies.term_form import RenewalSection, SubscriptionSection, TermsSection, VersionsSection
from tillkey_server.policies.update_form import UpdatesSection
from tillkey_server.policies.warranty_form import QuotesSection, WarrantySection


class IssueSection(Section):
    """`[issue]`."""

    clauses: Clauses


class ActivationClausesSection(Section):
    """`[activation.clauses]`."""

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


class ActivationSection(Section):
    """`[activation]`."""

    staging_exempt: bool
    project_binding: Literal["permanent_after_production", "permanent_from_first_activation", "while_active"]
    require_project: bool
    bind_site: bool
    staging_stale_after: PositiveDuration
    release_unseen_after: OffOrDuration
    self_service: Page | None = None
    clauses: ActivationClausesSection


class ForcedDeactivationSection(Section):
    """`[forced_deactivation]`."""

    limit: Count
    window: PositiveDuration
    gap: Duration
    recently_seen: Duration
    clauses: Clauses
    force_majeure: Clauses = Field(default_factory=list)


class TakeoverSection(Section):
    """`[takeover]`."""

    threshold: Annotated[int, Field(ge=1)]
    required: Annotated[list[Component], AfterValidator(once)]
    limit: Count
    window: PositiveDuration
    clauses: Clauses


class MoveSection(Section):
    """`[move]`."""

    ticket_hours: Annotated[int, Field(ge=1, le=24 * 365)]
    clauses: Clauses


class HeartbeatSection(Section):
    """`[heartbeat]`."""

    every: PositiveDuration
    jitter_percent: Annotated[int, Field(ge=0, le=50)]
    clauses: Clauses


class LeaseSection(Section):
    """`[lease]`."""

    soft: PositiveDuration
    full: PositiveDuration
    full_while_refundable: PositiveDuration
    clauses: Clauses


class ClocksClausesSection(Section):
    """`[clocks.clauses]`."""

    use: Clauses
    support: Clauses
    updates: Clauses
    refund: Clauses


class ClocksSection(Section):
    """`[clocks]`; one of `refund_days` and `refund_months`, or neither, everything else is said."""

    use_months: Months
    support_months: OpenMonths
    updates_months: OpenMonths
    refund_days: Annotated[int, Field(ge=0, le=3650)] | None = None
    refund_months: Annotated[int, Field(ge=1, le=120)] | None = None
    window_boundary: Literal["exclude_first_day", "elapsed"] = "exclude_first_day"
    clauses: ClocksClausesSection


class EntitlementsSection(Section):
    """`[entitlements]`."""

    granted: Words
    degraded: Words


class StandingClausesSection(Section):
    """`[standing.clauses]`."""

    legal_hold: Clauses
    terminated: Clauses
    revoked: Clauses
    refunded: Clauses
    suspended: Clauses
    expired: Clauses
    active: Clauses


class StandingSection(Section):
    """`[standing]`."""

    clauses: StandingClausesSection


class TrialSection(Section):
    """`[trial]`; a policy without it offers no trial."""

    days: Annotated[int, Field(ge=1, le=365)]
    clauses: Clauses


class CalendarSection(Section):
    """`[calendar]`; a policy without it has working days from Monday to Friday, and no holidays."""

    weekend: Annotated[list[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]], AfterValidator(once)]
    holidays: Dates
    extra_working_days: Dates
    opens: ClockTime | None = None
    closes: ClockTime | None = None
    clauses: Clauses


class PolicyDocument(Section):
    """A whole file."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
    version: Annotated[int, Field(ge=1)]
    title: Annotated[str, Field(min_length=1, max_length=120)]
    effective_from: dt.date
    timezone: Zone
    issue: IssueSection
    activation: ActivationSection
    forced_deactivation: ForcedDeactivationSection
    takeover: TakeoverSection
    move: MoveSection
    heartbeat: HeartbeatSection
    lease: LeaseSection
    clocks: ClocksSection
    entitlements: EntitlementsSection
    standing: StandingSection
    trial: TrialSection | None = None
    calendar: CalendarSection | None = None
    terms: TermsSection | None = None
    deadlines: DeadlineSection | None = None
    renewal: RenewalSection | None = None
    subscription: SubscriptionSection | None = None
    versions: VersionsSection | None = None
    support: SupportSection | None = None
    sale: SaleSection | None = None
    account: AccountSection | None = None
    updates: UpdatesSection | None = None
    warranty: WarrantySection | None = None
    quotes: QuotesSection | None = None
    refund: RefundSection | None = None
