"""May this request be served, under which clause, until when, free or charged?

1. Terms without `[support]` are silent: a person decides.
2. A license that is on hold, terminated, revoked, refunded or suspended gets no support (CJ-02, NX-42), nor does one of
   a suspended account: the days of grace are for the till in the shop. An expired use right is another clock and
   refuses nothing (X-01).
3. Asked before a purchase: answered without any right or clock (BC-36). What is about a license that was paid for
   when it came is none, whatever it was called.
4. The project must be told where the terms ask for it (NX-16). Support belongs to the project that the license is
   bound to, or to the one at which it stayed when a person moved the license (`rules.project_move`); while it is bound
   to none, to the one that its owner first asked for, refusals aside. It is none of another project's (NX-17), nor
   another user's (NX-18): the owner asks for it, or a member of his project. Where a license changed hands, its support
   stays behind if the terms say so, until the new owner pays for support: from then on it runs as long as the license's
   clock does.
5. The grounds of the vendor's list are looked at before the task (NX-22), all of them, in the list's order. The first
   that must refuse does; those that may are a warning, and the agent's choice (ZG-12). No other refuses.
6. Support that had ended when the request came is a ground, though it was renewed since; what ends later is not: the
   opening decides (NX-20, BC-17). Where support is sold apart (CJ-16) the terms may spare the refund window: what is
   reported within it is looked at without a support line, since the refund hangs on it (CJ-11, CJ-12).
7. A cause counts only if it is the product's alone (ZG-08, BC-08). Files that the vendor's own hotfix left so are no
   modification (NX-27), nor are those that the terms except, as settings and translations, or that were added beside
   the product; the answer names each file and what happened to it (ZG-12, BC-14, `rules.modification`).
8. A platform's version, a feature, count as promised at the purchase (ZG-10, BC-12); a version that nobody told, or
   that nobody can read, is asked for.
9. A matter that the customer caused himself, closed so as often as the limit within the window, is not taken again
   (NX-29).
10. An installation uses up the one that came with the license (NX-19, `rules.install_credit`); any other task must be
    covered (NX-20), or a person decides where the grounds are the only reasons to refuse (BC-15). Work by the vendor's
    own hand on the customer's machine is covered where the terms have it by his consent (NX-25, CJ-10): the answer says
    that it is needed, and no intervention is recorded without one that runs (`rules.support_event`).
11. A description that lacks what the terms ask for is asked for, and the clocks wait (NX-24, CJ-09). Who cannot install
    afresh says so instead (NX-25).
12. What turns out to be another task is judged again by the terms as of the opening: as a task, not by whose it is. A
    free installation is opened as one, and nothing becomes one or stops being one (NX-19, NX-20).
13. After a review a supervisor may take a request that a ground refuses which must, or that sentence 9 refuses (NX-29).
    Whose it is, the free installation and what else the terms ask for are judged as ever.
14. Outside working hours it is taken all the same (NX-30).
15. A ground that today's version of the terms took off the list is told where it was met (`rules.support_versions`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from tillkey_server.rules.advertised import covers_version, names_feature, names_versions
from tillkey_server.rules.calendar import calendar_of
from tillkey_server.rules.citation import Clauses
from tillkey_server.rules.decision import Code, Decision, allow, deny, instant, pend
from tillkey_server.rules.install_credit import InstallCode, next_of, told_of
from tillkey_server.rules.modification import Happened, modified, shown_files, what_happened
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.standing import SERVED, refuse, standing
from tillkey_server.rules.support_asked import SupportAsked
from tillkey_server.rules.support_code import SupportCode
from tillkey_server.rules.support_policy import (
    HANDS_ON,
    Asker,
    Asks,
    Ground,
    GroundPolicy,
    Presence,
    Strength,
    SupportPolicy,
)
from tillkey_server.rules.term_policy import Clock
from tillkey_server.rules.window import within

PRODUCT_CAUSE = "product"
INSTALLATION = "install_service"
_TASK_GROUNDS = {Ground.HANDS_ON: HANDS_ON, Ground.CUSTOM_DEVELOPMENT: "custom_development"}
_INSTEAD = ("cannot_reinstall", "fresh_install_checked")


def decide_support(asked: SupportAsked, policy: Policy, now: datetime) -> Decision:
    """Decide whether a request is taken; facts name what it hangs on, never what the customer wrote."""
    terms = policy.support
    if terms is None:
        cited = policy.clocks.clauses.support
        return pend(SupportCode.SUPPORT_PENDING_REVIEW, clauses=cited, policy=policy.ref, now=now, options=("review",))
    if asked.license is not None:
        stands = standing(asked.license, policy, now, anew=True)
        if stands.status not in SERVED:
            return refuse(stands, asked.license, policy, now)
    if asked.is_presale:
        return _presale(terms, policy, now)
    return _told_of_lifted(_Judge(asked, policy, terms, now).decide(), asked, terms)


def matched(asked: SupportAsked, terms: SupportPolicy) -> tuple[GroundPolicy, ...]:
    """Return the grounds of the vendor's list that a request meets, in its order (sentence 5)."""
    return tuple(ground for ground in terms.grounds if _meets(ground, asked, terms))


