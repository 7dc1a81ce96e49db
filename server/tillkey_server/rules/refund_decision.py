"""What a person decides about a refund that is pending, and what is noticed after one.

1. A person of the vendor's grants or denies what the terms leave to him, with a reason (NX-31, CJ-03, BC-27): all of
   the price or a part of it, never more than is left of it (K-07).
2. What goes back is what was asked for and nothing else: the product; its tax; what was bought beside it; the renewal
   that the request names (ZG-04), with its tax where nothing was given for it (BC-23), also after the product went
   back; or, where no other reason was given than one about the last renewal, that renewal's payment, and nothing where
   there is none.
3. A part of the product's price leaves the license as it is, takes its updates and support, or all of it, as the terms
   say; once all of it is back, the license ends (NX-36). A renewal that is all back is taken out of the clocks. Tax and
   what was bought beside a product end nothing.
4. Nobody grants under a legal hold, after a violation of copyright (CJ-02), or twice (X-10), nor a line or a tax that
   the terms never pay back (CJ-04, CJ-08, CJ-16).
5. A refunded license that is still used after some days is a matter for a person, and no proof by itself (CJ-14,
   reading 12): it is noticed, and changes nothing. What somebody said is destroyed has no such days: it is noticed from
   that statement on (CJ-13).
6. Who loses what another product asks for is told, and keeps using it unless the terms say otherwise (NX-13).
7. Who grants what a notice about a renewal asks for has heard the notice: it cancels the renewals to come (CJ-26).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from tillkey_server.rules.decision import Decision, Refusal, allow, deny, instant, pend
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.refund import Ends, Verdict, excluded_item
from tillkey_server.rules.refund_amount import Sum, full_sum, last_renewal, some, whole
from tillkey_server.rules.refund_codes import RefundCode
from tillkey_server.rules.refund_facts import Asked, Item, Payment, RefundFacts
from tillkey_server.rules.refund_grounds import Case
from tillkey_server.rules.refund_policy import Need, Partial, RefundPolicy
from tillkey_server.rules.refund_renewal import cancelling, is_notice
from tillkey_server.rules.support_line import sold_apart

_ENDS = {Partial.KEEP: Ends.NOTHING, Partial.REDUCE: Ends.REDUCED, Partial.REVOKE: Ends.LICENSE}


def decide_by_person(
    facts: RefundFacts, asked: Asked, policy: Policy, now: datetime, *, grant: bool, amount: int | None = None
) -> Verdict:
    """Decide as a person said about what was asked; `amount` is in minor units, None: all that is left of it.

    Facts `amount`, `tax`, `coupon` where there is one, `ends`, `destination`, and `described` (NX-32).
    """
    terms = policy.refund
    facts, asked = sold_apart(facts, asked, terms)
    cited = policy.clocks.clauses.refund if terms is None else terms.clauses.review
    if facts.license.legal_hold_at is not None:
        return Verdict(deny(Refusal.LEGAL_HOLD, clauses=policy.standing.legal_hold, policy=policy.ref, now=now))
    if facts.has_ended:
        return Verdict(deny(Refusal.LICENSE_TERMINATED, clauses=policy.standing.terminated, policy=policy.ref, now=now))
    described = {} if terms is None else Case(facts, asked, terms, None, now).shown_description()
    if not grant:
        return Verdict(deny(RefundCode.DENIED_BY_PERSON, clauses=cited, policy=policy.ref, now=now, facts=described))
    if facts.copyright_violated and terms is not None:
        return Verdict(deny(RefundCode.DENIED_COPYRIGHT, clauses=terms.clauses.copyright, policy=policy.ref, now=now))
    never = excluded_item(asked.item, policy, now)
    if never is not None:
        return Verdict(never)
    left = (subject := _subject(facts, asked, policy)).most.minor
    is_with_it = facts.license.refunded_at is not None and asked.item is not Item.RENEWAL
    if is_with_it or (not left and subject.is_back):
        return Verdict(deny(RefundCode.DENIED_ALREADY_REFUNDED, clauses=cited, policy=policy.ref, now=now))
    if not left:
        return Verdict(deny(RefundCode.DENIED_NOTHING_REMAINING, clauses=cited, policy=policy.ref, now=now))
    if amount is not None and amount > left:
        shown = {"left": facts.money(left)}
        return Verdict(deny(RefundCode.AMOUNT_TOO_HIGH, clauses=cited, policy=policy.ref, now=now, facts=shown))
    given, ends = _given(facts, subject, policy, now, amount)
    if terms is not None:
        cited = cited + terms.clauses.effects + terms.clauses.destination
    told = {
        **given.told(facts),
        "ends": ends.value,
        "destination": None if terms is None else terms.destination.value,
        **({} if facts.named is None else {"renewal": str(facts.named.id)}),
        **described,
    }
    decision = allow(RefundCode.GRANTED_BY_PERSON, clauses=cited, policy=policy.ref, now=now, facts=told)
    is_heard = terms is not None and is_notice(asked, terms)
    return Verdict(cancelling(decision) if is_heard else decision, given, ends)


def use_after_refund(
    refunded_at: datetime, policy: Policy, now: datetime, attested_at: datetime | None = None
) -> Decision | None:
    """Return the notice that a refunded license is still used; None within the grace, and without terms for it.

    `attested_at` is when it was stated that every copy is destroyed, None: it was not.
    """
    terms = policy.refund
    if terms is None:
        return None
    is_over = now >= refunded_at + terms.use_after_refund_grace
    if not is_over and (attested_at is None or now <= attested_at):
        return None
    shown = {"refunded_at": instant(refunded_at), "attested_at": instant(attested_at), "seen_at": instant(now)}
    return pend(
        RefundCode.USE_AFTER_REFUND, clauses=terms.clauses.after_refund, policy=policy.ref, now=now, facts=shown
    )


@dataclass(frozen=True, slots=True)
class _Subject:
    """What was asked for: the most of it that can go back, what that ends, and whether some of it is back already."""

    most: Sum
    ends: Ends
    is_back: bool


def _subject(facts: RefundFacts, asked: Asked, policy: Policy) -> _Subject:
    """Return what a request is about (sentence 2)."""
    terms = policy.refund
    last = last_renewal(facts)
    if asked.item is Item.RENEWAL:
        return _named(facts, terms)
    if _is_renewal_alone(asked, terms):
        return _whole(Ends.RENEWAL, terms, *(() if last is None else (last.payment,)))
    if asked.item is Item.PRODUCT:
        return _whole(Ends.LICENSE, terms, facts.purchase)
    if asked.item is Item.TAX:
        tax = replace(whole(facts.purchase, terms), minor=0, coupon_minor=0)
        return _Subject(Sum((tax,)), Ends.NOTHING, bool(facts.purchase.refunded_tax_minor))
    return _whole(Ends.NOTHING, terms, *(one for one in facts.along if one.kind.value == asked.item.value))


def _named(facts: RefundFacts, terms: RefundPolicy | None) -> _Subject:
    """Return the renewal that a request names; one that nothing was given for with its tax, whatever the terms say."""
    named = facts.named
    if named is None or named.is_back:
        return _Subject(Sum(()), Ends.RENEWAL, named is not None)
    return _whole(Ends.RENEWAL, terms if named.extends else None, named.payment)


def _whole(ends: Ends, terms: RefundPolicy | None, *payments: Payment) -> _Subject:
    most = Sum(tuple(whole(one, terms) for one in payments))
    return _Subject(most, ends, any(one.refunded_minor or one.refunded_tax_minor for one in payments))


def _is_renewal_alone(asked: Asked, terms: RefundPolicy | None) -> bool:
    """Tell whether every reason that was given is one about the last renewal."""
    if terms is None or asked.item is not Item.PRODUCT:
        return False
    named = [terms.reason(name) for name in (*asked.reasons, *asked.found)]
    return bool(named) and all(one is not None and one.needs is Need.RENEWAL for one in named)


def _given(
    facts: RefundFacts, subject: _Subject, policy: Policy, now: datetime, amount: int | None
) -> tuple[Sum, Ends]:
    """Return what goes back and what it ends (sentence 3)."""
    terms = policy.refund
    if amount is None:
        if subject.ends is Ends.LICENSE and terms is not None:
            return full_sum(facts, terms, now), subject.ends
        return subject.most, subject.ends
    given = some(subject.most, amount)
    if amount == subject.most.minor:
        return given, subject.ends
    if subject.ends is Ends.LICENSE and terms is not None:
        return given, _ENDS[terms.partial]
    return given, Ends.NOTHING
