"""What may be recorded about a request, and what each record means under the terms.

1. A refusal names a ground of the vendor's list, with its evidence; no other is possible (BC-15, NX-22). Support that
   ran when the request came, or was converted, is no ground afterwards (NX-20); in a gap it did not run (BC-17). Nor
   are files one that the vendor's own hotfix left so (NX-27), that the terms except or that were added (ZG-12, BC-14),
   or what today's version of the terms took off the list (K-09, `rules.support_versions`).
2. An automatic answer, acceptance or refusal is recorded and stops no clock (BC-05); nor does a person's outside the
   tool, where only those within it count (BC-28).
3. An update may be offered as `rules.update_offer` says (BC-16, ZG-15). That it is to be paid for can be disputed, and
   a person says then which it is (`rules.update_dispute`).
4. An intervention names the probable cause and how to prevent it; a request is closed after a complete one, or with a
   reason why there was none (NX-28). By remote access, or on a machine where the request asked for the vendor's own
   hand, only under the owner's consent while it runs (NX-25).
5. Closed because the customer did not answer: only after his time is up (CJ-09), and with the same note (NX-28); it
   can be reopened.
6. A fix names the software release that has it; whom it concerns `rules.software_release` says, and they hear of it
   when it is published (NX-26, BC-30). Named after that, the request is noted with it: who reported it hears it here.
7. What was asked before a purchase is converted once it is made, and its clocks begin then (BC-36).
8. A closed request takes nothing but its reopening, a decline follows an offer, an answer of the customer a wait.
9. A request for the free installation that gave it back is taken up again only while nothing else has used it (NX-19).
   What turns out to be another task is judged as `rules.support` says, and recorded; what the terms do not cover stands
   refused with it, by the code that says why (NX-20). One that stands refused is reopened first.
10. A decline within the days to object to a solution reopens the request, closed or not (CJ-12).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from tillkey_server.rules.calendar import calendar_of
from tillkey_server.rules.citation import Clauses
from tillkey_server.rules.deadline_policy import Answers
from tillkey_server.rules.decision import Code, Decision, Outcome, allow, deny, instant, pend
from tillkey_server.rules.defect import Severity
from tillkey_server.rules.install_credit import InstallCode
from tillkey_server.rules.modification import Happened, modified, shown_files, what_happened
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.support import INSTALLATION, decide_task
from tillkey_server.rules.support_asked import SupportAsked
from tillkey_server.rules.support_clock import objection_until, waited_since
from tillkey_server.rules.support_code import SupportCode
from tillkey_server.rules.support_event_facts import EventFacts
from tillkey_server.rules.support_policy import Ground, SupportPolicy
from tillkey_server.rules.support_record import REPLIES, Closure, SupportEvent, SupportEventKind, SupportRecord
from tillkey_server.rules.update_code import UpdateCode
from tillkey_server.rules.update_dispute import is_disputable, is_found_free, open_dispute
from tillkey_server.rules.update_offer import OfferFacts, decide_offer

_K = SupportEventKind
_AFTER: Mapping[SupportEventKind, Callable[[SupportRecord], bool]] = {
    _K.ATTEMPT_DECLINED: lambda record: record.last(_K.ATTEMPT_OFFERED, _K.UPDATE_OFFERED) is not None,
    _K.CUSTOMER_ANSWERED: lambda record: waited_since(record) is not None,
    _K.INFO_COMPLETE: lambda record: waited_since(record) is not None or record.info_complete_at is None,
    _K.UPDATE_DISPUTED: is_disputable,
    _K.UPDATE_CLASSIFIED: lambda record: open_dispute(record) is not None,
    _K.REOPENED: lambda record: record.is_closed or record.is_refused or record.solved_at is not None,
    _K.CONVERTED: lambda record: record.is_presale,
    _K.RECATEGORIZED: lambda record: not record.is_refused and not record.is_presale,
}
"""What has to be on record before an event makes sense (sentence 8)."""


def decide_event(
    record: SupportRecord, event: SupportEvent, known: EventFacts, policy: Policy, now: datetime
) -> Decision:
    """Decide whether an event is recorded, and what it is under the terms; only an allowed one is."""
    terms = policy.support
    if terms is None:
        cited = policy.clocks.clauses.support
        return allow(SupportCode.SUPPORT_EVENT_RECORDED, clauses=cited, policy=policy.ref, now=now)
    return _Judge(record, event, known, policy, terms, now).decide()


@dataclass(frozen=True, slots=True)
class _Judge:
    record: SupportRecord
    event: SupportEvent
    known: EventFacts
    policy: Policy
    terms: SupportPolicy
    now: datetime

    def decide(self) -> Decision:
        kind = self.event.kind
        if kind is _K.ATTEMPT_DECLINED and self._objects():
            return self._objection()
        needed = _AFTER.get(kind)
        if (needed is not None and not needed(self.record)) or (self.record.is_closed and kind is not _K.REOPENED):
            shown = {"event": kind.value, "closed": self.record.is_closed}
            return self._no(SupportCode.EVENT_OUT_OF_PLACE, self.terms.clauses.tasks, shown)
        if self.known.credit_gone:
            sale = self.policy.sale
            cited = self.terms.clauses.tasks if sale is None else sale.clauses.credit
            return self._no(InstallCode.INSTALL_CREDIT_NONE, cited, {"event": kind.value, "used": 1, "void": 0})
        special = {
            _K.REFUSED: self._refusal,
            _K.AUTOMATIC_REPLY: self._automatic,
            _K.UPDATE_OFFERED: self._offer,
            _K.UPDATE_DISPUTED: self._dispute,
            _K.UPDATE_CLASSIFIED: self._classification,
            _K.INTERVENTION: self._intervention,
            _K.CLOSED: self._closing,
            _K.RESOLVED: self._resolution,
            _K.CONVERTED: self._conversion,
            _K.RECATEGORIZED: self._another_task,
        }
        decision = special.get(kind, self._plain)()
        return self._automatic() if decision.allowed and self.event.is_automatic else decision

    def _refusal(self) -> Decision:
        """Sentence 1."""
        code, evidence = str(self.event.details.get("code", "")), str(self.event.details.get("evidence", "")).strip()
        listed = next((one for one in self.terms.grounds if one.code.value == code), None)
        shown: dict[str, object] = {"refusal": code, "permitted": [one.code.value for one in self.terms.grounds]}
        cited = self.terms.clauses.refusals
        if listed is None:
            lifted = next((one for one in self.known.lifted if one.code.value == code), None)
            cited, because = (cited, "not_listed") if lifted is None else ((*cited, *lifted.clauses), "lifted")
            return self._no(SupportCode.REFUSAL_NOT_PERMITTED, cited, {**shown, "because": f"ground_{because}"})
        cited = (*listed.clauses, *cited)
        if not evidence:
            return self._no(SupportCode.REFUSAL_NOT_PERMITTED, cited, {**shown, "because": "evidence_missing"})
        until, began = self.known.support_until, self.record.begun_at
        ran = self.known.support_ended_at is None and (until is None or began < until)
        is_spared = listed.spares(self.record.received_at, self.known.refund_until)
        if listed.code is Ground.SUPPORT_EXPIRED and (ran or is_spared):
            until = self.known.refund_until if is_spared and not ran else until
            shown = {**shown, "because": "support_ran_at_receipt", "support_until": instant(until)}
            return self._no(SupportCode.REFUSAL_NOT_PERMITTED, cited, shown)
        if listed.code is not Ground.CODE_MODIFIED or not (self._told("files") or self._told("manifest")):
            return self._yes(SupportCode.REQUEST_REFUSED, cited, {"refusal": code})
        happened = what_happened(self._told("files"), self._told("manifest"), self.known.hotfixed_files, self.terms)
        files = shown_files(happened)
        if modified(happened):
            return self._yes(SupportCode.REQUEST_REFUSED, cited, {"refusal": code, **files})
        if happened and set(happened.values()) == {Happened.OWN_HOTFIX}:
            shown = {**shown, "because": "own_hotfix", **files}
            return self._no(SupportCode.REFUSAL_NOT_PERMITTED, self._with_hotfix(cited), shown)
        shown = {**shown, "because": "files_do_not_count", **files}
        return self._no(SupportCode.REFUSAL_NOT_PERMITTED, cited, shown)

    def _told(self, name: str) -> Mapping[str, str]:
        told = self.event.details.get(name)
        return told if isinstance(told, Mapping) else {}

    def _automatic(self) -> Decision:
        """Sentence 2."""
        promised = self.policy.deadlines
        cited = self.terms.clauses.tasks if promised is None else promised.clauses
        return self._yes(SupportCode.ACK_INVALID_AUTOMATIC, cited, {"stops_clock": False})

    def _offer(self) -> Decision:
        """Sentence 3."""
        told = self.event.details
        offered = OfferFacts(
            version=str(told.get("version")),
            requested_at=self.record.received_at,
            offered_at=self.event.at,
            published_at=self.known.published_at,
            withdrawn_at=self.known.withdrawn_at,
            is_paid=None if told.get("paid") is None else bool(told["paid"]),
            found_free=is_found_free(self.record, str(told.get("version"))),
        )
        return decide_offer(offered, self.policy, self.now)

    def _dispute(self) -> Decision:
        """Sentence 3; whoever decides about it is a person, and no clock stops for it."""
        offer = self.record.last(_K.UPDATE_OFFERED)
        version = offer and offer.details["version"]
        shown = {"event": self.event.kind.value, "version": version, "stops_clock": False, "decided_by": "person"}
        return self._yes(UpdateCode.UPDATE_DISPUTED, self._offer_clauses(), shown)

    def _classification(self) -> Decision:
        """Sentence 3."""
        dispute = open_dispute(self.record)
        version, paid = dispute and dispute.version, bool(self.event.details["paid"])
        shown = {"event": self.event.kind.value, "version": version, "paid": paid, "stops_clock": False}
        return self._yes(UpdateCode.UPDATE_CLASSIFIED, self._offer_clauses(), shown)

    def _offer_clauses(self) -> Clauses:
        return self.terms.clauses.tasks if self.terms.offers is None else self.terms.offers.clauses

    def _intervention(self) -> Decision:
        """Sentence 4; one by remote access needs a consent that runs, as does any of a task that a consent covers."""
        task = self.record.task_now
        by_consent = task is not None and self.terms.by_consent(task) is not None
        if (by_consent or self.event.details.get("remote")) and not self.known.has_access:
            cited = self._access_clauses()
            return self._no(SupportCode.REMOTE_ACCESS_NOT_AUTHORIZED, cited, {"because": "no_running_grant"})
        missing = [name for name in ("cause", "prevention") if not _said(self.event, name)]
        if self.terms.interventions is not None and missing:
            cited = self.terms.interventions.clauses
            return self._no(SupportCode.INTERVENTION_NOTE_REQUIRED, cited, {"missing": missing})
        return self._plain()

    def _closing(self) -> Decision:
        """Sentences 4 and 5."""
        unanswered = self._unanswered() if self.event.details.get("unanswered") else None
        if unanswered is not None and not unanswered.allowed:
            return unanswered
        worked = any(_said(one, "cause") and _said(one, "prevention") for one in self.record.of(_K.INTERVENTION))
        if self.terms.interventions is not None and not worked and not _said(self.event, "no_intervention_reason"):
            cited = self.terms.interventions.clauses
            shown = {"missing": ["intervention", "no_intervention_reason"]}
            return self._no(SupportCode.INTERVENTION_NOTE_REQUIRED, cited, shown)
        return unanswered or self._plain()

    def _unanswered(self) -> Decision:
        promised = None if self.policy.deadlines is None else self.policy.deadlines.cooperation
        since = waited_since(self.record)
        if promised is None or since is None:
            shown = {"event": self.event.kind.value, "waiting_since": instant(since)}
            cited = self.terms.clauses.tasks if promised is None else promised.clauses
            return self._no(SupportCode.EVENT_OUT_OF_PLACE, cited, shown)
        until = calendar_of(self.policy).deadline(since, promised.days)
        shown = {"waiting_since": instant(since), "until": instant(until), "timezone": self.policy.timezone.key}
        if until is None or self.event.at < until:
            return deny(
                SupportCode.CUSTOMER_STILL_HAS_TIME,
                clauses=promised.clauses,
                policy=self.policy.ref,
                now=self.now,
                facts=shown,
                retry_at=until,
            )
        return self._yes(SupportCode.CLOSED_UNANSWERED, promised.clauses, shown)

    def _objects(self) -> bool:
        until = objection_until(self.record, self.policy)
        return until is not None and self.event.at < until

    def _objection(self) -> Decision:
        """Sentence 10."""
        promised = None if self.policy.deadlines is None else self.policy.deadlines.objection
        cited = self.terms.clauses.tasks if promised is None else promised.clauses
        shown = {"event": self.event.kind.value, "reopens": True}
        return self._yes(SupportCode.SUPPORT_EVENT_RECORDED, cited, shown)

    def _resolution(self) -> Decision:
        """Sentence 6."""
        version = self.event.details.get("fixed_in_release")
        if self.terms.fix is None or version is None:
            return self._plain()
        return self._yes(SupportCode.REQUEST_FIXED, self.terms.fix.clauses, {"fixed_in_release": version})

    def _conversion(self) -> Decision:
        """Sentence 7."""
        cited = self.terms.clauses.tasks if self.terms.presale is None else self.terms.presale.clauses
        return self._yes(SupportCode.TICKET_CONVERTED, cited, {"clocks_begin_at": instant(self.event.at)})

    def _another_task(self) -> Decision:
        """Sentence 9."""
        was, told = self.record.task_now, str(self.event.details["task"])
        shown: dict[str, object] = {"task": told, "was": was}
        if INSTALLATION in {was, told}:
            cited = self.terms.clauses.tasks
            because = {"event": self.event.kind.value, "because": "installation_is_opened_as_one"}
            return self._no(SupportCode.EVENT_OUT_OF_PLACE, cited, {**shown, **because})
        begun_at = self.record.begun_at
        until = self.known.support_until
        over = until if until is not None and until <= begun_at else None
        asked = SupportAsked(task=told, received_at=begun_at, support_ended_at=self.known.support_ended_at or over)
        judged = decide_task(asked, self.policy, self.terms, self.now)
        shown["judged"] = judged.code.value
        if judged.outcome is Outcome.DENY:
            shown["refused_as"] = judged.code.value
        return self._yes(SupportCode.REQUEST_RECATEGORIZED, judged.clauses, shown)

    def _plain(self) -> Decision:
        promised = self.policy.deadlines
        outside = self.event.details.get("in_tool") is False and self.event.kind in REPLIES
        if outside and promised is not None and promised.answers is Answers.IN_TOOL:
            return self._yes(SupportCode.REPLY_OUTSIDE_TOOL, promised.clauses, {"stops_clock": False})
        return self._yes(SupportCode.SUPPORT_EVENT_RECORDED, self._topic(), {"event": self.event.kind.value})

    def _topic(self) -> Clauses:
        """Return what a plain event is recorded for."""
        kind, promised = self.event.kind, self.policy.deadlines
        if kind in {_K.INTERVENTION, _K.CLOSED} and self.terms.interventions is not None:
            return self.terms.interventions.clauses
        if promised is None:
            return self.terms.clauses.tasks
        if kind in {_K.ACCEPTED, _K.HUMAN_REPLY}:
            clock = promised.ack or promised.reply
            return promised.clauses if clock is None else clock.clauses
        waits = {_K.WAITING_FOR_CUSTOMER, _K.CUSTOMER_ANSWERED, _K.INFO_COMPLETE}
        if kind in waits and promised.cooperation is not None:
            return promised.cooperation.clauses
        corrected = promised.fix or promised.resolve
        if kind in {_K.RESOLVED, _K.REOPENED} and corrected is not None:
            return corrected.clauses
        return self.terms.clauses.tasks

    def _with_hotfix(self, cited: Clauses) -> Clauses:
        return cited if self.terms.hotfix is None else (*self.terms.hotfix.clauses, *cited)

    def _access_clauses(self) -> Clauses:
        return self.terms.clauses.tasks if self.terms.remote_access is None else self.terms.remote_access.clauses

    def _yes(self, code: Code, clauses: Clauses, facts: Mapping[str, object]) -> Decision:
        return allow(code, clauses=clauses, policy=self.policy.ref, now=self.now, facts=facts)

    def _no(self, code: Code, clauses: Clauses, facts: Mapping[str, object]) -> Decision:
        return deny(code, clauses=clauses, policy=self.policy.ref, now=self.now, facts=facts)


def _said(event: SupportEvent, name: str) -> bool:
    return bool(str(event.details.get(name) or "").strip())


@dataclass(frozen=True, slots=True)
class GrantAsked:
    """A consent to remote access as it is told: whether the owner gave it, and until when."""

    by_owner: bool
    starts_at: datetime
    until: datetime


def decide_grant(asked: GrantAsked, record: SupportRecord, policy: Policy, now: datetime) -> Decision:
    """Decide whether a consent to remote access is recorded: only after nobody could reproduce it, only the owner's."""
    terms = None if policy.support is None else policy.support.remote_access
    if policy.support is None:
        cited = policy.clocks.clauses.support
        return pend(SupportCode.SUPPORT_PENDING_REVIEW, clauses=cited, policy=policy.ref, now=now, options=("review",))
    if terms is None:
        hands_on = policy.support.ground(Ground.HANDS_ON)
        cited = policy.support.clauses.tasks if hands_on is None else hands_on.clauses
        facts: dict[str, object] = {"because": "terms_have_none"}
        return deny(SupportCode.REMOTE_ACCESS_NOT_JUSTIFIED, clauses=cited, policy=policy.ref, now=now, facts=facts)
    facts = {"starts_at": instant(asked.starts_at), "until": instant(asked.until), "by_owner": asked.by_owner}
    found = any(finding.value == "not_reproducible" for finding in record.findings)
    if terms.needs_finding and not found:
        code = SupportCode.REMOTE_ACCESS_NOT_JUSTIFIED
        facts["because"] = "not_found_irreproducible"
        return deny(code, clauses=terms.clauses, policy=policy.ref, now=now, facts=facts)
    if not asked.by_owner or asked.until <= now:
        code = SupportCode.REMOTE_ACCESS_NOT_AUTHORIZED
        return deny(code, clauses=terms.clauses, policy=policy.ref, now=now, facts=facts)
    return allow(SupportCode.REMOTE_ACCESS_GRANTED, clauses=terms.clauses, policy=policy.ref, now=now, facts=facts)


