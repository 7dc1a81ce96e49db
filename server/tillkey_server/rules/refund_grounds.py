"""Whether a reason for a refund holds, on the facts alone.

1. A reason is a ground, no ground (ignored beside one, CJ-06), or a bar (denies beside any ground, NX-35); which it is
   and what it needs is data. A bar may be of record: a license in use, or the installation that came with it and was
   done (NX-19); the latter holds also where somebody found that it was.
2. A ground that is for other plans is none for this one (CJ-06 beside CJ-17).
3. Where a window bounds a ground, the instant that counts is when the issue was reported, or when the refund was asked
   for; a slow vendor closes no window (CJ-09, CJ-12). What came after it and is still pending is denied, unless a
   yearly plan gives its rest for it all the same (CJ-18): then it stays pending.
4. "Never activated" is never, whatever was deactivated since (NX-33); "not downloaded" is by no channel, and what was
   ever activated has come by one (BC-27).
5. A request for support counts only for its own license (ZG-09). One before a purchase, and one that was refused
   before anything was due, was promised nothing (BC-36). A solution ends its claim (ZG-09), unless it came after its
   time and after the refund was asked for: nothing is gained by recording late; and once the days to object to it are
   over, if the terms give any: the customer tests it first (CJ-12). Where the terms correct faults alone, what nobody
   reported or found as one is no breach until somebody finds it (ZG-07, ZG-13). "In vain" is who was not answered
   when that was due; who was answered in time leaves the vendor the time that he has for a correction, unless it was
   found that there is none (BC-27). "Not processed" is what nobody answered before the refund was asked for; an answer
   that was late is one (BC-28).
6. Where a fact is missing the answer is pending and names the first one that is.
7. Without a reason, what the records show is looked at, so that a refund can be offered and is never forced (ZG-09).
8. What is at somebody's discretion is looked at once somebody found it, whether or not the customer names it (CJ-03).
9. What does not work as described is measured by what was advertised at the sale, which the answer shows (NX-32). On a
   version of the platform that was not, a finding is a person's to weigh: it works where it was said to, for all that
   the records tell. Where no version was named, or none advertised, the finding alone counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from tillkey_server.rules.advertised import compared, covers_version
from tillkey_server.rules.citation import Clauses
from tillkey_server.rules.decision import Outcome, instant
from tillkey_server.rules.issue_facts import Finding, IssueFacts
from tillkey_server.rules.refund_codes import RefundCode
from tillkey_server.rules.refund_facts import Asked, Item, RefundFacts
from tillkey_server.rules.refund_policy import Bound, Kind, Late, Need, Plan, ReasonPolicy, RefundPolicy

OF_RECORD = frozenset({Need.NOTHING, Need.FOUND, Need.UNSOLVED, Need.REPLY_LATE, Need.FIX_LATE, Need.CONTACTED})
"""What can be seen without anybody naming a reason (sentence 7)."""


@dataclass(frozen=True, slots=True)
class Case:
    """A request for a refund with all that it is judged by; `window` is the exclusive end, None: no limit."""

    facts: RefundFacts
    asked: Asked
    terms: RefundPolicy
    window: datetime | None
    now: datetime

    @property
    def issue(self) -> IssueFacts | None:
        """Return the request for support, where it is about this license (sentence 5)."""
        found = self.facts.issue
        return found if found is not None and found.license_id == self.facts.license.id else None

    def found_any(self, reason: ReasonPolicy) -> bool:
        """Tell whether one of a reason's findings was made."""
        issue = self.issue
        made = self.asked.findings | (frozenset() if issue is None else issue.findings)
        return not reason.findings or bool(made & set(reason.findings))

    def shown_issue(self) -> dict[str, object]:
        """Return it as facts show it: which request, and what of it was due when, by which calendar (K-01, K-08)."""
        issue = self.issue
        if issue is None:
            return {}
        due = {"reply_due_at": issue.reply_due, "resolve_due_at": issue.resolve_due, "fix_due_at": issue.fix_due}
        told = {name: instant(at) for name, at in due.items() if at is not None}
        return {"support_request": {"id": str(issue.id), **told, "calendar": issue.calendar}}

    def shown_installation(self) -> dict[str, object]:
        """Return when the free installation was used, for whoever decides (NX-19); nothing where it was not."""
        at = self.facts.installed_at
        return {} if at is None else {"installed_at": instant(at)}

    def is_beyond_the_sale(self, reason: ReasonPolicy) -> bool:
        """Tell whether a version that the sale did not promise speaks against a finding (sentence 9)."""
        if Finding.NOT_AS_DESCRIBED not in reason.findings:
            return False
        told = None if self.issue is None else self.issue.platform_version
        return told is not None and covers_version(self.facts.advertised, told) is False

    def shown_description(self) -> dict[str, object]:
        """Return what was advertised beside the version that was named, where that is asked (sentence 9)."""
        issue, named = self.issue, (*self.asked.reasons, *self.asked.found)
        judged = (one for name in named if (one := self.terms.reason(name)) is not None)
        measured = self.asked.findings | {finding for one in judged for finding in one.findings}
        if Finding.NOT_AS_DESCRIBED not in measured | (frozenset() if issue is None else issue.findings):
            return {}
        return {"described": compared(self.facts.advertised, None if issue is None else issue.platform_version)}

    def holds_on_record(self, bar: ReasonPolicy) -> bool:
        """Tell whether the records alone show what a bar needs (sentence 1)."""
        if bar.needs is Need.ACTIVE:
            return self.facts.active > 0
        return bar.needs is Need.INSTALLED and self.facts.installed_at is not None

    def is_persons(self, reason: ReasonPolicy) -> bool:
        """Tell whether somebody found what only a person decides about (sentence 8)."""
        if reason.needs is not Need.DISCRETION or reason.kind is not Kind.GROUND:
            return False
        return reason.name in self.asked.found or (bool(reason.findings) and self.found_any(reason))

    @property
    def gives_rest(self) -> bool:
        """Tell whether a ground that came after the window gives back the rest of the term (CJ-18, CJ-19)."""
        prorata = self.terms.prorata
        return prorata is not None and prorata.late_issue is Late.PRORATA and self.facts.plan is Plan.ANNUAL


