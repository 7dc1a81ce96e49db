"""The figure of `make mutants` counts what was killed of what was judged."""

from collections import Counter

import pytest

from scripts.mutants import fates, main, share

TOLD = """\
    tillkey_server.rules.term.x_fold__mutmut_1: killed
    tillkey_server.rules.term.x_fold__mutmut_2: survived
    tillkey_server.rules.term.x_fold__mutmut_3: timeout
    tillkey_server.rules.window.x_within__mutmut_1: no tests
    tillkey_server.rules.window.x_within__mutmut_2: not checked
"""


def test_each_rule_has_the_fates_of_its_own_mutants() -> None:
    assert fates(TOLD) == {
        "term": Counter({"killed": 1, "survived": 1, "timeout": 1}),
        "window": Counter({"no tests": 1, "not checked": 1}),
    }


@pytest.mark.parametrize(
    "counted,percent",
    [
        ({"killed": 9, "survived": 1}, 90.0),
        ({"killed": 1, "timeout": 1}, 100.0),
        ({"killed": 1, "no tests": 1}, 50.0),
        ({"killed": 1, "not checked": 7}, 100.0),
        ({}, 100.0),
    ],
)
def test_a_mutant_without_a_test_counts_as_alive_and_an_unjudged_one_not_at_all(
    counted: dict[str, int], percent: float
) -> None:
    assert share(Counter(counted)) == percent


def test_a_rule_that_is_no_file_is_refused_with_the_names_of_those_that_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["term", "misspelt"])
    assert stopped.value.code == 2
    said = capsys.readouterr().err
    assert "no file of rules/ is called misspelt; there are: access, " in said
