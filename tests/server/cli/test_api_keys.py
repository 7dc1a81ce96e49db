"""`api-key create | list | show | revoke`: the same keys as over HTTP, shown once."""

import pytest

AGENT = ("api-key", "create", "--name", "Help desk", "--role", "agent")


def test_a_key_is_made_and_shown_once(shell):
    made = shell.json(*AGENT, "--product", "pos-core", "--expires-at", "2099-01-31T15:00:00+01:00")
    shown = shell.json("api-key", "show", made["id"])
    assert made["api_key"].startswith("tks_")
    assert shown == {name: value for name, value in made.items() if name != "api_key"}
    assert (shown["status"], shown["expires_at"], len(shown["products"])) == ("active", "2099-01-31T14:00:00Z", 1)


def test_a_person_is_told_that_the_key_is_shown_once(shell):
    result = shell.run(*AGENT)
    assert "tks_" in result.stdout
    assert "nobody can show it again" in result.stderr


def test_keys_are_listed_page_by_page(shell):
    made = [shell.json(*AGENT)["id"] for _ in range(3)]
    first = shell.json("api-key", "list", "--limit", "2")
    second = shell.json("api-key", "list", "--limit", "2", "--after", first["next"])
    assert [one["id"] for one in first["items"] + second["items"]] == made
    assert second["next"] is None


def test_a_revoked_key_is_dead_and_stays_on_record(shell):
    made = shell.json(*AGENT)
    assert shell.json("api-key", "revoke", made["id"])["status"] == "revoked"
    assert shell.json("api-key", "show", made["id"])["revoked_at"] is not None


@pytest.mark.parametrize(
    ("words", "exit_code"),
    [
        (("api-key", "create", "--name", "x", "--role", "king"), 2),
        (("api-key", "create", "--name", "", "--role", "agent"), 2),
        ((*AGENT, "--expires-at", "2020-01-01T00:00:00Z"), 2),
        ((*AGENT, "--expires-at", "tomorrow"), 2),
        ((*AGENT, "--product", "nothing"), 1),
        (("api-key", "show", "00000000-0000-7000-8000-000000000000"), 1),
        (("api-key", "revoke", "00000000-0000-7000-8000-000000000000"), 1),
        (("api-key", "list", "--sort", "secret"), 2),
    ],
)
def test_wrong_words_are_told_by_name(shell, words, exit_code):
    problem = shell.json(*words, exit_code=exit_code)
    assert problem["code"] == ("malformed" if exit_code == 2 else "not_found")
