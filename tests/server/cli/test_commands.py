"""Each command's document, its words, its exit code; on both databases."""

import asyncio
import json
from dataclasses import replace
from uuid import uuid4

import httpx
import pytest

from tests.support.till import RawTill, Reply
from tillkey_server.app import create_app
from tillkey_server.settings import Settings
from tillkey_server.usecases.services import open_services

REASON = ("--reason", "the machine burned down")


def activate(
    made: Settings, url: str, license_key: str, environment: str = "production", product: str = "pos-core", **more: str
) -> Reply:
    """Let a till activate through the app."""

    async def talk() -> Reply:
        services = await open_services(replace(made, database_url=url))
        try:
            transport = httpx.ASGITransport(app=create_app(services))
            async with httpx.AsyncClient(transport=transport, base_url="http://tillkey.test") as http:
                till = RawTill(http, services.keyring.keyset, product=product)
                return await till.activate(license_key, environment=environment, **more)
        finally:
            await services.close()

    return asyncio.run(talk())


def test_one_license_is_told_at_the_top_of_the_document(shell):
    issued = shell.issue()
    assert issued["code"] == "license_issued"
    assert issued["license_key"].startswith("POS-")
    assert issued["license_id"]
    [only] = issued["licenses"]
    assert only == {name: issued[name] for name in ("license_id", "license_key", "key_hint")}


@pytest.mark.clause("NX-01")
def test_an_order_of_three_gives_three_keys_once(shell):
    issued = shell.issue("--quantity", "3", "--order", "A-1")
    assert len({one["license_key"] for one in issued["licenses"]}) == 3
    assert issued["license_id"] == issued["licenses"][0]["license_id"]
    again = shell.issue("--quantity", "3", "--order", "A-1")
    assert again["code"] == "license_already_issued"
    assert [one["license_id"] for one in again["licenses"]] == [one["license_id"] for one in issued["licenses"]]
    assert [one["license_key"] for one in again["licenses"]] == [None] * 3


@pytest.mark.parametrize(
    "words",
    [
        ("--product", "pos-core", "--customer", "nobody"),
        ("--product", "pos-core", "--customer", "a@b.example", "--quantity", "0"),
        ("--product", "pos-core", "--customer", "a@b.example", "--quantity", "many"),
        ("--product", "pos-core"),
    ],
)
def test_a_wrong_value_is_a_usage_error(shell, words):
    assert shell.run("license", "issue", *words).exit_code == 2


def test_an_unknown_product_is_refused_with_the_problem_as_json(shell):
    words = ("license", "issue", "--product", "nothing", "--customer", "a@b.example")
    problem = shell.json(*words, exit_code=1)
    assert (problem["code"], problem["status"]) == ("not_found", 404)
    assert "product list" in problem["detail"]
    in_words = shell.run(*words)
    assert in_words.stdout == ""
    assert not [line for line in in_words.stderr.splitlines() if line.rstrip().endswith("-")]


@pytest.mark.parametrize(
    "words",
    [
        ("license", "explain"),
        ("license", "revoke", *REASON),
        ("license", "move-ticket", *REASON),
        ("activation", "force-deactivate", *REASON),
    ],
)
def test_an_unknown_id_is_refused_and_one_that_is_none_is_usage(shell, words):
    group, verb, *options = words
    assert shell.json(group, verb, str(uuid4()), *options, exit_code=1)["code"] == "not_found"
    assert shell.run(group, verb, "no-id", *options).exit_code == 2


@pytest.mark.clause("NX-08", "NX-09")
def test_an_installation_seen_lately_is_freed_only_with_a_confirmation(shell, made, url):
    held = activate(made, url, shell.issue()["license_key"]).granted
    command = ("activation", "force-deactivate", held.sub, *REASON)
    problem = shell.json(*command, exit_code=1)
    assert problem["code"] == "confirmation_required"
    assert "remaining" in problem["facts"]
    done = shell.json(*command, "--confirm", "--evidence", "a photo")
    assert done["license_id"] == held.license
    assert [one["evidence"] for one in shell.json("forced-deactivation", "list")["items"]] == ["a photo"]
    assert done["remaining"] == problem["facts"]["limit"] - 1
    assert done["lease_ends_at"].endswith("Z")
    assert done["clauses"]
    assert shell.json(*command, "--confirm", exit_code=1)["code"] == "not_active"


