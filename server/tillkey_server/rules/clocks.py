"""The four clocks of a license, set at purchase: use, updates, support, refund (X-01).

1. The four are counted apart and none implies another.
2. Dates are counted in the policy's time zone (K-01); a clock is stored as its exclusive end (K-02).
3. Months are added to the purchase's local date, as an anchor, and clamped to the month's end; the last day is that
   date (K-05).
4. A term ends with its last local day: at the first instant of the next local date, daylight saving included (K-06).
5. "Within n days": the day of the purchase is day 0 and the last good day is day n (K-03). The terms may count the days
   of the refund window as elapsed instead: n times 24 hours from the payment, half-open (K-02).
6. Use of 0 months is perpetual (None). Support or updates of 0 months are over at the purchase, without end they are
   None. A refund window of 0 days is closed at the purchase; where the vendor's text has none, it is None.
7. All are counted from the payment, not from the delivery or the first activation (NX-14).
8. A product's own refund window, as it was at the sale (CJ-01), stands in place of that of the terms; one of 0 days
   does not where the terms promise refunds of all products.
9. A length that the buyer chose (NX-44) is that of the clocks which the terms let him choose it for.
10. Where support is sold apart (CJ-16), each support line that was bought beside the product adds its months to the
    support clock: those that it tells, else those of the terms. Other terms take such a line for money alone.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from tillkey_server.rules.policy import Policy, WindowBoundary
from tillkey_server.rules.term_policy import Clock


@dataclass(frozen=True, slots=True)
class Clocks:
    """Exclusive ends, aware UTC, whole seconds; None has no end."""

    use_until: datetime | None
    updates_until: datetime | None
    support_until: datetime | None
    refund_until: datetime | None


@dataclass(frozen=True, slots=True)
class IncludedMonths:
    """How many months a purchase gives each clock; 0: none, None: without end."""

    use: int | None
    updates: int | None
    support: int | None


def included_months(
    policy: Policy, chosen_months: int | None = None, support_lines: Iterable[int | None] = ()
) -> IncludedMonths:
    """Return what is included in a purchase (sentences 6, 9 and 10); `chosen_months` None: nothing was chosen.

    `support_lines` are the lengths of the support lines beside it, None where a line tells none.
    """
    terms = policy.clocks
    chosen = () if policy.terms is None or chosen_months is None else policy.terms.purchase_clocks
    support = chosen_months if Clock.SUPPORT in chosen else terms.support_months
    each = None if policy.terms is None else policy.terms.support_line_months
    if each is not None and support is not None:
        support += sum(each if told is None else told for told in support_lines)
    return IncludedMonths(
        chosen_months if Clock.USE in chosen else terms.use_months or None,
        chosen_months if Clock.UPDATES in chosen else terms.updates_months,
        support,
    )


def clocks_at_issue(
    paid_at: datetime,
    policy: Policy,
    chosen_months: int | None = None,
    own_days: int | None = None,
    support_lines: Iterable[int | None] = (),
) -> Clocks:
    """Return the four ends for what was paid at `paid_at`, with the support that the buyer chose, if any.

    `own_days` is the product's own refund window; None: it has none. `support_lines` are as `included_months` takes
    them.
    """
    months = included_months(policy, chosen_months, support_lines)
    return Clocks(
        use_until=_included(paid_at, months.use, policy.timezone),
        updates_until=_included(paid_at, months.updates, policy.timezone),
        support_until=_included(paid_at, months.support, policy.timezone),
        refund_until=refund_window(paid_at, policy, own_days),
    )


def refund_window(paid_at: datetime, policy: Policy, own_days: int | None = None) -> datetime | None:
    """Return the exclusive end of the refund window of what was paid at `paid_at` (sentences 6 and 8)."""
    terms, zone = policy.clocks, policy.timezone
    is_promised = policy.refund is not None and policy.refund.refund_all_products
    if own_days is not None and not (own_days == 0 and is_promised):
        return paid_at if own_days == 0 else refund_days_end(paid_at, own_days, policy)
    if terms.refund_months is not None:
        return months_end(paid_at, terms.refund_months, zone)
    if terms.refund_days is None:
        return None
    return paid_at if terms.refund_days == 0 else refund_days_end(paid_at, terms.refund_days, policy)


def add_months(anchor: date, months: int) -> date:
    """Return the anchor's day `months` later, clamped to the month's end (K-05).

    Never chain: add the sum of all months to the first anchor.
    """
    year, month0 = divmod(anchor.year * 12 + anchor.month - 1 + months, 12)
    return date(year, month0 + 1, min(anchor.day, monthrange(year, month0 + 1)[1]))


def months_end(start: datetime, months: int, zone: ZoneInfo) -> datetime:
    """Return the exclusive end of a term of whole months that begins at `start`."""
    return first_instant(add_months(start.astimezone(zone).date(), months) + timedelta(days=1), zone)


def days_end(start: datetime, days: int, zone: ZoneInfo) -> datetime:
    """Return the exclusive end of a window of `days` days in which the day of `start` is day 0 (K-03)."""
    return first_instant(start.astimezone(zone).date() + timedelta(days=days + 1), zone)


def refund_days_end(paid_at: datetime, days: int, policy: Policy) -> datetime:
    """Return the exclusive end of a refund window of `days` days, counted as the terms count them (sentence 5)."""
    if policy.clocks.window_boundary is WindowBoundary.ELAPSED:
        return paid_at + timedelta(days=days)
    return days_end(paid_at, days, policy.timezone)


def first_instant(day: date, zone: ZoneInfo) -> datetime:
    """Return the first instant of a local date as UTC.

    Where the clocks jump over midnight that is the jump itself: `fold=0` reads a missing time with the offset before
    it.
    """
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def last_day(until: datetime, zone: ZoneInfo) -> date:
    """Return the last good local date of an exclusive end, as people are told it (K-02)."""
    return (until - timedelta(seconds=1)).astimezone(zone).date()


def _included(paid_at: datetime, months: int | None, zone: ZoneInfo) -> datetime | None:
    if months is None:
        return None
    return paid_at if months == 0 else months_end(paid_at, months, zone)
