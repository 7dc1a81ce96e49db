"""Sentences 1 and 2 of `rules.activation`: who is refused at all, and which of several refusals is told."""

from itertools import combinations

import pytest

from tests.server.rules.facts import (
    DAY,
    NEW_KEY,
    NEXOPOS,
    NOBODY,
    NOW,
    OTHER_SHOP,
    OWN,
    a_holder,
    a_license,
    an_activation,
)
from tillkey_server.rules.activation import PRECEDENCE, Action, InstallationFacts, decide_activation
from tillkey_server.rules.decision import Refusal

STAGING = a_holder(environment="staging")


@pytest.mark.clause("BC-37", "NX-42")
@pytest.mark.parametrize(
    "facts",
    [
        {"license": a_license(account_suspended_at=NOW, account_stops_at=NOW + DAY)},
        {"order_held_at": NOW},
    ],
)
def test_who_holds_the_license_goes_on_where_another_may_not_begin(facts):
    """Sentence 2."""
    holding = a_holder(id=OWN, jkt=NEW_KEY)
    assert decide_activation(an_activation(**facts, holders=(holding,)), NEXOPOS, NOW).action is Action.HELD
    assert decide_activation(an_activation(**facts), NEXOPOS, NOW).action is None


# One case for each refusal, in the order in which they are told.
_SPOILS = {
    Refusal.LEGAL_HOLD: {"license": {"legal_hold_at": NOW}},
    Refusal.LICENSE_TERMINATED: {"license": {"terminated_at": NOW}},
    Refusal.LICENSE_REVOKED: {"license": {"revoked_at": NOW}},
    Refusal.ACCOUNT_SUSPENDED: {"license": {"account_suspended_at": NOW, "account_stops_at": NOW + DAY}},
    Refusal.LICENSE_SUSPENDED: {"license": {"suspended_at": NOW}},
    Refusal.LICENSE_EXPIRED: {"license": {"use_until": NOW}},
    Refusal.ORDER_UNDER_REVIEW: {"order_held_at": NOW},
    Refusal.INSTALLATION_KEY_BLOCKED: {"installation": {"blocked_at": NOW}},
    Refusal.INSTALLATION_KEY_IN_USE: {"installation": {"customer_id": NOBODY}},
    Refusal.PROJECT_REQUIRED: {"project_name": " "},
    Refusal.BOUND_TO_OTHER_PROJECT: {"bound_project_id": OTHER_SHOP},
    Refusal.MOVE_TICKET_INVALID: {"holders": (STAGING,), "ticket_presented": True},
    Refusal.STAGING_MUST_BE_DEACTIVATED: {"holders": (STAGING,)},
    Refusal.LICENSE_IN_USE: {"holders": (a_holder(id=OWN),)},
}


def _spoiled(*refusals):
    facts = {"license": {}, "installation": {}, "holders": ()}
    for refusal in refusals:
        for name, value in _SPOILS[refusal].items():
            known = facts.get(name)
            if isinstance(known, dict):
                facts[name] = known | value
            elif isinstance(known, tuple):
                facts[name] = known + value
            else:
                facts[name] = value
    built = {
        "license": a_license(**facts.pop("license")),
        "installation": InstallationFacts(**facts.pop("installation")),
    }
    return decide_activation(an_activation(**facts, **built), NEXOPOS, NOW).decision


def test_the_order_of_refusals_names_each_once():
    assert list(_SPOILS) == list(PRECEDENCE)
    assert len(set(PRECEDENCE)) == len(PRECEDENCE)


@pytest.mark.parametrize("refusal", PRECEDENCE)
def test_each_refusal_shows_alone_with_clauses(refusal):
    decision = _spoiled(refusal)
    assert decision.code is refusal
    assert decision.clauses
    assert decision.options


@pytest.mark.clause("K-13")
@pytest.mark.parametrize("first,second", list(combinations(PRECEDENCE, 2)))
def test_of_two_refusals_the_first_in_the_order_is_told(first, second):
    """Sentence 1, over all pairs."""
    assert _spoiled(first, second).code is first
    assert _spoiled(second, first).code is first