def lost_on_transfer(policy: Policy, *, changed_hands: bool) -> bool:
    """Tell whether a license's support stayed behind with whoever bought it (sentence 4)."""
    return changed_hands and policy.support is not None and policy.support.ends_on_transfer


def decide_task(asked: SupportAsked, policy: Policy, terms: SupportPolicy, now: datetime) -> Decision:
    """Decide whether a request that is on record is served as another task (sentence 12)."""
    return _Judge(asked, policy, terms, now).as_task()


def _told_of_lifted(decision: Decision, asked: SupportAsked, terms: SupportPolicy) -> Decision:
    """Sentence 15."""
    met = tuple(one for one in asked.lifted if _meets(one, asked, terms))
    shown = {**decision.facts, **({"lifted": [one.code.value for one in met]} if met else {})}
    return replace(decision, clauses=tuple(dict.fromkeys((*decision.clauses, *_cited(met)))), facts=shown)


def _presale(terms: SupportPolicy, policy: Policy, now: datetime) -> Decision:
    if terms.presale is None:
        cited = terms.clauses.tasks
        return pend(SupportCode.SUPPORT_PENDING_REVIEW, clauses=cited, policy=policy.ref, now=now, options=("review",))
    facts = {"presale": True, "charge": "free"}
    return allow(SupportCode.TICKET_PRESALE, clauses=terms.presale.clauses, policy=policy.ref, now=now, facts=facts)