@pytest.mark.clause("NX-09")
def test_the_remaining_count_is_shown_to_people_too(shell, made, url):
    held = activate(made, url, shell.issue()["license_key"]).granted
    refused = shell.run("activation", "force-deactivate", held.sub, *REASON)
    assert refused.exit_code == 1
    assert "confirmation_required" in refused.stderr
    assert "--confirm" in refused.stderr
    assert "remaining" in refused.stderr
    assert refused.stdout == ""
    done = shell.run("activation", "force-deactivate", held.sub, *REASON, "--confirm")
    [sentence] = done.stdout.splitlines()
    assert "is free, but a machine that cannot be reached may sell on until 20" in sentence
    assert "remaining" in sentence
    soon = activate(made, url, shell.issue()["license_key"]).granted
    assert soon.license != held.license


@pytest.mark.clause("NX-09")
def test_a_person_is_told_until_when_to_wait_and_what_is_possible_now(shell, made, url):
    issued = shell.issue()
    for _ in range(2):
        held = activate(made, url, issued["license_key"]).granted
        freed = shell.run("activation", "force-deactivate", held.sub, *REASON, "--confirm")
    assert freed.exit_code == 1
    told = shell.json("license", "explain", issued["license_id"])
    not_before = told["forced_deactivations"]["retry_at"]
    assert f"Wait until {not_before}" in freed.stderr
    assert "retry" not in freed.stderr
    assert told["next_steps"] == ["deactivate"]
    words = shell.run("license", "explain", issued["license_id"]).stdout
    for line in (f"not before {not_before}", "none noticed", "deactivate: give it back", "forced"):
        assert line in words
    overridden = shell.json(
        "activation", "force-deactivate", held.sub, *REASON, "--confirm", "--override-reason", "shop is closed"
    )
    assert overridden["code"] == "forced_deactivation_granted"
    decisions = [one["words"] for one in shell.json("license", "explain", issued["license_id"])["decisions"]]
    assert "(reason: the machine burned down) by a supervisor's override (shop is closed), not counted" in decisions[-1]
    assert shell.json("license", "explain", issued["license_id"])["next_steps"] == ["activate"]


def test_a_ticket_for_a_license_that_production_holds_points_to_the_forced_deactivation(shell, made, url):
    issued = shell.issue()
    activate(made, url, issued["license_key"])
    command = ("license", "move-ticket", issued["license_id"], *REASON)
    assert shell.json(*command, exit_code=1)["options"] == ["forced_deactivation_by_agent"]
    in_words = shell.run(*command).stderr
    assert "held in production: use `activation force-deactivate`" in in_words
    assert "activate\n" not in in_words


def test_a_blank_reason_is_refused(shell, made, url):
    held = activate(made, url, shell.issue()["license_key"]).granted
    problem = shell.json("activation", "force-deactivate", held.sub, "--reason", "  ", "--confirm", exit_code=1)
    assert problem["code"] == "reason_required"


@pytest.mark.clause("NX-04")
def test_a_ticket_of_an_agent_brings_the_license_from_a_lost_staging_machine_to_production(shell, made, url):
    issued = shell.issue()
    activate(made, url, issued["license_key"], "staging")
    ticket = shell.json("license", "move-ticket", issued["license_id"], *REASON)
    assert ticket["environment"] == "production"
    assert isinstance(ticket["remaining"], int)
    moved = activate(made, url, issued["license_key"], move_ticket=ticket["ticket"])
    assert moved.status == 201, moved.body
    wrong = shell.run("license", "move-ticket", issued["license_id"], *REASON, "--environment", "moon")
    assert wrong.exit_code == 2


@pytest.mark.clause("K-13")
def test_a_license_is_suspended_resumed_and_revoked(shell):
    license_id = shell.issue()["license_id"]
    assert shell.json("license", "suspend", license_id, *REASON)["code"] == "license_suspended"
    assert shell.json("license", "resume", license_id, *REASON)["code"] == "license_resumed"
    assert shell.json("license", "resume", license_id, *REASON, exit_code=1)["code"] == "not_suspended"
    assert shell.json("license", "revoke", license_id, *REASON)["code"] == "license_revoked"
    assert shell.json("license", "suspend", license_id, *REASON, exit_code=1)["code"] == "license_revoked"
    told = shell.json("license", "explain", license_id)
    assert told["standing"]["status"] == "revoked"
    assert told["next_steps"] == []
    assert "A request to suspend was refused, nothing was changed." in told["decisions"][-1]["words"]
    other = shell.issue()["license_id"]
    assert "suspended until it is resumed" in shell.run("license", "suspend", other, *REASON).stdout
    assert shell.json("license", "explain", other)["next_steps"] == ["resume"]
    assert "the license is active now" in shell.run("license", "resume", other, *REASON).stdout
    assert "revoked for good" in shell.run("license", "revoke", other, *REASON).stdout


