"""Whoever asks about the terms reads a sentence first, then yes or no, by which clauses, and what to do instead."""

import pytest


@pytest.fixture
def sold(shell):
    words = ("--number", "A-1", "--customer", "o@shop.example", "--customer-type", "professional")
    placed = shell.json("order", "add", *words, "--line", "01generator-price-import")
    return placed["licenses"][0]["license_id"]


def test_a_no_says_why_by_which_clause_and_what_instead(shell, sold):
    told = shell.run("support", "preview", "--license", sold, "--task", "hands_on").stdout.splitlines()
    assert told[0] == "It asks for work on the customer's own shop."
    assert told[1:5] == [
        "answer   no, nosup_hands_on",
        "clauses  ZG-14",
        "terms    01generator, version 3",
        "instead  paid_offer",
    ]


def test_a_yes_names_its_deadlines_in_the_language_asked_for(shell, sold):
    told = shell.run("support", "preview", "--license", sold, "--task", "technical_issue", "--language", "it").stdout
    assert told.startswith("La richiesta viene presa in carico, gratuitamente.\n")
    assert "reply\t" in told
    assert "fix\t" in told


def test_what_waits_for_a_person_is_pending(shell, sold):
    told = shell.run("refund", "preview", sold, "--reason", "mistake").stdout
    assert "answer   pending, ref_pending_review\n" in told