@dataclass(frozen=True, slots=True)
class Missing:
    """Why a reason does not hold, or not yet."""

    outcome: Outcome
    code: RefundCode
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """One reason and what came of it; `late`: it holds but for the window."""

    name: str
    kind: Kind | None
    outcome: Outcome
    code: RefundCode | None
    clauses: Clauses
    needs: Need = Need.NOTHING
    retry_at: datetime | None = None
    late: bool = False
    help: tuple[str, ...] = ()

    def shown(self) -> dict[str, object]:
        """Return it as a decision's facts show it."""
        return {
            "reason": self.name,
            "kind": None if self.kind is None else self.kind.value,
            "decision": self.outcome.value,
            "code": None if self.code is None else self.code.value,
            "clauses": list(self.clauses),
            "retry_at": instant(self.retry_at),
        }


def judge_all(case: Case) -> tuple[Judged, ...]:
    """Return what comes of every reason that was given or found; of none given: of those of record (sentence 7).

    Of one renewal: of those alone that are about renewals.
    """
    if case.asked.item is Item.RENEWAL:
        return tuple(judge(name, case) for name in of_renewals(case.asked, case.terms))
    found = tuple(one.name for one in case.terms.reasons if case.is_persons(one))
    names = (*case.asked.reasons, *case.asked.found)
    if not names:
        names = tuple(one.name for one in case.terms.reasons if one.kind is Kind.GROUND and one.needs in OF_RECORD)
    return tuple(judge(name, case) for name in dict.fromkeys((*names, *found)))


def of_renewals(asked: Asked, terms: RefundPolicy) -> tuple[str, ...]:
    """Return what was given or found that is about the last renewal."""
    known = ((name, terms.reason(name)) for name in dict.fromkeys((*asked.reasons, *asked.found)))
    return tuple(name for name, reason in known if reason is not None and reason.needs is Need.RENEWAL)


def left_to_a_person(case: Case, judged: tuple[Judged, ...]) -> Judged | None:
    """Return what somebody found that only a person decides about; None: nothing (sentence 8)."""
    persons = {one.name for one in case.terms.reasons if case.is_persons(one)}
    return next((one for one in judged if one.name in persons and one.outcome is Outcome.PEND), None)


def bars_of(case: Case) -> tuple[Judged, ...]:
    """Return the bars that hold: those named or found, and those that the records show."""
    named = {*case.asked.reasons, *case.asked.found}
    holding = [
        one
        for one in case.terms.reasons
        if one.kind is Kind.BAR and (case.holds_on_record(one) or (one.name in named and one.needs is not Need.ACTIVE))
    ]
    return tuple(judge(one.name, case) for one in holding)