@pytest.mark.parametrize(
    "until, exit_code", [("2999-01-01T00:00:00Z", 0), ("2999-01-01T00:00:00", 2), ("tomorrow", 2), ("2999-01-01", 2)]
)
def test_a_suspension_ends_at_a_time_with_a_zone(shell, until, exit_code):
    license_id = shell.issue()["license_id"]
    assert shell.run("license", "suspend", license_id, *REASON, "--until", until).exit_code == exit_code


def test_an_explanation_tells_a_person_every_decision_in_words(shell, made, url):
    issued = shell.issue()
    activate(made, url, issued["license_key"])
    told = shell.json("license", "explain", issued["license_id"])
    assert [decision["code"] for decision in told["decisions"]] == ["license_issued", "activation_granted"]
    words = shell.run("license", "explain", issued["license_id"]).stdout
    for decision in told["decisions"]:
        assert decision["words"] in words
    assert issued["license_key"] not in words
    assert issued["license_key"] not in json.dumps(told)


def test_activations_are_listed_page_by_page(shell, made, url):
    assert shell.json("activation", "list") == {"items": [], "next": None}
    held = [activate(made, url, shell.issue()["license_key"]).granted.sub for _ in range(3)]
    first = shell.json("activation", "list", "--limit", "2")
    assert [item["id"] for item in first["items"]] == held[:2]
    second = shell.json("activation", "list", "--limit", "2", "--after", first["next"])
    assert [item["id"] for item in second["items"]] == held[2:]
    assert second["next"] is None
    assert {item["status"] for item in first["items"]} == {"active"}
    lines = shell.run("activation", "list").stdout.splitlines()
    assert lines[0].split("\t")[0] == "id"
    assert [line.split("\t")[0] for line in lines[1:]] == held


def test_a_product_is_put_on_sale_once(shell):
    words = ("product", "add", "kiosk", "--name", "Kiosk", "--key-prefix", "KSK", "--price", "49.90 EUR")
    assert shell.json(*words) == {"code": "kiosk", "created": True}
    assert shell.json(*words) == {"code": "kiosk", "created": False}
    other = shell.json(*words[:-1], "59.90 EUR", "--policy", "nexopos", exit_code=1)
    assert other["code"] == "product_differs"
    assert "policy, price" in other["detail"]
    listed = {item["code"]: item for item in shell.json("product", "list")["items"]}
    assert listed["kiosk"]["price"] == "49.90 EUR"
    assert shell.issue(product="kiosk")["license_key"].startswith("KSK-")
    assert shell.run(*words[:-1], "a lot").exit_code == 2
    assert shell.json(*words, "--policy", "none-such", exit_code=1)["code"] == "not_found"


def test_a_migrated_database_has_nothing_to_migrate(shell):
    moved = shell.json("migrate")
    assert moved["from"] == moved["to"]


def test_an_order_of_two_products_is_told_under_one_number(shell):
    words = (
        "order",
        "add",
        "--number",
        "1001",
        "--customer",
        "a@b.example",
        "--line",
        "pos-core:2",
        "--line",
        "pos-loyalty",
    )
    first = shell.json(*words)
    again = shell.json(*words)
    assert [line["product"] for line in first["lines"]] == ["pos-core", "pos-loyalty"]
    assert (first["created"], again["created"]) == (True, False)
    assert [one["license_id"] for one in again["licenses"]] == [one["license_id"] for one in first["licenses"]]
    assert shell.json(*words[:-2], exit_code=1)["code"] == "order_differs"


def test_policies_are_listed_and_compared_by_name_and_by_file(shell, tmp_path):
    assert "default" in {item["name"] for item in shell.json("policy", "list")["items"]}
    compared = shell.json("policy", "diff", "default", "nexopos")
    assert {"key": "name", "before": "default", "after": "nexopos"} in compared["changes"]
    later = tmp_path / "default.toml"
    later.write_text(shell.json("policy", "show", "default")["source"].replace("version = 3", "version = 4"), "utf-8")
    assert shell.json("policy", "diff", "default", str(later))["changes"] == [
        {"key": "version", "before": 3, "after": 4}
    ]
    assert shell.json("policy", "diff", "default", "none-such", exit_code=1)["code"] == "not_found"


def test_a_trial_is_given_where_the_terms_offer_one(shell):
    words = ("license", "trial", "--product", "pos-core", "--customer", "a@b.example")
    refused = shell.json(*words, exit_code=1)
    assert (refused["code"], refused["clauses"]) == ("trial_not_offered", ["X-01"])


def test_terms_that_are_not_there_are_answered_with_where_to_put_them(shell):
    words = ("--name", "Acme POS", "--key-prefix", "ACME", "--price", "49.90 EUR", "--policy", "acme")
    told = shell.run("product", "add", "acme-pos", *words)
    assert told.exit_code == 1
    assert "There is no policy acme. See `policy list`. A file of your own stands in D/policies." in told.stderr
