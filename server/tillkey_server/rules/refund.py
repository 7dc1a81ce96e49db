"""Whether a refund is granted, denied or a person's, and how much it is.

1. Without terms about refunds a person decides (NX-35: never denied on what nobody wrote), unless the license is on
   hold or terminated.
2. A legal hold comes first, then the end of the whole agreement, and a violation of copyright that a hold confirmed,
   which denies for good (CJ-02). Then, in this order: what is refunded already; a sender that is not the official
   one, or whose address was changed so recently that a person looks first (CJ-31); a form that lacks something
   (CJ-32); another sales channel (CJ-15); a line that is never paid back (CJ-04, CJ-08, CJ-16); the vendor's core
   (NX-31); a product that is never refunded (CJ-01); what was refunded once before and bought again (CJ-05). Whose
   purchase was refunded goes by the account: an account that was erased leaves no hash of its address behind, since
   the same address again is another customer (NX-38, ADR 0020), and nobody is barred by it; unless the terms want him
   known by that too: then a keyed hash of it stays with what was refunded, and with nothing else.
3. A right of the law stands above what the vendor's own terms put in the way of the product's price (NX-35): the form,
   the channel, the core, a product that is never refunded, what was bought again, and every bar. It does not stand
   above a hold, the end of the agreement, a violation of copyright, what is refunded already, or doubt about who asks.
   Nothing else stands above a bar: it denies beside any ground.
4. One ground that holds is enough; reasons that are none are ignored beside it (CJ-06). Of several the first gives the
   code; all are told, with their clauses. What somebody found that only a person decides about, as a conflict with a
   third party, comes before every ground of the purchase: it is never decided by itself (CJ-03).
5. What a ground gives back is its plan's: all, the rest of the year, or nothing (CJ-15, CJ-17). A ground that came
   after the window gives the rest of the year where a yearly plan's terms say so (CJ-18, CJ-19).
6. Where no ground holds and none is merely pending, somebody may decide otherwise for some months (BC-27); then, and
   where the terms have such months, what no ground was named for waits for nothing that nobody claims: it is within
   them, or too late. A reason that the terms do not list is no ground there; elsewhere a person's (NX-35), and so is
   a renewal that was paid for within such months, about which the terms that have them are silent.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from tillkey_server.rules.calendar import calendar_of
from tillkey_server.rules.citation import Clauses
from tillkey_server.rules.clocks import months_end
from tillkey_server.rules.decision import Decision, Outcome, Refusal, allow, deny, instant, pend
from tillkey_server.rules.order_line import LineKind
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.refund_amount import Months, Sum, full_sum, rest_sum
from tillkey_server.rules.refund_codes import RefundCode
from tillkey_server.rules.refund_facts import Asked, Item, RefundFacts
from tillkey_server.rules.refund_grounds import Case, Judged, bars_of, judge_all, left_to_a_person
from tillkey_server.rules.refund_policy import (
    PARTIAL,
    Core,
    DiscretionPolicy,
    Need,
    Repurchase,
    Sender,
    Share,
    TaxRefund,
)
from tillkey_server.rules.refund_renewal import cancelling, is_notice, judge_named, judge_renewal
from tillkey_server.rules.refund_window import has_statutory_right, is_not_refundable, window_end
from tillkey_server.rules.support_line import sold_apart

_LINES = {
    LineKind.SUPPORT: RefundCode.LINE_SUPPORT,
    LineKind.EXTRA_DOMAIN: RefundCode.LINE_EXTRA_DOMAIN,
    LineKind.CUSTOMIZATION: RefundCode.LINE_CUSTOMIZATION,
    LineKind.SERVICE: RefundCode.LINE_SERVICE,
}
_UNCLAIMED = frozenset({RefundCode.PENDING_ISSUE_REQUIRED, RefundCode.PENDING_FINDING})
"""What a ground that nobody named lacks (sentence 6)."""
_FIELDS = {"order_number": "order_number", "reason": "explanation"}


class Ends(StrEnum):
    """What a granted refund ends."""

    LICENSE = "license"
    RENEWAL = "renewal"
    REDUCED = "reduced"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Verdict:
    """An answer with what it gives back and ends; both only where it is yes."""

    decision: Decision
    sum: Sum | None = None
    ends: Ends = Ends.NOTHING


def decide_refund(facts: RefundFacts, asked: Asked, policy: Policy, now: datetime) -> Verdict:
    """Decide a request for a refund.

    Facts: `plan`, `window_ends_at`, `asked_at`, `timezone`, `grounds` (every reason and what came of it); a grant's
    `amount`, `tax`, `coupon` where there is one, `destination`, and of a yearly plan the months.
    """
    terms = policy.refund
    if terms is None:
        cited = policy.clocks.clauses.refund
        person = pend(RefundCode.PENDING_REVIEW, clauses=cited, policy=policy.ref, now=now)
        named = judge_named(facts, asked, policy, now) if asked.item is Item.RENEWAL else None
        return Verdict(next(_ended(facts, policy, now), named or person))
    facts, asked = sold_apart(facts, asked, terms)
    case = Case(facts, asked, terms, window_end(facts, terms, policy, now), now)
    first = next(_obstacles(case, policy), None)
    if first is None:
        verdict = _by_grounds(case, policy)
    else:
        verdict = Verdict(replace(first, facts={**_shown(case, policy, ()), **first.facts}))
    believed_at = _believed_at(case)
    if is_notice(asked, terms) and (believed_at is None or believed_at <= now):
        return replace(verdict, decision=cancelling(verdict.decision))
    return verdict


def _obstacles(case: Case, policy: Policy) -> Iterator[Decision]:
    """Yield what comes before any ground, the strongest first (sentences 2 and 3)."""
    yield from _above_the_law(case, policy)
    if not has_statutory_right(case.facts, case.asked, case.terms, policy):
        yield from _of_the_vendor(case, policy)


def _above_the_law(case: Case, policy: Policy) -> Iterator[Decision]:
    """Yield what keeps even from what the law gives."""
    facts, asked, terms = case.facts, case.asked, case.terms
    cited, ref, now = terms.clauses, policy.ref, case.now
    yield from _ended(facts, policy, now, cited.copyright)
    if facts.copyright_violated:
        yield deny(RefundCode.DENIED_COPYRIGHT, clauses=cited.copyright, policy=ref, now=now)
    is_back = facts.license.refunded_at is not None or (not facts.purchase.left and facts.purchase.refunded_minor)
    if is_back and asked.item is not Item.RENEWAL and excluded_item(asked.item, policy, now) is None:
        yield deny(RefundCode.DENIED_ALREADY_REFUNDED, clauses=cited.effects, policy=ref, now=now)
    if terms.sender is Sender.OFFICIAL and asked.sender_verified is not True:
        yield deny(RefundCode.SENDER_NOT_OFFICIAL, clauses=cited.sender, policy=ref, now=now)
    believed_at = _believed_at(case)
    if believed_at is not None and now < believed_at:
        yield pend(RefundCode.PENDING_SENDER, clauses=cited.sender, policy=ref, now=now, retry_at=believed_at)


def _of_the_vendor(case: Case, policy: Policy) -> Iterator[Decision]:
    """Yield what the vendor's terms alone put in the way."""
    facts, asked, terms = case.facts, case.asked, case.terms
    cited, ref, now = terms.clauses, policy.ref, case.now
    missing = [name for name in terms.required_fields if not getattr(asked, _FIELDS[name])]
    if missing:
        lacking = {"fields": missing}
        yield pend(RefundCode.REQUEST_INCOMPLETE, clauses=cited.fields, policy=ref, now=now, facts=lacking)
    if terms.channels and facts.channel not in terms.channels:
        shown = {"channel": facts.channel, "channels": list(terms.channels)}
        yield deny(RefundCode.WRONG_CHANNEL, clauses=cited.channel, policy=ref, now=now, facts=shown)
    yield from _of_the_item(case, policy)
    if is_not_refundable(facts, terms):
        yield deny(RefundCode.DENIED_PRODUCT_NOT_REFUNDABLE, clauses=cited.product, policy=ref, now=now)
    if _was_refunded_before(case):
        yield deny(RefundCode.DENIED_REPURCHASE, clauses=cited.repurchase, policy=ref, now=now)


