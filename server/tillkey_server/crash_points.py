"""Named points at which a test can make the process die, to prove what survives (I5).

1. `reach(name)` does nothing unless that point is armed; then the process kills itself with SIGKILL: nothing is
   flushed, closed or said, as when the power goes.
2. A point can be armed only in a test: TILLKEY_TESTING=1 and a file `TESTS-ONLY` in the data folder, both. A variable
   alone could be left over in an operator's environment.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

from tillkey_server.errors import ConfigError

POINTS = ("before_commit", "after_commit", "after_signing")
"""Before a use case's transaction commits; after it; after its answer is signed and before it is sent."""

MARKER = "TESTS-ONLY"

_armed: list[str] = []


def permit(name: str, *, testing: bool, data_dir: Path) -> None:
    """Raise ConfigError unless `name` is a point and everything says that this is a test."""
    if name not in POINTS:
        raise ConfigError(f"TILLKEY_CRASH_AT: no crash point is named {name!r}; there are {', '.join(POINTS)}")
    if not testing:
        raise ConfigError("TILLKEY_CRASH_AT makes the server kill itself and is for tests: unset it")
    if not (data_dir / MARKER).is_file():
        raise ConfigError(f"TILLKEY_CRASH_AT is for tests: this data folder holds no file {MARKER}, so unset it")


def arm(name: str, *, testing: bool, data_dir: Path) -> None:
    """Make the process die when it reaches `name`. Raises ConfigError as `permit` does."""
    permit(name, testing=testing, data_dir=data_dir)
    _armed[:] = [name]


def reach(name: str) -> None:
    """Die here if this point is armed."""
    if name in _armed:
        os.kill(os.getpid(), signal.SIGKILL)
