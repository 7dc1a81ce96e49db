"""The form of a policy file's `[refund]`, and what in it contradicts itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from tillkey_server.policies.deadline_form import DeadlineSection
from tillkey_server.policies.forms import Clauses, Duration, Months, Section, Words, WorkingDays, once
from tillkey_server.rules.issue_facts import Finding
from tillkey_server.rules.refund_codes import RefundCode
from tillkey_server.rules.refund_policy import PARTIAL

_GRANTS, _DENIALS = "ref_granted_", "ref_denied_"
_OF_BARS = frozenset({"active", "installed"})


def _code(value: str) -> str:
    if value not in set(RefundCode):
        raise ValueError(f"{value!r} is no code of a refund: docs/codes.md lists them")
    return value


Code = Annotated[str, AfterValidator(_code)]


def _ignored(value: str) -> str:
    if value != PARTIAL and (not value.startswith(_GRANTS) or value not in set(RefundCode)):
        raise ValueError(f"{value!r} is neither {PARTIAL!r} nor a code that grants: docs/codes.md lists them")
    return value


IgnoredRefund = Annotated[str, AfterValidator(_ignored)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Channels = Annotated[list[Annotated[str, Field(min_length=1, max_length=64)]], AfterValidator(once)]
PlanWord = Literal["one_time", "annual", "monthly"]
LineWord = Literal["support", "customization", "extra_domain", "service"]
FindingWord = Annotated[Finding, Field(strict=False)]
"""A finding, read from its word."""
NeedWord = Literal[
    "nothing",
    "never_activated",
    "not_downloaded",
    "found",
    "unsolved",
    "contacted",
    "reply_late",
    "fix_late",
    "still_unsatisfied",
    "platform",
    "discretion",
    "renewal",
    "active",
    "installed",
]


class ReasonSection(Section):
    """`[[refund.reasons]]`."""

    name: Name
    kind: Literal["ground", "not_a_ground", "bar"]
    needs: NeedWord = "nothing"
    window: Literal["asked", "reported", "none"] = "none"
    code: Code | None = None
    findings: Annotated[list[FindingWord], AfterValidator(once)] = Field(default_factory=list)
    plans: Annotated[list[PlanWord], AfterValidator(once)] = Field(default_factory=list)
    by_email: bool = False
    help: Words = Field(default_factory=list)
    clauses: Clauses


class PlanSection(Section):
    """`[[refund.plans]]`."""

    plan: PlanWord
    share: Literal["full", "prorata", "nothing"]
    code: Code | None = None
    window_working_days: WorkingDays | None = None
    clauses: Clauses


class LineSection(Section):
    """`[[refund.lines]]`."""

    kind: LineWord
    clauses: Clauses


class ProrataSection(Section):
    """`[refund.prorata]`."""

    term_months: Annotated[int, Field(ge=1, le=120)]
    basis: Literal["paid_months", "term_months"]
    paid_months: Annotated[int, Field(ge=1, le=120)]
    include_current_month: bool
    late_issue: Literal["prorata", "deny"]
    clauses: Clauses


class RenewalSection(Section):
    """`[refund.renewal]`."""

    working_days: WorkingDays
    late_annual: Literal["prorata", "deny"]
    late_monthly: Code
    clauses: Clauses
    monthly_clauses: Clauses
    annual_clauses: Clauses


class DiscretionSection(Section):
    """`[refund.discretion]`."""

    months: Annotated[Months, Field(ge=1)]
    clauses: Clauses


class PayoutSection(Section):
    """`[refund.payout]`."""

    gate: Literal["none", "statement_only", "required"]
    days: WorkingDays | None = None
    counted_from: Literal["request", "grant"]
    clauses: Clauses
    gate_clauses: Clauses


class RefundClausesSection(Section):
    """`[refund.clauses]`."""

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


class RefundSection(Section):
    """`[refund]`; a policy without it leaves every refund to a person."""

    destination: Literal["account_balance", "original_method"]
    core: Literal["same", "review", "deny"]
    channels: Channels
    required_fields: Annotated[list[Literal["order_number", "reason"]], AfterValidator(once)]
    sender: Literal["any", "official"]
    sender_cooldown: Duration = timedelta(0)
    repurchase: Literal["allow", "deny", "deny_pending_too"]
    repurchase_ignores: Annotated[list[IgnoredRefund], AfterValidator(once)] = Field(default_factory=list)
    repurchase_known_by: Annotated[list[Literal["email", "domain"]], AfterValidator(once)] = Field(default_factory=list)
    partial: Literal["keep", "reduce", "revoke"]
    tax: Literal["never", "per_law"]
    refund_all_products: bool
    statutory_days: Annotated[int, Field(ge=1, le=365)] | None = None
    hold_window: Literal["toll", "run"]
    along: Annotated[list[LineWord], AfterValidator(once)]
    renewals: Literal["keep_all", "unstarted", "running_too"]
    use_after_refund_grace: Duration
    apply_if_better: bool
    invitation: Annotated[str, Field(min_length=1, max_length=500)] | None = None
    reasons: list[ReasonSection]
    plans: list[PlanSection] = Field(default_factory=list)
    lines: list[LineSection] = Field(default_factory=list)
    prorata: ProrataSection | None = None
    renewal: RenewalSection | None = None
    discretion: DiscretionSection | None = None
    payout: PayoutSection
    clauses: RefundClausesSection


_CLOCKS = {"fix_late": "fix", "unsolved": "resolve", "reply_late": "reply"}
"""What a ground that something came too late runs by: a table of `[deadlines]`."""


def contradictions(section: RefundSection | None, deadlines: DeadlineSection | None) -> Iterator[tuple[str, str]]:
    """Yield what the parts of `[refund]` may not say together, or beside `[deadlines]`, as (key, reason)."""
    if section is None:
        return
    for one in section.reasons:
        clock = _CLOCKS.get(one.needs)
        if clock is not None and (deadlines is None or getattr(deadlines, clock) is None):
            yield (
                f"refund.reasons.{one.name}.needs",
                f"could never hold: there is no deadlines.{clock}",
            )
    for key, names in (
        ("reasons", [one.name for one in section.reasons]),
        ("plans", [one.plan for one in section.plans]),
        ("lines", [one.kind for one in section.lines]),
    ):
        twice = next((one for number, one in enumerate(names) if one in names[:number]), None)
        if twice is not None:
            yield f"refund.{key}", f"{str(twice)!r} is listed twice: say one thing of it"
    yield from _of_reasons(section)
    yield from _for_nothing(section)
    shares = [one.share for one in section.plans]
    late = section.renewal is not None and section.renewal.late_annual == "prorata"
    if ("prorata" in shares or late) and section.prorata is None:
        yield "refund.prorata", "is missing: a plan or a late renewal gives back a part of the year"
    if section.prorata is not None and section.prorata.paid_months > section.prorata.term_months:
        yield "refund.prorata.paid_months", "are more than the term has"
    excluded = sorted({one.kind for one in section.lines} & set(section.along))
    if excluded:
        yield "refund.along", f"{excluded[0]!r} is among the lines that are never paid back"


def _for_nothing(section: RefundSection) -> Iterator[tuple[str, str]]:
    """Yield what another key leaves without any effect."""
    if section.sender_cooldown and section.sender == "any":
        yield "refund.sender_cooldown", "counts for nothing: refund.sender is 'any'"
    if section.repurchase_ignores and section.repurchase == "allow":
        yield "refund.repurchase_ignores", "counts for nothing: refund.repurchase is 'allow'"
    if section.repurchase_known_by and section.repurchase == "allow":
        yield "refund.repurchase_known_by", "counts for nothing: refund.repurchase is 'allow'"


def _of_reasons(section: RefundSection) -> Iterator[tuple[str, str]]:
    for one in section.reasons:
        key = f"refund.reasons.{one.name}"
        if one.kind == "ground":
            if one.needs not in {"discretion", "renewal"} and not (one.code or "").startswith(_GRANTS):
                yield f"{key}.code", "is needed, and of those that grant: a ground says what it gives"
            if one.needs in _OF_BARS:
                yield f"{key}.needs", "is for a bar"
        elif one.needs not in {"nothing", *_OF_BARS}:
            yield f"{key}.needs", "is for a ground"
        if one.kind == "bar" and not (one.code or "").startswith(_DENIALS):
            yield f"{key}.code", "is needed, and of those that deny: a bar says by what"
    if any(one.needs == "renewal" for one in section.reasons) and section.renewal is None:
        yield "refund.renewal", "is missing: a reason asks about it"
