"""An environment that holds our two wheels and what they declare, and nothing of the checkout.

Only the distributions that the wheels' own metadata ask for are there, linked from the environment that runs the
tests, so neither a missing dependency nor a missing file can hide, and no network is needed.
"""

import subprocess
import sys
import venv
from collections.abc import Iterator
from email.parser import Parser
from importlib.metadata import distribution
from pathlib import Path
from zipfile import ZipFile

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

OURS = frozenset({"tillkey", "tillkey-server"})


def build_wheel(project: Path, into: Path) -> Path:
    """Build the project's wheel with the build backend that is installed here; return its path."""
    before = set(into.glob("*.whl"))
    run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(into)], cwd=project)
    (wheel,) = set(into.glob("*.whl")) - before
    return wheel


def make_environment(folder: Path, wheels: list[Path]) -> Path:
    """Make a virtual environment with the wheels installed by pip; return its folder of programs.

    pip works without an index and without skipping dependencies: it fails if one that a wheel declares is missing.
    """
    venv.EnvBuilder(symlinks=True).create(folder)
    (site,) = folder.glob("lib/python*/site-packages")
    for name in sorted(declared(wheels)):
        _link(name, site)
    bin_folder = folder / "bin"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(bin_folder / "python")]
    run([*pip, "install", "--quiet", "--no-index", *map(str, wheels)], cwd=folder)
    return bin_folder


def declared(wheels: list[Path]) -> set[str]:
    """Return the names of all distributions that the wheels need, directly or not, without our own."""
    needed: set[str] = set()
    waiting = [requirement for wheel in wheels for requirement in _required_by_wheel(wheel)]
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        mark = f"{name}[{','.join(sorted(requirement.extras))}]"
        if name in OURS or mark in needed:
            continue
        needed.add(mark)
        lines = distribution(name).requires or []
        waiting.extend(_applicable(map(Requirement, lines), requirement.extras))
    return {mark.partition("[")[0] for mark in needed}


def run(command: list[str], *, cwd: Path, env: dict[str, str] | None = None) -> str:
    """Run a program to its end and return its output; the error shows what it said."""
    done = subprocess.run(
        command, cwd=cwd, env=env, capture_output=True, text=True, timeout=120, check=False, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 0, f"{command} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def _required_by_wheel(wheel: Path) -> list[Requirement]:
    with ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = Parser().parsestr(archive.read(name).decode())
    return list(_applicable(map(Requirement, metadata.get_all("Requires-Dist", [])), set()))


def _applicable(requirements: Iterator[Requirement], extras: set[str]) -> Iterator[Requirement]:
    for requirement in requirements:
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in (extras or {""})):
            yield requirement


def _link(name: str, site: Path) -> None:
    """Make an installed distribution importable in another environment by linking its top-level files and folders."""
    found = distribution(name)
    for top in {path.parts[0] for path in found.files or [] if path.parts[0] not in {"..", "__pycache__"}}:
        target = site / top
        if not target.exists():
            target.symlink_to(Path(str(found.locate_file(top))).resolve())
