"""The commands about support: a question, a request with what happens to it, closures."""

import pytest

from tillkey_server.cli.support_options import EVENTS
from tillkey_server.usecases.support_details import MEMBERS, NEEDED

CARE, MARKET = "prestashop-click-collect", "nexopos-multistore"


def test_a_request_is_asked_about_opened_told_of_and_shown(shell):
    license_id = shell.issue(product=CARE)["license_id"]
    about = ("--license", license_id, "--task", "technical_issue", "--cause", "product")
    asked = shell.json(
        "support", "preview", *about, "--found", "nosup_third_party_service=the bank", "--language", "fr"
    )
    assert (asked["code"], asked["facts"]["may_refuse"]) == ("support_task_ok", ["nosup_third_party_service"])
    assert asked["words"].startswith("La demande")
    opened = shell.json("support", "open", *about, "--reference", "T-7", "--received-at", "2026-01-02T10:00:00Z")
    request_id = opened["request"]["id"]
    mailed = shell.json("support", "event", request_id, "--kind", "human_reply", "--detail", "in_tool=no")
    assert mailed["code"] == "reply_outside_tool"
    offered = ("version=2.0", "paid=yes", "published_at=2026-01-01T00:00:00Z")
    offer = [word for one in offered for word in ("--detail", one)]
    assert shell.json("support", "event", request_id, "--kind", "update_offered", *offer)["code"] == "update_paid"
    waiting = shell.run(
        "support", "event", request_id, "--kind", "waiting_for_customer", "--detail", "missing=log,site"
    )
    assert "waiting_for_customer" in waiting.stdout
    shown = shell.json("support", "show", request_id)
    assert [one["kind"] for one in shown["events"]] == ["human_reply", "update_offered", "waiting_for_customer"]
    assert shown["events"][-1]["details"] == {"missing": ["log", "site"]}
    listed = shell.json("support", "list", "--license", license_id, "--reference", "T-7")
    assert [one["id"] for one in listed["items"]] == [request_id]
    assert request_id in shell.run("support", "show", request_id).stdout


def test_a_refused_request_a_consent_and_a_hotfix_that_the_terms_have_not(shell):
    license_id = shell.issue(product=CARE)["license_id"]
    other_site = ("--license", license_id, "--task", "configure")
    customer_id = shell.json("license", "show", license_id)["customer_id"]
    shell.json("project", "add", "--customer", customer_id, "--name", "Shop", "--site", "shop.example")
    refused = shell.json("support", "open", *other_site, "--site", "https://other.example", exit_code=1)
    assert refused["code"] == "nosup_other_site"
    assert "nosup_other_site" in shell.run("support", "open", *other_site, "--site", "other.example").stderr
    request_id = shell.json("support", "open", *other_site)["request"]["id"]
    until = ("--until", "2030-01-01T00:00:00Z")
    consent = shell.json("support", "grant", request_id, "--by", customer_id, "--scope", "all", *until, exit_code=1)
    assert consent["code"] == "remote_access_not_justified"
    file = ("--file", f"a.php={'0' * 64}")
    hotfix = shell.json("support", "hotfix", request_id, "--severity", "severe", *file, exit_code=1)
    assert hotfix["code"] == "hotfix_unjustified"


@pytest.mark.clause("NX-27")
def test_files_are_told_in_the_same_spelling_at_a_hotfix_and_at_a_refusal(shell):
    license_id = shell.issue(product=MARKET)["license_id"]
    customer_id = shell.json("license", "show", license_id)["customer_id"]
    shell.json("project", "add", "--customer", customer_id, "--name", "Shop")
    request_id = shell.json("support", "open", "--license", license_id, "--task", "fix_issue")["request"]["id"]
    hotfix = ("support", "hotfix", request_id, "--severity", "severe", "--file")
    assert shell.json(*hotfix, f"a.php={'AB' * 32}", exit_code=2)["detail"].startswith("files: ")
    assert shell.json(*hotfix, f"a.php={'ab' * 32}")["code"] == "hotfix_recorded"
    changed = ("support", "event", request_id, "--kind", "refused", "--detail", "code=nosup_code_modified")
    evidence = ("--detail", "evidence=changed")
    own = shell.json(*changed, *evidence, "--detail", f"files=a.php={'ab' * 32}", exit_code=1)
    assert own["facts"]["because"] == "own_hotfix"
    foreign = f"files=a.php={'ab' * 32},b.php={'cd' * 32}"
    assert shell.json(*changed, *evidence, "--detail", foreign)["facts"]["files"]["b.php"] == "changed"


