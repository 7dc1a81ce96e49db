"""Devices under warranty, and work that is charged."""

from __future__ import annotations

from datetime import date
from typing import Any

from scripts.situations.asking import BOUGHT, Topic, about, day
from tillkey_server.rules.claim import ClaimFacts, IntakeFacts, decide_open, decide_quote
from tillkey_server.rules.decision import Decision
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.warranty import ContractFacts, CoverFacts, FindingFacts, Lists, decide_cover
from tillkey_server.rules.warranty_policy import Ground, StartBasis

CONTRACT = ContractFacts("C-1", date(2026, 1, 5), StartBasis.DELIVERY, 12)
"""What the sales contract says: a year from the delivery."""


def _cover(policy: Policy, number: int, *findings: FindingFacts, **more: Any) -> Decision:
    plain: dict[str, Any] = {"contract": CONTRACT, "reported_at": day(number), "sold_at": BOUGHT, "channel": "direct"}
    return decide_cover(CoverFacts(**(plain | {"findings": findings} | more)), Lists(), policy, day(number))


@about("warranty")
def a_board_failed(policy: Policy) -> Decision:
    """The device's board fails by itself in month 6."""
    return _cover(policy, 150, FindingFacts("board", Ground.QUALITY, True))


@about("warranty")
def hardware_fell_down(policy: Policy) -> Decision:
    """The hardware fell down, in warranty."""
    return _cover(policy, 150, FindingFacts("screen", Ground.ABNORMAL, True, "fall"))


@about("warranty")
def failed_after_the_warranty(policy: Policy) -> Decision:
    """The board fails in month 13."""
    return _cover(policy, 380, FindingFacts("board", Ground.QUALITY, True))


@about("warranty")
def no_contract(policy: Policy) -> Decision:
    """The board fails in month 6, and nobody finds the contract."""
    return _cover(policy, 150, FindingFacts("board", Ground.QUALITY, True), contract=None)


@about("warranty")
def from_a_gray_channel(policy: Policy) -> Decision:
    """The board fails in month 6, and the device was bought in a channel that is none of the vendor's."""
    return _cover(policy, 150, FindingFacts("board", Ground.QUALITY, True), channel="gray")


@about("quotes")
def development_wanted(policy: Policy) -> Decision:
    """Further development is wanted, and paid."""
    return decide_open(IntakeFacts("development", None, "a new report", None), (), policy, day(10))


@about("quotes")
def price_told(policy: Policy) -> Decision:
    """A repair is charged, and its price of 80 EUR is told."""
    return decide_quote(ClaimFacts("device", "S-1", "chargeable"), "80.00 EUR", None, policy, day(10))


TOPIC = Topic(
    "Devices and charged work",
    (
        a_board_failed,
        hardware_fell_down,
        failed_after_the_warranty,
        no_contract,
        from_a_gray_channel,
        development_wanted,
        price_told,
    ),
)
