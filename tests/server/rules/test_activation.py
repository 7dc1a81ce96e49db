"""The sentences are those of `rules.activation`."""

from dataclasses import replace
from uuid import UUID

import pytest

from tests.server.rules.facts import (
    CUSTOMER,
    DAY,
    HOLDER,
    MACHINE,
    NEW_KEY,
    NEXOPOS,
    NOBODY,
    NOW,
    OLD_KEY,
    OTHER_SHOP,
    OWN,
    POLICIES,
    SECOND,
    SHOP,
    a_holder,
    a_license,
    a_ticket,
    an_activation,
    policy,
)
from tillkey_server.rules.activation import Action, InstallationFacts, decide_activation, slot_of
from tillkey_server.rules.decision import Grant, Outcome, Refusal
from tillkey_server.rules.policy import ProjectBinding
from tillkey_server.rules.term_policy import AfterExpiry

EXEMPT = policy(exempt=True)
STAGING = a_holder(environment="staging")
OWN_STAGING = a_holder(id=OWN, jkt=NEW_KEY, environment="staging")


def _decide(terms=NEXOPOS, **facts):
    return decide_activation(an_activation(**facts), terms, NOW)


@pytest.mark.clause("NX-02", "NX-03", "NX-06")
def test_a_free_license_is_activated():
    found = _decide()
    assert (found.decision.code, found.action, found.releases) == (Grant.ACTIVATION_GRANTED, Action.NEW, ())
    assert found.decision.clauses == ("NX-03", "NX-02", "NX-06")
    assert found.decision.facts == {"environment": "production", "slot": "main", "released": []}
    assert found.binds_project
    assert not found.uses_ticket


@pytest.mark.clause("NX-05")
def test_a_project_may_hold_several_licenses_of_one_product_each_for_its_own_installation():
    for number in (1, 2):
        another = a_license(id=UUID(int=1000 + number))
        assert _decide(license=another, jkt=f"till {number}").action is Action.NEW


@pytest.mark.clause("K-10", "NX-03")
@pytest.mark.parametrize("environment", ["production", "staging", "development"])
@pytest.mark.parametrize("terms", [NEXOPOS, EXEMPT])
def test_the_same_installation_asking_again_holds_the_same_activation(terms, environment):
    """Sentence 5; a ticket that is not needed is not looked at (sentence 8)."""
    own = a_holder(id=OWN, jkt=NEW_KEY, environment=environment, slot=slot_of(environment, terms))
    key = InstallationFacts(customer_id=CUSTOMER, active_activation_of_product=OWN)
    found = _decide(terms, holders=(own,), environment=environment, installation=key, ticket_presented=True)
    assert (found.decision.code, found.action, found.holder_id) == (Grant.ACTIVATION_HELD, Action.HELD, OWN)
    assert (found.releases, found.uses_ticket) == ((), False)
    assert found.decision.clauses == ("NX-03", "K-10")


@pytest.mark.clause("NX-04")
@pytest.mark.parametrize("exempt", [False, True])
@pytest.mark.parametrize(
    "asked,held", [("production", "staging"), ("staging", "production"), ("staging", "development")]
)
def test_the_same_installation_asking_for_another_environment_moves_in_place(exempt, asked, held):
    """Sentence 6."""
    own = a_holder(id=OWN, jkt=NEW_KEY, environment=held)
    found = _decide(policy(exempt=exempt), holders=(own,), environment=asked)
    assert (found.decision.code, found.action) == (Grant.ACTIVATION_MOVED, Action.MOVE_IN_PLACE)
    assert found.releases == (OWN,)
    assert found.decision.clauses == ("NX-04",)
    assert found.decision.facts["from"] == held


@pytest.mark.clause("NX-03", "X-11")
def test_another_installation_is_told_since_when_and_under_a_mask_where_it_is_in_use():
    """Sentence 10."""
    found = _decide(holders=(a_holder(site="shop.example"),))
    assert (found.decision.outcome, found.decision.code) == (Outcome.DENY, Refusal.LICENSE_IN_USE)
    assert (found.action, found.releases) == (None, ())
    assert found.decision.facts == {
        "held_since": "2026-03-01T12:00:00Z",
        "held_by": "production old-…",
        "held_environment": "production",
    }
    assert found.decision.options == ("move_ticket", "deactivate", "forced_deactivation_by_agent", "buy_license")
    assert found.decision.clauses == ("NX-03",)


