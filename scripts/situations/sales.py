"""Buying, and the end of an account."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from scripts.situations.asking import BOUGHT, Topic, about, day
from tests.server.rules.facts import LICENSE
from tillkey_server.rules.account import SuspensionAsked, decide_suspension
from tillkey_server.rules.decision import Decision
from tillkey_server.rules.imported import Claimed, ImportFacts, decide_import
from tillkey_server.rules.order_line import CustomerType
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.sale import (
    Held,
    OffSale,
    Required,
    SaleFacts,
    decide_at_payment,
    decide_loss,
    decide_sale,
)
from tillkey_server.rules.termination import LeavingFacts, decide_end, decide_request

CORE = (Required("core", core=True),)


def _buy(policy: Policy, **more: Any) -> Decision:
    facts = SaleFacts(**{"product": "extension", "customer_type": CustomerType.PROFESSIONAL, **more})
    return decide_sale(facts, policy, day(400))


@about("sale")
def extension_without_core(policy: Policy) -> Decision:
    """An extension is put into the cart without its core."""
    return _buy(policy, requires=CORE)


@about("sale")
def extension_without_core_paid(policy: Policy) -> Decision:
    """An extension was paid for, and its core is missing."""
    return decide_at_payment(_buy(policy, requires=CORE), policy, day(400))


@about("sale")
def extension_after_the_core_s_support(policy: Policy) -> Decision:
    """An extension is bought when the support of its core has ended."""
    core = Held(UUID(int=2), frozenset({"core"}), trial=False, alive=True, support_until=day(365))
    return _buy(policy, requires=CORE, held=(core,))


@about("sale")
def core_refunded(policy: Policy) -> Decision:
    """The extension's core was refunded."""
    return decide_loss("core", LICENSE, policy, day(10))


@about("sale")
def a_private_buyer(policy: Policy) -> Decision:
    """A private person buys."""
    return _buy(policy, customer_type=CustomerType.CONSUMER)


@about("sale")
def offline_product(policy: Policy) -> Decision:
    """A product that is offline for a time is put into the cart."""
    return _buy(policy, off_sale=OffSale.OFFLINE)


@about("sale")
def an_earlier_purchase_code(policy: Policy) -> Decision:
    """A purchase code of an earlier marketplace is brought, with twelve months of support."""
    return decide_import(ImportFacts("envato", 12, Claimed.NOBODY), policy, day(10))


@about("account")
def key_shared(policy: Policy) -> Decision:
    """The license key was shared in a forum."""
    return decide_suspension(SuspensionAsked("pb_key_sharing", "a page of a forum", "agent"), policy, day(10))


@about("account")
def account_ended_by_its_owner(policy: Policy) -> Decision:
    """The customer asks for the end of the account."""
    return decide_request(True, LeavingFacts(), policy, BOUGHT)


@about("account")
def account_with_a_balance(policy: Policy) -> Decision:
    """The account is due to end, and 12 EUR are left in it."""
    return decide_end(LeavingFacts({"EUR": 1200}), False, policy, day(14))


TOPIC = Topic(
    "Sales and accounts",
    (
        extension_without_core,
        extension_without_core_paid,
        extension_after_the_core_s_support,
        core_refunded,
        a_private_buyer,
        offline_product,
        an_earlier_purchase_code,
        key_shared,
        account_ended_by_its_owner,
        account_with_a_balance,
    ),
)
