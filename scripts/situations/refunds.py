"""Money back: mistakes, defects, late answers, and what never goes back."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from scripts.situations.asking import BOUGHT, DAY, Topic, a_request, about, bought, day, known
from tests.server.rules.refund_facts import a_payment, a_renewal, asking
from tests.server.rules.refund_facts import facts as refund_facts
from tillkey_server.rules.calendar import calendar_of
from tillkey_server.rules.decision import Decision
from tillkey_server.rules.issue_facts import Finding, IssueFacts
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.refund import decide_refund
from tillkey_server.rules.refund_facts import EarlierRefund, Item
from tillkey_server.rules.refund_policy import Plan
from tillkey_server.rules.support_clock import ClockTerms, issue_of
from tillkey_server.rules.support_record import SupportEvent, SupportEventKind

_ANY = "any"
"""What terms call it that ask for no reason."""
PAYMENT = a_payment(8000)
BEFORE = EarlierRefund("ref_granted_by_person")
DEFECT = ("defect", "malfunction", "not_as_described", "sla_breach", _ANY)


def _ask(policy: Policy, at: datetime, *reasons: str, asked: dict[str, Any] | None = None, **more: Any) -> Decision:
    listed = () if policy.refund is None else tuple(one.name for one in policy.refund.reasons)
    facts = refund_facts(policy, **{"license": bought(policy), "purchase": PAYMENT, **more})
    return decide_refund(facts, asking(*known(reasons, listed), at=at, **(asked or {})), policy, at).decision


def _reported(policy: Policy, at: datetime, now: datetime, *findings: Finding, answered: bool = True) -> IssueFacts:
    """Return a request with what was found of it; `answered`: a person took it on the same day."""
    kind = SupportEventKind
    taken = [SupportEvent(kind.ACCEPTED, at + timedelta(hours=2), {"in_tool": True})] if answered else []
    found = [SupportEvent(kind.FINDING, at + DAY, {"finding": one.value}) for one in findings]
    return issue_of(a_request(*taken, *found, at=at), ClockTerms(policy), now)


def _after(policy: Policy, at: datetime, days: int) -> datetime:
    """Return the end of a working day, by the vendor's own calendar."""
    end = calendar_of(policy).deadline(at, days)
    assert end is not None
    return end


@about("refund")
def bought_by_mistake(policy: Policy) -> Decision:
    """Bought by mistake, never activated, asked on day 3."""
    return _ask(policy, day(3), "mistake", _ANY)


@about("refund")
def mistake_but_used(policy: Policy) -> Decision:
    """Bought by mistake, but downloaded and activated once, asked on day 3."""
    return _ask(policy, day(3), "mistake", _ANY, activations_ever=1, downloads=1)


@about("refund")
def mind_changed(policy: Policy) -> Decision:
    """In use, and the customer changed his mind on day 20."""
    return _ask(policy, day(20), "change_of_mind", _ANY, activations_ever=1, active=1, downloads=1)


@about("refund")
def mind_changed_by_a_consumer(policy: Policy) -> Decision:
    """A consumer changed his mind on day 10."""
    return _ask(policy, day(10), "change_of_mind", _ANY, is_consumer=True, activations_ever=1, downloads=1)


@about("refund")
def not_as_described(policy: Policy) -> Decision:
    """It is not what the page said, and the vendor found that true, on day 10."""
    asked: dict[str, Any] = {"findings": frozenset({Finding.NOT_AS_DESCRIBED, Finding.MISLED})}
    return _ask(policy, day(10), "not_as_described", "misled", "defect", _ANY, asked=asked)


@about("refund")
def not_as_described_too_late(policy: Policy) -> Decision:
    """The same on day 45."""
    asked: dict[str, Any] = {"findings": frozenset({Finding.NOT_AS_DESCRIBED, Finding.MISLED})}
    return _ask(policy, day(45), "not_as_described", "misled", "defect", _ANY, asked=asked)


@about("refund")
def defect_after_six_working_days(policy: Policy) -> Decision:
    """A defect, reported on day 2 and found true, is not solved six working days later."""
    now = _after(policy, day(2), 6)
    return _ask(policy, now, *DEFECT, issue=_reported(policy, day(2), now, Finding.MALFUNCTION))


