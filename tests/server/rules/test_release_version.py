"""The sentences are those of `rules.release_version`."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tillkey_server.rules.release_version import MAX_LENGTH, PATTERN, Version, in_range

NUMBERS = st.lists(st.integers(0, 30), min_size=1, max_size=4).map(lambda parts: ".".join(map(str, parts)))
VERSIONS = st.builds(lambda numbers, word: numbers + word, NUMBERS, st.sampled_from(["", "-rc.1", "-rc.2", "-beta"]))


@pytest.mark.clause("ZG-19")
@pytest.mark.parametrize(
    "older,newer",
    [
        ("1.7.8.2", "1.7.8.11"),
        ("1.7.8", "1.7.8.1"),
        ("1.9", "1.10"),
        ("2.0.0-rc.1", "2.0.0"),
        ("2.0.0-rc.2", "2.0.0-rc.10"),
        ("2.0.0-1", "2.0.0-beta"),
        ("2.0.0-rc", "2.0.0-rc.1"),
        ("1.7.8.11", "8.0"),
    ],
)
def test_versions_of_three_and_four_parts_are_compared_as_numbers(older, newer):
    """Sentences 1 to 3."""
    assert Version(older) < Version(newer)
    assert Version(newer) > Version(older)


def test_a_part_that_is_left_out_is_zero_and_equal_versions_have_one_spelling():
    """Sentence 2."""
    assert Version("8.1") == Version("8.1.0.0") != Version("8.1.1")
    assert Version("8.1").canonical == Version("8.01.0").canonical == "8.1.0.0"
    assert Version("8-rc.01").canonical == Version("8.0-rc.1").canonical == "8.0.0.0-rc.1"
    assert len({Version("8.1"), Version("8.1.0")}) == 1
    assert Version("8.1") != "8.1"
    assert repr(Version("8.1-rc.1")) == "Version('8.1-rc.1')"


@pytest.mark.parametrize(
    "text", ["", "v1", "1.", "1..2", "1.2.3.4.5", "1.2 ", "1-", "1-a_b", "\u0661", "1" * 65, "1\n"]
)
def test_what_is_no_version_is_refused(text):
    with pytest.raises(ValueError, match="no version"):
        Version(text)
    assert len(text) > 64 or re.fullmatch(PATTERN.strip("^$"), text) is None


def test_a_version_may_be_as_long_as_its_field():
    longest = "1-" + "a" * (MAX_LENGTH - 2)
    assert Version(longest).text == longest
    with pytest.raises(ValueError, match="no version"):
        Version(longest + "a")


@given(VERSIONS, VERSIONS, VERSIONS)
def test_the_order_is_total_and_every_version_has_the_form(one, two, three):
    a, b, c = map(Version, (one, two, three))
    assert sum([a < b, a == b, a > b]) == 1
    assert (a.canonical == b.canonical) == (a == b)
    if a < b < c:
        assert a < c
    assert re.fullmatch(PATTERN, one)


@pytest.mark.clause("ZG-19")
@pytest.mark.parametrize(
    "platform,lowest,highest,inside",
    [
        ("8.1.5", "8.0", "8.1", True),
        ("8.2", "8.0", "8.1", False),
        ("7.9", "8.0", None, False),
        ("8.0", "8.0", "8.0", True),
        ("1.7.8.11", "1.7.8.2", "1.7.8.11", True),
        ("1.7.8.12", None, "1.7.8.11", False),
        ("9", None, None, True),
    ],
)
def test_a_range_has_both_ends_in_it_and_the_upper_one_covers_what_begins_with_it(platform, lowest, highest, inside):
    """Sentence 4."""
    ends = [None if end is None else Version(end) for end in (lowest, highest)]
    assert in_range(Version(platform), *ends) is inside
