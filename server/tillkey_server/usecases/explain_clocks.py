"""The four clocks of an explanation: their stretches, which payment each came from, and what was taken out (X-01)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.rules.access import Scope
from tillkey_server.rules.calendar import Wait
from tillkey_server.rules.citation import Clauses
from tillkey_server.rules.clocks import last_day
from tillkey_server.rules.decision import instant
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.term import Segment
from tillkey_server.rules.term_policy import Clock
from tillkey_server.store import terms
from tillkey_server.store.licenses import LicenseRow
from tillkey_server.store.orders import OrderLineRow, OrderRow
from tillkey_server.store.terms import EndingRow, TermRow
from tillkey_server.usecases.care import payment_shown, payments_of, segment_shown
from tillkey_server.usecases.renewal_facts import Gathered
from tillkey_server.words.catalogue import phrase

REFUND = "refund"
"""The clock that no payment extends (ZG-18)."""
PAUSED = frozenset({Clock.SUPPORT.value, REFUND})
"""The clocks that a suspension of the account pauses where the terms say so (NX-42)."""


@dataclass(frozen=True, slots=True)
class Paid:
    """What the clocks of a license follow from: its payments as they are shown, and its early endings.

    `payments` has the purchase under None; a payment of another customer is None (I13).
    """

    payments: Mapping[UUID | None, dict[str, object] | None]
    terms: tuple[TermRow, ...]
    endings: tuple[EndingRow, ...]


async def paid_of(tx: AsyncConnection, row: LicenseRow, found: Gathered, scope: Scope) -> Paid:
    """Read the payments of a license as a caller sees them."""
    order, line = found.bought.order, found.bought.line
    payments: dict[UUID | None, dict[str, object] | None] = {}
    payments[None] = _payment(order, line, order.paid_at, line.term_months, scope)
    renewals = await terms.of_license(tx, row.id)
    for one, by, paid in await payments_of(tx, renewals):
        payments[one.id] = _payment(by, paid, one.paid_at, one.months, scope)
    return Paid(payments, tuple(renewals), tuple(await terms.endings_of(tx, row.id)))


def clocks_told(row: LicenseRow, found: Gathered, paid: Paid, now: datetime, language: str) -> dict[str, object]:
    """Return the four clocks, ready for JSON; `words` are in a language."""
    policy, folded = found.sold_under, found.facts.history.fold()
    cited = policy.clocks.clauses
    start = row.clocks_from or found.bought.order.paid_at
    ends = {
        Clock.USE.value: (row.use_until, cited.use, folded.of(Clock.USE).segments),
        Clock.UPDATES.value: (row.updates_until, cited.updates, folded.of(Clock.UPDATES).segments),
        Clock.SUPPORT.value: (row.support_until, cited.support, folded.of(Clock.SUPPORT).segments),
        REFUND: (row.refund_until, cited.refund, _refund(start, row.refund_until)),
    }
    pauses = found.facts.history.pauses
    paused = () if policy.account is None or not pauses else policy.account.clauses.suspension
    return {
        name: {
            **_clock(until, clauses + (paused if name in PAUSED else ()), policy, now),
            "pauses": [_pause(one) for one in pauses] if name in PAUSED else [],
            "words": _words(name, until, segments, policy, now, language),
            "segments": [{**segment_shown(one, policy), "payment": paid.payments.get(one.payment)} for one in segments],
            **_taken_out(name, paid),
        }
        for name, (until, clauses, segments) in ends.items()
    }


def _refund(start: datetime, until: datetime | None) -> tuple[Segment, ...]:
    return (Segment(None, start, until),) if until is None or start < until else ()


def _clock(until: datetime | None, clauses: Clauses, policy: Policy, now: datetime) -> dict[str, object]:
    return {
        "until": instant(until),
        "last_day": None if until is None else last_day(until, policy.timezone).isoformat(),
        "running": until is None or now < until,
        "clauses": list(clauses),
    }


def _pause(pause: Wait) -> dict[str, object]:
    return {"starts_at": instant(pause.start), "ends_at": instant(pause.end)}


def _words(
    name: str, until: datetime | None, segments: tuple[Segment, ...], policy: Policy, now: datetime, language: str
) -> str:
    clock = phrase(f"clock_{name}", language)
    if until is None:
        return phrase("clock_endless", language, clock=clock)
    if not segments:
        return phrase("clock_nothing", language, clock=clock)
    how = "clock_running" if now < until else "clock_over"
    return phrase(how, language, clock=clock, last_day=last_day(until, policy.timezone).isoformat())


def _taken_out(name: str, paid: Paid) -> dict[str, object]:
    """Return the payments of a clock that went back, and what ended it early."""
    back = [one for one in paid.terms if name in one.clocks and one.refunded_at is not None]
    ended = [one for one in paid.endings if name in one.clocks]
    return {
        "taken_out": [
            {
                "renewal_id": str(one.id),
                "payment": paid.payments.get(one.id),
                "refunded_at": instant(one.refunded_at),
            }
            for one in back
        ],
        "endings": [
            {"at": instant(one.at), "reason": one.reason, "withdrawn_at": instant(one.withdrawn_at)} for one in ended
        ],
    }


def _payment(
    order: OrderRow, line: OrderLineRow, paid_at: datetime, months: int | None, scope: Scope
) -> dict[str, object] | None:
    if not scope.admits_customer(order.customer_id):
        return None
    return {**payment_shown(order, line), "months": months, "paid_at": instant(paid_at)}