def judge(name: str, case: Case) -> Judged:
    """Judge one reason; one that the terms do not know is a person's (NX-35)."""
    reason = case.terms.reason(name)
    if reason is None:
        return Judged(name, None, Outcome.PEND, RefundCode.PENDING_REVIEW, case.terms.clauses.review)
    if reason.kind is Kind.BAR:
        return _judged(reason, Missing(Outcome.DENY, RefundCode(reason.code or RefundCode.DENIED_INVALID_REASON)))
    if reason.plans and case.facts.plan not in reason.plans:
        return _judged(reason, _deny(RefundCode.DENIED_INVALID_REASON))
    if reason.kind is Kind.NOT_A_GROUND:
        return _judged(reason, Missing(Outcome.DENY, RefundCode(reason.code or RefundCode.DENIED_INVALID_REASON)))
    missing = NEEDS[reason.needs](reason, case)
    late = _is_late(reason, case)
    if late and missing is not None and missing.outcome is Outcome.PEND and case.gives_rest:
        return _judged(reason, missing)
    if late and (missing is None or missing.outcome is not Outcome.DENY):
        return _judged(reason, Missing(Outcome.DENY, RefundCode.DENIED_WINDOW_CLOSED), late=missing is None)
    return _judged(reason, missing)


def _judged(reason: ReasonPolicy, missing: Missing | None, *, late: bool = False) -> Judged:
    granted = None if reason.code is None else RefundCode(reason.code)
    return Judged(
        reason.name,
        reason.kind,
        Outcome.ALLOW if missing is None else missing.outcome,
        granted if missing is None else missing.code,
        reason.clauses,
        reason.needs,
        None if missing is None else missing.retry_at,
        late,
        reason.help,
    )


def _is_late(reason: ReasonPolicy, case: Case) -> bool:
    """Tell whether a reason came after the window that bounds it (sentence 3)."""
    if reason.window is Bound.NONE or case.window is None:
        return False
    reported = None if case.issue is None else case.issue.reported_at
    at = case.asked.asked_at if reason.window is Bound.ASKED or reported is None else reported
    return at >= case.window


def _deny(code: RefundCode) -> Missing:
    return Missing(Outcome.DENY, code)


def _pend(code: RefundCode, retry_at: datetime | None = None) -> Missing:
    return Missing(Outcome.PEND, code, retry_at)


def _nothing(_reason: ReasonPolicy, _case: Case) -> Missing | None:
    return None


def _never_activated(_reason: ReasonPolicy, case: Case) -> Missing | None:
    return _deny(RefundCode.DENIED_MISTAKE_ACTIVATED) if case.facts.activations_ever else None


def _not_downloaded(_reason: ReasonPolicy, case: Case) -> Missing | None:
    has_it = case.facts.downloads or case.facts.activations_ever
    return _deny(RefundCode.DENIED_DOWNLOADED) if has_it else None


def _found(reason: ReasonPolicy, case: Case) -> Missing | None:
    """NX-32: somebody found it, and no version that was never promised speaks against it (sentence 9)."""
    if not case.found_any(reason):
        return _pend(RefundCode.PENDING_FINDING)
    return _pend(RefundCode.PENDING_REVIEW) if case.is_beyond_the_sale(reason) else None


def _unsolved(reason: ReasonPolicy, case: Case) -> Missing | None:
    """CJ-12: reported, found, unsolved in time, and asked for in writing; else the first that is missing."""
    issue = case.issue
    if issue is None:
        return _pend(RefundCode.PENDING_ISSUE_REQUIRED)
    if not case.found_any(reason):
        return _pend(RefundCode.PENDING_FINDING)
    asked_at = case.asked.written_at if reason.by_email else None
    return _overdue(issue, issue.resolve_due, case, asked_at) or _in_writing(reason, case)


def _in_writing(reason: ReasonPolicy, case: Case) -> Missing | None:
    if reason.by_email and not case.asked.by_email:
        return _pend(RefundCode.PENDING_EMAIL_REQUEST)
    return None


def _overdue(issue: IssueFacts, due: datetime | None, case: Case, written_at: datetime | None = None) -> Missing | None:
    """Return what keeps a request from being overdue; while it waits for the customer, that he answers (CJ-09).

    Asked for in writing, `written_at` is what counts; a solution after that and after its time is none (sentence 5).
    """
    asked_at = written_at or case.asked.asked_at
    if issue.is_presale or issue.was_refused_before(due):
        return _deny(RefundCode.DENIED_NO_BREACH)
    if issue.solved_at is not None and (due is None or issue.solved_at < due or issue.solved_at <= asked_at):
        return _solved(issue, case)
    if due is None:
        return _pend(RefundCode.PENDING_COOPERATION)
    return _pend(RefundCode.PENDING_RESOLUTION, due) if case.now < due else None


