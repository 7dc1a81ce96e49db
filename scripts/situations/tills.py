"""Tills: second ones, staging, other projects, machines that died."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from scripts.situations.asking import DAY, NOW, Topic, about, bought
from tests.server.rules.facts import HOUR, MACHINE, OTHER_SHOP, SHOP, a_holder, an_activation
from tillkey_server.rules.activation import decide_activation, slot_of
from tillkey_server.rules.activation_facts import ActivationFacts
from tillkey_server.rules.binding import PRODUCTION, binds
from tillkey_server.rules.decision import Decision
from tillkey_server.rules.forced_deactivation import ForcedFacts, PastForced
from tillkey_server.rules.forced_deactivation import decide as decide_forced
from tillkey_server.rules.move import decide_move
from tillkey_server.rules.policy import Policy


def _activate(policy: Policy, **facts: Any) -> Decision:
    asked: ActivationFacts = an_activation(**{"license": bought(policy), **facts})
    return decide_activation(asked, policy, NOW).decision


def _forced(policy: Policy, *ago: int, **facts: Any) -> Decision:
    past = tuple(PastForced(NOW - days * DAY, counted=True) for days in ago)
    plain = ForcedFacts(ended=False, last_seen_at=NOW - 30 * DAY, past=past, reason="the server died")
    return decide_forced(replace(plain, **facts), policy, NOW)


@about("activation")
def a_second_till(policy: Policy) -> Decision:
    """A second till is opened in the same shop while the first one sells."""
    return _activate(policy, holders=(a_holder(),))


@about("activation")
def staging_beside_production(policy: Policy) -> Decision:
    """A second installation, on staging, while production sells."""
    return _activate(policy, environment="staging", holders=(a_holder(),))


@about("activation")
def production_while_staging_runs(policy: Policy) -> Decision:
    """Production begins while the staging installation is still active."""
    return _activate(policy, holders=(a_holder(environment="staging", slot=slot_of("staging", policy)),))


@about("activation")
def another_project_after_production(policy: Policy) -> Decision:
    """Used in production for one shop and deactivated; now activated for another shop."""
    bound = SHOP if binds(None, PRODUCTION, policy.activation) else None
    return _activate(policy, bound_project_id=bound, project_id=OTHER_SHOP, project_name="Other Shop")


@about("activation")
def another_project_after_staging(policy: Policy) -> Decision:
    """Tried on staging for one shop and deactivated; now activated for another shop."""
    bound = SHOP if binds(None, "staging", policy.activation) else None
    return _activate(policy, bound_project_id=bound, project_id=OTHER_SHOP, project_name="Other Shop")


@about("activation")
def another_address(policy: Policy) -> Decision:
    """The same project, in production, but the shop is reached under another address than before."""
    return _activate(policy, bound_project_id=SHOP, bound_site="shop.example", site="other.example")


@about("takeover")
def a_new_board(policy: Policy) -> Decision:
    """The machine got a new board and was set up afresh, without a deactivation before."""
    return _activate(policy, holders=(a_holder(fingerprint=MACHINE | {"hardware": "w2"}),))


@about("takeover")
def a_second_folder(policy: Policy) -> Decision:
    """A second setup on the same machine, in another folder."""
    return _activate(policy, holders=(a_holder(fingerprint=MACHINE | {"location": "l2"}),))


@about("forced_deactivation")
def third_death_in_a_month(policy: Policy) -> Decision:
    """The server died, for the third time in a month: the vendor frees the license."""
    return _forced(policy, 20, 10)


@about("forced_deactivation")
def fourth_death_in_a_year(policy: Policy) -> Decision:
    """The server died, for the fourth time in a year."""
    return _forced(policy, 300, 100, 10)


@about("forced_deactivation")
def freed_while_heard_of(policy: Policy) -> Decision:
    """The license shall be freed, but the till was heard of 30 hours ago."""
    return _forced(policy, last_seen_at=NOW - 30 * HOUR)


@about("forced_deactivation")
def freed_again_after_18_hours(policy: Policy) -> Decision:
    """The license was freed 18 hours ago, and the new server died as well."""
    past = (PastForced(NOW - 18 * HOUR, counted=True),)
    return _forced(policy, past=past)


@about("move")
def moves_while_offline(policy: Policy) -> Decision:
    """The product was taken offline, and the license moves to a new server."""
    return decide_move(bought(policy), holder_environment=PRODUCTION, environment=PRODUCTION, policy=policy, now=NOW)


TOPIC = Topic(
    "Tills and installations",
    (
        a_second_till,
        staging_beside_production,
        production_while_staging_runs,
        another_project_after_production,
        another_project_after_staging,
        another_address,
        a_new_board,
        a_second_folder,
        third_death_in_a_month,
        fourth_death_in_a_year,
        freed_while_heard_of,
        freed_again_after_18_hours,
        moves_while_offline,
    ),
)