@pytest.mark.clause("NX-03", "NX-04")
@pytest.mark.parametrize("held", ["production", "staging"])
def test_a_refusal_names_the_page_of_the_terms_on_which_customers_help_themselves(held):
    """Sentence 10."""
    page = "https://vendor.example/my-licenses"
    terms = replace(NEXOPOS, activation=replace(NEXOPOS.activation, self_service=page))
    with_it, without = (_decide(one, holders=(a_holder(environment=held),)).decision for one in (terms, NEXOPOS))
    assert with_it.facts == {**without.facts, "self_service": page}


@pytest.mark.clause("NX-04")
@pytest.mark.parametrize("held", ["staging", "development"])
def test_production_is_refused_while_staging_holds_the_seat_with_what_can_be_done(held):
    """Sentence 9."""
    found = _decide(holders=(a_holder(environment=held),))
    assert found.decision.code is Refusal.STAGING_MUST_BE_DEACTIVATED
    assert found.decision.options == ("move_ticket", "deactivate_staging", "move_ticket_by_agent")
    assert found.decision.clauses == ("NX-04",)
    assert found.decision.facts["held_environment"] == held


@pytest.mark.clause("NX-03", "NX-04")
@pytest.mark.parametrize("asked,held", [("staging", "production"), ("staging", "staging"), ("development", "staging")])
def test_staging_takes_the_same_seat_where_it_is_not_exempted(asked, held):
    """Sentence 4."""
    found = _decide(environment=asked, holders=(a_holder(environment=held),))
    assert found.decision.code is Refusal.LICENSE_IN_USE


@pytest.mark.clause("NX-04", "CJ-10", "BC-09")
@pytest.mark.parametrize(
    "asked,held,slot,code",
    [
        ("production", "staging", "staging", Grant.ACTIVATION_GRANTED),
        ("staging", "production", "main", Grant.ACTIVATION_GRANTED),
        ("development", "production", "main", Grant.ACTIVATION_GRANTED),
        ("development", "staging", "staging", Refusal.LICENSE_IN_USE),
        ("staging", "development", "staging", Refusal.LICENSE_IN_USE),
        ("production", "production", "main", Refusal.LICENSE_IN_USE),
    ],
)
def test_an_exempted_staging_has_one_slot_of_its_own_and_no_more(asked, held, slot, code):
    """Sentence 4: whatever a till declares, it gets at most one of the two slots."""
    found = _decide(EXEMPT, environment=asked, holders=(a_holder(environment=held, slot=slot),))
    assert found.decision.code is code


@pytest.mark.clause("NX-04")
def test_moving_in_place_into_a_slot_that_somebody_else_holds_is_refused():
    found = _decide(EXEMPT, holders=(replace(OWN_STAGING, slot="staging"), a_holder()))
    assert found.decision.code is Refusal.LICENSE_IN_USE


@pytest.mark.clause("NX-04")
def test_a_ticket_into_a_slot_releases_its_holder_and_the_askers_own_activation():
    own = replace(OWN_STAGING, slot="staging")
    found = _decide(EXEMPT, holders=(own, a_holder()), ticket_presented=True, ticket=a_ticket())
    assert (found.action, found.releases) == (Action.MOVE_WITH_TICKET, (HOLDER, OWN))


@pytest.mark.clause("NX-04")
def test_a_ticket_that_holds_moves_the_license_from_staging_in_one_step():
    """Sentence 8."""
    found = _decide(holders=(STAGING,), ticket_presented=True, ticket=a_ticket())
    assert (found.decision.code, found.action) == (Grant.ACTIVATION_MOVED, Action.MOVE_WITH_TICKET)
    assert (found.releases, found.uses_ticket) == ((HOLDER,), True)
    assert found.decision.clauses == ("NX-04",)


@pytest.mark.clause("NX-04", "K-16")
@pytest.mark.parametrize(
    "ticket,because",
    [
        (None, "unknown"),
        (a_ticket(license_id=NOBODY), "unknown"),
        (a_ticket(used_at=NOW - SECOND), "used"),
        (a_ticket(expires_at=NOW), "expired"),
        (a_ticket(environment="staging"), "other_environment"),
        (a_ticket(activation_id=NOBODY), "other_holder"),
    ],
)
def test_a_ticket_that_does_not_hold_is_refused_with_its_fault(ticket, because):
    found = _decide(holders=(STAGING,), ticket_presented=True, ticket=ticket)
    assert found.decision.code is Refusal.MOVE_TICKET_INVALID
    assert found.decision.facts == {"because": because}
    assert found.decision.options == ("move_ticket", "move_ticket_by_agent")