@dataclass(frozen=True, slots=True)
class _Judge:
    """One question, with its terms at hand."""

    asked: SupportAsked
    policy: Policy
    terms: SupportPolicy
    now: datetime

    def decide(self) -> Decision:
        met = matched(self.asked, self.terms)
        return (
            self._of_whom()
            or (None if self.asked.reviewed else self._must_refuse(met))
            or self._version_asked_for()
            or (None if self.asked.reviewed else self._repeated())
            or self._not_covered(met)
            or self._described(met)
            or self._taken(met)
        )

    def as_task(self) -> Decision:
        met = matched(self.asked, self.terms)
        return self._must_refuse(met) or self._not_covered(met) or self._taken(met)

    def _must_refuse(self, met: tuple[GroundPolicy, ...]) -> Decision | None:
        """Sentence 5."""
        first = next((ground for ground in met if ground.refusal is Strength.MUST), None)
        return None if first is None else self._refused(first, met)

    def _overruled(self, met: tuple[GroundPolicy, ...]) -> Decision | None:
        """Return the refusal that a review overrules (sentence 13)."""
        return (self._must_refuse(met) or self._repeated()) if self.asked.reviewed else None

    def _of_whom(self) -> Decision | None:
        """Sentence 4."""
        asked, terms = self.asked, self.terms
        if terms.project is Presence.REQUIRED and asked.project is None:
            return self._no(SupportCode.TICKET_PROJECT_REQUIRED, terms.clauses.project, options=("name_project",))
        if lost_on_transfer(self.policy, changed_hands=asked.changed_hands):
            options = ("renew",) if self._renewable() else ("buy_license",)
            return self._no(SupportCode.SUPPORT_LOST_ON_TRANSFER, terms.clauses.asker, options=options)
        held_to = not terms.moves_with_license and terms.project is Presence.REQUIRED
        if held_to and asked.supported_project not in {None, asked.project}:
            shown = {"project_id": asked.project, "supported_project_id": asked.supported_project}
            return self._no(SupportCode.SUPPORT_OTHER_PROJECT, terms.clauses.project, shown, options=("buy_license",))
        if terms.asker is Asker.OWNER and not (asked.by_owner or asked.by_member):
            return self._no(SupportCode.SUPPORT_OTHER_USER, terms.clauses.asker, options=("ask_owner",))
        return None

    def _renewable(self) -> bool:
        """Tell whether the owner can pay for support of this license: its terms renew it, and it has an end."""
        renewal, held = self.policy.renewal, self.asked.license
        extends = renewal is not None and Clock.SUPPORT in renewal.extends
        return extends and held is not None and held.support_until is not None

    def _refused(self, ground: GroundPolicy, met: tuple[GroundPolicy, ...]) -> Decision:
        asked = self.asked
        until = None if asked.license is None else asked.license.support_until
        shown: dict[str, object] = {
            "grounds": [one.code.value for one in met],
            "evidence": asked.found.get(ground.code),
            "support_until": instant(asked.ended_at or until),
            **self._files(),
        }
        cited = (*ground.clauses, *_cited(met))
        paid = ground.code in _TASK_GROUNDS or ground.code is Ground.THIRD_PARTY_SERVICE
        options = ("renew",) if ground.code is Ground.SUPPORT_EXPIRED else ("paid_offer",) if paid else ("review",)
        return self._no(SupportCode(ground.code.value), cited, shown, options=options)

    def _version_asked_for(self) -> Decision | None:
        """Sentence 8: where a version would decide and nobody told it, or nobody can read it."""
        ground, told = self.terms.ground(Ground.VERSION_NOT_ADVERTISED), self.asked.platform_version
        if ground is None or not names_versions(self.asked.advertised):
            return None
        if told is not None and covers_version(self.asked.advertised, told) is not None:
            return None
        shown = {"missing": ["platform_version"]}
        return self._wait(SupportCode.TICKET_NEEDS_INFO, ground.clauses, shown, options=("name_version",))

    def _repeated(self) -> Decision | None:
        """Sentence 9."""
        limit = self.terms.repeat
        if limit is None:
            return None
        counted = within(self.asked.self_inflicted, limit.window, self.now)
        if len(counted) < limit.limit:
            return None
        shown = {"closed_before": len(counted), "limit": limit.limit, "window_days": limit.window.days}
        retry_at = counted[len(counted) - limit.limit] + limit.window
        code = SupportCode.SUPPORT_REPEAT_SELF_INFLICTED
        return self._no(code, limit.clauses, shown, options=("review",), retry_at=retry_at)

    def _not_covered(self, met: tuple[GroundPolicy, ...]) -> Decision | None:
        """Sentence 10."""
        terms, task = self.terms, self.asked.task
        free = self._free_installation()
        if free is not None:
            if next_of(self.asked.credits) is not None:
                return None
            options = tuple(one for one in ("install_module",) if one in terms.tasks)
            shown = told_of(self.asked.credits)
            return self._no(InstallCode.INSTALL_CREDIT_NONE, free, shown, options=options)
        over = self._overruled(met)
        by_task = {SupportCode(ground.value) for ground in _TASK_GROUNDS}
        is_overruled = over is not None and over.code in by_task
        if task in terms.tasks or terms.by_consent(task) is not None or is_overruled:
            return None
        if terms.exhaustive:
            cited = (*terms.clauses.refusals, *terms.clauses.tasks, *_cited(met))
            return self._wait(SupportCode.SUPPORT_PENDING_REVIEW, cited, self._warned(met), options=("review",))
        shown = {"task": task, "covered": list(terms.tasks)}
        return self._no(SupportCode.SUPPORT_TASK_NOT_COVERED, terms.clauses.tasks, shown, options=("paid_offer",))

    def _free_installation(self) -> Clauses | None:
        """Return what gives the installation that is asked for as a free one; None where it is none (sentence 10)."""
        sale = self.policy.sale
        if self.asked.task != INSTALLATION or sale is None or not sale.install_service:
            return None
        return sale.clauses.credit

    def _described(self, met: tuple[GroundPolicy, ...]) -> Decision | None:
        """Sentence 11."""
        terms = self.terms.description
        if terms is None or self.asked.task == INSTALLATION:
            return None
        given = set(self.asked.described)
        if _INSTEAD[0] in given:
            given.add(_INSTEAD[1])
        missing = [name for name in terms.fields if name not in given]
        if not missing:
            return None
        code = SupportCode.TICKET_NEEDS_REPRO if terms.asks is Asks.REPRODUCTION else SupportCode.TICKET_NEEDS_INFO
        over = self._overruled(met)
        shown: dict[str, object] = {"missing": missing, **self._warned(met)}
        if over is not None:
            shown["overruled"] = over.code.value
        return self._wait(code, terms.clauses, shown, options=("complete",))

    def _taken(self, met: tuple[GroundPolicy, ...]) -> Decision:
        terms, asked = self.terms, self.asked
        calendar = calendar_of(self.policy)
        shown: dict[str, object] = {"task": asked.task, "charge": "free", **self._warned(met)}
        code: Code = SupportCode.SUPPORT_TASK_OK
        cited = terms.clauses.tasks
        free = self._free_installation()
        if free is not None:
            code, cited = InstallCode.INSTALL_CREDIT_USED, free
            shown.update(told_of(asked.credits))
        over = self._overruled(met)
        if over is not None:
            code = SupportCode.SUPPORT_TAKEN_ON_REVIEW if free is None else code
            shown["overruled"], cited = over.code.value, (*over.clauses, *cited)
        consent = terms.by_consent(asked.task)
        if consent is not None:
            shown["remote_access"] = {"needed": True, "after_finding": consent.needs_finding}
            cited = (*cited, *consent.clauses)
        if terms.guidance is not None:
            shown["guidance"], cited = terms.guidance.text, (*cited, *terms.guidance.clauses)
        if terms.hours is not None and not calendar.is_open(asked.received_at):
            cited = (*cited, *terms.hours.clauses)
            shown["next_open_at"] = instant(calendar.opens_at(asked.received_at))
            if code is SupportCode.SUPPORT_TASK_OK:
                code = SupportCode.OUTSIDE_WORKING_HOURS
        return allow(code, clauses=(*cited, *_cited(met)), policy=self.policy.ref, now=self.now, facts=shown)

    def _warned(self, met: tuple[GroundPolicy, ...]) -> dict[str, object]:
        """Return the grounds on which the agent may refuse, where there are any, and what happened to files."""
        return {**({"may_refuse": [ground.code.value for ground in met]} if met else {}), **self._files()}

    def _files(self) -> dict[str, object]:
        return shown_files(_happened(self.asked, self.terms))

    def _no(
        self,
        code: Code,
        clauses: Clauses,
        facts: Mapping[str, object] | None = None,
        *,
        options: tuple[str, ...],
        retry_at: datetime | None = None,
    ) -> Decision:
        shown = {"task": self.asked.task, **(facts or {})}
        return deny(
            code,
            clauses=clauses,
            policy=self.policy.ref,
            now=self.now,
            facts=shown,
            retry_at=retry_at,
            options=options,
        )

    def _wait(
        self, code: SupportCode, clauses: Clauses, facts: Mapping[str, object], *, options: tuple[str, ...]
    ) -> Decision:
        shown = {"task": self.asked.task, **facts}
        return pend(code, clauses=clauses, policy=self.policy.ref, now=self.now, facts=shown, options=options)


