"""Where the files of a test run lie."""

import os
import shutil
import tempfile
from pathlib import Path

_MEMORY = Path("/dev/shm")
_ROOM = 4 * 1024**3


def _in_memory() -> Path | None:
    """Return a folder on which a commit waits for no disk; None where there is none with room, or programs do not run.

    A process that is killed loses nothing there, and no test takes the power away from its machine.
    """
    try:
        free, flags = shutil.disk_usage(_MEMORY).free, os.statvfs(_MEMORY).f_flag
    except OSError:
        return None
    return _MEMORY if free >= _ROOM and not flags & os.ST_NOEXEC else None


def settle() -> None:
    """Let temporary files lie in memory, those of every program that the tests start too; TMPDIR says otherwise."""
    if "TMPDIR" not in os.environ and (folder := _in_memory()):
        os.environ["TMPDIR"] = str(folder)
        tempfile.tempdir = None
