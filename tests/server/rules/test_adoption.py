"""The sentences are those of `rules.adoption`."""

from dataclasses import replace
from uuid import UUID

import pytest

from tests.server.rules.facts import DAY, NEXOPOS, NOW, told
from tillkey_server.rules.adoption import adopted, bound_elsewhere, superseded
from tillkey_server.rules.policy import ProjectBinding

ONE, TWO = UUID(int=1), UUID(int=2)
WHILE_ACTIVE = replace(NEXOPOS, activation=replace(NEXOPOS.activation, project_binding=ProjectBinding.WHILE_ACTIVE))


@pytest.mark.clause("NX-06")
@pytest.mark.parametrize("project", [TWO, None])
def test_a_license_that_is_tied_is_not_brought_back_to_another_project_or_to_a_forgotten_one(project):
    """Sentence 1."""
    decision = bound_elsewhere(ONE, NOW - DAY, project, NEXOPOS, NOW)
    assert decision is not None
    facts = {"because": "history_lost", "other": "project", "bound_since": "2026-03-09T12:00:00Z"}
    options = ("use_bound_project", "ask_support")
    assert told(decision) == ("deny", "bound_to_other_project", ("NX-06",), facts, options)


@pytest.mark.clause("NX-06")
@pytest.mark.parametrize(
    "permanent,project,policy", [(None, TWO, NEXOPOS), (ONE, ONE, NEXOPOS), (ONE, TWO, WHILE_ACTIVE)]
)
def test_a_license_that_is_free_or_its_own_projects_or_tied_by_no_policy_is_adopted(permanent, project, policy):
    assert bound_elsewhere(permanent, NOW - DAY, project, policy, NOW) is None


def test_who_comes_back_to_a_license_that_is_held_is_superseded():
    """Sentence 2."""
    decision = superseded(NOW - DAY, NEXOPOS, NOW)
    cited = NEXOPOS.activation.clauses.superseded
    facts = {"because": "history_lost", "held_since": "2026-03-09T12:00:00Z"}
    assert told(decision) == ("deny", "activation_superseded", cited, facts, ("activate", "ask_support"))


def test_an_adoption_names_what_it_ended():
    """Sentence 3."""
    decision = adopted(NOW - DAY, [TWO], NEXOPOS, NOW)
    facts = {"lease_iat": "2026-03-09T12:00:00Z", "released": [str(TWO)]}
    assert told(decision) == ("allow", "activation_adopted", NEXOPOS.heartbeat.clauses, facts, ())