def decide_hotfix(severity: Severity, files: int, policy: Policy, now: datetime) -> Decision:
    """Decide whether files of an installation may be changed at once: only where the fault is severe enough (NX-27)."""
    terms = None if policy.support is None else policy.support.hotfix
    facts: dict[str, object] = {"severity": severity.value, "files": files}
    if terms is None:
        cited = policy.clocks.clauses.support if policy.support is None else policy.support.clauses.tasks
        return deny(SupportCode.HOTFIX_UNJUSTIFIED, clauses=cited, policy=policy.ref, now=now, facts=facts)
    facts["severities"] = [one.value for one in terms.severities]
    if severity not in terms.severities:
        return deny(SupportCode.HOTFIX_UNJUSTIFIED, clauses=terms.clauses, policy=policy.ref, now=now, facts=facts)
    return allow(SupportCode.HOTFIX_RECORDED, clauses=terms.clauses, policy=policy.ref, now=now, facts=facts)


def decide_closure(closure: Closure, policy: Policy, now: datetime) -> Decision:
    """Decide whether a closure is recorded: its customers knew of it before it began (BC-04); it may pause nothing."""
    promised = policy.deadlines
    terms = None if promised is None else promised.closures
    facts: dict[str, object] = {
        "notified_at": instant(closure.notified_at),
        "starts_at": instant(closure.starts_at),
        "ends_at": instant(closure.ends_at),
        "pauses_ack": terms is not None and terms.pauses_ack,
    }
    cited = policy.clocks.clauses.support if terms is None else terms.clauses
    if closure.notified_at > closure.starts_at:
        return deny(SupportCode.CLOSURE_NOTICE_LATE, clauses=cited, policy=policy.ref, now=now, facts=facts)
    return allow(SupportCode.CLOSURE_RECORDED, clauses=cited, policy=policy.ref, now=now, facts=facts)


def decide_withdrawal(closure: Closure, policy: Policy, now: datetime) -> Decision:
    """Decide whether a closure is taken back, which ends its pause; told again it says the same (BC-04).

    One that is over stays as it was: what it paused is not undone. Facts: `starts_at`, `ends_at`, `withdrawn_at`.
    """
    terms = None if policy.deadlines is None else policy.deadlines.closures
    cited = policy.clocks.clauses.support if terms is None else terms.clauses
    facts: dict[str, object] = {"starts_at": instant(closure.starts_at), "ends_at": instant(closure.ends_at)}
    if closure.withdrawn_at is None and closure.ends_at <= now:
        return deny(SupportCode.CLOSURE_OVER, clauses=cited, policy=policy.ref, now=now, facts=facts)
    facts["withdrawn_at"] = instant(closure.withdrawn_at or now)
    return allow(SupportCode.CLOSURE_WITHDRAWN, clauses=cited, policy=policy.ref, now=now, facts=facts)