@pytest.mark.clause("NX-09")
def test_an_agents_ticket_frees_a_lost_staging_machine_but_never_a_production_one():
    lost = a_ticket(activation_id=None)
    assert _decide(holders=(STAGING,), ticket_presented=True, ticket=lost).action is Action.MOVE_WITH_TICKET
    assert _decide(holders=(a_holder(),), ticket_presented=True, ticket=lost).decision.facts == {
        "because": "other_holder"
    }


def test_a_ticket_beside_a_free_seat_is_not_used_up():
    """Sentence 8."""
    for ticket in (a_ticket(), None):
        found = _decide(ticket_presented=True, ticket=ticket)
        assert (found.action, found.uses_ticket) == (Action.NEW, False)


@pytest.mark.clause("NX-49", "X-06")
def test_a_machine_set_up_afresh_takes_its_own_seat_back():
    """Sentence 7."""
    found = _decide(holders=(a_holder(fingerprint=MACHINE | {"hostname": "renamed"}),))
    assert (found.decision.code, found.action) == (Grant.ACTIVATION_REATTACHED, Action.REATTACH)
    assert found.releases == (HOLDER,)
    assert found.decision.clauses == ("NX-03", "NX-49")
    assert found.decision.facts["equal_components"] == ["hardware", "location", "machine_id"]


@pytest.mark.clause("NX-49")
@pytest.mark.parametrize(
    "holder",
    [
        {"fingerprint": MACHINE | {"location": "elsewhere"}},
        {"fingerprint": MACHINE | {"hostname": "x", "hardware": "y"}},
        {"fingerprint": MACHINE, "environment": "staging"},
    ],
)
def test_what_is_another_machine_set_up_or_environment_takes_nothing_over(holder):
    assert not _decide(holders=(a_holder(**holder),)).decision.allowed


@pytest.mark.clause("NX-03", "K-16")
def test_takeovers_are_limited_in_a_sliding_window_and_over_it_the_license_is_in_use():
    """Sentence 7."""
    same = (a_holder(fingerprint=MACHINE),)
    past = (NOW - 30 * DAY + SECOND, NOW - 2 * DAY, NOW - DAY)
    found = _decide(holders=same, recent_takeovers=past)
    assert (found.decision.code, found.decision.retry_at) == (Refusal.LICENSE_IN_USE, NOW + SECOND)
    assert found.decision.facts["because"] == "takeover_limit"
    assert found.decision.clauses == ("NX-03", "NX-49")
    assert _decide(holders=same, recent_takeovers=(NOW - 30 * DAY, *past[1:])).action is Action.REATTACH


@pytest.mark.clause("NX-04")
def test_a_ticket_still_helps_a_machine_whose_takeovers_are_used_up():
    same = (a_holder(fingerprint=MACHINE),)
    past = (NOW - DAY,) * 3
    found = _decide(holders=same, recent_takeovers=past, ticket_presented=True, ticket=a_ticket())
    assert found.action is Action.MOVE_WITH_TICKET
    refused = _decide(holders=same, recent_takeovers=past, ticket_presented=True)
    assert refused.decision.code is Refusal.MOVE_TICKET_INVALID


@pytest.mark.clause("NX-08", "NX-48")
def test_a_superseded_installation_never_takes_the_seat_back_but_may_take_a_free_one():
    """Sentence 7: not even with the fingerprint of the holder."""
    back = InstallationFacts(customer_id=CUSTOMER, held_before=True)
    found = _decide(installation=back, holders=(a_holder(fingerprint=MACHINE),))
    assert found.decision.code is Refusal.LICENSE_IN_USE
    assert _decide(installation=back).action is Action.NEW


def test_a_blocked_key_activates_nothing():
    found = _decide(installation=InstallationFacts(blocked_at=NOW - DAY))
    assert found.decision.code is Refusal.INSTALLATION_KEY_BLOCKED
    assert found.decision.facts == {"blocked_since": "2026-03-09T12:00:00Z"}


@pytest.mark.parametrize(
    "key,because",
    [
        ({"customer_id": NOBODY}, "other_customer"),
        ({"customer_id": CUSTOMER, "active_activation_of_product": NOBODY}, "other_license_of_product"),
    ],
)
def test_a_key_of_another_customer_or_license_is_in_use_and_the_sdk_makes_a_new_one(key, because):
    found = _decide(installation=InstallationFacts(**key))
    assert found.decision.code is Refusal.INSTALLATION_KEY_IN_USE
    assert (found.decision.facts, found.decision.options) == ({"because": because}, ("new_installation_key",))


