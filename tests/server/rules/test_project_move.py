"""The sentences are those of `rules.project_move`."""

from dataclasses import replace
from uuid import UUID

import pytest

from tests.server.rules.facts import (
    DAY,
    HOLDER,
    NEXOPOS,
    NOW,
    OTHER_SHOP,
    OWN,
    POLICIES,
    SHOP,
    a_license,
    told,
)
from tillkey_server.rules.decision import Decision
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.project_move import MoveFacts, decide_project_move, support_after

CARE, SILENT = POLICIES["prestashop-care"], POLICIES["netposa"]
MOVING = replace(NEXOPOS, support=replace(NEXOPOS.support, moves_with_license=True))
BOUND = MoveFacts(a_license(), bound_to=SHOP, to_project=OTHER_SHOP, reason="a wrong name")
THIRD = UUID(int=31)


def moved(policy: Policy = NEXOPOS, **facts) -> Decision:
    return decide_project_move(replace(BOUND, **facts), policy, NOW)


@pytest.mark.clause("NX-06", "NX-17")
def test_a_bound_license_moves_with_what_runs_and_its_support_stays_behind():
    """Sentences 1, 2 and 4."""
    facts = {
        "from_project": str(SHOP),
        "to_project": str(OTHER_SHOP),
        "support_project": str(SHOP),
        "goes_on": [str(HOLDER), str(OWN)],
        "reason": "a wrong name",
    }
    found = moved(reason=" a wrong name\n", goes_on=(HOLDER, OWN))
    assert told(found) == ("allow", "license_project_changed", ("NX-06", "NX-16", "NX-17"), facts, ())


@pytest.mark.clause("NX-06")
@pytest.mark.parametrize("reason", ["", " \n"])
def test_a_move_without_a_reason_is_none(reason):
    """Sentence 1, before anything of the license is told."""
    found = moved(reason=reason, license=a_license(revoked_at=NOW))
    assert told(found) == ("deny", "reason_required", ("NX-06",), {}, ("give_reason",))


@pytest.mark.clause("K-13")
@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"legal_hold_at": NOW - DAY}, "legal_hold"),
        ({"terminated_at": NOW - DAY}, "license_terminated"),
        ({"revoked_at": NOW - DAY}, "license_revoked"),
        ({"refunded_at": NOW - DAY}, "license_revoked"),
        ({"suspended_at": NOW - DAY}, "license_project_changed"),
        ({"use_until": NOW - DAY}, "license_project_changed"),
    ],
)
def test_what_ended_for_good_or_is_on_hold_stays_where_it_is(facts, code):
    """Sentence 3."""
    assert moved(license=a_license(**facts)).code.value == code


@pytest.mark.clause("NX-06")
@pytest.mark.parametrize("bound_to", [None, OTHER_SHOP])
def test_a_license_of_no_project_or_of_this_one_has_nothing_to_move(bound_to):
    """Sentence 5."""
    facts = {"to_project": str(OTHER_SHOP)}
    assert told(moved(bound_to=bound_to)) == ("deny", "nothing_to_move", ("NX-06",), facts, ())


@pytest.mark.clause("NX-17")
@pytest.mark.parametrize(
    ("policy", "cited"),
    [(MOVING, ("NX-06", "NX-16", "NX-17")), (CARE, ("BC-32", "BC-09")), (SILENT, ("NX-06", "NP-02"))],
)
def test_support_goes_along_where_the_terms_let_it_or_hold_it_to_no_project(policy, cited):
    """Sentence 4: also where it stayed behind before."""
    for at in (None, THIRD):
        found = moved(policy, support_at=at)
        assert (found.facts["support_project"], found.clauses) == (str(OTHER_SHOP), cited)
        assert support_after(replace(BOUND, support_at=at), policy) is None


@pytest.mark.clause("NX-17")
def test_support_is_held_to_its_project_only_where_requests_must_name_one():
    """Sentence 4: terms that merely leave it behind would hold it to a project that nobody tells."""
    loose = replace(NEXOPOS, support=replace(NEXOPOS.support, project=CARE.support.project))
    assert support_after(BOUND, loose) is None


@pytest.mark.clause("NX-17")
@pytest.mark.parametrize(
    ("support_at", "to", "stays"),
    [
        (None, OTHER_SHOP, SHOP),
        (THIRD, OTHER_SHOP, THIRD),
        (THIRD, THIRD, None),
    ],
)
def test_support_stays_at_the_first_project_however_often_it_moves_and_is_there_again_when_moved_back(
    support_at, to, stays
):
    """Sentence 4."""
    facts = replace(BOUND, support_at=support_at, to_project=to)
    assert support_after(facts, NEXOPOS) == stays
    assert decide_project_move(facts, NEXOPOS, NOW).facts["support_project"] == str(stays or to)
