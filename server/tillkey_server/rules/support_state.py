"""How a request and its clocks stand, as every answer about it shows.

1. A clock is due, met or breached; while it stands still it says for whom: a closure (BC-04), or the customer.
2. The banner tells live whether support runs (BC-18), of which product and for which site (BC-17): it is computed for
   each answer and never stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from tillkey_server.rules.decision import instant
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.standing import SERVED, LicenseFacts, status_of
from tillkey_server.rules.support_clock import ClockName, ClockTerms, RequestClock, clocks_of, waited_since
from tillkey_server.rules.support_code import SupportCode
from tillkey_server.rules.support_record import SupportRecord


class RequestState(StrEnum):
    """Where a request stands, the strongest first."""

    CLOSED = "closed"
    REFUSED = "refused"
    RESOLVED = "resolved"
    PRESALE = "presale"
    WAITING = "waiting_for_customer"
    OPEN = "open"


ENDED = frozenset({RequestState.CLOSED, RequestState.REFUSED, RequestState.RESOLVED})
"""The states in which nobody owes a request anything."""
_CODES: Mapping[ClockName, tuple[SupportCode, SupportCode, SupportCode]] = {
    ClockName.ACK: (SupportCode.SLA_ACK_DUE, SupportCode.SLA_ACK_MET, SupportCode.SLA_ACK_BREACHED),
    ClockName.REPLY: (
        SupportCode.SLA_FIRST_REPLY_DUE,
        SupportCode.SLA_FIRST_REPLY_MET,
        SupportCode.SLA_FIRST_REPLY_BREACHED,
    ),
    ClockName.RESOLVE: (SupportCode.SLA_RESOLVE_DUE, SupportCode.SLA_RESOLVE_MET, SupportCode.SLA_RESOLVE_BREACHED),
    ClockName.FIX: (SupportCode.SLA_FIX_DUE, SupportCode.SLA_FIX_MET, SupportCode.SLA_FIX_BREACHED),
}


def state_of(record: SupportRecord) -> RequestState:
    """Return where a request stands."""
    holds = (
        (RequestState.CLOSED, record.is_closed),
        (RequestState.REFUSED, record.is_refused),
        (RequestState.RESOLVED, record.solved_at is not None),
        (RequestState.PRESALE, record.is_presale),
        (RequestState.WAITING, waited_since(record) is not None),
    )
    return next((state for state, true in holds if true), RequestState.OPEN)


def code_of(clock: RequestClock, record: SupportRecord, now: datetime) -> SupportCode:
    """Return how a clock stands (sentence 1)."""
    due, met, breached = _CODES[clock.name]
    if clock.is_breached(now):
        return breached
    if clock.stopped_at is not None:
        return met
    if clock.is_paused:
        waiting = waited_since(record) is not None
        return SupportCode.SLA_PAUSED_CUSTOMER if waiting else SupportCode.SLA_PAUSED_VACATION
    return due


def shown_clocks(record: SupportRecord, terms: ClockTerms, now: datetime) -> list[dict[str, object]]:
    """Return a request's clocks as answers show them, with the zone and calendar by which they are counted (K-01)."""
    counted = terms.policy.calendar
    cited = () if counted is None else counted.clauses
    return [
        {
            "clock": clock.name.value,
            "code": code_of(clock, record, now).value,
            "due_at": instant(clock.due),
            "alarm_at": instant(clock.alarm_at),
            "stopped_at": instant(clock.stopped_at),
            "clauses": list(dict.fromkeys((*clock.clauses, *cited))),
            "timezone": terms.policy.timezone.key,
            "calendar": f"{terms.policy.name} {clock.version}",
        }
        for clock in clocks_of(record, terms, now)
    ]


def banner_of(
    license_: LicenseFacts | None, policy: Policy, now: datetime, *, product: str, site: str | None
) -> dict[str, object]:
    """Return what stands on top of a conversation: whether support runs at `now`, until when and for what (sentence 2).

    `site` is that of the license's project; None: it has none.
    """
    terms = None if policy.support is None else policy.support.banner
    until = None if license_ is None else license_.support_until
    runs = license_ is not None and (until is None or now < until)
    active = runs and license_ is not None and status_of(license_, now) in SERVED
    return {
        "active": active,
        "text": terms.text if terms is not None and active else None,
        "until": instant(until),
        "product": product,
        "site": site,
        "clauses": [] if terms is None else list(terms.clauses),
        "as_of": instant(now),
    }
