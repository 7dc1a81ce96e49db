"""Requests for help: tasks, grounds to refuse, and when they come."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from scripts.situations.asking import Topic, about, bought, day, known
from tests.server.rules.facts import LICENSE
from tillkey_server.rules.decision import Decision
from tillkey_server.rules.install_credit import CreditFacts
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.support import decide_support
from tillkey_server.rules.support_asked import SupportAsked
from tillkey_server.rules.support_policy import Ground
from tillkey_server.rules.update_offer import OfferFacts, decide_offer

SHOP, OTHER = "shop", "other"
PAGE = {"platform": {"from": "1.7", "to": "8.1"}, "features": ["import"]}
"""What the product's page promised on the day of the purchase."""
ONE_LEFT = CreditFacts(LICENSE, day(0), used_at=None, alive=True)
WHOLE = ("steps", "expected", "actual", "version", "fresh_install_checked", "problem", "store_access")


def _ask(policy: Policy, *tasks: str, **facts: Any) -> Decision:
    """Put a complete request of day 30, a Wednesday, within working hours everywhere unless told otherwise."""
    listed = () if policy.support is None else policy.support.tasks
    task = known(tasks or ("technical_issue", "fix_issue"), listed)[0]
    plain: dict[str, Any] = {
        "received_at": day(30),
        "license": bought(policy),
        "project": SHOP,
        "supported_project": SHOP,
        "described": WHOLE,
    }
    asked = SupportAsked(task, **(plain | facts))
    return decide_support(asked, policy, asked.received_at)


@about("support")
def a_plain_fault(policy: Policy) -> Decision:
    """A fault of the product, completely described, on day 30."""
    return _ask(policy)


@about("support")
def asked_after_the_end(policy: Policy) -> Decision:
    """The same on day 400, after support ended and without a renewal."""
    return _ask(policy, received_at=day(400))


@about("support")
def asked_before_the_purchase(policy: Policy) -> Decision:
    """A question before the purchase."""
    return _ask(policy, license=None, presale=True)


@about("support")
def no_project_named(policy: Policy) -> Decision:
    """The request does not say for which project it is."""
    return _ask(policy, project=None)


@about("support")
def of_another_project(policy: Policy) -> Decision:
    """The license moved to another project, and help is asked for there."""
    return _ask(policy, project=OTHER)


@about("support")
def of_another_user(policy: Policy) -> Decision:
    """Somebody else than the owner asks."""
    return _ask(policy, by_owner=False)


@about("support")
def on_another_site(policy: Policy) -> Decision:
    """Help is asked for a site that the license is not for."""
    return _ask(policy, same_site=False)


@about("support")
def hands_on(policy: Policy) -> Decision:
    """A request for help with a hands-on task on the customer's machine."""
    return _ask(policy, "hands_on")


@about("support")
def custom_development(policy: Policy) -> Decision:
    """A function shall be developed for this customer."""
    return _ask(policy, "custom_development")


@about("support")
def first_installation(policy: Policy) -> Decision:
    """The vendor shall install the product, for the first time."""
    return _ask(policy, "install_service", "install", "install_advice", credits=(ONE_LEFT,))


@about("support")
def version_not_advertised(policy: Policy) -> Decision:
    """The platform's version was not advertised at the purchase."""
    return _ask(policy, platform_version="9.0", advertised=PAGE)


@about("support")
def feature_not_advertised(policy: Policy) -> Decision:
    """Help with a feature that the page did not name."""
    return _ask(policy, feature="export", advertised=PAGE, platform_version="8.1")


@about("support")
def source_changed(policy: Policy) -> Decision:
    """The customer changed the source."""
    return _ask(policy, found={Ground.CODE_MODIFIED: "a changed file"})


@about("support")
def not_the_product_alone(policy: Policy) -> Decision:
    """The fault comes from the product together with a theme."""
    return _ask(policy, causes=("product", "theme"))


@about("support")
def another_service_is_down(policy: Policy) -> Decision:
    """The fault is that of a payment service that the product calls."""
    return _ask(policy, found={Ground.THIRD_PARTY_SERVICE: "the service answers 503"}, causes=("service",))


@about("support")
def nothing_described(policy: Policy) -> Decision:
    """The request says no more than that it does not work."""
    return _ask(policy, described=())


@about("support")
def on_a_saturday_night(policy: Policy) -> Decision:
    """The request comes on a Saturday night."""
    return _ask(policy, received_at=day(26) + timedelta(hours=12))


@about("support")
def update_newer_than_the_request(policy: Policy) -> Decision:
    """An update that came out ten days after the request is offered as its solution."""
    offered = OfferFacts("2.0", day(30), day(41), published_at=day(40), is_paid=False)
    return decide_offer(offered, policy, day(41))


TOPIC = Topic(
    "Requests for support",
    (
        a_plain_fault,
        asked_after_the_end,
        asked_before_the_purchase,
        no_project_named,
        of_another_project,
        of_another_user,
        on_another_site,
        hands_on,
        custom_development,
        first_installation,
        version_not_advertised,
        feature_not_advertised,
        source_changed,
        not_the_product_alone,
        another_service_is_down,
        nothing_described,
        on_a_saturday_night,
        update_newer_than_the_request,
    ),
)
