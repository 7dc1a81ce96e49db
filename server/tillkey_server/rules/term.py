"""Where the clocks of a license end: a fold over what was paid, never an entry of its own.

1. The purchase is the first segment of each clock, and ends where the marketplace says that sold it (NX-44); a paid
   renewal is the next one, on the clocks that its terms name. A clock without an end is extended by nothing (X-01: each
   clock is folded by itself).
2. Segments are half-open (K-02). They are laid in the order of (`paid_at`, id), whenever they were told: the instant of
   the payment decides, even if that changes an end that was told before.
3. Paid before the end, a segment begins where the one before ends (ZG-04); its months are added to the anchor of the
   chain, with the sum of all months since (K-05), so that no day is lost.
4. Paid at the end or later, it begins with the payment and is a new chain, whose anchor is that day (ZG-03). The time
   between is not paid for.
5. A term ends with its last local day (K-06).
6. A refunded payment is as if it had never been paid: the others are folded without it.
7. An early ending cuts what was paid before it, running or not yet begun. What is paid from that instant on begins anew
   (sentence 4).
8. Where a suspension of the account pauses the clock of support, its end is moved by that (`rules.pause`), and what is
   paid before the moved end is appended to it; a fixed end, as a trial's or a marketplace's, stands.
9. The same set of facts has one result, in whatever order and however often they were told (I8).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from types import MappingProxyType
from uuid import UUID
from zoneinfo import ZoneInfo

from tillkey_server.rules.calendar import Wait
from tillkey_server.rules.clocks import add_months, first_instant, included_months, last_day
from tillkey_server.rules.pause import moved
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.term_policy import Clock
from tillkey_server.rules.trial import trial_clocks


@dataclass(frozen=True, slots=True)
class Included:
    """What the purchase itself gives one clock: `months` from `start`, or a fixed end, as a trial has.

    Neither: the clock has no end. 0 months: it is over at `start`.
    """

    start: datetime
    months: int | None = None
    fixed_end: datetime | None = None

    @property
    def endless(self) -> bool:
        """Tell whether nothing can extend the clock."""
        return self.months is None and self.fixed_end is None


@dataclass(frozen=True, slots=True)
class Payment:
    """One paid renewal, refunded or not, and the clocks that it extends."""

    id: UUID
    paid_at: datetime
    months: int
    clocks: frozenset[Clock]
    refunded_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Ending:
    """The instant at which clocks were ended before their time."""

    at: datetime
    clocks: frozenset[Clock]


@dataclass(frozen=True, slots=True)
class Segment:
    """One paid stretch of a clock, half-open; `payment` None is the purchase, `end` None has no end.

    `cut` tells that an early ending came before its own end. Its months are counted from `anchor`, the first day of its
    chain, of which `months_before` came before it; None: it has no months.
    """

    payment: UUID | None
    start: datetime
    end: datetime | None
    appended: bool = False
    cut: bool = False
    anchor: date | None = None
    months_before: int = 0

    def covers(self, at: datetime) -> bool:
        """Tell whether an instant lies within."""
        return self.start <= at and (self.end is None or at < self.end)


@dataclass(frozen=True, slots=True)
class Run:
    """One clock folded: its segments in order, and its exclusive end; None has none."""

    segments: tuple[Segment, ...]
    until: datetime | None

    def covers(self, at: datetime) -> bool:
        """Tell whether the clock ran at an instant, which may lie in a gap between two chains."""
        return any(segment.covers(at) for segment in self.segments)

    def ended_before(self, at: datetime) -> datetime | None:
        """Return when the clock had ended that did not run at an instant; None: it ran, or had not begun."""
        if self.covers(at):
            return None
        return max((one.end for one in self.segments if one.end is not None and one.end <= at), default=None)


@dataclass(frozen=True, slots=True)
class Terms:
    """Every clock of a license, folded."""

    runs: Mapping[Clock, Run] = field(default_factory=dict)

    def of(self, clock: Clock) -> Run:
        """Return one clock."""
        return self.runs[clock]

    @property
    def ends(self) -> dict[str, datetime | None]:
        """Return the exclusive ends by the names under which a license keeps them."""
        return {f"{clock.value}_until": self.runs[clock].until for clock in Clock}


@dataclass(frozen=True, slots=True)
class _Chain:
    """How far the fold has come: the anchor of the running chain with its months, and its end.

    `since` is from when a pause moves that end.
    """

    anchor: date
    months: int
    until: datetime
    since: datetime


@dataclass(frozen=True, slots=True)
class _Days:
    """How the end of a term is counted: in which zone, and beside which pauses."""

    zone: ZoneInfo
    pauses: tuple[Wait, ...]

    def end(self, anchor: date, months: int, since: datetime) -> datetime:
        """Return the exclusive end of months from an anchor (sentences 5 and 8)."""
        plain = first_instant(add_months(anchor, months) + timedelta(days=1), self.zone)
        return moved(plain, since, self.pauses, self.zone)


@dataclass(frozen=True, slots=True)
class History:
    """All facts about the terms of a license: what its purchase included, payments, early endings, and the zone.

    `pauses` are those of the support clock.
    """

    included: Mapping[Clock, Included]
    payments: tuple[Payment, ...]
    endings: tuple[Ending, ...]
    zone: ZoneInfo
    pauses: tuple[Wait, ...] = ()

    def fold(self, *extra: Payment) -> Terms:
        """Return the clocks as they are, or as they would be with payments that are not told yet."""
        return fold(self.included, (*self.payments, *extra), self.endings, self.zone, self.pauses)


def fold(
    included: Mapping[Clock, Included],
    payments: Iterable[Payment],
    endings: Iterable[Ending],
    zone: ZoneInfo,
    pauses: tuple[Wait, ...] = (),
) -> Terms:
    """Return where each clock ends and by which segments; `zone` is where the policy counts its dates (K-01).

    `pauses` are those of the support clock.
    """
    paid = sorted((one for one in payments if one.refunded_at is None), key=lambda one: (one.paid_at, one.id))
    ended = sorted(endings, key=lambda one: one.at)
    runs = {
        clock: _run(
            included[clock],
            [one for one in paid if clock in one.clocks],
            [one.at for one in ended if clock in one.clocks],
            _Days(zone, pauses if clock is Clock.SUPPORT else ()),
        )
        for clock in Clock
    }
    return Terms(MappingProxyType(runs))


def purchased(
    start: datetime, policy: Policy, chosen_months: int | None = None, support_lines: Iterable[int | None] = ()
) -> dict[Clock, Included]:
    """Return what a purchase gives each clock; `chosen_months` is the length that the buyer chose (NX-44).

    `support_lines` are the lengths of the support that was bought beside it (CJ-16).
    """
    months = included_months(policy, chosen_months, support_lines)
    return {
        Clock.USE: Included(start, months.use),
        Clock.UPDATES: Included(start, months.updates),
        Clock.SUPPORT: Included(start, months.support),
    }


def imported(start: datetime, policy: Policy, months: int, supported_until: datetime | None) -> dict[Clock, Included]:
    """Return what a purchase code gives each clock (`rules.imported`): updates go with the support that was chosen.

    `supported_until` is the marketplace's word on its end, where it gave one, and stands above the months.
    """
    told = Included(start, months) if supported_until is None else Included(start, fixed_end=supported_until)
    return {
        Clock.USE: Included(start, included_months(policy).use),
        Clock.UPDATES: told,
        Clock.SUPPORT: told,
    }


def tried(start: datetime, policy: Policy) -> dict[Clock, Included]:
    """Return what a trial gives each clock (`rules.trial`); its policy offers trials."""
    assert policy.trial is not None, "a trial was given under these terms"
    ends = trial_clocks(policy.trial, policy, start)
    return {
        Clock.USE: Included(start, fixed_end=ends.use_until),
        Clock.UPDATES: Included(start, fixed_end=ends.updates_until),
        Clock.SUPPORT: Included(start, fixed_end=ends.support_until),
    }


def _run(included: Included, paid: Iterable[Payment], ended: Iterable[datetime], days: _Days) -> Run:
    if included.endless:
        return _endless(included, ended)
    chain, segments = _first(included, days)
    for at, payment in _in_order(paid, ended):
        if payment is None:
            segments = list(_cut(segments, at))
            chain = replace(chain, until=min(chain.until, max(at, included.start)))
            continue
        chain, segment = _laid(chain, payment, days)
        segments.append(segment)
    return Run(tuple(segments), chain.until)


def _first(included: Included, days: _Days) -> tuple[_Chain, list[Segment]]:
    """Return the chain that the purchase begins, and its segment where it includes any time."""
    start, fixed = included.start, included.fixed_end
    anchor = start.astimezone(days.zone).date()
    if fixed is not None:
        chain = _Chain(last_day(fixed, days.zone), 0, fixed, fixed)
    elif included.months:
        chain = _Chain(anchor, included.months, days.end(anchor, included.months, start), start)
    else:
        return _Chain(anchor, 0, start, start), []
    return chain, [Segment(None, start, chain.until)]


def _endless(included: Included, ended: Iterable[datetime]) -> Run:
    """Return a clock without an end, or cut by the first early ending; nothing extends it."""
    first = min(ended, default=None)
    if first is None:
        return Run((Segment(None, included.start, None),), None)
    return Run(tuple(_cut([Segment(None, included.start, None)], first)), max(first, included.start))


def _in_order(paid: Iterable[Payment], ended: Iterable[datetime]) -> Iterator[tuple[datetime, Payment | None]]:
    """Yield payments and endings by time; an ending comes before what is paid at its instant (sentence 7)."""
    facts: list[tuple[datetime, Payment | None]] = [
        *((at, None) for at in ended),
        *((one.paid_at, one) for one in paid),
    ]
    yield from sorted(facts, key=lambda fact: fact[0])


def _laid(chain: _Chain, payment: Payment, days: _Days) -> tuple[_Chain, Segment]:
    """Lay one payment behind the chain, or as a new one (sentences 3 and 4)."""
    appended = payment.paid_at < chain.until
    if appended:
        anchor, before, start, since = chain.anchor, chain.months, chain.until, chain.since
    else:
        anchor, before, start = payment.paid_at.astimezone(days.zone).date(), 0, payment.paid_at
        since = start
    months = before + payment.months
    until = days.end(anchor, months, since)
    segment = Segment(payment.id, start, until, appended, anchor=anchor, months_before=before)
    return _Chain(anchor, months, until, since), segment


def _cut(segments: Iterable[Segment], at: datetime) -> Iterator[Segment]:
    """Yield what an early ending leaves of the segments before it."""
    for one in segments:
        if one.end is not None and one.end <= at:
            yield one
        elif one.start < at:
            yield replace(one, end=at, cut=True)