@about("refund")
def fix_late(policy: Policy) -> Decision:
    """A fix is late: 31 working days have passed since the report."""
    now = _after(policy, day(2), 31)
    return _ask(policy, now, *DEFECT, issue=_reported(policy, day(2), now, Finding.MALFUNCTION))


@about("refund")
def nobody_answered(policy: Policy) -> Decision:
    """Nobody answered a request for support for six working days."""
    now = _after(policy, day(2), 6)
    issue = _reported(policy, day(2), now, answered=False)
    return _ask(policy, now, "no_support", "unanswered", "sla_breach", "defect", _ANY, issue=issue)


@about("refund")
def yearly_plan_in_month_5(policy: Policy) -> Decision:
    """A yearly plan; not satisfied, and an attempt to help was declined; asked back in month 5."""
    kind = SupportEventKind
    events = (SupportEvent(kind.ATTEMPT_OFFERED, day(122)), SupportEvent(kind.ATTEMPT_DECLINED, day(125)))
    issue = issue_of(a_request(*events, at=day(121)), ClockTerms(policy), day(130))
    return _ask(policy, day(130), "unsatisfied", "change_of_mind", _ANY, plan=Plan.ANNUAL, issue=issue)


@about("refund")
def renewal_regretted(policy: Policy) -> Decision:
    """A renewal that was paid with 100 EUR is asked back three days later."""
    paid = day(365)
    renewal = a_renewal(paid, paid + DAY, paid + 366 * DAY)
    return _ask(policy, paid + 3 * DAY, "cancel_renewal", _ANY, plan=Plan.ANNUAL, renewals=(renewal,))


@about("refund")
def core_asked_back(policy: Policy) -> Decision:
    """The vendor's core is asked back by mistake on day 3, never activated."""
    return _ask(policy, day(3), "mistake", "not_downloaded", _ANY, is_core=True)


@about("refund")
def source_changed_and_asked_back(policy: Policy) -> Decision:
    """A defect is found true on day 10, but the customer changed the source."""
    asked: dict[str, Any] = {"findings": frozenset({Finding.MALFUNCTION}), "found": ("code_modified",)}
    listed = () if policy.refund is None else tuple(one.name for one in policy.refund.reasons)
    if "code_modified" not in listed:
        del asked["found"]
    issue = _reported(policy, day(2), day(10), Finding.MALFUNCTION)
    return _ask(policy, day(10), *DEFECT, asked=asked, issue=issue)


@about("refund")
def customization_asked_back(policy: Policy) -> Decision:
    """A customization that was paid beside the product is asked back on day 3."""
    return _ask(policy, day(3), "mistake", _ANY, asked={"item": Item.CUSTOMIZATION})


@about("refund")
def tax_asked_back(policy: Policy) -> Decision:
    """The tax alone is asked back on day 3."""
    return _ask(policy, day(3), "mistake", _ANY, asked={"item": Item.TAX}, purchase=replace(PAYMENT, tax_minor=1520))


@about("refund")
def second_refund(policy: Policy) -> Decision:
    """Refunded once, bought again, never activated, asked back on day 3."""
    return _ask(policy, day(3), "mistake", "not_downloaded", _ANY, refunded_before=(BEFORE,))


@about("refund")
def stranger_asks(policy: Policy) -> Decision:
    """The request comes from another address than the customer's, on day 3, never activated."""
    asked: dict[str, Any] = {"sender_verified": False}
    return _ask(policy, day(3), "mistake", "not_downloaded", _ANY, asked=asked)


@about("refund")
def held_by_law(policy: Policy) -> Decision:
    """A copyright matter is before a court, and the price is asked back on day 3."""
    return _ask(policy, day(3), "mistake", "not_downloaded", _ANY, license=bought(policy, legal_hold_at=BOUGHT))


TOPIC = Topic(
    "Refunds",
    (
        bought_by_mistake,
        mistake_but_used,
        mind_changed,
        mind_changed_by_a_consumer,
        not_as_described,
        not_as_described_too_late,
        defect_after_six_working_days,
        fix_late,
        nobody_answered,
        yearly_plan_in_month_5,
        renewal_regretted,
        core_asked_back,
        source_changed_and_asked_back,
        customization_asked_back,
        tax_asked_back,
        second_refund,
        stranger_asks,
        held_by_law,
    ),
)
