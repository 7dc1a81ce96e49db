"""The commands about licenses and activations that the administration has as endpoints too."""

import json

import pytest

from tests.server.cli.conftest import CUSTOMER
from tests.server.cli.test_commands import activate
from tests.support.commands import invoke

REASON = ("--reason", "the owner called")
BUYER = "buyer@else.example"


def listed(document):
    return [one["id"] for one in document["items"]]


def test_a_license_is_listed_found_and_shown(shell, made, url):
    issued = shell.issue("--order", "A-17")
    shell.issue(product="pos-loyalty")
    mine = issued["license_id"]
    held = activate(made, url, issued["license_key"]).granted
    machine = shell.json("activation", "show", held.sub)["installation"]
    for option, value in (
        ("--order", "A-17"),
        ("--product", "pos-core"),
        ("--key-hint", issued["key_hint"]),
        ("--machine", machine[:5]),
    ):
        assert listed(shell.json("license", "list", option, value)) == [mine], option
    assert len(listed(shell.json("license", "search", CUSTOMER))) == 2
    assert len(listed(shell.json("license", "search", "--email", CUSTOMER, "--limit", "1"))) == 1
    assert listed(shell.json("license", "search", "A-17", "--status", "active")) == [mine]
    shown = shell.json("license", "show", mine)
    assert (shown["customer_email"], shown["order"], shown["in_use"]) == (CUSTOMER, "A-17", True)
    assert issued["license_key"] not in json.dumps(shown)
    assert mine in shell.run("license", "list").stdout
    assert shell.run("license", "search", "nobody@x.example").stdout == "No licenses.\n"
    assert mine in shell.run("license", "show", mine).stdout


@pytest.mark.clause("I16")
def test_a_key_to_search_by_is_read_from_stdin(shell):
    issued = shell.issue()
    words = ["license", "search", "-", "--data-dir", str(shell.data_dir), "--json"]
    result = invoke(words, input=issued["license_key"] + "\n")
    assert listed(json.loads(result.stdout)) == [issued["license_id"]]


@pytest.mark.clause("K-13")
def test_a_hold_is_placed_and_lifted(shell):
    license_id = shell.issue()["license_id"]
    held = shell.json("license", "hold", license_id, *REASON)
    assert (held["code"], held["facts"]["to"]) == ("legal_hold_placed", "legal_hold")
    assert listed(shell.json("license", "list", "--status", "legal_hold")) == [license_id]
    assert shell.json("license", "hold", license_id, *REASON, exit_code=1)["code"] == "legal_hold"
    lifted = shell.run("license", "release-hold", license_id, *REASON)
    assert lifted.stdout == "The legal hold was lifted; the license is active now.\n"
    again = shell.run("license", "hold", license_id, *REASON)
    assert again.stdout == "The license is on legal hold.\n"


@pytest.mark.clause("K-14")
def test_a_new_key_is_shown_once_and_says_what_the_till_should_do(shell, made, url):
    issued = shell.issue()
    activate(made, url, issued["license_key"])
    told = shell.run("license", "rekey", issued["license_id"], *REASON)
    assert "Enter the new key there once" in told.stderr
    again = shell.json("license", "rekey", issued["license_id"], *REASON)
    assert again["license_key"].startswith("POS-")
    assert again["license_key"] not in told.stdout
    assert activate(made, url, issued["license_key"]).code == "license_invalid"
    assert activate(made, url, again["license_key"]).code == "license_in_use"
    shell.json("license", "revoke", issued["license_id"], *REASON)
    assert shell.json("license", "rekey", issued["license_id"], *REASON, exit_code=1)["code"] == "license_revoked"


@pytest.mark.clause("NX-49")
def test_a_license_is_transferred_with_what_runs(shell, made, url):
    issued, another = shell.issue(), shell.issue()
    shell.json("license", "issue", "--product", "pos-core", "--customer", BUYER)
    held = activate(made, url, issued["license_key"]).granted
    command = ("license", "transfer", issued["license_id"], "--customer", BUYER, *REASON)
    done = shell.json(*command, "--along", another["license_id"])
    assert (done["code"], done["activations"]) == ("license_transferred", [held.sub])
    assert sorted(done["licenses"]) == sorted([issued["license_id"], another["license_id"]])
    assert shell.json(*command, exit_code=1)["code"] == "nothing_to_transfer"
    back = shell.run("license", "transfer", another["license_id"], "--customer", CUSTOMER, *REASON)
    assert back.stdout.endswith("'s now; 0 activations go on undisturbed.\n")
    missing = shell.json(
        "license", "transfer", another["license_id"], "--customer", "x@y.example", *REASON, exit_code=1
    )
    assert (missing["code"], "x@y" in missing["detail"]) == ("not_found", False)


@pytest.mark.clause("NX-07")
def test_an_activation_is_given_back_on_the_customers_word(shell, made, url):
    held = activate(made, url, shell.issue()["license_key"]).granted
    said = shell.run("activation", "release", held.sub, *REASON)
    assert "is free, but a machine that cannot be reached may sell on until 20" in said.stdout
    assert "counts as no forced deactivation" in said.stdout
    assert shell.json("activation", "release", held.sub, *REASON, exit_code=1)["code"] == "not_active"
    assert shell.json("activation", "show", held.sub)["status"] == "released"
    assert listed(shell.json("activation", "list", "--status", "active")) == []
    assert listed(shell.json("activation", "list", "--status", "released", "--sort", "-started_at")) == [held.sub]
    assert shell.json("forced-deactivation", "list") == {"items": [], "next": None}


@pytest.mark.clause("NX-04", "NX-09")
def test_tickets_and_forced_deactivations_are_listed(shell, made, url):
    issued = shell.issue()
    activate(made, url, issued["license_key"], "staging")
    ticket = shell.json("license", "move-ticket", issued["license_id"], *REASON)["ticket"]
    [forced] = shell.json("forced-deactivation", "list", "--license", issued["license_id"])["items"]
    [made_one] = shell.json("move-ticket", "list", "--license", issued["license_id"], "--status", "open")["items"]
    assert (forced["kind"], forced["counted"]) == ("move_ticket", True)
    assert (made_one["license_id"], made_one["environment"]) == (issued["license_id"], "production")
    assert ticket not in json.dumps(made_one)
    assert shell.run("move-ticket", "list", "--status", "used").stdout == "No move tickets.\n"


@pytest.mark.parametrize(
    "words",
    [
        ("license", "list", "--status", "sold"),
        ("license", "list", "--machine", "abc"),
        ("license", "list", "--sort", "secret"),
        ("license", "search", "--email", "owner"),
        ("activation", "list", "--status", "sold"),
        ("activation", "list", "--environment", "moon"),
        ("move-ticket", "list", "--status", "sold"),
        ("license", "transfer", "00000000-0000-7000-8000-000000000000", "--customer", "nobody", *REASON),
    ],
)
def test_a_wrong_value_is_a_usage_error(shell, words):
    assert shell.json(*words, exit_code=2)["code"] == "malformed"