def _was_refunded_before(case: Case) -> bool:
    """Tell whether an earlier refund bars this one (CJ-05); what the terms ignore, and reading 6, apart."""
    facts, terms = case.facts, case.terms
    if terms.repurchase is Repurchase.ALLOW:
        return False
    ignored = set(terms.repurchase_ignores)
    too = terms.repurchase is Repurchase.DENY_PENDING_TOO
    earlier = facts.refunded_before + (facts.refunded_since if too else ())
    counted = (one for one in earlier if one.code not in ignored and (one.ended or PARTIAL not in ignored))
    return any(counted) or (too and facts.pending_before)


def _believed_at(case: Case) -> datetime | None:
    """Return from when a message is believed to be the customer's; None: it is (sentence 2)."""
    facts, terms = case.facts, case.terms
    if terms.sender is not Sender.OFFICIAL or facts.readdressed_at is None:
        return None
    came_before = case.asked.asked_at < facts.readdressed_at
    return None if came_before else facts.readdressed_at + terms.sender_cooldown


def _ended(facts: RefundFacts, policy: Policy, now: datetime, hold: Clauses = ()) -> Iterator[Decision]:
    """Yield what stops every refund, whatever the terms say about refunds: a hold, and the end of the agreement."""
    standing = policy.standing
    if facts.license.legal_hold_at is not None:
        cited = standing.legal_hold + hold
        yield deny(Refusal.LEGAL_HOLD, clauses=cited, policy=policy.ref, now=now, options=("ask_support",))
    if facts.has_ended:
        yield deny(Refusal.LICENSE_TERMINATED, clauses=standing.terminated, policy=policy.ref, now=now)