def test_a_value_that_nobody_can_read_is_told_by_its_name(shell):
    license_id = shell.issue(product=CARE)["license_id"]
    request_id = shell.json("support", "open", "--license", license_id, "--task", "install")["request"]["id"]
    told = ("support", "event", request_id, "--kind")
    refused = ("refused", "--detail", "code=nosup_hands_on", "--detail")
    for words, name in (
        ((*refused, "files=a.php"), "files"),
        ((*refused, f"files=a.php={'AB' * 32}"), "files"),
        ((*refused, f"evidence={'x' * 2001}"), "evidence"),
        (("refused", "--detail", "code=too much"), "code"),
        (("waiting_for_customer", "--detail", "missing=The log"), "missing"),
        (("resolved", "--detail", "fixed_in_release=the next"), "fixed_in_release"),
        (("human_reply", "--detail", "in_tool=perhaps"), "in_tool"),
        (("human_reply", "--detail", "in_tool"), "detail"),
        (("converted", "--detail", "license_id=x"), "license_id"),
        (("shrugged",), "kind"),
    ):
        result = shell.run(*told, *words)
        assert (result.exit_code, name in result.stderr) == (2, True), words


def test_a_closure_is_added_once_its_customers_know_and_listed(shell):
    times = ("--starts-at", "2998-08-01T00:00:00Z", "--ends-at", "2998-08-15T00:00:00Z", "--reason", "summer")
    terms = ("closure", "add", "--policy", "prestashop-care", *times)
    added = shell.json(*terms, "--notified-at", "2025-12-01T00:00:00Z")
    assert (added["code"], added["clauses"]) == ("closure_recorded", ["BC-04"])
    listed = shell.json("closure", "list")
    assert [one["id"] for one in listed["items"]] == [added["closure"]["id"]]
    back = ("closure", "withdraw", added["closure"]["id"], "--policy", "prestashop-care", "--reason", "we stay open")
    assert shell.json(*back)["code"] == "closure_withdrawn"
    assert shell.json("closure", "list")["items"][0]["withdrawn_at"] is not None
    assert shell.run(*terms, "--notified-at", "2999-01-01T00:00:00Z").exit_code == 2


@pytest.mark.clause("NX-23", "NX-29")
def test_a_request_that_a_ground_refuses_is_opened_after_a_review_with_its_reason(shell):
    license_id = shell.issue(product=MARKET)["license_id"]
    customer_id = shell.json("license", "show", license_id)["customer_id"]
    shell.json("project", "add", "--customer", customer_id, "--name", "Shop")
    described = [f"--described={one}" for one in ("steps", "expected", "actual", "version", "fresh_install_checked")]
    asked = ("support", "open", "--license", license_id, "--task", "fix_issue", *described)
    ground = ("--found", "nosup_abusive=insults")
    refused = shell.json(*asked, *ground, exit_code=1)
    assert (refused["code"], refused["options"]) == ("nosup_abusive", ["review"])
    taken = shell.json(*asked, *ground, "--review", "he apologized")
    assert (taken["code"], taken["facts"]["overruled"]) == ("support_taken_on_review", "nosup_abusive")
    assert (taken["request"]["state"], "NX-23" in taken["clauses"]) == ("open", True)
    noted = shell.json("audit", "list", "--sort=-id", "--limit", "1")["items"][0]
    assert (noted["action"], noted["facts"]["reason"]) == ("support_take", "he apologized")
    told = shell.run(*asked, *ground, "--review", "he apologized again")
    assert (told.exit_code, "It is taken after a review." in told.stdout) == (0, True)


def test_a_review_needs_a_reason_and_overrules_not_whose_the_support_is(shell):
    license_id = shell.issue(product=MARKET)["license_id"]
    asked = ("support", "open", "--license", license_id, "--task", "fix_issue")
    assert shell.json(*asked, "--review", " ", exit_code=2)["detail"].startswith("reason: ")
    assert "reason" in shell.run(*asked, "--review", " ").stderr
    assert shell.json(*asked, "--review", "kindness", exit_code=1)["code"] == "ticket_project_required"
    assert shell.json("support", "list")["items"] == []


def test_the_help_of_events_lists_every_kind_with_all_that_may_and_must_be_told_of_it():
    told = {}
    for line in EVENTS.splitlines()[2:]:
        kind, _, details = line.strip().partition(" ")
        told[kind] = [] if details.strip() == "-" else details.strip().split(", ")
    assert sorted(told) == sorted(kind.value for kind in MEMBERS)
    for kind, members in MEMBERS.items():
        assert {one.removesuffix("*") for one in told[kind.value]} == members, kind
        assert {one for one in told[kind.value] if one.endswith("*")} == {f"{one}*" for one in NEEDED.get(kind, ())}


def test_a_detail_that_an_event_has_not_is_answered_with_those_that_it_has(shell):
    license_id = shell.issue(product=CARE)["license_id"]
    request_id = shell.json("support", "open", "--license", license_id, "--task", "configure")["request"]["id"]
    event = ("support", "event", request_id, "--detail", "ground=x", "--kind")
    assert "refused, which has author, code, evidence" in shell.json(*event, "refused", exit_code=2)["detail"]
    assert "which has no details" in shell.json(*event, "customer_answered", exit_code=2)["detail"]
