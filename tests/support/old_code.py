"""The server's code as an operator still runs it while the next version is put beside it."""

import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OLD_COMMIT = "358210b5ffe8788c2fe2696f884a918607cb33e8"
PARTS = ("server", "sdk", "migrations")


def real(folder: Path) -> Path | None:
    """Unpack the code of the last commit before migration 0002; None in a clone without its history."""
    archive = subprocess.run(["git", "archive", OLD_COMMIT, *PARTS], cwd=ROOT, capture_output=True, check=False)
    if archive.returncode:
        return None
    folder.mkdir()
    subprocess.run(["tar", "-x", "-C", str(folder)], input=archive.stdout, check=True)
    return folder


def reconstructed(folder: Path) -> Path:
    """Copy today's code without its newest migration: what it was, to the database, before that was written."""
    for part in PARTS:
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    newest = max((folder / "migrations" / "versions").glob("[0-9]*.py"))
    newest.unlink()
    return folder


def environment(folder: Path) -> dict[str, str]:
    """Return what makes a process of this environment run the code in `folder`."""
    return {"PYTHONPATH": os.pathsep.join(str(folder / part) for part in ("server", "sdk"))}