def excluded_item(item: Item, policy: Policy, now: datetime) -> Decision | None:
    """Return the no to a thing that the terms never pay back, a line or tax (CJ-04, CJ-08, CJ-16); None: no such."""
    terms = policy.refund
    if terms is None or item in {Item.PRODUCT, Item.RENEWAL}:
        return None
    if item is Item.TAX:
        never = terms.tax is TaxRefund.NEVER
        return deny(RefundCode.LINE_TAX, clauses=terms.clauses.tax, policy=policy.ref, now=now) if never else None
    kind = LineKind(item.value)
    line = terms.excluded(kind)
    return None if line is None else deny(_LINES[kind], clauses=line.clauses, policy=policy.ref, now=now)


def _of_the_item(case: Case, policy: Policy) -> Iterator[Decision]:
    """Yield what the thing itself, a line, tax or the core, is answered."""
    terms, item, now = case.terms, case.asked.item, case.now
    cited = terms.clauses
    excluded = excluded_item(item, policy, now)
    if excluded is not None:
        yield excluded
    elif item is Item.RENEWAL:
        yield from filter(None, (judge_named(case.facts, case.asked, policy, now),))
    elif item is not Item.PRODUCT:
        yield pend(RefundCode.PENDING_REVIEW, clauses=cited.review, policy=policy.ref, now=now)
    elif case.facts.is_core and terms.core is Core.REVIEW:
        yield pend(RefundCode.PENDING_REVIEW, clauses=cited.core, policy=policy.ref, now=now)
    elif case.facts.is_core and terms.core is Core.DENY:
        yield deny(RefundCode.NOT_A_MODULE, clauses=cited.core, policy=policy.ref, now=now)


