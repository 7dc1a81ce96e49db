"""The sentences are those of `rules.adoption`."""

from dataclasses import replace
from uuid import UUID

import pytest

from tests.server.rules.facts import DAY, NEXOPOS, NOW
from tillkey_server.rules.adoption import adopted, bound_elsewhere, superseded
from tillkey_server.rules.decision import Grant, Refusal
from tillkey_server.rules.policy import ProjectBinding

ONE, TWO = UUID(int=1), UUID(int=2)
WHILE_ACTIVE = replace(NEXOPOS, activation=replace(NEXOPOS.activation, project_binding=ProjectBinding.WHILE_ACTIVE))


@pytest.mark.clause("NX-06")
@pytest.mark.parametrize("project", [TWO, None])
def test_a_license_that_is_tied_is_not_brought_back_to_another_project_or_to_a_forgotten_one(project):
    """Sentence 1."""
    decision = bound_elsewhere(ONE, NOW - DAY, project, NEXOPOS, NOW)
    assert decision is not None
    assert (decision.code, decision.clauses) == (Refusal.BOUND_TO_OTHER_PROJECT, ("NX-06",))
    assert decision.facts["bound_since"] == "2026-03-09T12:00:00Z"


@pytest.mark.clause("NX-06")
@pytest.mark.parametrize(
    "permanent,project,policy", [(None, TWO, NEXOPOS), (ONE, ONE, NEXOPOS), (ONE, TWO, WHILE_ACTIVE)]
)
def test_a_license_that_is_free_or_its_own_projects_or_tied_by_no_policy_is_adopted(permanent, project, policy):
    assert bound_elsewhere(permanent, NOW - DAY, project, policy, NOW) is None


def test_who_comes_back_to_a_license_that_is_held_is_superseded():
    """Sentence 2."""
    decision = superseded(NOW - DAY, NEXOPOS, NOW)
    assert (decision.code, decision.facts["held_since"]) == (Refusal.ACTIVATION_SUPERSEDED, "2026-03-09T12:00:00Z")


def test_an_adoption_names_what_it_ended():
    """Sentence 3."""
    decision = adopted(NOW - DAY, [TWO], NEXOPOS, NOW)
    assert (decision.code, decision.facts["released"]) == (Grant.ACTIVATION_ADOPTED, [str(TWO)])
