"""Section 8 of the clauses: nine topics on which the vendors differ, each cell of its table asked and compared.

The expected answers are written down by hand from that table, never from what the server says (docs/situations.md is).
A dash in the table is a vendor whose text is silent: the answer then is the one that the policy file adopts.
"""

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.server.rules.facts import DAY, LICENSE, POLICIES, a_license
from tests.server.rules.refund_facts import PAID, an_issue, asking, decide, facts
from tillkey_server.money import Money
from tillkey_server.rules.calendar import calendar_of
from tillkey_server.rules.clocks import clocks_at_issue, included_months, last_day
from tillkey_server.rules.decision import Decision
from tillkey_server.rules.issue_facts import Finding
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.renewal import Asked, Prices, RenewalFacts, decide_quote
from tillkey_server.rules.subscription import decide_start
from tillkey_server.rules.support import decide_support
from tillkey_server.rules.support_asked import SupportAsked
from tillkey_server.rules.support_clock import ClockTerms, clocks_of
from tillkey_server.rules.support_record import SupportRecord
from tillkey_server.rules.term import History, purchased
from tillkey_server.rules.update import ReleaseFacts, UpdateFacts, decide_release
from tillkey_server.rules.update_policy import ReleaseKind

NX, ZG, CJ, BC = "nexopos", "01generator", "crmjetty", "prestashop-care"
WHOLE = ("steps", "expected", "actual", "version", "fresh_install_checked", "problem", "store_access")
HUNDRED = Money(10000, "EUR")
FRIDAY = datetime(2026, 1, 2, 10, 0, tzinfo=UTC)
Cells = dict[str, object]


def by_mistake(policy: Policy) -> object:
    """Bought by mistake, asked on day 3: untouched, downloaded only, activated once."""
    touched: tuple[dict[str, int], ...] = ({}, {"downloads": 1}, {"downloads": 1, "activations_ever": 1})
    return tuple(
        decide(facts(policy, **one), asking("mistake", at=PAID + 3 * DAY), policy).decision.code.value
        for one in touched
    )


def support_term(policy: Policy) -> object:
    """The months that come with a purchase, those to choose from, and those with a support line of its own."""
    chosen = () if policy.terms is None else policy.terms.purchase_months
    lengths = tuple(included_months(policy, one).support for one in sorted(chosen))
    return included_months(policy).support, lengths, included_months(policy, support_lines=[None]).support


def _renewal(policy: Policy, *, late: bool, **more: Any) -> dict[str, object]:
    history = History(purchased(PAID, policy, 12), (), (), policy.timezone)
    assert policy.renewal is not None
    end = history.fold().of(policy.renewal.extends[0]).until
    assert end is not None
    at = end + 30 * DAY if late else end - DAY
    prices = Prices(listed=HUNDRED, paid=HUNDRED, today=HUNDRED)
    held = RenewalFacts(license=a_license(issued_at=PAID), history=history, prices=prices, channel="bazaar")
    told = decide_quote(held, Asked(at, **more), policy, at)
    return {"code": told.code.value, **told.facts}


def late_renewal(policy: Policy) -> object:
    """A month after the end: where it begins, what it costs, for which lengths, and outside the marketplace."""
    told = _renewal(policy, late=True)
    offered = () if policy.renewal is None else policy.renewal.months
    lengths = [
        one
        for one in (1, 3, 6, 12)
        if one in offered and _renewal(policy, late=True, months=one)["price"] == told["price"]
    ]
    elsewhere = _renewal(policy, late=True, channel="shop")["code"]
    return told["code"], told["begins"], told["price"], lengths, elsewhere


def early_renewal(policy: Policy) -> object:
    """A day before the end: where it begins, and whether it would come by itself each year."""
    return _renewal(policy, late=False)["begins"], decide_start(None, 12, None, policy, PAID + DAY).code.value


def _support(policy: Policy, task: str, at: datetime) -> Decision:
    held = a_license(issued_at=PAID, **asdict(clocks_at_issue(PAID, policy)))
    asked = SupportAsked(task, at, held, project="shop", supported_project="shop", described=WHOLE)
    return decide_support(asked, policy, at)


def hands_on(policy: Policy) -> object:
    told = _support(policy, "hands_on", PAID + 3 * DAY)
    return told.outcome.value, told.code.value, told.facts.get("remote_access"), told.facts.get("may_refuse")


def working_days(policy: Policy) -> object:
    """One working day from Christmas Eve of 2025, five from Saturday, 3 January 2026, and a request on a Saturday."""
    eve, saturday = datetime(2025, 12, 24, 10, 0, tzinfo=UTC), datetime(2026, 1, 3, 10, 0, tzinfo=UTC)
    ends = (calendar_of(policy).deadline(eve, 1), calendar_of(policy).deadline(saturday, 5))
    days = tuple(None if end is None else last_day(end, policy.timezone).isoformat() for end in ends)
    return (*days, _support(policy, {NX: "fix_issue"}.get(policy.name, "technical_issue"), PAID - 2 * DAY).code.value)


def destination(policy: Policy) -> object:
    """Where the money of a granted refund goes."""
    issue = an_issue(Finding.MALFUNCTION, at=PAID, fix_due=PAID + DAY, resolve_due=PAID + DAY)
    reasons = {NX: "mistake", ZG: "sla_breach", CJ: "defect", BC: "sla_breach"}
    told = decide(facts(policy, issue=issue), asking(reasons[policy.name], at=PAID + 3 * DAY), policy).decision
    return told.outcome.value, told.facts["amount"], told.facts["destination"]


