"""The commands against the vendor's end of an account: an appeal, its decision, and the vendor's second thought."""

from uuid import uuid4

import pytest

CITED = ["NX-40"]
NOT_OPEN = "termination_not_open"


def account_that_ends(shell) -> str:
    """A customer whose account the vendor ends."""
    account = shell.json("license", "show", shell.issue()["license_id"])["customer_id"]
    behavior = ("--behavior", "pb_key_sharing", "--evidence", "a forum")
    assert shell.json("account", "terminate", account, *behavior)["code"] == "account_terminated_by_vendor"
    return account


def due_at(shell, account: str) -> str | None:
    """When an account ends; None: it does not."""
    ending = shell.json("account", "show", account)["termination"]
    return None if ending is None else ending["due_at"]


def actions(shell) -> list[str]:
    """What the audit log has, newest first."""
    return [one["action"] for one in shell.json("audit", "list", "--sort=-id")["items"]]


@pytest.mark.clause("NX-40")
def test_a_customer_appeals_once_and_a_granted_appeal_takes_the_end_back(shell):
    account = account_that_ends(shell)
    appealed = shell.json("account", "appeal", account)
    assert (appealed["decision"], appealed["code"], appealed["clauses"]) == ("allow", "termination_appealed", CITED)
    assert appealed["facts"]["due_at"] == due_at(shell, account)
    blocked = shell.json("account", "show", account)["termination"]["blocked"]
    assert (blocked["code"], blocked["options"]) == ("termination_blocked_appeal", ["review"])
    again = shell.json("account", "appeal", account, exit_code=1)
    assert (again["code"], again["clauses"]) == (NOT_OPEN, CITED)
    granted = shell.json("account", "decide-appeal", account, "--granted", "--reason", "mistaken identity")
    assert (granted["code"], granted["clauses"]) == ("termination_canceled", CITED)
    assert granted["facts"] == {"reason": "mistaken identity"}
    assert due_at(shell, account) is None
    assert actions(shell)[:3] == ["termination_appeal_decide", "termination_appeal", "termination_appeal"]


@pytest.mark.clause("NX-40")
def test_a_rejected_appeal_lets_the_end_come_and_is_not_decided_twice(shell):
    account = account_that_ends(shell)
    before = due_at(shell, account)
    decide = ("account", "decide-appeal", account, "--reason", "it was shared indeed")
    assert shell.json(*decide, "--rejected", exit_code=1)["code"] == NOT_OPEN, "nobody appealed"
    shell.json("account", "appeal", account)
    assert shell.json(*decide, "--rejected")["code"] == "termination_appeal_rejected"
    assert due_at(shell, account) == before
    for way in ("--granted", "--rejected"):
        assert shell.json(*decide, way, exit_code=1)["code"] == NOT_OPEN
    assert shell.json("account", "appeal", account, exit_code=1)["code"] == NOT_OPEN, "once is once"


@pytest.mark.clause("NX-40")
def test_the_vendor_takes_his_own_end_back_and_not_the_customers(shell):
    account = account_that_ends(shell)
    back = shell.json("account", "take-back-end", account, "--reason", "the wrong customer")
    assert (back["code"], back["clauses"], back["facts"]["reason"]) == (
        "termination_canceled",
        CITED,
        "the wrong customer",
    )
    assert due_at(shell, account) is None
    shell.json("account", "request-end", account, "--verified")
    own = shell.json("account", "take-back-end", account, "--reason", "stay", exit_code=1)
    assert (own["code"], shell.json("account", "appeal", account, exit_code=1)["code"]) == (NOT_OPEN, NOT_OPEN)
    assert due_at(shell, account) is not None


def test_a_person_reads_what_became_of_an_end_and_why_something_was_refused(shell):
    account = account_that_ends(shell)
    appealed = shell.run("account", "appeal", account)
    assert (appealed.exit_code, appealed.stderr) == (0, "")
    assert "termination_appealed" in appealed.stdout
    assert "NX-40" in appealed.stdout
    rejected = shell.run("account", "decide-appeal", account, "--rejected", "--reason", "no")
    assert "termination_appeal_rejected" in rejected.stdout
    back = shell.run("account", "take-back-end", account, "--reason", "a slip")
    assert "termination_canceled" in back.stdout
    for words in (("appeal",), ("take-back-end", "--reason", "x"), ("decide-appeal", "--granted", "--reason", "x")):
        refused = shell.run("account", words[0], account, *words[1:])
        assert (refused.exit_code, refused.stdout) == (1, ""), words
        assert "Refused: termination_not_open." in refused.stderr
        assert "There is no end of the account, or no appeal against one" in refused.stderr


@pytest.mark.parametrize(
    ("command", "more"),
    [("appeal", ()), ("take-back-end", ("--reason", "x")), ("decide-appeal", ("--granted", "--reason", "x"))],
)
def test_a_customer_that_is_not_there_is_told(shell, command, more):
    assert shell.json("account", command, str(uuid4()), *more, exit_code=1)["code"] == "not_found"
    assert shell.run("account", command, "owner@shop.example", *more).exit_code == 2, "an id, and no address"


@pytest.mark.parametrize("words", [("take-back-end",), ("decide-appeal", "--granted"), ("decide-appeal", "--rejected")])
def test_an_end_is_taken_back_and_an_appeal_decided_for_a_reason_that_says_something(shell, words):
    account = account_that_ends(shell)
    shell.json("account", "appeal", account)
    command = ("account", words[0], account, *words[1:])
    blank = shell.json(*command, "--reason", " ", exit_code=2)
    assert blank["detail"].startswith("reason: ")
    assert "reason" in shell.run(*command, "--reason", " ").stderr
    assert shell.run(*command).exit_code == 2, "without one"
    assert actions(shell)[0] == "termination_appeal", "nothing was done"
    assert due_at(shell, account) is not None
