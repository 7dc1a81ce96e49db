"""The sentences are those of `rules.binding`."""

import pytest

from tests.server.rules.facts import NEXOPOS, OTHER_SHOP, SHOP, policy
from tillkey_server.rules.binding import binds, bound_project, other_site
from tillkey_server.rules.policy import ProjectBinding

READINGS = list(ProjectBinding)
LENIENT, LITERAL, MILD = READINGS


def _terms(reading, **more):
    return policy(NEXOPOS, binding=reading, **more).activation


@pytest.mark.clause("NX-06")
@pytest.mark.parametrize("reading", READINGS)
def test_while_an_activation_lives_the_license_is_its_projects_in_every_reading(reading):
    """Sentence 1."""
    assert bound_project(None, [SHOP], _terms(reading)) == SHOP


@pytest.mark.clause("NX-06")
@pytest.mark.parametrize("reading", READINGS)
def test_a_license_that_was_never_used_is_nobodys(reading):
    assert bound_project(None, [], _terms(reading)) is None
    assert bound_project(None, [None], _terms(reading)) is None


@pytest.mark.clause("NX-06")
@pytest.mark.parametrize(
    "reading,environment,expected",
    [
        (LENIENT, "production", True),
        (LENIENT, "staging", False),
        (LENIENT, "development", False),
        (LITERAL, "production", True),
        (LITERAL, "staging", True),
        (LITERAL, "development", True),
        (MILD, "production", False),
        (MILD, "staging", False),
        (MILD, "development", False),
    ],
)
def test_each_reading_ties_for_good_what_it_says(reading, environment, expected):
    """Sentences 2 to 4."""
    assert binds(None, environment, _terms(reading)) is expected
    assert binds(SHOP, environment, _terms(reading)) is False


@pytest.mark.clause("NX-06")
@pytest.mark.parametrize("reading,expected", [(LENIENT, SHOP), (LITERAL, SHOP), (MILD, None)])
def test_a_tie_on_record_outlives_the_activation_unless_it_binds_only_while_active(reading, expected):
    assert bound_project(SHOP, [], _terms(reading)) == expected


@pytest.mark.clause("NX-06")
def test_under_while_active_the_living_activation_speaks_and_not_an_older_tie():
    """Sentence 4."""
    assert bound_project(SHOP, [OTHER_SHOP], _terms(MILD)) == OTHER_SHOP


@pytest.mark.clause("BC-32", "NX-03")
@pytest.mark.parametrize(
    "bound,asked,environment,expected",
    [
        ("shop.example", "other.example", "production", True),
        ("shop.example", "https://www.shop.example/", "production", False),
        ("shop.example", None, "production", False),
        (None, "other.example", "production", False),
        ("shop.example", "staging.shop.example", "staging", False),
    ],
)
def test_a_site_is_bound_in_production_and_by_what_is_declared(bound, asked, environment, expected):
    """Sentence 6."""
    assert other_site(bound, asked, environment, _terms(LITERAL, bind_site=True)) is expected
    assert other_site(bound, asked, environment, _terms(LITERAL, bind_site=False)) is False
