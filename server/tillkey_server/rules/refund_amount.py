"""How much goes back.

1. Amounts are integers of minor units. A refund is rounded once, half up, for each payment it comes from (K-07): not
   what was used is rounded, but what goes back.
2. A sum that is split over pieces is split by largest remainder, ties to the earlier piece (K-07).
3. No more goes back than was captured and is not back already (K-07, X-10).
4. Of a year, months of the subscription are counted from the day on which its chain began (K-05, K-06), which is where
   the license's clocks did: `used` are those of this term before the month of the request, or with it (CJ-20, CJ-21),
   and never more than the term has. The last day of the year before is courtesy, and moves no month.
5. A year that is sold as ten payments and two free months is divided by the ten (CJ-22), and after ten there is nothing
   left of it; else by the term's months.
6. Tax goes back only where the terms follow the law on it (CJ-08), from the stored line and by the price's share.
7. Renewals that have not begun go back with their product, a running one where the terms say so (BC-26, reading 3).
8. What was paid with a gift card or a coupon that is worth money goes back as one, and the rest as money (NX-31): each
   time by what is left of both, by largest remainder, an odd cent to the money. So all refunds of a price together give
   back exactly its coupon as coupon, and no more than was paid (K-07). Tax is always money.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from tillkey_server.rules.clocks import add_months
from tillkey_server.rules.order_line import LineKind
from tillkey_server.rules.refund_facts import Payment, RefundFacts, RenewalPayment
from tillkey_server.rules.refund_policy import Basis, ProrataPolicy, RefundPolicy, Started, TaxRefund


@dataclass(frozen=True, slots=True)
class Part:
    """What goes back of one payment; `coupon_minor` is what of `minor` goes back as a coupon."""

    line_id: UUID
    kind: LineKind
    minor: int
    tax_minor: int = 0
    coupon_minor: int = 0


@dataclass(frozen=True, slots=True)
class Sum:
    """What goes back in all."""

    parts: tuple[Part, ...]

    @property
    def minor(self) -> int:
        """Return the whole, tax included."""
        return sum(part.minor + part.tax_minor for part in self.parts)

    @property
    def tax_minor(self) -> int:
        """Return the tax of it."""
        return sum(part.tax_minor for part in self.parts)

    @property
    def coupon_minor(self) -> int:
        """Return what of it goes back as a coupon."""
        return sum(part.coupon_minor for part in self.parts)

    @property
    def money_minor(self) -> int:
        """Return what of it goes back as money."""
        return self.minor - self.coupon_minor

    def told(self, facts: RefundFacts) -> dict[str, object]:
        """Return it as decisions tell it: `amount` and `tax`, and `coupon` where there is one."""
        told: dict[str, object] = {"amount": facts.money(self.minor), "tax": facts.money(self.tax_minor)}
        return told | {"coupon": facts.money(self.coupon_minor)} if self.coupon_minor else told


@dataclass(frozen=True, slots=True)
class Months:
    """How many months of a term are used, and left."""

    term: int
    used: int

    @property
    def left(self) -> int:
        """Return the months that go back."""
        return self.term - self.used


def half_up(number: int, by: int) -> int:
    """Return a quotient of non-negative integers, rounded once, half up (sentence 1)."""
    return (2 * number + by) // (2 * by)


def piece_of(total: int, pieces: int, position: int) -> int:
    """Return the share of one piece; all shares together are the total (sentence 2)."""
    return total // pieces + (1 if position < total % pieces else 0)


def split(total: int, weights: tuple[int, ...]) -> tuple[int, ...]:
    """Split a total by weights, by largest remainder, ties to the earlier one; all of it is given out (sentence 2)."""
    whole = sum(weights)
    if not whole:
        return tuple(0 for _ in weights)
    shares = [total * weight // whole for weight in weights]
    order = sorted(range(len(weights)), key=lambda n: (-(total * weights[n] % whole), n))
    for n in order[: total - sum(shares)]:
        shares[n] += 1
    return tuple(shares)


def coupon_of(minor: int, left: int, coupon_left: int) -> int:
    """Return what of a price that goes back is coupon, by what is left of the price and of its coupon (sentence 8)."""
    return split(minor, (left - coupon_left, coupon_left))[1]


def months_of(start: datetime, at: datetime, terms: ProrataPolicy, zone: ZoneInfo, before: int = 0) -> Months:
    """Return how much of a term is used at `at` that began `before` months after `start` (sentence 4)."""
    anchor, day = start.astimezone(zone).date(), at.astimezone(zone).date()
    begun = sum(1 for month in range(1, terms.term_months + 1) if add_months(anchor, before + month) <= day)
    used = begun if terms.include_current_month else begun + 1
    return Months(terms.term_months, min(used, terms.term_months))


def rest_of(paid: int, months: Months, terms: ProrataPolicy) -> int:
    """Return what is left of a price (sentence 5)."""
    if terms.basis is Basis.PAID_MONTHS:
        return half_up(paid * max(0, terms.paid_months - months.used), terms.paid_months)
    return half_up(paid * months.left, months.term)


def whole(payment: Payment, terms: RefundPolicy | None) -> Part:
    """Return all that is left of a payment (sentences 3 and 6); without terms about tax, with it."""
    tax = payment.tax_left if terms is None or terms.tax is TaxRefund.PER_LAW else 0
    return Part(payment.line_id, payment.kind, payment.left, tax, payment.coupon_left)


def full_sum(facts: RefundFacts, terms: RefundPolicy, now: datetime) -> Sum:
    """Return the price of the product with what goes back beside it."""
    return Sum((whole(facts.purchase, terms), *beside(facts, terms, now)))


def beside(facts: RefundFacts, terms: RefundPolicy, now: datetime) -> tuple[Part, ...]:
    """Return what goes back along with a product: its add-ons, and its renewals (sentence 7)."""
    found: Iterable[Payment] = (
        *(one for one in facts.along if one.kind in terms.along and terms.excluded(one.kind) is None),
        *(one.payment for one in facts.renewals if _goes_back(one, terms, now)),
    )
    return tuple(whole(one, terms) for one in found if one.left or one.tax_left)


def rest_sum(
    facts: RefundFacts, terms: RefundPolicy, prorata: ProrataPolicy, at: datetime, zone: ZoneInfo
) -> tuple[Sum, Months]:
    """Return the rest of the term that runs at `at`, with later terms whole; and its months."""
    running = running_renewal(facts, at)
    if running is None:
        payment, start, before = facts.purchase, facts.counted_from or facts.paid_at, 0
    else:
        payment, start, before = running.payment, running.counted_from or running.starts_at, running.months_before
    months = months_of(start, at, prorata, zone, before)
    minor = min(rest_of(payment.minor, months, prorata), payment.left)
    tax = 0
    if terms.tax is TaxRefund.PER_LAW:
        tax = min(rest_of(payment.tax_minor, months, prorata), payment.tax_left)
    later = tuple(whole(one.payment, terms) for one in facts.renewals if at < one.starts_at)
    coupon = coupon_of(minor, payment.left, payment.coupon_left)
    return Sum((Part(payment.line_id, payment.kind, minor, tax, coupon), *later)), months


def running_renewal(facts: RefundFacts, at: datetime) -> RenewalPayment | None:
    """Return the renewal whose term runs at an instant; None where it is the purchase's own."""
    begun = [one for one in facts.renewals if one.starts_at <= at]
    return max(begun, key=lambda one: one.starts_at, default=None)


def last_renewal(facts: RefundFacts) -> RenewalPayment | None:
    """Return the renewal that was paid last; None where none was, or it is back: earlier ones stay paid (CJ-26)."""
    last = max(facts.renewals, key=lambda one: one.payment.paid_at, default=None)
    back = facts.renewal_back_paid_at
    return None if last is None or (back is not None and last.payment.paid_at <= back) else last


def some(most: Sum, minor: int) -> Sum:
    """Return an amount that a person set, split over prices and taxes by what is left of each (sentences 2, 6, 8)."""
    shares = iter(split(minor, tuple(left for part in most.parts for left in (part.minor, part.tax_minor))))
    return Sum(tuple(_some_of(part, next(shares), next(shares)) for part in most.parts))


def _some_of(most: Part, minor: int, tax_minor: int) -> Part:
    coupon = coupon_of(minor, most.minor, most.coupon_minor)
    return replace(most, minor=minor, tax_minor=tax_minor, coupon_minor=coupon)


def _goes_back(renewal: RenewalPayment, terms: RefundPolicy, now: datetime) -> bool:
    if terms.renewals is Started.KEEP_ALL or renewal.ends_at <= now:
        return False
    return now < renewal.starts_at or terms.renewals is Started.RUNNING_TOO
