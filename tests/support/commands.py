"""The command line in this process: its tree of a hundred and fifty commands is built once, as a program does."""

from collections.abc import Sequence
from typing import Any
from unittest.mock import patch

from typer import testing
from typer.main import get_command
from typer.testing import CliRunner, Result

from tillkey_server.cli.main import app

COMMAND = get_command(app)


def invoke(words: Sequence[str], **how: Any) -> Result:
    """Run a command; `how` is as of typer's own runner, which would build the tree anew each time."""
    with patch.object(testing, "_get_command", lambda _: COMMAND):
        return CliRunner().invoke(app, words, **how)
