"""The commands by which a person lets a shop go on elsewhere: on another site, or as another project."""

from uuid import uuid4

import pytest

from tests.server.cli.test_commands import activate

MARKET, CARE = "nexopos-multistore", "prestashop-click-collect"
REASON = ("--reason", "it went live under the wrong name")


def a_shop(shell, made, url, product: str = MARKET) -> tuple[str, str, str]:
    """A license that runs in a project, that project, and another one of its customer."""
    issued = shell.issue(product=product)
    held = activate(made, url, issued["license_key"], product=product, project="Harbor Shop").granted
    customer = shell.json("license", "show", issued["license_id"])["customer_id"]
    other = shell.json("project", "add", "--customer", customer, "--name", "Corner Shop")
    return issued["license_id"], str(held.project), other["id"]


@pytest.mark.clause("NX-06", "NX-17")
def test_a_bound_license_moves_with_its_till_and_its_support_stays_behind(shell, made, url):
    license_id, first, other = a_shop(shell, made, url)
    moved = shell.json("project", "move", license_id, "--to", other, *REASON)
    assert (moved["decision"], moved["code"]) == ("allow", "license_project_changed")
    assert {"NX-06", "NX-17"} <= set(moved["clauses"])
    assert (moved["license_id"], moved["project_id"]) == (license_id, other)
    running = [one["id"] for one in shell.json("activation", "list", "--license", license_id)["items"]]
    assert moved["facts"] == {
        "from_project": first,
        "to_project": other,
        "support_project": first,
        "goes_on": running,
        "reason": REASON[1],
    }
    assert len(running) == 1
    again = shell.json("project", "move", license_id, "--to", other, *REASON, exit_code=1)
    assert (again["code"], again["clauses"]) == ("nothing_to_move", ["NX-06"])


@pytest.mark.clause("NX-06")
def test_a_person_reads_where_a_license_is_now_or_why_it_stays(shell, made, url):
    license_id, first, other = a_shop(shell, made, url)
    moved = shell.run("project", "move", license_id, "--to", other, *REASON)
    assert (moved.exit_code, moved.stdout) == (0, f"The license {license_id} is of project {other} now.\n")
    shell.json("license", "hold", license_id, "--reason", "a court order")
    refused = shell.run("project", "move", license_id, "--to", first, *REASON)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "Refused: legal_hold." in refused.stderr


@pytest.mark.clause("NX-06")
def test_a_move_needs_a_reason_and_a_project_of_the_same_customer(shell, made, url):
    license_id, first, other = a_shop(shell, made, url)
    blank = shell.json("project", "move", license_id, "--to", other, "--reason", " ", exit_code=1)
    assert (blank["code"], blank["options"]) == ("reason_required", ["give_reason"])
    foreign = shell.json("license", "issue", "--product", "pos-core", "--customer", "else@shop.example")
    stranger = shell.json("license", "show", foreign["license_id"])["customer_id"]
    theirs = shell.json("project", "add", "--customer", stranger, "--name", "Corner Shop")["id"]
    for place in (theirs, str(uuid4())):
        assert shell.json("project", "move", license_id, "--to", place, *REASON, exit_code=1)["code"] == "not_found"
    assert shell.run("project", "move", license_id, "--to", "Corner Shop", *REASON).exit_code == 2
    assert shell.json("project", "move", license_id, "--to", first, *REASON, exit_code=1)["code"] == "nothing_to_move"


@pytest.mark.clause("BC-09")
def test_another_site_is_approved_with_a_reason_and_is_the_projects_from_then_on(shell, made, url):
    _, project, _ = a_shop(shell, made, url, product=CARE)
    changed = shell.json("project", "site", project, "--site", "new.example", "--reason", "a new domain")
    assert (changed["decision"], changed["code"]) == ("allow", "project_site_changed")
    assert changed["clauses"] == ["BC-32", "BC-09"]
    assert changed["facts"] == {"project": project, "reason": "a new domain"}
    assert shell.json("project", "show", project)["site"] == "new.example"
    told = shell.run("project", "site", project, "--site", "newer.example", "--reason", "once more")
    assert (told.exit_code, told.stderr) == (0, "")
    assert "project_site_changed" in told.stdout
    assert shell.json("project", "show", project)["site"] == "newer.example"


@pytest.mark.parametrize(("site", "reason", "field"), [(" ", "a new domain", "site"), ("new.example", "  ", "reason")])
def test_what_is_no_site_and_an_approval_without_a_reason_are_told_by_their_name(shell, site, reason, field):
    customer = shell.json("license", "show", shell.issue()["license_id"])["customer_id"]
    project = shell.json("project", "add", "--customer", customer, "--name", "Shop", "--site", "old.example")["id"]
    refused = shell.json("project", "site", project, "--site", site, "--reason", reason, exit_code=2)
    assert refused["detail"].startswith(f"{field}: ")
    assert field in shell.run("project", "site", project, "--site", site, "--reason", reason).stderr
    assert shell.json("project", "show", project)["site"] == "old.example"
    gone = ("project", "site", str(uuid4()), "--site", "new.example", "--reason", "x")
    assert shell.json(*gone, exit_code=1)["code"] == "not_found"
