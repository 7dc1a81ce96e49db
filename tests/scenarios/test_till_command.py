"""The command `tillkey`, each time a real process: what scripts rely on, `--json` and the exit codes."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.proxy import fault, portal
from tests.support.shop import PROJECT

DONE, REFUSED, USAGE, UNREACHABLE = 0, 1, 2, 3
COMMAND = Path(sys.executable).with_name("tillkey")


@pytest.fixture(scope="module")
def shop(shops):
    return shops("sqlite")


@dataclass
class Told:
    """What one run of the command came to."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        assert self.err == ""
        return json.loads(self.out)


def run(machine, *words, typed=None, **environment):
    """Run the command on a machine, set up by environment variables as a script does."""
    settings = {
        "TILLKEY_SERVER": machine.line.url,
        "TILLKEY_PRODUCT": "pos-core",
        "TILLKEY_KEYSET": str(machine.shop.keyset),
        "TILLKEY_STATE_DIR": str(machine.folder),
        **environment,
    }
    inherited = {name: text for name, text in os.environ.items() if not name.startswith("TILLKEY_")}
    done = subprocess.run(
        [COMMAND, *words],
        env=inherited | settings,
        input=typed,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Told(done.returncode, done.stdout, done.stderr)


def test_a_till_lives_its_life_by_commands(shop):
    staging, production, sold = shop.machine("staging"), shop.machine("production"), shop.license()
    never = run(staging, "status", "--json", TILLKEY_SERVER="")
    assert (never.code, never.json["status"], never.json["usable"]) == (DONE, "unlicensed", False)
    words = ("activate", sold.license_key.lower(), "--project", PROJECT, "--environment", "staging", "--json")
    activated = run(staging, *words)
    assert (activated.code, activated.json["status"], activated.json["environment"]) == (DONE, "valid", "staging")
    assert activated.json["entitlements"] == ["sell", "reports", "loyalty"]
    assert run(staging, "--json", "heartbeat").json["status"] == "valid"
    given = run(staging, "move-ticket", "production", "--json")
    assert (given.code, given.json["environment"]) == (DONE, "production")
    moving = ("activate", "-", "--project", PROJECT, "--move-ticket", given.json["ticket"], "--json")
    moved = run(production, *moving, typed=f" {sold.license_key}\n")
    assert (moved.code, moved.json["status"], moved.json["project"]) == (DONE, "valid", PROJECT)
    over = run(staging, "heartbeat", "--json")
    assert (over.code, over.json["code"], over.json["signed"]) == (REFUSED, "activation_superseded", True)
    assert run(staging, "status", "--json").json["status"] == "superseded"
    freed = run(production, "deactivate", "--json")
    assert (freed.code, freed.json["status"], freed.json["usable"]) == (DONE, "released", False)
    assert [status for _, status in shop.seats(sold)] == ["superseded", "released"]


@pytest.mark.clause("NX-03")
def test_a_refusal_is_exit_1_with_the_problem_on_stdout(shop):
    machine, sold = shop.machine(), shop.license()
    shop.machine("holder").activated(sold)
    told = run(machine, "activate", sold.license_key, "--project", PROJECT, "--json")
    assert told.code == REFUSED
    assert (told.json["code"], told.json["clauses"], told.json["signed"]) == ("license_in_use", ["NX-03"], True)
    assert "move_ticket" in told.json["options"]
    unheld = run(machine, "heartbeat", "--json")
    assert (unheld.code, unheld.json["code"]) == (REFUSED, "not_activated")


@pytest.mark.clause("K-14")
def test_a_mistyped_key_is_exit_1_and_asks_no_server(shop):
    machine = shop.machine()
    told = run(machine, "activate", "POS-ABCDE", "--project", PROJECT, "--json")
    assert (told.code, told.json["code"], told.json["signed"]) == (REFUSED, "license_invalid", False)
    assert machine.line.passages == []


def test_what_is_missing_or_unknown_is_exit_2(shop):
    machine = shop.machine()
    missing = run(machine, "heartbeat", "--json", TILLKEY_KEYSET="")
    assert (missing.code, missing.json["code"]) == (USAGE, "usage")
    assert "--keyset" in missing.json["detail"]
    unknown = run(machine, "activate", "POS-ABCDE", "--environment", "live")
    assert (unknown.code, unknown.out) == (USAGE, "")
    assert "--environment" in unknown.err


@pytest.mark.clause("X-02")
def test_an_unreachable_server_is_exit_3_and_the_till_sells_on(shop):
    machine, sold = shop.machine(), shop.license()
    machine.activated(sold)
    machine.line.next(portal, fault(503))
    beat = run(machine, "heartbeat", "--json")
    assert (beat.code, beat.json["code"], beat.json["kind"]) == (UNREACHABLE, "unreachable", "not_json")
    freed = run(machine, "deactivate")
    assert (freed.code, freed.out) == (UNREACHABLE, "")
    assert "unreachable: http_5xx" in freed.err
    machine.line.close()
    assert run(machine, "move-ticket", "--json").json["kind"] == "connect"
    status = run(machine, "status", "--json")
    assert (status.code, status.json["status"], status.json["usable"]) == (DONE, "valid", True)


def test_people_get_words_without_colors_in_a_pipe(shop):
    machine, sold = shop.machine(), shop.license()
    told = run(machine, "activate", sold.license_key, "--project", PROJECT)
    assert (told.code, told.err) == (DONE, "")
    lines = dict(line.split(maxsplit=1) for line in told.out.splitlines() if line.startswith(("status", "usable")))
    assert lines == {"status": "valid", "usable": "yes"}
    assert "\x1b" not in told.out
    assert sold.license_key not in told.out