@pytest.mark.clause("NX-02")
@pytest.mark.parametrize("name", ["", "   ", "\u00a0"])
def test_a_license_is_used_within_a_project(name):
    found = _decide(project_name=name, project_id=None)
    assert (found.decision.code, found.decision.clauses) == (Refusal.PROJECT_REQUIRED, ("NX-02",))
    assert _decide(policy(require_project=False), project_name=name, project_id=None).decision.allowed


@pytest.mark.clause("NX-02")
def test_a_project_that_is_not_on_record_yet_is_made_by_its_first_activation():
    assert _decide(project_id=None).action is Action.NEW


@pytest.mark.clause("NX-06")
@pytest.mark.parametrize("project", [OTHER_SHOP, None])
def test_a_bound_license_is_refused_to_another_project_before_its_seat_is_looked_at(project):
    found = _decide(project_id=project, bound_project_id=SHOP, bound_at=NOW - DAY, holders=(a_holder(),))
    assert (found.decision.code, found.decision.clauses) == (Refusal.BOUND_TO_OTHER_PROJECT, ("NX-06",))
    assert found.decision.facts == {
        "reading": "permanent_after_production",
        "permanent": True,
        "bound_since": "2026-03-09T12:00:00Z",
        "other": "project",
    }
    assert "deactivate" not in found.decision.options


@pytest.mark.clause("NX-06")
@pytest.mark.parametrize("reading", list(ProjectBinding))
@pytest.mark.parametrize("same_key", [False, True])
def test_while_it_is_active_a_license_is_in_one_project_in_every_reading(reading, same_key):
    """Also for the installation that holds it."""
    holder = replace(STAGING, jkt=NEW_KEY if same_key else OLD_KEY)
    found = _decide(policy(binding=reading), project_id=OTHER_SHOP, holders=(holder,))
    assert found.decision.code is Refusal.BOUND_TO_OTHER_PROJECT
    assert found.decision.facts["permanent"] is False
    assert "deactivate" in found.decision.options


@pytest.mark.clause("NX-06")
@pytest.mark.parametrize(
    "reading,environment,binds",
    [
        (ProjectBinding.PERMANENT_AFTER_PRODUCTION, "production", True),
        (ProjectBinding.PERMANENT_AFTER_PRODUCTION, "staging", False),
        (ProjectBinding.PERMANENT_FROM_FIRST_ACTIVATION, "staging", True),
        (ProjectBinding.WHILE_ACTIVE, "production", False),
    ],
)
def test_a_granted_activation_says_whether_it_ties_the_license_for_good(reading, environment, binds):
    assert _decide(policy(binding=reading), environment=environment).binds_project is binds


@pytest.mark.clause("NX-06")
def test_under_while_active_a_released_license_goes_to_another_project():
    terms = policy(binding=ProjectBinding.WHILE_ACTIVE)
    assert _decide(terms, project_id=OTHER_SHOP, bound_project_id=SHOP).action is Action.NEW


@pytest.mark.clause("BC-32")
def test_a_second_store_under_the_same_project_name_is_another_store():
    care = POLICIES["prestashop-care"]
    known = {"bound_project_id": SHOP, "bound_at": NOW - DAY, "bound_site": "https://shop.example/"}
    found = _decide(care, **known, site="https://second.example")
    assert (found.decision.code, found.decision.clauses) == (Refusal.BOUND_TO_OTHER_PROJECT, ("BC-32",))
    assert found.decision.facts["other"] == "site"
    assert _decide(care, **known, site="http://www.shop.example").decision.allowed
    assert _decide(NEXOPOS, **known, site="https://second.example").decision.allowed


@pytest.mark.clause("BC-32")
def test_a_license_that_is_nobodys_yet_is_no_sites_either():
    care = POLICIES["prestashop-care"]
    assert _decide(care, bound_site="shop.example", site="second.example").decision.allowed


def test_a_first_activation_after_the_end_is_refused_where_the_terms_deny_it():
    late = a_license(support_until=NOW)
    strict = replace(NEXOPOS, terms=replace(NEXOPOS.terms, after_expiry=AfterExpiry.DENY))
    assert _decide(strict, license=late, is_first=True).action is None
    assert _decide(strict, license=late, is_first=False).action is Action.NEW
