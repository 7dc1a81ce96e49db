"""docs/situations.md is what the code makes of the same facts under each bundled policy."""

import json
import re
from pathlib import Path

import pytest

from scripts.situations import __main__ as command
from scripts.situations import page
from scripts.situations.asking import PLAIN, policies
from tillkey_server.policies.loader import bundled_policies
from tillkey_server.rules.decision import Outcome

ROOT = Path(__file__).resolve().parents[2]
ALL = page.situations()
CLAUSE = re.compile(r"[A-Z]{1,4}-[0-9]{2,3}")


def test_the_page_is_what_the_code_makes():
    assert (ROOT / page.PAGE).read_text("utf-8") == page.rendered(), "make situations ARGS=--write"


def test_there_are_at_least_forty_situations_and_each_has_a_name_and_a_sentence_of_its_own():
    assert len(ALL) >= 40
    assert len({one.name for one in ALL}) == len({one.sentence for one in ALL}) == len(ALL)
    assert [one.name for one in ALL if not one.sentence or "|" in one.sentence] == []


def test_every_bundled_policy_has_a_column_the_plain_one_last():
    assert set(policies()) == set(bundled_policies())
    assert [*policies()][-1] == PLAIN


@pytest.mark.parametrize("situation", ALL, ids=lambda one: one.name)
def test_every_vendor_answers_with_clauses_and_not_all_alike(situation):
    answers = page.asked(situation)
    assert set(answers) == set(policies())
    for answer in answers.values():
        assert answer.decision in set(Outcome)
        assert answer.clauses
        assert [clause for clause in answer.clauses if not CLAUSE.fullmatch(clause)] == []
    assert page.ways(answers) > 1


@pytest.mark.parametrize("vendor", [name for name in policies() if name != PLAIN])
def test_each_vendor_answers_many_situations_by_clauses_that_no_other_vendor_cites(vendor):
    told = [page.asked(one) for one in ALL]
    others = [
        {clause for name, one in answers.items() if name not in {vendor, PLAIN} for clause in one.clauses}
        for answers in told
    ]
    own = [set(answers[vendor].clauses) - cited for answers, cited in zip(told, others, strict=True)]
    assert sum(1 for clauses in own if clauses) > 20


def test_in_most_situations_all_vendors_answer_differently():
    counted = [page.ways(page.asked(one)) for one in ALL]
    assert counted.count(len(policies()) - 1) * 2 > len(ALL)


def test_the_answers_are_there_for_programs_and_for_one_situation(capsys):
    name = ALL[0].name
    assert command.main(["--json", name]) == 0
    (told,) = json.loads(capsys.readouterr().out)
    assert (told["situation"], set(told["answers"])) == (name, set(policies()))
    assert command.main([name]) == 0
    shown = capsys.readouterr().out
    assert ALL[0].sentence in shown
    assert ALL[1].sentence not in shown
    assert command.main(["nobody_asked_this"]) == 2
