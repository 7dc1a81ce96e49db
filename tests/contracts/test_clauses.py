"""The table of clauses finds what is proved and what is not."""

from pathlib import Path

import pytest

from scripts.clauses import Clause, clauses_of, judged, main

ROOT = Path(__file__).resolve().parents[2]
PAGE = """
| id | form | Clause |
| --- | --- | --- |
| NX-01 | rule | Each item has a license -> `license_issued` |
| NX-39 | statement | An invitation |
| K-03 | convention | Day 0 |
| V-22 | later | With payments |
"""
ASSERTING = 'assert answer["clauses"] == ["NX-01"]'


@pytest.fixture
def plant(tmp_path):
    def write(**files: str) -> tuple[dict[str, Clause], list[str]]:
        (tmp_path / "docs").mkdir(exist_ok=True)
        (tmp_path / "docs" / "clauses.md").write_text(PAGE)
        for name, text in files.items():
            path = tmp_path / "tests" / name.replace("__", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.with_suffix(".py").write_text(text)
        return judged(tmp_path)

    return write


def proof(clause: str, body: str = "assert True", before: str = "") -> str:
    return f'import pytest\n{before}\n@pytest.mark.clause("{clause}")\ndef test_it():\n    {body}\n'


def faults(judgement: tuple[dict[str, Clause], list[str]], clause: str) -> list[str]:
    return [fault for fault in judgement[1] if fault.startswith(f"{clause} ")]


def test_an_id_without_a_test_is_found_and_what_comes_later_is_not_asked_for(plant):
    found = plant()
    assert faults(found, "NX-01") == ["NX-01 has no test"]
    assert faults(found, "K-03") == ["K-03 has no test"]
    assert faults(found, "V-22") == []


def test_a_rule_needs_a_test_that_asserts_its_id_in_an_answer_of_the_server(plant):
    missing = ["NX-01 has no test that asserts the id in an answer of the server"]
    assert faults(plant(server__clauses__test_a=proof("NX-01")), "NX-01") == missing
    assert faults(plant(server__clauses__test_a=proof("NX-01", '"""NX-01"""')), "NX-01") == missing
    assert faults(plant(server__clauses__test_a=proof("NX-01", ASSERTING)), "NX-01") == []


def test_a_test_of_the_rule_by_itself_is_not_enough_for_a_rule_and_is_for_a_statement(plant):
    found = plant(server__rules__test_a=proof("NX-01", ASSERTING), server__rules__test_b=proof("NX-39"))
    assert faults(found, "NX-01") != []
    assert faults(found, "NX-39") == []


def test_an_id_is_asserted_by_a_constant_or_a_helper_that_the_test_uses(plant):
    constant = proof("NX-01", "assert answer == CITED", 'CITED = ["NX-01"]')
    assert faults(plant(server__clauses__test_a=constant), "NX-01") == []
    helper = proof("NX-01", "check(answer)", 'def check(answer):\n    assert answer == ["NX-01"]\n')
    assert faults(plant(server__clauses__test_a=helper), "NX-01") == []
    unused = proof("NX-01", "assert answer", 'CITED = ["NX-01"]')
    assert faults(plant(server__clauses__test_a=unused), "NX-01") != []


def test_an_id_that_the_page_does_not_have_is_found(plant):
    assert plant(server__rules__test_a=proof("NX-77"))[1][0] == (
        "tests/server/rules/test_a.py::test_it names NX-77, which docs/clauses.md does not have"
    )


def test_the_page_has_every_clause_once_and_each_has_a_form_of_the_list():
    found = clauses_of(ROOT)
    families = [one.split("-")[0] for one in found]
    counted = {family: families.count(family) for family in dict.fromkeys(families)}
    assert counted == {"K": 16, "NX": 51, "ZG": 21, "CJ": 33, "NP": 17, "BC": 37, "X": 14, "V": 24}
    assert [one.id for one in found.values() if "form" in one.fault] == []


def test_every_clause_of_the_page_is_proved():
    assert judged(ROOT)[1] == []


@pytest.mark.parametrize("asked", ["QQ", "NX-99", "nx-01"])
def test_a_family_or_an_id_that_the_page_does_not_have_is_refused_with_what_it_has(asked, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["NX-01", asked])
    assert stopped.value.code == 2
    assert f"docs/clauses.md has no {asked}; its families are K, NX" in capsys.readouterr().err
