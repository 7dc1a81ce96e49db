"""What the package shows, and what importing it does not do."""

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import tillkey
from tillkey import aio, errors, verdict

SDK = Path(tillkey.__file__).parents[1]


def test_the_public_names_are_exactly_these():
    assert sorted(tillkey.__all__) == [
        "Busy",
        "ConfigurationError",
        "LicenseClient",
        "NotActivated",
        "Refused",
        "STATUSES",
        "StateError",
        "SupportAnswer",
        "TillkeyError",
        "Unreachable",
        "Verdict",
        "__version__",
    ]


def test_the_verbs_of_a_client_are_exactly_these():
    assert [name for name in sorted(vars(tillkey.LicenseClient)) if not name.startswith("_")] == [
        "activate",
        "check",
        "deactivate",
        "examine",
        "heartbeat",
        "last_error",
        "move_ticket",
        "start",
        "stop",
        "support",
    ]


def test_the_arguments_of_a_client_are_exactly_these():
    names = list(inspect.signature(tillkey.LicenseClient).parameters)
    assert names[:4] == ["server", "product", "pinned_keyset", "state_dir"]
    assert names[4:] == [
        "machine_traits",
        "app_version",
        "platform_version",
        "connect_timeout",
        "total_timeout",
        "lock_timeout",
        "ca_file",
        "proxy",
        "on_change",
        "clock",
    ]


def test_the_client_for_asyncio_has_the_same_arguments_and_verbs():
    plain, awaited = tillkey.LicenseClient, aio.AsyncLicenseClient
    assert list(inspect.signature(plain).parameters) == list(inspect.signature(awaited).parameters)
    verbs = {name for name in vars(plain) if not name.startswith("_")} - {"examine"}
    assert verbs == {name for name in vars(awaited) if not name.startswith("_")}
    for name in verbs - {"start", "stop", "last_error", "check"}:
        same = inspect.signature(getattr(plain, name)).parameters
        assert list(same) == list(inspect.signature(getattr(awaited, name)).parameters)
        assert inspect.iscoroutinefunction(getattr(awaited, name))


def test_the_version_is_the_distributions():
    declared = re.search(r'^version = "(.+)"$', (SDK / "pyproject.toml").read_text(), re.MULTILINE)
    assert tillkey.__version__ == declared[1]


def test_the_error_tree_in_the_docstring_is_the_real_one():
    drawn = re.findall(r"── (\w+)", errors.__doc__)
    real = [name for name, value in vars(errors).items() if inspect.isclass(value) and issubclass(value, Exception)]
    assert {*drawn, "TillkeyError"} == set(real)
    assert all(issubclass(getattr(errors, name), tillkey.TillkeyError) for name in real)


def test_every_status_is_in_the_judges_table():
    named = set(verdict.STATUSES) - {"revoked", "superseded", "released", "suspended"}
    assert all(f"``{status}``" in verdict.__doc__ for status in named)


def in_a_new_process(program: str) -> str:
    command = [sys.executable, "-c", program]
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=SDK).stdout


@pytest.mark.parametrize("module", ["httpx", "asyncio", "filelock", "platformdirs", "logging", "ssl", "email"])
def test_importing_the_sdk_does_not_import(module):
    assert in_a_new_process(f"import sys, tillkey; print({module!r} in sys.modules)") == "False\n"


def test_the_wire_documents_alone_load_no_client():
    program = "import sys, tillkey.wire.request; print(*sorted(n for n in sys.modules if n.startswith('tillkey')))"
    assert all(
        name in {"tillkey", "tillkey._constants"} or name.startswith("tillkey.wire")
        for name in in_a_new_process(program).split()
    )


def test_every_public_name_is_found_at_its_first_use_and_no_other_is():
    assert in_a_new_process("import tillkey; print(set(tillkey.__all__) <= set(dir(tillkey)))") == "True\n"
    for name in tillkey.__all__:
        assert in_a_new_process(f"from tillkey import {name}; print({name} is not None)") == "True\n"
    with pytest.raises(AttributeError, match="'LicenceClient'"):
        _ = tillkey.LicenceClient


def test_importing_making_and_checking_draws_nothing_and_writes_nothing(server, tmp_path):
    keyset = tmp_path / "keyset.json"
    keyset.write_text(server.keysets[1])
    program = f"""
import os, secrets, sys
def forbidden(*arguments, **more):
    raise SystemExit("touched")
os.urandom = secrets.token_bytes = secrets.token_hex = secrets.randbelow = forbidden
import tillkey
client = tillkey.LicenseClient("https://x.example", "pos-core", {str(keyset)!r}, {str(tmp_path / "state")!r})
os.mkdir = forbidden
print(client.check().status, os.path.exists({str(tmp_path / "state")!r}), "httpx" in sys.modules)
"""
    assert in_a_new_process(program) == "unlicensed False False\n"
