"""Plain cases of a refund, from which each test changes what it is about."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from tests.server.rules.facts import LICENSE, POLICIES, a_license
from tillkey_server.policies.loader import bundled_policies, parse_policy
from tillkey_server.rules.clocks import refund_window
from tillkey_server.rules.issue_facts import Finding, IssueFacts
from tillkey_server.rules.order_line import LineKind
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.refund import Verdict, decide_refund
from tillkey_server.rules.refund_facts import Asked, Payment, RefundFacts, RenewalPayment
from tillkey_server.rules.refund_policy import RefundPolicy

NEXOPOS, CRMJETTY, ZG, BC = (POLICIES[name] for name in ("nexopos", "crmjetty", "01generator", "prestashop-care"))
PAID = datetime(2026, 1, 5, 10, 0, tzinfo=UTC)
LINE, ISSUE = UUID(int=70), UUID(int=71)


def terms(policy: Policy = CRMJETTY, **changed) -> Policy:
    """The policy with other terms for refunds."""
    return replace(policy, refund=replace(section(policy), **changed))


def section(policy: Policy) -> RefundPolicy:
    """What a policy says about refunds."""
    assert policy.refund is not None
    return policy.refund


def edited(name: str, *changes: tuple[str, str]) -> Policy:
    """A bundled policy whose text was edited, read as the server reads it."""
    text = bundled_policies()[name].source
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return parse_policy(text, f"{name}.toml").policy


def a_payment(minor: int = 10000, kind: LineKind = LineKind.PRODUCT, **more) -> Payment:
    return Payment(**({"line_id": LINE, "kind": kind, "paid_at": PAID, "minor": minor} | more))


def a_renewal(paid_at: datetime, starts_at: datetime, ends_at: datetime, minor: int = 10000, **more) -> RenewalPayment:
    payment = a_payment(minor, LineKind.RENEWAL, paid_at=paid_at, line_id=UUID(int=72), **more)
    return RenewalPayment(payment, starts_at, ends_at)


def facts(policy: Policy = CRMJETTY, **more) -> RefundFacts:
    purchase = more.pop("purchase", a_payment())
    is_in_days = policy.clocks.refund_days is not None
    until = refund_window(purchase.paid_at, policy, more.get("product_refund_days")) if is_in_days else None
    plain = {
        "license": a_license(issued_at=purchase.paid_at, refund_until=until),
        "currency": "EUR",
        "channel": "manual",
        "purchase": purchase,
    }
    return RefundFacts(**(plain | more))


def an_issue(*findings: Finding, at: datetime = PAID, **more) -> IssueFacts:
    return IssueFacts(
        **({"id": ISSUE, "license_id": LICENSE, "reported_at": at, "findings": frozenset(findings)} | more)
    )


def asking(*reasons: str, at: datetime = PAID, **more) -> Asked:
    return Asked(**({"asked_at": at, "reasons": reasons, "sender_verified": True, "by_email": True} | more))


def decide(found: RefundFacts, asked: Asked, policy: Policy = CRMJETTY, now: datetime | None = None) -> Verdict:
    return decide_refund(found, asked, policy, now or asked.asked_at)


def code(found: RefundFacts, asked: Asked, policy: Policy = CRMJETTY, now: datetime | None = None) -> str:
    return decide(found, asked, policy, now).decision.code.value
