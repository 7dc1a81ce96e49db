"""What the tests of the command line share: commands run in this process, on a folder with the example products."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from tests.support.commands import invoke
from tests.support.databases import DIALECTS
from tests.support.made import made, with_examples
from tillkey_server.settings import Settings

__all__ = ["made", "with_examples"]

CUSTOMER = "owner@shop.example"


def own_folder(settings: Settings, tmp_path: Path) -> Path:
    """Copy a data folder, but for a database in it, for the test alone; return the copy."""
    folder = shutil.copytree(settings.data_dir, tmp_path / "data", ignore=shutil.ignore_patterns("*.sqlite*"))
    folder.chmod(0o700)
    return folder


class Shell:
    """Runs commands on one data folder, as a person or a script does."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir

    def run(self, *words: str) -> Result:
        """Run a command, whatever comes of it; a defect raises here."""
        result = invoke([*words, "--data-dir", str(self.data_dir)])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    def json(self, *words: str, exit_code: int = 0) -> Any:
        """Run a command with `--json` and return the one document on stdout."""
        result = self.run(*words, "--json")
        assert result.exit_code == exit_code, (words, result.exit_code, result.stdout, result.stderr)
        return json.loads(result.stdout)

    def issue(self, *more: str, product: str = "pos-core") -> Any:
        """Issue licenses."""
        return self.json("license", "issue", "--product", product, "--customer", CUSTOMER, *more)


@pytest.fixture(params=DIALECTS)
def url(
    request: pytest.FixtureRequest, fresh_database: Callable[..., str], with_examples: Callable[[str], None]
) -> str:
    return fresh_database(request.param, with_examples)


@pytest.fixture
def shell(url: str, made: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A folder of the test's own, which it may spoil, beside the database."""
    monkeypatch.setenv("TILLKEY_DATABASE_URL", url)
    return Shell(own_folder(made, tmp_path))