def _by_grounds(case: Case, policy: Policy) -> Verdict:
    """Sentences 3 to 6."""
    judged, bars = judge_all(case), bars_of(case)
    shown = _shown(case, policy, tuple(dict.fromkeys((*judged, *bars))))
    if has_statutory_right(case.facts, case.asked, case.terms, policy):
        cited = case.terms.clauses.review
        return _granted(
            case, policy, RefundCode.GRANTED_STATUTORY, cited, full_sum(case.facts, case.terms, case.now), shown
        )
    if bars:
        cited = tuple(clause for bar in bars for clause in bar.clauses)
        code = bars[0].code or RefundCode.DENIED_INVALID_REASON
        options = ("deactivate",) if bars[0].needs is Need.ACTIVE else ()
        return Verdict(deny(code, clauses=cited, policy=policy.ref, now=case.now, facts=shown, options=options))
    holding = [one for one in judged if one.outcome is Outcome.ALLOW]
    of_purchase = [one for one in holding if one.needs is not Need.RENEWAL]
    persons = left_to_a_person(case, judged)
    if persons is not None and (of_purchase or not holding):
        return Verdict(_pending(case, policy, persons, shown))
    if of_purchase:
        return _by_plan(case, policy, of_purchase, shown)
    if holding:
        return _renewal(case, policy, holding[0], judged, shown)
    late = [one for one in judged if one.late]
    if late and case.gives_rest:
        return _rest(case, policy, late, shown)
    return Verdict(_unmet(case, policy, judged, shown))


def _by_plan(case: Case, policy: Policy, holding: list[Judged], shown: dict[str, object]) -> Verdict:
    """Give back what the plan gives for a ground (sentence 5)."""
    plan = case.terms.of_plan(case.facts.plan)
    cited = tuple(clause for one in holding for clause in one.clauses)
    code = holding[0].code or RefundCode.GRANTED_BY_PERSON
    if plan is not None:
        cited += plan.clauses
        code = code if plan.code is None else RefundCode(plan.code)
        if plan.share is Share.NOTHING:
            no = RefundCode.DENIED_PLAN_NOT_REFUNDABLE
            return Verdict(deny(no, clauses=cited, policy=policy.ref, now=case.now, facts=shown))
        if plan.share is Share.PRORATA:
            return _rest(case, policy, holding, shown)
    return _granted(case, policy, code, cited, full_sum(case.facts, case.terms, case.now), shown)


def _rest(case: Case, policy: Policy, holding: list[Judged], shown: dict[str, object]) -> Verdict:
    """Give back the rest of the year."""
    prorata = case.terms.prorata
    assert prorata is not None, "a policy that shares by months says how"
    rest, months = rest_sum(case.facts, case.terms, prorata, case.asked.asked_at, policy.timezone)
    cited = tuple(clause for one in holding for clause in one.clauses) + prorata.clauses
    told = {**shown, **_of_months(months)}
    if not rest.minor:
        no = RefundCode.DENIED_NOTHING_REMAINING
        return Verdict(deny(no, clauses=cited, policy=policy.ref, now=case.now, facts=told))
    return _granted(case, policy, RefundCode.GRANTED_PRORATA, cited, rest, told)


def _renewal(
    case: Case, policy: Policy, asked: Judged, judged: tuple[Judged, ...], shown: dict[str, object]
) -> Verdict:
    answer = judge_renewal(case.facts, case.asked, case.terms, calendar_of(policy))
    told_of = replace(asked, outcome=answer.outcome, code=answer.code, clauses=answer.clauses)
    told = {
        **shown,
        "grounds": [(told_of if one is asked else one).shown() for one in judged],
        "renewal_refund_ends_at": instant(answer.deadline),
    }
    if answer.months is not None:
        told |= _of_months(answer.months)
    if answer.sum is not None:
        ends = Ends.LICENSE if answer.ends_license else Ends.RENEWAL
        return _granted(case, policy, answer.code, answer.clauses, answer.sum, told, ends)
    make = deny if answer.outcome is Outcome.DENY else pend
    return Verdict(make(answer.code, clauses=answer.clauses, policy=policy.ref, now=case.now, facts=told))


