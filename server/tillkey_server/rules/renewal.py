"""Renewals: what one would cost and where it would end, and what becomes of one that was paid.

1. The refusals are looked for in the order of `PRECEDENCE`, and the first is told.
2. Terms without `[renewal]` renew nothing. What has no end, and a trial, has nothing to renew.
3. A renewal never lifts a stronger state (K-13): legal hold, terminated, revoked and refunded refuse it. A suspended
   license is renewed and stays suspended.
4. A product that was retired is renewed no more where the terms say so (BC-23); one that is offline for a time is, and
   whoever pays is told that it is offline (BC-24).
5. It is paid on the marketplace where the license was bought, if the terms ask for that (NX-47); where that has closed
   the item, as a product that is offline, they may let it be paid elsewhere.
6. It lasts one of the lengths of the terms. Paid while the time runs, it is appended; later it begins with the payment
   (ZG-03, ZG-04). Of several clocks the first that is named tells which of both it is.
7. It costs a percentage of the price, without tax and discounts (ZG-05): of the list price on the day of the purchase,
   of today's, or of what was paid, as the terms say. After the end a surcharge may come on top. Each line is rounded
   half up once (K-07, BC-34). What comes to 0 is free.
8. A payment that was made for something that the terms renew is kept: money is never lost in silence. Where a stronger
   state holds the license, or an early ending leaves nothing of it, a person looks at it; where it was made after the
   product's retirement, it extends nothing and is paid back with its tax, at once and without being asked for. What the
   terms never renew, or not by that channel or for that length, is refused to whoever tells of the payment, who has the
   money and the reason; a line of the audit log is left.
9. A later version of the terms decides about what was bought before only where that is better (K-09): where it allows
   what the older one does not; or where it takes nothing away, in the price, the months and the end of every clock, and
   gives more in one of them. What is cheaper but shorter, and a price that no terms tell, is not better: nobody can say
   for the customer what the rest is worth. A payment is governed as its quote was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import UUID

from tillkey_server.errors import BrokenInvariant
from tillkey_server.money import Money, percent_of
from tillkey_server.rules.better import better_of, may_apply
from tillkey_server.rules.citation import Clauses
from tillkey_server.rules.clocks import last_day
from tillkey_server.rules.decision import Decision, Refusal, allow, deny, instant, pend
from tillkey_server.rules.order_line import DIRECT, MANUAL
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.refund_codes import RefundCode
from tillkey_server.rules.renewal_codes import RenewalCode
from tillkey_server.rules.standing import REFUSALS, LicenseFacts, Status, standing, status_of
from tillkey_server.rules.term import History, Payment, Run, Terms
from tillkey_server.rules.term_policy import AfterRetirement, Clock, PriceBasis, RenewalChannel, RenewalPolicy

NOT_OFFERED = ("X-01",)
"""What a policy without the section is refused by: no clock of a license goes on without terms for it."""

PRECEDENCE: tuple[Refusal | RenewalCode, ...] = (
    RenewalCode.RENEWAL_NOT_OFFERED,
    Refusal.NOTHING_TO_RENEW,
    Refusal.LEGAL_HOLD,
    Refusal.LICENSE_TERMINATED,
    Refusal.LICENSE_REVOKED,
    RenewalCode.RENEWAL_PRODUCT_RETIRED,
    RenewalCode.RENEWAL_WRONG_CHANNEL,
    RenewalCode.RENEWAL_MONTHS_NOT_OFFERED,
)
"""Where several refusals apply, the first of these is told."""

OWN = frozenset({DIRECT, MANUAL})
"""The channels of the vendor's own sales: what was bought on no marketplace may be renewed anywhere."""
_RENEWED = frozenset({Status.ACTIVE, Status.EXPIRED, Status.SUSPENDED})
"""The states in which a license is renewed (sentence 3)."""
_FOREVER = datetime.max.replace(tzinfo=UTC)
_NEW = UUID(int=2**128 - 1)
"""Stands for the payment that is asked about: behind every one of the same instant."""


@dataclass(frozen=True, slots=True)
class Prices:
    """What a renewal may cost a percentage of, for each piece and without tax."""

    listed: Money
    paid: Money
    today: Money


