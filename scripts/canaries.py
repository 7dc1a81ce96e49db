"""Mutation canaries: each guard is removed from a copy of the tree, and the tests that watch it must turn red.

    python -m scripts.canaries             all of them, which takes minutes
    python -m scripts.canaries index lock  those whose name has one of these words
    python -m scripts.canaries --list      only name them

The guards stand in tests/canaries.toml. First every test that is named must be green without a mutation; then each
mutation is made alone. A canary is silent, and the command fails, where one of its tests stays green, breaks before it
can fail, or where the text to be replaced is not found. The tree itself is never touched.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIST = "tests/canaries.toml"
SECONDS = 900
_FAILED = re.compile(r"^FAILED (?P<test>tests/.+?)(?: - .*)?$", re.MULTILINE)
_BROKEN = re.compile(r"^ERROR (?P<test>tests/.+?)(?: - .*)?$", re.MULTILINE)


@dataclass(frozen=True)
class Edit:
    """A text that stands exactly once in a file, and what takes its place."""

    file: str
    text: str
    replacement: str

    def made(self, source: str) -> str:
        """Return the source with the edit made. Raises ValueError unless the text is there exactly once."""
        count = source.count(self.text)
        if count != 1:
            raise ValueError(f"{self.file}: the text to be replaced is there {count} times: {self.text.strip()!r}")
        return source.replace(self.text, self.replacement)


@dataclass(frozen=True)
class Canary:
    """A guard, how it is removed, and the tests that must then fail."""

    name: str
    guard: str
    edits: tuple[Edit, ...]
    tests: tuple[str, ...]


@dataclass(frozen=True)
class Run:
    """What became of some tests: pytest's exit code, those that failed, and those that broke before they could."""

    code: int
    failed: frozenset[str]
    broken: frozenset[str]
    seconds: float
    said: str

    def red(self, test: str) -> bool:
        """Tell whether a test, or one of the cases of a test or a file that is named as a whole, failed."""
        return any(found == test or found.startswith((f"{test}[", f"{test}::")) for found in self.failed)


def read(root: Path = ROOT) -> tuple[Canary, ...]:
    """Read the list of canaries."""
    document = tomllib.loads((root / LIST).read_text("utf-8"))
    return tuple(
        Canary(
            entry["name"],
            entry["guard"],
            tuple(Edit(edit["file"], edit["text"], edit["with"]) for edit in entry["edit"]),
            tuple(entry["tests"]),
        )
        for entry in document["canary"]
    )


@contextmanager
def copied(root: Path) -> Iterator[Path]:
    """Copy what git knows, or would with the next `git add`, into a folder of its own."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=root,
        check=True,
        capture_output=True,
    )
    with tempfile.TemporaryDirectory(prefix="tillkey-canaries-") as folder:
        tree = Path(folder)
        for name in listed.stdout.decode().split("\0"):
            if name and (root / name).is_file():
                (tree / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(root / name, tree / name)
        yield tree


@contextmanager
def mutated(tree: Path, canary: Canary) -> Iterator[None]:
    """Make a canary's edits, and take them back."""
    before = {edit.file: (tree / edit.file).read_text("utf-8") for edit in canary.edits}
    try:
        for edit in canary.edits:
            file = tree / edit.file
            file.write_text(edit.made(file.read_text("utf-8")), "utf-8")
        yield
    finally:
        for name, text in before.items():
            (tree / name).write_text(text, "utf-8")


def run(tree: Path, tests: tuple[str, ...]) -> Run:
    """Run tests of a copy against the code of that copy."""
    code = [str(tree / "server"), str(tree / "sdk")]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(code),
        # Compiled files are told apart by the second of their source, in which two mutations may fall.
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    started = time.monotonic()
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "--tb=line",
            "--show-capture=no",
            "-rfE",
            "-p",
            "no:cacheprovider",
            *tests,
        ],
        cwd=tree,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        timeout=SECONDS,
        check=False,
    )
    failed, broken = (frozenset(found.findall(done.stdout)) for found in (_FAILED, _BROKEN))
    return Run(done.returncode, failed, broken, time.monotonic() - started, done.stdout)


def verdict(canary: Canary, found: Run) -> list[str]:
    """Return what is wrong with a canary's run; nothing where each of its tests failed and none broke."""
    wrong = [f"stayed green: {test}" for test in canary.tests if not found.red(test)]
    wrong += [f"broke before it could fail: {test}" for test in sorted(found.broken)]
    return wrong if wrong or found.code == 1 else [f"pytest ended with {found.code}"]


def sing(tree: Path, canary: Canary) -> bool:
    """Run one canary and print its line of the table."""
    try:
        with mutated(tree, canary):
            found = run(tree, canary.tests)
    except (ValueError, OSError, subprocess.TimeoutExpired) as error:
        print(f"SILENT  {canary.name:26} {error}", flush=True)
        return False
    wrong = verdict(canary, found)
    figures = f"{len(found.failed):4} red, {found.seconds:5.1f} s"
    print(f"{'SILENT' if wrong else 'red   '}  {canary.name:26} {figures}  {canary.guard}", flush=True)
    for line in wrong:
        print(f"        {line}", flush=True)
    return not wrong


def main() -> int:
    """Run the canaries that are asked for; 1 where one is silent or the tests are not green to begin with."""
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    arguments.add_argument("words", nargs="*", help="only canaries whose name has one of these")
    arguments.add_argument("--list", action="store_true", help="only name them")
    asked = arguments.parse_args()
    chosen = [it for it in read() if not asked.words or any(word in it.name for word in asked.words)]
    if asked.list:
        for canary in chosen:
            print(f"{canary.name:26} {canary.guard}")
        return 0
    if not chosen:
        print("no canary has such a name", file=sys.stderr)
        return 1
    with copied(ROOT) as tree:
        first = run(tree, tuple(dict.fromkeys(test for canary in chosen for test in canary.tests)))
        if first.code:
            print(f"the tests are not green before any mutation:\n{first.said[-4000:]}", file=sys.stderr)
            return 1
        print(f"green   {'without a mutation':26} {'':4}      {first.seconds:5.1f} s", flush=True)
        silent = [canary.name for canary in chosen if not sing(tree, canary)]
    print(f"{len(chosen) - len(silent)} of {len(chosen)} canaries are red, as they should be")
    return 1 if silent else 0


if __name__ == "__main__":
    sys.exit(main())