def _granted(
    case: Case,
    policy: Policy,
    code: RefundCode,
    clauses: Clauses,
    given: Sum,
    shown: dict[str, object],
    ends: Ends = Ends.LICENSE,
) -> Verdict:
    facts, terms = case.facts, case.terms
    cited = clauses + terms.clauses.effects + terms.clauses.destination
    if facts.purchase.tax_minor:
        cited += terms.clauses.tax
    if facts.renewals and ends is Ends.LICENSE:
        cited += terms.clauses.renewals
    cited += tuple(clause for one in facts.along if (line := terms.excluded(one.kind)) for clause in line.clauses)
    if not given.minor:
        no = RefundCode.DENIED_NOTHING_REMAINING
        return Verdict(deny(no, clauses=cited, policy=policy.ref, now=case.now, facts=shown))
    told = {
        **shown,
        **given.told(facts),
        "destination": terms.destination.value,
        "ends": ends.value,
        "downloaded": facts.downloads > 0,
    }
    return Verdict(allow(code, clauses=cited, policy=policy.ref, now=case.now, facts=told), given, ends)


def _unmet(case: Case, policy: Policy, judged: tuple[Judged, ...], shown: dict[str, object]) -> Decision:
    """Answer where no ground holds: what is pending first, then the range of discretion, then a no (sentence 6)."""
    ref, now, terms = policy.ref, case.now, case.terms
    window = terms.discretion
    pending = next((one for one in judged if one.outcome is Outcome.PEND and _is_awaited(one, case)), None)
    if pending is not None:
        return _pending(case, policy, pending, shown)
    denied = next((one for one in judged if one.outcome is Outcome.DENY), None)
    if window is not None:
        until = months_end(case.facts.paid_at, window.months, policy.timezone)
        told = {**shown, "discretion_ends_at": instant(until)}
        if case.asked.asked_at < until:
            return pend(RefundCode.PENDING_SELLER, clauses=window.clauses, policy=ref, now=now, facts=told)
        shown = told
        if not _names_a_ground(case, judged) and not _was_renewed_since(case, policy, window):
            closed = RefundCode.DENIED_WINDOW_CLOSED
            return deny(closed, clauses=window.clauses, policy=ref, now=now, facts=shown)
    if denied is None:
        return pend(RefundCode.PENDING_REVIEW, clauses=terms.clauses.review, policy=ref, now=now, facts=shown)
    code = denied.code or RefundCode.DENIED_INVALID_REASON
    cited = denied.clauses + (terms.clauses.window if code is RefundCode.DENIED_WINDOW_CLOSED else ())
    told = {**shown, "reason": denied.name}
    return deny(code, clauses=cited, policy=ref, now=now, facts=told, options=denied.help)


def _names_a_ground(case: Case, judged: tuple[Judged, ...]) -> bool:
    """Tell whether anything was named, or found, that the terms know."""
    return bool(case.asked.reasons or case.asked.found) and any(one.kind is not None for one in judged)


def _was_renewed_since(case: Case, policy: Policy, window: DiscretionPolicy) -> bool:
    """Tell whether a renewal was paid for so lately that a person may still pay it back."""
    paid = (one.payment.paid_at for one in case.facts.renewals)
    return any(case.asked.asked_at < months_end(at, window.months, policy.timezone) for at in paid)


def _is_awaited(one: Judged, case: Case) -> bool:
    """Tell whether what is pending is waited for first (sentence 6): it was claimed, or a clock runs."""
    if case.terms.discretion is None:
        return True
    if not (case.asked.reasons or case.asked.found):
        return one.code not in _UNCLAIMED
    return one.kind is not None


def _pending(case: Case, policy: Policy, one: Judged, shown: dict[str, object]) -> Decision:
    code = one.code or RefundCode.PENDING_REVIEW
    return pend(code, clauses=one.clauses, policy=policy.ref, now=case.now, facts=shown, retry_at=one.retry_at)


def _shown(case: Case, policy: Policy, judged: tuple[Judged, ...]) -> dict[str, object]:
    return {
        "plan": case.facts.plan.value,
        "paid_at": instant(case.facts.paid_at),
        "asked_at": instant(case.asked.asked_at),
        "window_ends_at": instant(case.window),
        "timezone": policy.timezone.key,
        "grounds": [one.shown() for one in judged],
        **case.shown_installation(),
        **case.shown_issue(),
        **case.shown_description(),
        **policy.prevailing,
    }


def _of_months(months: Months) -> dict[str, object]:
    return {"months": months.left, "months_used": months.used, "months_of_term": months.term}
