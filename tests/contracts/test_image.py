"""The image and its compose file: clean to hadolint, run by nobody in particular, built from the lock and what is here.

No engine that could build it is needed: each step is held against the files and the commands that it names.
"""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from typer.main import get_command

from tests.contracts import checks
from tillkey_server.cli.main import app

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
PINNED = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)", re.MULTILINE)
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def instructions(word: str) -> list[str]:
    joined = DOCKERFILE.replace("\\\n", " ")
    return [line.split(maxsplit=1)[1] for line in joined.splitlines() if line.startswith(word + " ")]


def pins(name: str) -> dict[str, str]:
    return dict(PINNED.findall((ROOT / name).read_text("utf-8")))


def test_hadolint_has_nothing_to_say() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    said = subprocess.run([hadolint, ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (said.stdout + said.stderr, said.returncode) == ("", 0)


def test_the_server_does_not_run_as_root() -> None:
    assert instructions("USER") == ["10001:10001"]


def test_what_is_copied_is_there_and_let_in() -> None:
    sources = {
        source.removeprefix("./").rstrip("/")
        for line in instructions("COPY")
        if not line.startswith("--from")
        for source in line.split()[:-1]
    }
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line.startswith("!")}
    assert [source for source in sources if not (ROOT / source).exists()] == []
    assert sources == let_in


def test_the_image_says_how_it_is_served_and_whether_it_lives() -> None:
    [words] = instructions("CMD")
    assert yaml.safe_load(words)[0] in get_command(app).commands
    [health] = instructions("HEALTHCHECK")
    assert "/healthz" in health


@pytest.mark.parametrize("name", ["requirements-server.lock", "requirements-build.lock"])
def test_a_part_of_the_lock_pins_what_the_whole_one_does(name: str) -> None:
    whole = pins("requirements.lock")
    assert pins(name).items() <= whole.items()
    assert "\n".join(checks.loose_requirements((ROOT / name).read_text("utf-8"))) == ""


def test_the_image_holds_what_the_distributions_need() -> None:
    needed = set()
    for path in ("pyproject.toml", "sdk/pyproject.toml"):
        project = tomllib.loads((ROOT / path).read_text("utf-8"))["project"]
        needed |= {found[0] for text in project["dependencies"] if (found := NAME.match(text))}
    assert needed - {"tillkey"} <= pins("requirements-server.lock").keys()


def test_each_service_of_the_compose_file_runs_a_command_that_there_is() -> None:
    commands = get_command(app).commands
    services = COMPOSE["services"]
    assert {name for name, service in services.items() if "command" in service} == {"init", "migrate", "server"}
    for name in ("init", "migrate", "server"):
        command, *words = services[name]["command"]
        known = {option for parameter in commands[command].params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= known, name


def test_the_compose_file_holds_no_password_and_opens_no_door_to_the_world() -> None:
    text = (ROOT / "compose.yaml").read_text("utf-8")
    assert text.count("${POSTGRES_PASSWORD:?") == 2
    assert COMPOSE["services"]["server"]["ports"] == ["127.0.0.1:8080:8080"]
    assert "ports" not in COMPOSE["services"]["database"]
