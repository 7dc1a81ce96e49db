from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.server.rules.facts import MACHINE, NEXOPOS, OTHER_MACHINE
from tillkey_server.rules.fingerprint import equal_components, matches

TAKEOVER = NEXOPOS.takeover


@pytest.mark.clause("X-06")
@pytest.mark.parametrize("changed", ["machine_id", "hostname", "hardware"])
def test_one_changed_trait_is_still_the_same_machine(changed):
    """Sentence 2."""
    assert matches(MACHINE, MACHINE | {changed: "new"}, TAKEOVER)


@pytest.mark.clause("NX-49")
def test_two_set_ups_on_one_machine_are_two_installations():
    """Sentence 3."""
    assert not matches(MACHINE, MACHINE | {"location": "another folder"}, TAKEOVER)


def test_two_changed_traits_are_another_machine():
    assert not matches(MACHINE, MACHINE | {"hostname": "new", "hardware": "new"}, TAKEOVER)


def test_a_component_that_one_side_does_not_send_is_not_equal():
    without = {name: value for name, value in MACHINE.items() if name != "hardware"}
    assert equal_components(MACHINE, without) == ("hostname", "location", "machine_id")
    assert equal_components(without, MACHINE) == ("hostname", "location", "machine_id")


def test_without_required_components_the_threshold_alone_decides():
    loose = replace(TAKEOVER, threshold=1, required=())
    assert matches(MACHINE, OTHER_MACHINE | {"hostname": MACHINE["hostname"]}, loose)
    assert not matches(MACHINE, OTHER_MACHINE, loose)


@given(
    st.dictionaries(st.sampled_from(sorted(MACHINE)), st.sampled_from("ab")),
    st.dictionaries(st.sampled_from(sorted(MACHINE)), st.sampled_from("ab")),
)
def test_it_does_not_matter_which_side_is_asked(held, offered):
    assert matches(held, offered, TAKEOVER) == matches(offered, held, TAKEOVER)
