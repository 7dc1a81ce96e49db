"""Support that runs and ends, and its renewal."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from scripts.situations.asking import BOUGHT, DAY, Topic, about, bought, day, history, run_of
from tillkey_server.money import Money
from tillkey_server.rules.care import CareFacts, decide_care
from tillkey_server.rules.decision import Decision
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.renewal import Asked, Prices, RenewalFacts, decide_payment, decide_quote
from tillkey_server.rules.subscription import SubscriptionFacts, decide_cancel, decide_start
from tillkey_server.rules.term_policy import Clock

YEAR = timedelta(days=365)
PRICES = Prices(listed=Money(10000, "EUR"), paid=Money(8000, "EUR"), today=Money(12000, "EUR"))
"""The list price of 100 EUR, 20 of them off on the day of the purchase; today the list says 120."""


def _end(policy: Policy) -> datetime:
    """Return when the first clock ends that a renewal extends; a year after the purchase where none ends."""
    clocks = (Clock.SUPPORT,) if policy.renewal is None else policy.renewal.extends
    return run_of(policy, clocks[0]).until or BOUGHT + YEAR


def _facts(policy: Policy, **more: Any) -> RenewalFacts:
    return RenewalFacts(
        **{
            "license": bought(policy),
            "history": history(policy),
            "prices": PRICES,
            "channel": "bazaar",
            **more,
        }
    )


def _quote(policy: Policy, at: datetime, asked: Asked | None = None, **more: Any) -> Decision:
    return decide_quote(_facts(policy, **more), asked or Asked(at), policy, at)


@about("clocks")
def support_on_day_100(policy: Policy) -> Decision:
    """Is support active 100 days after the purchase?"""
    facts = CareFacts(bought(policy), run_of(policy, Clock.SUPPORT), "pos")
    return decide_care(facts, day(100), policy, day(100))


@about("renewal")
def renewed_one_day_before_the_end(policy: Policy) -> Decision:
    """Renewed one day before support ends."""
    return _quote(policy, _end(policy) - DAY)


@about("renewal")
def renewed_a_year_after_the_end(policy: Policy) -> Decision:
    """Renewed a year after it ended."""
    return _quote(policy, _end(policy) + YEAR)


@about("renewal")
def renewed_for_six_months(policy: Policy) -> Decision:
    """Renewed in time, but for six months."""
    at = _end(policy) - DAY
    return _quote(policy, at, Asked(at, months=6))


@about("renewal")
def renewed_elsewhere(policy: Policy) -> Decision:
    """Bought on a marketplace, renewed in the vendor's own shop."""
    at = _end(policy) - DAY
    return _quote(policy, at, Asked(at, channel="shop"))


@about("renewal")
def renewed_while_offline(policy: Policy) -> Decision:
    """Renewed while the product is offline for a time."""
    at = _end(policy) - DAY
    return _quote(policy, at, offline_at=at - 30 * DAY)


@about("renewal")
def paid_after_retirement(policy: Policy) -> Decision:
    """A renewal is paid two days after the product was retired."""
    at = _end(policy) - DAY
    return decide_payment(_facts(policy, retired_at=at - 2 * DAY), Asked(at), policy, at)


@about("subscription")
def renews_by_itself(policy: Policy) -> Decision:
    """Support shall be renewed each year by itself."""
    return decide_start(None, 12, None, policy, day(10))


@about("subscription")
def stops_in_the_fifth_month(policy: Policy) -> Decision:
    """A renewal by itself each year is cancelled in the fifth month."""
    due = BOUGHT + YEAR
    held = SubscriptionFacts(bought(policy), 12, 1, due, access_until=due)
    return decide_cancel(None if policy.subscription is None else held, policy, day(140))


TOPIC = Topic(
    "Support and renewals",
    (
        support_on_day_100,
        renewed_one_day_before_the_end,
        renewed_a_year_after_the_end,
        renewed_for_six_months,
        renewed_elsewhere,
        renewed_while_offline,
        paid_after_retirement,
        renews_by_itself,
        stops_in_the_fifth_month,
    ),
)