def _cited(met: tuple[GroundPolicy, ...]) -> Clauses:
    return tuple(clause for ground in met for clause in ground.clauses)


def _meets(listed: GroundPolicy, asked: SupportAsked, terms: SupportPolicy) -> bool:
    """Tell whether a ground is met: computed where it can be, else as somebody found."""
    ground, held = listed.code, asked.license
    if ground is Ground.SUPPORT_EXPIRED:
        is_spared = held is not None and listed.spares(asked.received_at, held.refund_until)
        return asked.ended_at is not None and not is_spared and asked.task != INSTALLATION
    if ground is Ground.CODE_MODIFIED:
        told = asked.modified_files or asked.delivered_files
        return modified(_happened(asked, terms)) or (ground in asked.found and not told)
    computed = {
        Ground.NOT_LICENSED_INSTALL: asked.licensed_install is False,
        Ground.OTHER_SITE: asked.same_site is False,
        Ground.NOT_EXCLUSIVE: any(cause != PRODUCT_CAUSE for cause in asked.causes),
        Ground.NOT_ADVERTISED: asked.feature is not None and names_feature(asked.advertised, asked.feature) is False,
        Ground.VERSION_NOT_ADVERTISED: _version_not_promised(asked, terms),
        Ground.HANDS_ON: asked.task == _TASK_GROUNDS[Ground.HANDS_ON],
        Ground.CUSTOM_DEVELOPMENT: asked.task == _TASK_GROUNDS[Ground.CUSTOM_DEVELOPMENT],
    }
    return computed.get(ground, False) or ground in asked.found


def _happened(asked: SupportAsked, terms: SupportPolicy) -> dict[str, Happened]:
    """Return what happened to the files that were told (sentence 7)."""
    return what_happened(asked.modified_files, asked.delivered_files, asked.hotfixed_files, terms)


def _version_not_promised(asked: SupportAsked, terms: SupportPolicy) -> bool:
    if asked.platform_version is None:
        return False
    if terms.widening_counts and covers_version(asked.advertised_today, asked.platform_version):
        return False
    return covers_version(asked.advertised, asked.platform_version) is False
