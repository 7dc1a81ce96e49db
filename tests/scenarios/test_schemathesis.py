"""schemathesis against a real server: whatever the document allows or forbids, no 5xx and nothing undocumented."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.administration.operations import DOCUMENT
from tests.support.premises import premises  # noqa: F401 - fixture

ROOT = Path(__file__).resolve().parents[2]
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
EXAMPLES = 8


@pytest.fixture
def report(premises: Any, tmp_path: Path) -> subprocess.CompletedProcess[str]:  # noqa: F811
    """What schemathesis says of a server, asked as an admin may; the same questions in every run."""
    installation = premises.installation
    made = installation.command("api-key", "create", "--name", "schemathesis", "--role", "admin")
    command = [
        Path(sys.executable).with_name("schemathesis"),
        "run",
        ROOT / "openapi.yaml",
        *("--header", f"Authorization: Bearer {made['api_key']}"),
        *("--checks", ",".join(CHECKS)),
        *("--phases", "examples,coverage,fuzzing"),
        *("--max-examples", str(EXAMPLES), "--generation-deterministic", "--no-color"),
    ]
    with installation.serving() as server:
        return subprocess.run(
            [*command, "--url", server.url], cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
        )


def test_no_question_brings_a_server_error_or_an_undocumented_answer(report) -> None:
    assert report.returncode == 0, report.stdout[-20_000:] + report.stderr[-2_000:]
    # It would list the operations that never let it in: its key was a valid one.
    assert "returned only 401/403" not in report.stdout
    operations = sum(len(item) for item in DOCUMENT["paths"].values())
    assert f"Tested: {operations}\n" in report.stdout
