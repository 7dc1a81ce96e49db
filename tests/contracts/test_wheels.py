"""What is shipped works away from the checkout: both wheels, an empty environment, a server, an activation."""

import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import closing, contextmanager
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.contracts.installed import build_wheel, declared, make_environment, run

ROOT = Path(__file__).parents[2]
ACTIVATE = """
import json, sys
from tillkey import LicenseClient
server, keyset, state, key = sys.argv[1:]
client = LicenseClient(server=server, product="pos-core", pinned_keyset=keyset, state_dir=state)
verdict = client.activate(key, project="Corner Shop", environment="production")
again = client.check()
print(json.dumps({"activated": verdict.usable, "checked": again.usable}))
"""
WHERE = "import json, tillkey, tillkey_server; print(json.dumps([tillkey.__file__, tillkey_server.__file__]))"


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    into = tmp_path_factory.mktemp("wheels")
    return [build_wheel(ROOT / "sdk", into), build_wheel(ROOT, into)]


@pytest.fixture(scope="module")
def installed(wheels, tmp_path_factory):
    return make_environment(tmp_path_factory.mktemp("installed") / "env", wheels)


@pytest.fixture
def bare_env():
    """The environment variables of a machine that has heard of neither this checkout nor a running server."""
    kept = ("PATH", "HOME", "TMPDIR", "LANG", "SYSTEMROOT")
    return {name: os.environ[name] for name in kept if name in os.environ}


def names_in(wheel):
    with ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_the_servers_wheel_holds_migrations_policies_license_and_type_marker(wheels):
    names = names_in(wheels[1])
    for path in ROOT.glob("migrations/versions/*.py"):
        assert f"tillkey_server/_migrations/versions/{path.name}" in names
    for path in (ROOT / "server/tillkey_server").rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            assert f"tillkey_server/{path.relative_to(ROOT / 'server/tillkey_server').as_posix()}" in names
    assert {"tillkey_server/_migrations/env.py", "tillkey_server/py.typed"} <= names
    assert any(name.startswith("tillkey_server/policies/") and name.endswith(".toml") for name in names)
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_sdks_wheel_holds_the_sdk_and_nothing_of_the_server(wheels):
    names = names_in(wheels[0])
    assert {"tillkey/__init__.py", "tillkey/py.typed", "tillkey/wire/__init__.py"} <= names
    assert {name.split("/")[0].split("-")[0] for name in names} == {"tillkey"}
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_neither_wheel_carries_what_only_the_checkout_needs(wheels):
    for wheel in wheels:
        assert not [
            name for name in names_in(wheel) if name.startswith(("tests", "docs", "scripts", "examples", "keys"))
        ]
        assert not [name for name in names_in(wheel) if "__pycache__" in name or name.endswith((".sqlite", ".pem"))]


def test_a_till_needs_four_packages_and_no_framework(wheels):
    needed = declared(wheels[:1])
    assert {"cryptography", "filelock", "httpx", "platformdirs"} <= needed
    assert not needed & {"fastapi", "pydantic", "sqlalchemy", "starlette", "typer", "rich"}


def test_a_dependency_that_no_wheel_declares_would_be_missed(wheels, monkeypatch, tmp_path):
    monkeypatch.setattr("tests.contracts.installed.declared", lambda _: {"cryptography", "cffi", "pycparser", "httpx"})
    with pytest.raises(AssertionError, match="No matching distribution found for"):
        make_environment(tmp_path / "env", wheels[:1])


def test_the_installed_wheels_serve_and_activate_far_from_the_checkout(installed, bare_env, tmp_path):
    located = json.loads(run([str(installed / "python"), "-c", WHERE], cwd=tmp_path, env=bare_env))
    assert all(Path(path).is_relative_to(installed.parent) for path in located)

    data = tmp_path / "data"
    command = str(installed / "tillkey-server")
    at = ["--data-dir", str(data)]
    run([command, "init", *at, "--examples"], cwd=tmp_path, env=bare_env)
    issue = [command, "license", "issue", *at, "--product", "pos-core", "--customer", "shop@example.com", "--json"]
    key = json.loads(run(issue, cwd=tmp_path, env=bare_env))["license_key"]

    with served(command, data, bare_env) as address:
        arguments = [address, str(data / "keyset.json"), str(tmp_path / "state"), key]
        said = run([str(installed / "python"), "-c", ACTIVATE, *arguments], cwd=tmp_path, env=bare_env)
        listed = run([command, "activation", "list", *at, "--json"], cwd=tmp_path, env=bare_env)
    assert json.loads(said) == {"activated": True, "checked": True}
    assert [item["status"] for item in json.loads(listed)["items"]] == ["active"]


@contextmanager
def served(command, data, env):
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    log = data.parent / "serve.log"
    arguments = [command, "serve", "--data-dir", str(data), "--host", "127.0.0.1", "--port", str(port)]
    with log.open("wb") as out:
        server = subprocess.Popen(arguments, cwd=data.parent, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    try:
        wait_until_ready(f"{address}/readyz", server, log)
        yield address
    finally:
        server.terminate()
        server.wait(timeout=30)


def wait_until_ready(url, server, log):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                assert answer.status == 200
                return
        except OSError as problem:
            if isinstance(problem, urllib.error.HTTPError):
                problem.close()
            time.sleep(0.1)
    pytest.fail(f"the server did not become ready:\n{log.read_text()}")