@dataclass(frozen=True, slots=True)
class RenewalFacts:
    """What is on record about the license, what it was bought for, and its product."""

    license: LicenseFacts
    history: History
    prices: Prices
    channel: str
    is_trial: bool = False
    offline_at: datetime | None = None
    retired_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A renewal that is asked about or was paid: `months` None is the usual length, `channel` None the original."""

    paid_at: datetime
    months: int | None = None
    channel: str | None = None


@dataclass(frozen=True, slots=True)
class Ruling:
    """The version of the terms that decides a renewal, what is asked of it (a length may be named), and its quote."""

    policy: Policy
    asked: Asked
    quote: Decision
    also: Clauses = ()

    def citing(self, decision: Decision) -> Decision:
        """Return a decision by that version, which cites that a later one decides where it does."""
        return replace(decision, clauses=tuple(dict.fromkeys(decision.clauses + self.also)))


def decide_under_both(facts: RenewalFacts, asked: Asked, sold_under: Policy, later: Policy, now: datetime) -> Ruling:
    """Return what the version of the sale says, or a later one that is better for the customer (sentence 9).

    Where no length is asked for, the later version's usual one is tried, and then the one that is usual so far.
    """
    old = Ruling(sold_under, asked, decide_quote(facts, asked, sold_under, now))
    if not may_apply(sold_under, later):
        return old
    so_far = asked if sold_under.renewal is None else replace(asked, months=months_of(asked, sold_under))
    for one in dict.fromkeys((asked, so_far)):
        new = Ruling(later, one, decide_quote(facts, one, later, now))
        if _is_better(facts, old, new):
            also = () if later.versions is None else later.versions.clauses
            new = replace(new, also=also)
            return replace(new, quote=new.citing(new.quote))
    return old


def decide_quote(facts: RenewalFacts, asked: Asked, policy: Policy, now: datetime) -> Decision:
    """Tell the new end and the price of a renewal that would be paid at `asked.paid_at`, or why there is none.

    Facts: `months`, `begins`, `until` and `last_day` of the first clock, `clocks`, `price`, `price_minor`, `lines`,
    `notices`.
    """
    refusal = _refusal(facts, asked, policy, now)
    if refusal is not None:
        return refusal
    terms = _terms(policy)
    before, after = _folded(facts, asked, terms)
    late = not _first(before, facts, terms).covers(asked.paid_at)
    lines = _lines(facts.prices, terms, late=late)
    total = sum(minor for _, _, minor in lines)
    shown = {
        **_ends(facts, asked, policy, before, after),
        **_price(facts.prices, terms, lines),
        "notices": [RenewalCode.RENEWAL_PRODUCT_OFFLINE_NOTICE.value] if facts.offline_at is not None else [],
    }
    cited = terms.clauses
    code, clauses = RenewalCode.RENEWAL_QUOTE, cited.term + cited.price
    clauses += cited.from_now if late else cited.appended
    if terms.price_percent is not None and total == 0:
        code = RenewalCode.RENEWAL_FREE
    elif late and terms.late_surcharge_percent:
        code, clauses = RenewalCode.REACTIVATION_QUOTE, clauses + cited.late
    return allow(code, clauses=clauses + _around(facts, terms), policy=policy.ref, now=now, facts=shown)


def decide_payment(facts: RenewalFacts, asked: Asked, policy: Policy, now: datetime) -> Decision:
    """Decide about a renewal that was paid (sentence 8); `extends_of` then tells which clocks it extends.

    Facts: those of the ends, and `because` where a person has to look at it.
    """
    refusal = _refusal(facts, asked, policy, now)
    if refusal is not None and refusal.code not in _KEPT:
        return refusal
    terms = _terms(policy)
    extended = extends_of(facts, asked, policy)
    before, after = _folded(facts, asked, terms)
    shown = _ends(facts, asked, policy, before, after if extended else before)
    cited = terms.clauses
    if not extended:
        code, clauses, because = RenewalCode.RENEWAL_AFTER_RETIREMENT, cited.retired, "retired"
    elif refusal is not None:
        code, clauses, because = RenewalCode.RENEWAL_PENDING_REVIEW, refusal.clauses, refusal.code.value
    elif _first(after, facts, terms).until == _first(before, facts, terms).until:
        code, clauses, because = RenewalCode.RENEWAL_PENDING_REVIEW, cited.term, "ended_early"
    else:
        return _renewed(facts, shown, policy, now)
    return pend(
        code,
        clauses=clauses,
        policy=policy.ref,
        now=now,
        facts={**shown, "because": because},
        options=("refund_payment",),
    )


def decide_return(paid: Decision, amount: Money, tax: Money, policy: Policy, now: datetime) -> Decision | None:
    """Return that a payment goes back that was made after the retirement (sentence 8); None for every other one.

    `paid` is what was decided about it. Facts: `amount` with the tax, `tax`, `because`.
    """
    whole = Money(amount.minor + tax.minor, amount.currency)
    if paid.code is not RenewalCode.RENEWAL_AFTER_RETIREMENT or not whole.minor:
        return None
    shown = {"amount": whole.display(), "tax": tax.display(), "because": "retired"}
    return allow(RefundCode.GRANTED_RENEWAL_FULL, clauses=paid.clauses, policy=policy.ref, now=now, facts=shown)


def extends_of(facts: RenewalFacts, asked: Asked, policy: Policy) -> tuple[Clock, ...]:
    """Return the clocks that a paid renewal extends; none where it is to be paid back (sentence 8).

    It hangs on the instant of the payment alone, so that it does not matter when it was told (I8).
    """
    terms = _terms(policy)
    retired = facts.retired_at is not None and facts.retired_at <= asked.paid_at
    return () if retired and terms.after_retirement is AfterRetirement.REFUND else terms.extends


def months_of(asked: Asked, policy: Policy) -> int:
    """Return the length that is asked for, or the usual one."""
    return asked.months or _terms(policy).months[0]


_KEPT = frozenset(
    {
        Refusal.LEGAL_HOLD,
        Refusal.LICENSE_TERMINATED,
        Refusal.LICENSE_REVOKED,
        RenewalCode.RENEWAL_PRODUCT_RETIRED,
    }
)
"""The refusals under which a payment that was made is kept all the same."""


def _is_better(facts: RenewalFacts, old: Ruling, new: Ruling) -> bool:
    """Sentence 9."""
    if not (old.quote.allowed and new.quote.allowed):
        return better_of(old.quote, new.quote) is new.quote
    (price, ends), (later_price, later_ends) = _worth(facts, old), _worth(facts, new)
    if (price is None) != (later_price is None) or (price and later_price and price.currency != later_price.currency):
        return False
    gained = [months_of(new.asked, new.policy) - months_of(old.asked, old.policy)]
    gained += [(after > before) - (after < before) for before, after in zip(ends, later_ends, strict=True)]
    gained += [price.minor - later_price.minor] if price and later_price else []
    return min(gained) >= 0 and max(gained) > 0


def _worth(facts: RenewalFacts, ruling: Ruling) -> tuple[Money | None, tuple[datetime, ...]]:
    """Return the price of a renewal, where its terms tell one, and where it leaves the end of every clock."""
    terms = _terms(ruling.policy)
    before, after = _folded(facts, ruling.asked, terms)
    late = not _first(before, facts, terms).covers(ruling.asked.paid_at)
    lines = _lines(facts.prices, terms, late=late)
    price = Money(sum(minor for _, _, minor in lines), _basis(facts.prices, terms).currency) if lines else None
    return price, tuple(after.of(clock).until or _FOREVER for clock in Clock)


def _terms(policy: Policy) -> RenewalPolicy:
    if policy.renewal is None:
        raise BrokenInvariant("a renewal was worked out under terms that offer none")
    return policy.renewal


def _refusal(facts: RenewalFacts, asked: Asked, policy: Policy, now: datetime) -> Decision | None:
    """Return the first refusal of `PRECEDENCE`, or None."""
    terms = policy.renewal
    if terms is None:
        return deny(RenewalCode.RENEWAL_NOT_OFFERED, clauses=NOT_OFFERED, policy=policy.ref, now=now)
    found: tuple[Refusal | RenewalCode, Clauses, dict[str, object]] | None = None
    status = status_of(facts.license, now)
    if facts.is_trial or all(facts.history.included[clock].endless for clock in terms.extends):
        found = (Refusal.NOTHING_TO_RENEW, terms.clauses.term, {})
    elif status not in _RENEWED:
        found = (REFUSALS[status], standing(facts.license, policy, now).clauses, {"status": status.value})
    elif not extends_of(facts, asked, policy):
        since = instant(facts.retired_at)
        found = (RenewalCode.RENEWAL_PRODUCT_RETIRED, terms.clauses.retired, {"retired_at": since})
    elif not _is_channel_right(facts, asked, terms):
        found = (RenewalCode.RENEWAL_WRONG_CHANNEL, terms.clauses.channel, {"channel": facts.channel})
    elif asked.months is not None and asked.months not in terms.months:
        found = (RenewalCode.RENEWAL_MONTHS_NOT_OFFERED, terms.clauses.term, {"offered": list(terms.months)})
    if found is None:
        return None
    code, clauses, more = found
    return deny(code, clauses=clauses, policy=policy.ref, now=now, facts=more)


def _is_channel_right(facts: RenewalFacts, asked: Asked, terms: RenewalPolicy) -> bool:
    """Sentence 5."""
    if terms.channel is RenewalChannel.ANY or facts.channel in OWN or asked.channel in {None, facts.channel}:
        return True
    return terms.channel is RenewalChannel.ORIGINAL_UNLESS_CLOSED and facts.offline_at is not None


def _folded(facts: RenewalFacts, asked: Asked, terms: RenewalPolicy) -> tuple[Terms, Terms]:
    """Return the clocks without and with the payment that is asked about."""
    months = asked.months or terms.months[0]
    payment = Payment(_NEW, asked.paid_at, months, frozenset(terms.extends))
    return facts.history.fold(), facts.history.fold(payment)


def _first(folded: Terms, facts: RenewalFacts, terms: RenewalPolicy) -> Run:
    """Return the first clock of the terms that can be extended (sentence 6)."""
    return folded.of(next(clock for clock in terms.extends if not facts.history.included[clock].endless))


def _renewed(facts: RenewalFacts, shown: Mapping[str, object], policy: Policy, now: datetime) -> Decision:
    terms = _terms(policy)
    appended = shown["begins"] == "appended"
    code = RenewalCode.RENEWED_APPENDED if appended else RenewalCode.RENEWED_FROM_NOW
    clauses = terms.clauses.term + (terms.clauses.appended if appended else terms.clauses.from_now)
    return allow(code, clauses=clauses + _around(facts, terms), policy=policy.ref, now=now, facts=shown)


def _around(facts: RenewalFacts, terms: RenewalPolicy) -> Clauses:
    """Return what is cited beside the term and its price: the channel where it matters, the notice of an offline."""
    channel = () if terms.channel is RenewalChannel.ANY else terms.clauses.channel
    return channel + (() if facts.offline_at is None else terms.clauses.offline)


def _ends(facts: RenewalFacts, asked: Asked, policy: Policy, before: Terms, after: Terms) -> dict[str, object]:
    terms, zone = _terms(policy), facts.history.zone
    first = _first(after, facts, terms)
    mine = next((one for one in first.segments if one.payment == _NEW), None)
    clocks = {clock.value: _end(before.of(clock), after.of(clock), facts) for clock in terms.extends}
    return {
        "months": months_of(asked, policy),
        "paid_at": instant(asked.paid_at),
        "timezone": zone.key,
        "begins": "appended" if mine is not None and mine.appended else "from_now",
        "until": instant(first.until),
        "last_day": None if first.until is None else last_day(first.until, zone).isoformat(),
        "clocks": clocks,
    }


def _end(before: Run, after: Run, facts: RenewalFacts) -> dict[str, object]:
    until = after.until
    return {
        "before": instant(before.until),
        "until": instant(until),
        "last_day": None if until is None else last_day(until, facts.history.zone).isoformat(),
    }


def _lines(prices: Prices, terms: RenewalPolicy, *, late: bool) -> list[tuple[str, int, int]]:
    """Return the lines of the price as (what, percent, minor units), each rounded by itself (sentence 7)."""
    if terms.price_percent is None:
        return []
    basis = _basis(prices, terms).minor
    lines = [("renewal", terms.price_percent, percent_of(basis, terms.price_percent))]
    if late and terms.late_surcharge_percent:
        percent = terms.late_surcharge_percent
        lines.append(("late_surcharge", percent, percent_of(basis, percent)))
    return lines


def _basis(prices: Prices, terms: RenewalPolicy) -> Money:
    match terms.price_basis:
        case PriceBasis.LIST_TODAY:
            return prices.today
        case PriceBasis.PAID:
            return prices.paid
        case _:
            return prices.listed


def _price(prices: Prices, terms: RenewalPolicy, lines: list[tuple[str, int, int]]) -> dict[str, object]:
    basis = _basis(prices, terms)
    if not lines:
        return {"price": None, "price_minor": None, "currency": basis.currency, "lines": []}
    total = Money(sum(minor for _, _, minor in lines), basis.currency)
    told = [
        {"what": what, "percent": percent, "of": basis.display(), "amount": Money(minor, basis.currency).display()}
        for what, percent, minor in lines
    ]
    return {"price": total.display(), "price_minor": total.minor, "currency": basis.currency, "lines": told}
