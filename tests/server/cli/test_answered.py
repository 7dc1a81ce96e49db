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


def test_a_refunds_answer_tells_what_came_of_each_reason(shell, sold):
    rows = [
        line.split("\t")
        for line in shell.run("refund", "preview", sold, "--reason", "sla_breach").stdout.splitlines()
        if "\t" in line
    ]
    pending = ["sla_breach", "pend", "ref_pending_issue_required", "ZG-09"]
    assert rows == [["reason", "decision", "code", "clauses"], pending]


def test_what_was_done_names_its_clauses_too(shell, sold):
    opened = shell.run("support", "open", "--license", sold, "--task", "technical_issue").stdout.splitlines()
    assert opened[0] == "The request is taken; it is free of charge."
    assert opened[2].startswith("clauses  ZG-")
    request_id = next(line.split()[1] for line in opened if line.startswith("request"))
    replied = shell.run("support", "event", request_id, "--kind", "human_reply").stdout
    assert "clauses  ZG-" in replied
    asked = shell.run("refund", "request", sold, "--reason", "mistake").stdout
    assert "clauses " in asked
    assert "ZG-18" in asked


def test_what_was_decided_about_an_account_is_a_sentence_first(shell):
    customer = shell.json("license", "show", shell.issue()["license_id"])["customer_id"]
    told = shell.run("account", "request-end", customer).stdout.splitlines()
    assert told[0].endswith(".")
    assert "termination_requester_unverified" not in told[0]
