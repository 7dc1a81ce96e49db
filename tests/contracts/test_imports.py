"""Each import contract of pyproject.toml sees an import that breaks it; that they hold is told by `make lint`.

The planted imports go into a copy of the module tree whose files hold nothing else.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = {"tillkey": ROOT / "sdk/tillkey", "tillkey_server": ROOT / "server/tillkey_server"}


def lint_imports(folder, env):
    command = [
        Path(sys.executable).with_name("lint-imports"),
        "--config",
        ROOT / "pyproject.toml",
        "--no-cache",
        "--no-logo",
    ]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)


@pytest.fixture
def planted(tmp_path):
    """Give `planted(module, line)`: what import-linter says of empty packages in which one module holds one import."""
    for name, source in PACKAGES.items():
        for path in source.rglob("*.py"):
            copy = tmp_path / name / path.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.touch()

    def check(module, line):
        path = tmp_path / (module.replace(".", "/") + ".py")
        (path if path.exists() else tmp_path / module.replace(".", "/") / "__init__.py").write_text(line + "\n")
        return lint_imports(tmp_path, os.environ | {"PYTHONPATH": str(tmp_path)})

    return check


def test_a_tree_without_imports_breaks_nothing(planted):
    result = planted("tillkey_server.errors", "")
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("tillkey_server.errors", "import tillkey_server.usecases", "The server's rooms import downwards only"),
        (
            "tillkey_server.rules.lease",
            "import tillkey_server.store.tables",
            "The server's rooms import downwards only",
        ),
        ("tillkey_server.store.tables", "import tillkey_server.policies", "The server's rooms import downwards only"),
        ("tillkey.errors", "import tillkey_server.errors", "The SDK knows nothing of the server"),
        ("tillkey_server.usecases.check", "import tillkey.verdict", "Of the SDK the server imports only the wire"),
        ("tillkey_server.rules.lease", "import time", "The rules are pure"),
        ("tillkey_server.rules.lease", "import sqlalchemy.orm", "The rules are pure"),
        ("tillkey.wire.keys", "from os import urandom", "The wire documents"),
        ("tillkey.verdict", "import tillkey.platform, time", "The wire documents"),
        ("tillkey.verdict", "def late():\n    import httpx", "Only the SDK's transport knows HTTP"),
        ("tillkey_server.usecases.check", "import fastapi", "Use cases and below know neither"),
        ("tillkey_server.api.problems", "import sqlalchemy", "The API opens no transaction"),
    ],
)
def test_an_import_that_breaks_a_contract_is_seen(planted, module, line, contract):
    result = planted(module, line)
    assert result.returncode == 1, result.stdout + result.stderr
    broken = [said for said in result.stdout.splitlines() if said.endswith("BROKEN")]
    assert any(said.startswith(contract) for said in broken), result.stdout
