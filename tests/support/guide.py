"""Runs the commands of a guide as they stand in it."""

import re
import shlex
import subprocess
import sys

from tests.support.server import Installation


def run_block(page: str, name: str, installation: Installation) -> None:
    """Run the block of console lines that a page marks with `<!-- test: name -->`, beside the data folder.

    Nobody is there to be asked: where a command would ask, `--yes` stands for the person's answer.
    """
    [block] = re.findall(rf"^<!-- test: {name} -->\n```console\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    for line in block.splitlines():
        program, *words = shlex.split(line.removeprefix("$ "))
        assert program == "tillkey-server"
        answer = ["--yes"] if words[:2] in (["keys", "rotate"], ["keys", "sign"], ["keys", "publish"]) else []
        done = subprocess.run(
            [sys.executable, "-m", "tillkey_server", *words, *answer],
            cwd=installation.data_dir.parent,
            env=installation.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, (line, done.stderr)
