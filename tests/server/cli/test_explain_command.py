"""`license explain`: what could be done, in a person's language; the whole of it as JSON. On both databases."""

import pytest

from tillkey_server.cli import told
from tillkey_server.rules.decision import Outcome
from tillkey_server.usecases.possible import ACTIONS
from tillkey_server.words.catalogue import LANGUAGES, PHRASES, texts

HEADINGS = {
    "en": "What could be done, and what the terms say to it:",
    "fr": "Ce qui pourrait être fait, et ce qu'en disent les conditions :",
    "it": "Che cosa si potrebbe fare, e che cosa ne dicono le condizioni:",
}


@pytest.mark.clause("X-13", "X-12")
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_person_reads_clocks_their_payments_and_what_could_be_done_in_his_language(shell, language):
    issued = shell.issue()
    document = shell.json("license", "explain", issued["license_id"], "--language", language)
    lines = shell.run("license", "explain", issued["license_id"], "--language", language).stdout.splitlines()
    phrases, text = texts(PHRASES, language), "\n".join(lines)
    table = lines[lines.index(HEADINGS[language]) + 1 :]
    assert table[0].split("\t") == [
        phrases[f"column_{name}"] for name in ("action", "asked", "answer", "words", "clauses")
    ]
    for line, one in zip(table[1:], document["possible"], strict=False):
        cells = line.split("\t")
        assert cells[0] == phrases[f"action_{one['action']}"]
        assert cells[2:4] == [phrases[f"decision_{one['answer']['decision']}"], one["answer"]["words"]]
    for clock in document["clocks"].values():
        assert clock["words"] in text
    assert document["standing"]["words"] in text
    assert f"{phrases['clock_support']}\t{phrases['stretch_purchase']}\t" in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_that_is_told_has_a_name_in_each_language(language):
    phrases = texts(PHRASES, language)
    names = [f"action_{one}" for one in ACTIONS] + [f"decision_{one.value}" for one in Outcome]
    assert [one for one in names if not phrases.get(one)] == []


@pytest.mark.clause("X-13")
def test_each_stretch_is_shown_with_the_payment_that_it_came_from(shell):
    license_id = shell.issue()["license_id"]
    paid = ("--number", "R-1", "--amount", "59.60 EUR")
    assert shell.run("license", "renew", license_id, *paid).exit_code == 0
    rows = [line.split("\t") for line in shell.run("license", "explain", license_id).stdout.splitlines()]
    [renewal] = [row for row in rows if row[:2] == ["Support", "renewal"]]
    assert renewal[-1] == "manual R-1, 59.60 EUR"


@pytest.mark.clause("X-13")
def test_what_went_back_and_what_ended_early_is_said_beside_the_rest():
    payment = {"channel": "shop", "number": "R-1", "amount": "1.00 EUR"}
    first = {"kind": "purchase", "start": "a", "last_day": "b", "ended_early": True, "payment": None}
    gone = {"payment": payment, "refunded_at": "2026-03-02T09:00:00Z"}
    assert told._stretches("support", {"segments": [first], "taken_out": [gone]}, "en") == [
        ("Support", "purchase, ended early", "a", "b", None),
        ("Support", "renewal, paid back on 2026-03-02T09:00:00Z", None, None, "shop R-1, 1.00 EUR"),
    ]