def _solved(issue: IssueFacts, case: Case) -> Missing:
    """CJ-12: a solution that the customer may still object to decides nothing yet."""
    if issue.objection_until is not None and case.now < issue.objection_until:
        return _pend(RefundCode.PENDING_OBJECTION, issue.objection_until)
    return _deny(RefundCode.DENIED_SOLVED)


def _fix_late(reason: ReasonPolicy, case: Case) -> Missing | None:
    issue = case.issue
    if issue is None:
        return _pend(RefundCode.PENDING_ISSUE_REQUIRED)
    if not case.found_any(reason) or not (issue.is_fault or issue.solved_at):
        return _pend(RefundCode.PENDING_FINDING)
    return _overdue(issue, issue.fix_due, case)


def _reply_late(_reason: ReasonPolicy, case: Case) -> Missing | None:
    """NX-34: no person answered within the promised time; an automatic answer is none (BC-05)."""
    issue = case.issue
    if issue is None:
        return _pend(RefundCode.PENDING_ISSUE_REQUIRED)
    if issue.is_presale or issue.reply_due is None or issue.was_refused_before(issue.reply_due):
        return _deny(RefundCode.DENIED_NO_BREACH)
    replied = issue.first_human_reply_at
    if replied is not None:
        return None if replied >= issue.reply_due else _deny(RefundCode.DENIED_NO_BREACH)
    return _pend(RefundCode.PENDING_RESOLUTION, issue.reply_due) if case.now < issue.reply_due else None


def _contacted(reason: ReasonPolicy, case: Case) -> Missing | None:
    """BC-27: the seller was told in vain: not answered when it was due, or not corrected in time (sentence 5)."""
    issue = case.issue
    if issue is None:
        return _pend(RefundCode.PENDING_ISSUE_REQUIRED)
    replied, reply_due = issue.first_human_reply_at, issue.reply_due
    in_time = replied is not None and (reply_due is None or replied < reply_due)
    due = issue.fix_due if in_time else reply_due
    if issue.is_presale or issue.was_refused_before(due):
        return _deny(RefundCode.DENIED_NO_BREACH)
    if issue.solved_at is not None:
        return _solved(issue, case)
    if not case.found_any(reason):
        return _pend(RefundCode.PENDING_FINDING)
    if in_time and Finding.UNSOLVABLE_SINGULAR in issue.findings:
        return None
    if due is None:
        return _pend(RefundCode.PENDING_COOPERATION) if in_time else None
    return _pend(RefundCode.PENDING_RESOLUTION, due) if case.now < due else None


def _still_unsatisfied(_reason: ReasonPolicy, case: Case) -> Missing | None:
    """CJ-17: a fix, a workaround or a timeline was offered and the customer is still not satisfied."""
    issue = case.issue
    if issue is None or issue.attempt_offered_at is None or issue.attempt_declined_at is None:
        return _pend(RefundCode.PENDING_ATTEMPT)
    return None


def _platform(reason: ReasonPolicy, case: Case) -> Missing | None:
    """BC-28: unanswered in the messaging tool, the marketplace may refund; the seller alone does not decide it."""
    missing = _reply_late(reason, case)
    replied = None if case.issue is None else case.issue.first_human_reply_at
    if missing is None and replied is not None and replied <= case.asked.asked_at:
        return _deny(RefundCode.DENIED_NO_BREACH)
    if missing is not None or case.asked.by_platform:
        return missing
    return _pend(RefundCode.PENDING_PLATFORM)


def _discretion(_reason: ReasonPolicy, _case: Case) -> Missing | None:
    return _pend(RefundCode.PENDING_DISCRETION)


NEEDS: Mapping[Need, Callable[[ReasonPolicy, Case], Missing | None]] = MappingProxyType(
    {
        Need.NOTHING: _nothing,
        Need.NEVER_ACTIVATED: _never_activated,
        Need.NOT_DOWNLOADED: _not_downloaded,
        Need.FOUND: _found,
        Need.UNSOLVED: _unsolved,
        Need.CONTACTED: _contacted,
        Need.REPLY_LATE: _reply_late,
        Need.FIX_LATE: _fix_late,
        Need.STILL_UNSATISFIED: _still_unsatisfied,
        Need.PLATFORM: _platform,
        Need.DISCRETION: _discretion,
        # The last renewal is looked at by `refund_renewal`, after everything that bounds a purchase.
        Need.RENEWAL: _nothing,
        Need.ACTIVE: _nothing,
        Need.INSTALLED: _nothing,
    }
)
"""What looks at each need."""