def fix_promised(policy: Policy) -> object:
    """By when a fault of Friday, 2 January 2026 is corrected, and what a late fix gives."""
    record = SupportRecord(UUID(int=71), LICENSE, FRIDAY, task="technical_issue")
    clocks = {one.name.value: one for one in clocks_of(record, ClockTerms(policy), FRIDAY)}
    dues = {
        name: last_day(clock.due, policy.timezone).isoformat()
        for name, clock in clocks.items()
        if name in {"fix", "resolve"} and clock.due is not None
    }
    late = an_issue(at=PAID, fix_due=PAID + DAY)
    told = decide(facts(policy, issue=late), asking("sla_breach", at=PAID + 3 * DAY), policy).decision
    return dues, told.code.value


def updates(policy: Policy) -> object:
    """A release from before the end, one from after it, and one in time while the product is offline."""
    ends = clocks_at_issue(PAID, policy)
    end = ends.updates_until or PAID + timedelta(days=365)
    asked_for = ((end - DAY, end + DAY, "on_sale"), (end + DAY, end + 2 * DAY, "on_sale"), (end - DAY, end, "offline"))
    codes = []
    for published, now, product in asked_for:
        releases = (_release("1.0", PAID - DAY), _release("1.1", published))
        held = UpdateFacts(a_license(issued_at=PAID, **asdict(ends)), PAID, releases, is_bound=True, product=product)
        codes.append(decide_release(held, "1.1", policy, now - timedelta(seconds=1)).code.value)
    return tuple(codes)


def _release(version: str, at: datetime) -> ReleaseFacts:
    return ReleaseFacts(UUID(int=1), version, published_at=at, kind=ReleaseKind.FEATURE)


TABLE: dict[Callable[[Policy], object], Cells] = {
    by_mistake: {
        NX: ("ref_granted_mistake", "ref_granted_mistake", "ref_denied_mistake_activated"),
        ZG: ("ref_pending_review",) * 3,
        CJ: ("ref_denied_invalid_reason",) * 3,
        BC: ("ref_granted_marketplace", "ref_pending_seller", "ref_pending_seller"),
    },
    support_term: {
        NX: (12, (6, 12), 12),
        ZG: (3, (), 3),
        CJ: (0, (0, 0), 12),  # a length that is chosen is of the use; support is a line of its own
        BC: (12, (), 12),
    },
    late_renewal: {
        NX: ("renewal_quote", "from_now", None, [6, 12], "renewal_wrong_channel"),
        ZG: ("renewal_quote", "from_now", "30.00 EUR", [3], "renewal_quote"),
        CJ: ("renewal_quote", "from_now", None, [1, 12], "renewal_quote"),
        BC: ("reactivation_quote", "from_now", "135.00 EUR", [12], "reactivation_quote"),
    },
    early_renewal: {
        NX: ("appended", "subscription_not_offered"),
        ZG: ("appended", "subscription_not_offered"),
        CJ: ("appended", "subscription_started"),
        BC: ("appended", "subscription_started"),
    },
    hands_on: {
        NX: ("allow", "support_task_ok", {"needed": True, "after_finding": True}, None),
        ZG: ("deny", "nosup_hands_on", None, None),
        CJ: ("allow", "support_task_ok", {"needed": True, "after_finding": False}, None),
        BC: ("pend", "support_pending_review", None, ["nosup_hands_on"]),
    },
    working_days: {
        NX: ("2025-12-26", "2026-01-09", "outside_working_hours"),
        ZG: ("2025-12-29", "2026-01-12", "support_task_ok"),
        CJ: ("2025-12-25", "2026-01-09", "support_task_ok"),
        BC: ("2025-12-25", "2026-01-09", "support_task_ok"),
    },
    destination: {
        NX: ("allow", "100.00 EUR", "account_balance"),
        ZG: ("allow", "100.00 EUR", "original_method"),
        CJ: ("allow", "100.00 EUR", "original_method"),
        BC: ("allow", "100.00 EUR", "original_method"),
    },
    fix_promised: {
        NX: ({}, "ref_pending_review"),
        ZG: ({"fix": "2026-02-16"}, "ref_granted_sla_breach"),
        CJ: ({"resolve": "2026-01-09"}, "ref_pending_review"),
        BC: ({"fix": "2026-02-13"}, "ref_granted_sla_breach"),
    },
    updates: {
        NX: ("update_available", "update_support_expired", "update_available"),
        ZG: ("update_support_expired", "update_support_expired", "update_available"),
        CJ: ("update_not_offered",) * 3,
        BC: ("update_available", "update_support_expired", "update_available"),
    },
}
"""Each topic's question, and the answer of each vendor."""
CELLS = [(ask, vendor, expected) for ask, cells in TABLE.items() for vendor, expected in cells.items()]


@pytest.mark.parametrize(
    ("ask", "vendor", "expected"), CELLS, ids=[f"{ask.__name__}-{vendor}" for ask, vendor, _ in CELLS]
)
def test_each_vendors_own_answer_is_given(ask: Callable[[Policy], object], vendor: str, expected: object) -> None:
    assert ask(POLICIES[vendor]) == expected


def test_the_table_has_nine_topics_of_four_vendors() -> None:
    assert [len(TABLE), *{tuple(cells) for cells in TABLE.values()}] == [9, (NX, ZG, CJ, BC)]
